"""Step download: get a corpus, list its clips, fingerprint its audio (sec. II.A)."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import (
    naming,
    read_json,
    replacing,
    write_checksums,
    write_csv,
    write_json,
)
from autotagging.common.locks import locked
from autotagging.common.versions import versions, write_versions
from autotagging.corpus.audio import Corpus, open_corpus
from autotagging.corpus.delimited import table_bytes
from autotagging.corpus.folders import remove_unfinished
from autotagging.corpus.paths import (
    ANNOTATIONS,
    ARCHIVE,
    CLIP_INFO,
    corpus_folder,
    corpus_title,
    is_made_here,
    own_title,
)
from autotagging.corpus.tables import (
    compare_tables,
    describe_unknown,
    find_table,
    read_annotations,
    read_clip_info,
)

LIBRARIES = ("pandas",)
SYNTHESIS = ("libsndfile", "numpy", "scipy", "soundfile")


@dataclass(frozen=True)
class Demo:
    """Settings of the demo corpus.

    Attributes
    ----------
    demo_clips
        Number of annotated clips of the demo corpus.
    demo_seed
        Seed of the demo corpus.
    """

    demo_clips: int
    demo_seed: int


@dataclass(frozen=True)
class CorpusFiles:
    """Files that the later steps read.

    Attributes
    ----------
    annotations
        Output: copy of annotations_final.csv.
    clip_info
        Output: copy of clip_info_final.csv.
    clips
        Output: clip_id, mp3_path, and bytes and CRC-32 of its file (empty if it is missing) of each
        annotated clip.
    groups
        Output: clip_id, track, album, artist of each clip in clip_info_final.csv; an empty field
        is unknown.
    audio
        Output: name of the corpus, its title for captions, its audio files, bytes and sha256.
    versions
        Output: versions of the libraries that made the results.
    checksums
        Output: SHA-256 of the other files.
    """

    annotations: Path
    clip_info: Path
    clips: Path
    groups: Path
    audio: Path
    versions: Path
    checksums: Path


def download(
    *,
    corpus: str,
    remote: Path,
    demo: Annotated[Demo, Parameter(name="*")],
    threads: int,
    files: Annotated[CorpusFiles, Parameter(name="*")],
    offline: bool = False,
) -> None:
    """Get a corpus and list its clips.

    A folder whose tables are those of MagnaTagATune, byte by byte, is called so in the results.

    Parameters
    ----------
    corpus
        Corpus to use: "demo" (synthesised), "magnatagatune" (downloaded), or a folder in the same
        format.
    remote
        YAML file with the addresses and checksums of MagnaTagATune.
    threads
        Number of processes that synthesise the demo corpus.
    offline
        Whether to make no connection; files to download must then be there already.
    """
    folder = corpus_folder(corpus)
    if corpus == "demo":
        _make_demo(folder, demo, threads=threads)
    elif corpus == "magnatagatune":
        from autotagging.corpus.remote import fetch, read_data_set

        fetch(read_data_set(remote), folder, offline=offline)
    elif not folder.is_dir():
        raise UserError(f"corpus {corpus}: {folder} is not a folder")

    sources = [find_table(folder, name) for name in (ANNOTATIONS, CLIP_INFO)]
    listed = read_annotations(sources[0])[["clip_id", "mp3_path"]]
    clip_info = read_clip_info(sources[1])
    compare_tables(listed, clip_info, sources)
    opened = open_corpus(folder)
    listed["bytes"] = listed["mp3_path"].map(opened.size).astype("Int64")
    _check_some_found(listed, opened, sources[0])
    listed["crc32"] = listed["mp3_path"].map(opened.crc32).astype("Int64")
    tables = [table_bytes(source) for source in sources]
    for table, target in zip(tables, (files.annotations, files.clip_info), strict=True):
        with replacing(target) as temporary:
            temporary.write_bytes(table)
    write_csv(listed, files.clips)
    write_csv(clip_info.drop(columns="mp3_path"), files.groups)
    audio = {"corpus": corpus, "title": corpus_title(corpus), **opened.fingerprint()}
    if corpus == "magnatagatune":
        audio["files"] = [ARCHIVE]  # its parts are the same bytes
    if not is_made_here(corpus) and _are_published(tables, remote):
        audio["title"] = own_title(listed["bytes"].isna().sum())
    write_json(audio, files.audio)
    write_versions(files.versions, *LIBRARIES, *(SYNTHESIS if corpus == "demo" else ()))
    write_checksums(files.checksums, vars(files).values())
    print(
        f"{len(listed)} clips, {listed['bytes'].isna().sum()} of them missing, "
        f"{(listed['bytes'] == 0).sum()} empty",
        *describe_unknown(listed, clip_info),
        sep="\n",
        file=sys.stderr,
    )


def _are_published(tables: list[bytes], remote: Path) -> bool:
    """Tell whether both tables are those of MagnaTagATune."""
    from autotagging.corpus.remote import read_data_set

    found = sorted(hashlib.sha256(table).hexdigest() for table in tables)
    return found == sorted(table.checksum for table in read_data_set(remote).tables)


def _check_some_found(listed: pd.DataFrame, opened: Corpus, annotations: Path) -> None:
    """Raise UserError if the audio has none of the listed clips."""
    if listed["bytes"].isna().all():
        raise UserError(
            f"{opened.folder}: none of the {len(listed)} clips in {annotations.name} is there; the "
            f"first file found is {opened.first_name() or '(none)'}, the first expected "
            f"{listed['mp3_path'].iloc[0]}"
        )


def _make_demo(folder: Path, wanted: Demo, *, threads: int) -> None:
    """Synthesise the demo corpus, unless the folder already contains the same one."""
    from autotagging import demo

    made = {"clips": wanted.demo_clips, "seed": wanted.demo_seed, "synthesiser": demo.fingerprint()}
    made["versions"] = versions(*SYNTHESIS)
    receipt = folder / demo.RECEIPT
    with locked(folder.with_name(f".{folder.name}.lock"), f"synthesis of {folder}", wait=True):
        remove_unfinished(folder)
        if _is_receipt(receipt, made):
            return
        if folder.exists() and any(folder.iterdir()) and not receipt.exists():
            raise UserError(f"{folder}: not a demo corpus, so it is not replaced; move it away")
        clips, seed = wanted.demo_clips, wanted.demo_seed
        with naming(folder):
            demo.synthesise(folder, clips=clips, seed=seed, workers=threads, receipt=made)


def _is_receipt(path: Path, made: dict[str, Any]) -> bool:
    try:
        return path.exists() and read_json(path) == made
    except UserError:  # damaged, so the corpus is made again
        return False
