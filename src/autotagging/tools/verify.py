"""Check that the files of a corpus are complete: the command `autotagging verify`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.common.progress import progress
from autotagging.corpus.audio import Corpus
from autotagging.corpus.containers import BadClipError
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO, archive_files, corpus_folder
from autotagging.corpus.remote import MAGNATAGATUNE, read_data_set
from autotagging.corpus.tables import find_table, read_annotations, read_clip_info

_AUDIO = Path("results/download/audio.json")


def verify(*, corpus: str, remote: Path = MAGNATAGATUNE) -> None:
    """Read all files of a corpus; print OK, or a line for each faulty file.

    MagnaTagATune's files are compared with the published sizes and checksums. In other corpora,
    both tables must be valid and each clip must be decodable; a clip of zero bytes is no fault,
    because MagnaTagATune has three. If results/download belongs to this corpus, the audio must
    still be the same.

    Parameters
    ----------
    corpus
        Corpus to check: "demo", "magnatagatune" or a folder.
    remote
        YAML with the sizes and checksums of MagnaTagATune.

    Raises
    ------
    UserError
        A file is faulty, or the folder does not exist.
    """
    folder = corpus_folder(corpus)
    if not folder.is_dir():
        raise UserError(f"corpus {corpus}: {folder} is not a folder")
    if corpus == "magnatagatune":
        faults = list(_published_faults(folder, remote))
    else:
        faults = [*_table_faults(folder), *_clip_faults(folder)]
    faults += _change_since_download(corpus, folder) if not faults else []
    for fault in faults:
        print(fault)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise UserError(f"{folder}: {count}; repair the files above, or get them again")
    print(f"{folder}: OK")


def _published_faults(folder: Path, remote: Path) -> Iterator[str]:
    """Compare MagnaTagATune's files with their sizes and checksums."""
    data_set = read_data_set(remote)
    in_parts = archive_files(folder) and not (folder / data_set.archive.name).exists()
    audio = data_set.parts if in_parts else [data_set.archive]
    for file in [*data_set.tables, *audio]:
        if fault := file.fault(folder / file.name):
            yield f"{folder / file.name}: {fault}"


def _table_faults(folder: Path) -> Iterator[str]:
    for name, read in ((ANNOTATIONS, read_annotations), (CLIP_INFO, read_clip_info)):
        yield from _fault_of(lambda name=name, read=read: read(find_table(folder, name)))


def _fault_of(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except UserError as error:
        yield str(error)


def _clip_faults(folder: Path) -> Iterator[str]:
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
        if decoded.damaged_seconds:
            yield f"{folder}, {clip}: {decoded.damaged_seconds:.1f} seconds of damaged frames"
    try:
        listed = read_annotations(find_table(folder, ANNOTATIONS))["mp3_path"]
    except UserError:
        return
    yield from (f"{folder}, {clip}: listed, but missing" for clip in listed if clip not in sizes)


def _change_since_download(corpus: str, folder: Path) -> list[str]:
    """Compare the audio with the fingerprint of the step download, if it is of this corpus."""
    if not _AUDIO.exists():
        return []
    seen = read_json(_AUDIO)
    if seen["corpus"] != corpus or seen["sha256"] == Corpus(folder).fingerprint()["sha256"]:
        return []
    return [f"{folder}: not the audio of {_AUDIO}, sha256 {seen['sha256']}"]
