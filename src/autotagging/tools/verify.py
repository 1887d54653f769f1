"""Check that the files of a corpus or of DVC's cache are complete: `autotagging verify`."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.common.progress import progress
from autotagging.corpus.audio import Corpus
from autotagging.corpus.containers import BadClipError
from autotagging.corpus.delimited import table_bytes
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO, archive_files, corpus_folder
from autotagging.corpus.remote import MAGNATAGATUNE, own_audio, read_data_set
from autotagging.corpus.tables import (
    compare_tables,
    describe_unknown,
    find_table,
    read_annotations,
    read_clip_info,
)
from autotagging.tools._cache import cache_folder, damaged_objects, files_of, object_path
from autotagging.tools._lock import LOCK, read_lock, results_of

_DOWNLOAD = Path("results/download")
_TOLERATED_DAMAGE = 1.0  # seconds of damaged frames, as extract_mel.tolerance in params.yaml


def verify(*, corpus: str | None = None, cache: bool = False, remote: Path = MAGNATAGATUNE) -> None:
    """Read all files of a corpus or of DVC's cache; print OK, or a line for each faulty file.

    MagnaTagATune's files are compared with the published sizes and checksums. In other corpora,
    both tables must be valid and have the same path for a clip, and each clip must be decodable; a
    clip of zero bytes is no fault, because MagnaTagATune has three, and clips of an unknown track,
    album or artist are counted. If results/download belongs to this corpus, the audio and
    the tables must still be the same.

    Each object of DVC's cache is compared with its checksum, which is its name. DVC itself takes
    every read-only object for undamaged.

    Parameters
    ----------
    corpus
        Corpus to check: "demo", "magnatagatune" or a folder.
    cache
        Check DVC's cache instead of a corpus.
    remote
        YAML with the sizes and checksums of MagnaTagATune.

    Raises
    ------
    UserError
        A file is faulty, or the folder does not exist.
    """
    if cache == (corpus is not None):
        raise UserError("verify needs either --corpus NAME or --cache")
    if cache:
        _verify_cache()
    else:
        _verify_corpus(corpus, remote)


def _verify_cache() -> None:
    folder = cache_folder()
    count, damaged = damaged_objects(folder)
    if not damaged:
        print(f"{folder}: OK, {counted(count, 'object')}")
        return
    results = _results_in_cache(folder)
    for md5, path in damaged.items():
        print(f"{path}: damaged; {results.get(md5, 'of another commit or experiment')}")
    fetch = "dvc fetch" if damaged.keys() <= results.keys() else "dvc fetch --all-commits"
    raise UserError(
        f"{folder}: damaged: {len(damaged)} of {count} objects; type `rm -f "
        f"{' '.join(map(shlex.quote, map(str, damaged.values())))}`, then `{fetch}` to get them "
        "from the remote (without one, `autotagging record` saves them again from results/), then "
        "`autotagging restore`"
    )


def _results_in_cache(folder: Path) -> dict[str, str]:
    """Get the path of each result in dvc.lock, and of each folder of them, by its MD5."""
    found = {}
    for stage in read_lock().values() if LOCK.exists() else ():
        for result, listed in results_of(stage):
            listing = object_path(folder, listed)
            files = files_of(result, listing) if listing.is_file() else ()
            found |= {listed: result, **{md5: str(path) for path, md5 in files}}
    return found


def _verify_corpus(corpus: str, remote: Path) -> None:
    folder = corpus_folder(corpus)
    if not folder.is_dir():
        raise UserError(f"corpus {corpus}: {folder} is not a folder")
    if corpus == "magnatagatune":
        faults = list(_published_faults(folder, remote))
    else:
        tables = {}
        faults = [*_table_faults(folder, tables), *_clip_faults(folder, tables.get(ANNOTATIONS))]
    faults += changes_since_download(corpus) if not faults else []
    for fault in faults:
        print(fault)
    if faults:
        count = counted(len(faults), "fault")
        raise UserError(f"{folder}: {count}; repair the files above, or get them again")
    print(f"{folder}: OK")


def _published_faults(folder: Path, remote: Path) -> Iterator[str]:
    """Compare MagnaTagATune's files with their sizes and checksums."""
    data_set = read_data_set(remote)
    in_parts = archive_files(folder) and not (folder / data_set.archive.name).exists()
    audio = data_set.parts if in_parts else [data_set.archive]
    faults = {file: file.fault(folder / file.name) for file in [*data_set.tables, *audio]}
    if any(faults[file] for file in audio) and (found := own_audio(data_set, folder)):
        faults |= dict.fromkeys(audio)
        yield found
    for file, fault in faults.items():
        if fault:
            yield f"{folder / file.name}: {fault}"


def _table_faults(folder: Path, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Read both tables into `tables`, compare them, and print how many clips lack a group."""
    paths = []
    for name, read in ((ANNOTATIONS, read_annotations), (CLIP_INFO, read_clip_info)):
        try:
            paths.append(find_table(folder, name))
            tables[name] = read(paths[-1])
        except UserError as error:
            yield str(error)
    if len(tables) == 2:
        try:
            compare_tables(*tables.values(), paths)
        except UserError as error:
            yield str(error)
        else:
            for line in describe_unknown(*tables.values()):
                print(f"{folder}: {line}")


def _clip_faults(folder: Path, annotations: pd.DataFrame | None) -> Iterator[str]:
    """Decode each clip, and find clips that the annotations list but the audio lacks."""
    try:
        opened = Corpus(folder)
        sizes = opened.sizes()
    except UserError as error:
        yield str(error)
        return
    for clip in progress(sizes, total=len(sizes), label="Decoding clips"):
        try:
            decoded = opened.decode(clip)
        except BadClipError as error:
            if str(error) != "empty":
                yield f"{folder}, {clip}: {error}"
            continue
        if not decoded.whole:
            seconds = len(decoded.waveform) / decoded.sample_rate
            yield f"{folder}, {clip}: an error after {seconds:.1f} decoded seconds"
        if decoded.damaged_seconds > _TOLERATED_DAMAGE:
            yield f"{folder}, {clip}: {decoded.damaged_seconds:.1f} seconds of damaged frames"
    listed = () if annotations is None else annotations["mp3_path"]
    yield from (f"{folder}, {clip}: listed, but missing" for clip in listed if clip not in sizes)


def changes_since_download(corpus: str) -> list[str]:
    """Compare a corpus with what the step download saw, if results/download is of this corpus."""
    audio, folder = _DOWNLOAD / "audio.json", corpus_folder(corpus)
    if not audio.exists():
        return []
    seen = read_json(audio, corpus=str, sha256=str)
    if seen["corpus"] != corpus:
        return []
    changes = []
    if seen["sha256"] != Corpus(folder).fingerprint()["sha256"]:
        changes.append(f"{folder}: not the audio of {audio}, sha256 {seen['sha256']}")
    for name in (ANNOTATIONS, CLIP_INFO):
        if table_bytes(find_table(folder, name)) != (_DOWNLOAD / name).read_bytes():
            changes.append(f"{folder}: {name} is not {_DOWNLOAD / name}")
    return changes
