"""Step extract_mel, one shard: a block of clips to log-mel spectrograms (sec. II.B, Table 1)."""

import shutil
import sys
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import sha256, write_csv
from autotagging.common.fingerprint import fingerprint, modules
from autotagging.common.memory import keep_freed_memory
from autotagging.common.progress import progress
from autotagging.common.versions import versions as versions_of
from autotagging.common.versions import write_versions
from autotagging.corpus.audio import Corpus, open_corpus
from autotagging.dataset.store import USABLE
from autotagging.dataset.subsets import read_clips
from autotagging.mel.front_end import FrontEnd, Limits, MelSettings
from autotagging.mel.shards import UnfinishedShard

CODE = (
    "steps/extract_mel_shard.py",
    "common/*.py",
    "corpus/*.py",
    "dataset/*.py",
    "mel/*.py",
)
LIBRARIES = ("librosa", "libsndfile", "numpy", "pandas", "scipy", "soundfile", "soxr")


def extract_mel_shard(
    *,
    download: Path,
    shard: int,
    shards: int,
    settings: Annotated[MelSettings, Parameter(name="*")],
    limits: Annotated[Limits, Parameter(name="*")],
    unfinished: Path,
    spectrograms: Path,
    clips: Path,
    versions: Path,
) -> None:
    """Convert one block of clips to log-mel spectrograms; an interrupted run can be resumed.

    Parameters
    ----------
    download
        Output folder of download: results/download.
    shard
        Number of this shard, from 0.
    shards
        Number of shards.
    unfinished
        File of the unfinished spectrograms, which is moved when it is complete.
    spectrograms
        Output: float16, (clips, n_mels, frames), on the log scale; zeros for a bad clip.
    clips
        Output: clip_id, row in the array, decoded seconds, status, CRC-32 of the row.
    versions
        Output: versions of the libraries that made the spectrograms.

    Raises
    ------
    UserError
        The audio has changed since the download, or the disk is too small.
    """
    table = read_clips(download / "clips.csv")
    block = table.iloc[np.array_split(np.arange(len(table)), shards)[shard]]
    front_end, corpus = FrontEnd(settings, limits), open_corpus(download)
    _check_unchanged(block, corpus)
    _check_space(len(table), settings.shape, [spectrograms.parent, unfinished.parent])
    keep_freed_memory(large=False)
    shape = (len(block), *settings.shape)
    depends_on = _fingerprint(block, front_end, download / "audio.json")
    with closing(UnfinishedShard(unfinished, shape=shape, fingerprint=depends_on)) as file:
        done = len(file.rows)
        if done:
            print(f"shard {shard}: resuming after {done} of {len(block)} clips", file=sys.stderr)
        todo = block.iloc[done:]
        for clip in progress(todo.itertuples(), total=len(todo), label=f"shard {shard}"):
            spectrogram, decoded, status = front_end.extract(corpus, clip.mp3_path)
            file.append(spectrogram, seconds=decoded, status=status)
        for clip, row in zip(block.itertuples(), file.rows, strict=True):
            if row.status not in USABLE:
                print(f"clip {clip.clip_id}, {clip.mp3_path}: {row.status}", file=sys.stderr)
        notes = pd.DataFrame(file.rows, columns=["seconds", "status", "crc32"])
        notes.insert(0, "clip_id", block["clip_id"].to_numpy())
        notes.insert(1, "row", range(len(block)))
        write_csv(notes, clips)
        write_versions(versions, *LIBRARIES)
        file.finish(spectrograms)


def _check_unchanged(clips: pd.DataFrame, corpus: Corpus) -> None:
    """Raise UserError if the audio differs from clips.csv."""
    found = clips["mp3_path"].map(corpus.size).fillna(-1)
    changed = clips[found != clips["bytes"].fillna(-1)]
    if len(changed):
        raise UserError(
            f"{corpus.folder}: {changed['mp3_path'].iloc[0]} has changed since the "
            "download; run `snakemake --cores all --forcerun download`"
        )


def _check_space(n_clips: int, shape: tuple[int, int], folders: list[Path]) -> None:
    """Print the disk space that the whole corpus needs; raise UserError if too little is free."""
    whole = n_clips * 2 * int(np.prod(shape))
    there = 0
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob("shard-*.npy"):
            with suppress(FileNotFoundError):  # another job has just moved it
                there += 512 * file.stat().st_blocks
    free = min(shutil.disk_usage(folder).free for folder in folders)
    missing = max(0, whole - there)
    size = f"the spectrograms of {n_clips:,} clips take {whole / 1e9:,.2f} GB of disk"
    if missing > free:
        raise UserError(
            f"{folders[0]}: {size}, of which {missing / 1e9:,.2f} GB are not yet written, but only "
            f"{free / 1e9:,.2f} GB are free; free more space"
        )
    print(f"{size}; {missing / 1e9:,.2f} GB to write, {free / 1e9:,.2f} GB free", file=sys.stderr)


def _fingerprint(block: pd.DataFrame, front_end: FrontEnd, audio: Path) -> str:
    """Hash everything that a shard depends on: clips, audio, settings, code and libraries."""
    settings, libraries = asdict(front_end), versions_of(*LIBRARIES)
    return fingerprint(block.to_csv(), sha256(audio), settings, libraries, code=modules(*CODE))
