"""Step extract_mel: clips to log-mel spectrograms, in shards (sec. II.B, Table 1)."""

import hashlib
import json
import shutil
import sys
from contextlib import closing, suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from autotagging.common.errors import UserError
from autotagging.common.files import sha256, write_csv, write_json
from autotagging.common.memory import keep_freed_memory
from autotagging.common.progress import progress
from autotagging.corpus import audio as corpus_module
from autotagging.corpus.audio import Corpus, open_corpus
from autotagging.dataset.store import USABLE
from autotagging.mel import front_end as extraction
from autotagging.mel import shards
from autotagging.mel import spectrogram as mel
from autotagging.mel.front_end import STATUSES, FrontEnd
from autotagging.mel.shards import UnfinishedShard

_MODULES = (corpus_module, extraction, mel, shards)
_LIBRARIES = ("librosa", "numpy", "scipy", "soundfile", "soxr")


def extract_mel_shard(
    *,
    download: Path,
    shard: int,
    shards: int,
    sample_rate: int,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    log_scale: str,
    seconds: float,
    tolerance: float,
    longest: float,
    unfinished: Path,
    spectrograms: Path,
    clips: Path,
) -> None:
    """Turn one block of clips into log-mel spectrograms; after a kill, go on with the next clip.

    Parameters
    ----------
    download
        Folder results/download.
    shard
        Number of the block, from 0, and how many there are.
    shards
        Number of the block, from 0, and how many there are.
    sample_rate
        In Hz.
    n_fft
        Window length and distance of the frames, in samples.
    hop_length
        Window length and distance of the frames, in samples.
    n_mels
        Number of mel bins.
    log_scale
        power_db, squared_power_db or log1p; see `mel.log_mel`.
    seconds
        Clips are cropped or zero-padded at both ends to this length.
    tolerance
        Seconds by which a clip may be longer or shorter and still count as ok or padded; clips
        that are shorter by more are too_short, which is bad, those that are longer are cropped.
    longest
        Clips that are longer are too_long, which is bad; in seconds.
    unfinished
        File in which the spectrograms grow before they are moved to their place.
    spectrograms
        Output: float16, (clips, n_mels, frames), on the log scale; zeros for a bad clip.
    clips
        Output: clip_id, row in the array, decoded seconds, status, CRC-32 of the row.

    Raises
    ------
    UserError
        The audio has changed since the download, or the disk is too small.
    """
    front_end = FrontEnd(
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        n_mels=n_mels,
        seconds=seconds,
        tolerance=tolerance,
        longest=longest,
        log_scale=log_scale,
    )
    table = pd.read_csv(download / "clips.csv")
    block = table.iloc[np.array_split(np.arange(len(table)), shards)[shard]]
    corpus = open_corpus(download)
    _check_unchanged(block, corpus)
    _check_space(len(table), front_end, [spectrograms.parent, unfinished.parent])
    keep_freed_memory(large=False)
    fingerprint = _fingerprint(block, front_end, download / "audio.json")
    shape = (len(block), *front_end.shape)
    with closing(UnfinishedShard(unfinished, shape=shape, fingerprint=fingerprint)) as file:
        done = len(file.rows)
        if done:
            print(f"shard {shard}: going on after {done} of {len(block)} clips", file=sys.stderr)
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
        file.finish(spectrograms)


def extract_mel(
    *,
    shards: list[Path],
    sample_rate: int,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    log_scale: str,
    seconds: float,
    max_bad: float,
    summary: Path,
    front_end: Path,
) -> None:
    """Gather the shards and list them.

    Parameters
    ----------
    shards
        The shards' tables, in order.
    sample_rate
        What the shards were made with.
    n_fft
        What the shards were made with.
    hop_length
        What the shards were made with.
    n_mels
        What the shards were made with.
    log_scale
        What the shards were made with.
    seconds
        What the shards were made with.
    max_bad
        Share of clips that may be bad, 0 to 1.
    summary
        Output: shard, clips, a column of counts for each status, SHA-256 of the shard's table.
    front_end
        Output: the settings, for models to remember.

    Raises
    ------
    UserError
        More than `max_bad` of the clips are bad.
    """
    tables = pd.concat({path.stem: pd.read_csv(path) for path in shards}, names=["shard"])
    counts = pd.crosstab(tables.index.get_level_values("shard"), tables["status"].to_numpy())
    counts = counts.reindex(
        index=[path.stem for path in shards], columns=list(STATUSES), fill_value=0
    )
    totals = counts.sum()
    print(f"{len(tables)} clips: {totals[totals > 0].to_dict()}", file=sys.stderr)
    bad = tables[~tables["status"].isin(USABLE)]
    if len(bad) > max_bad * len(tables):
        first = ", ".join(f"{clip.clip_id} {clip.status}" for clip in bad.head(10).itertuples())
        raise UserError(
            f"{len(bad)} of {len(tables)} clips are bad, more than max_bad = {max_bad:g}: {first}"
            + (", ..." if len(bad) > 10 else "")
        )
    counts.insert(0, "clips", counts.sum(axis=1))
    counts["table_sha256"] = [sha256(path) for path in shards]
    write_csv(counts.rename_axis("shard").reset_index(), summary)
    settings = mel.front_end(
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        n_mels=n_mels,
        seconds=seconds,
        log_scale=log_scale,
    )
    write_json(settings, front_end)


def _check_unchanged(clips: pd.DataFrame, corpus: Corpus) -> None:
    """Stop where the audio is no longer what clips.csv says."""
    found = clips["mp3_path"].map(corpus.size).fillna(-1)
    changed = clips[found != clips["bytes"].fillna(-1)]
    if len(changed):
        raise UserError(
            f"{corpus.folder}: {changed['mp3_path'].iloc[0]} is not as it was at the "
            "download; run `snakemake --cores all --forcerun download`"
        )


def _check_space(n_clips: int, front_end: FrontEnd, folders: list[Path]) -> None:
    """Say how much disk the whole corpus takes, and stop where there is less than is missing."""
    whole = n_clips * 2 * int(np.prod(front_end.shape))
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
            f"{folders[0]}: {size}, of which {missing / 1e9:,.2f} GB are to be written, but only "
            f"{free / 1e9:,.2f} GB are free"
        )
    print(f"{size}; {missing / 1e9:,.2f} GB to be written, {free / 1e9:,.2f} free", file=sys.stderr)


def _fingerprint(block: pd.DataFrame, front_end: FrontEnd, audio: Path) -> str:
    """Hash all that a shard depends on: clips, audio, settings, code and libraries."""
    digest = hashlib.sha256(block.to_csv().encode())
    digest.update(audio.read_bytes())
    for module in _MODULES:
        digest.update(Path(module.__file__).read_bytes())
    versions = {name: version(name) for name in _LIBRARIES}
    versions["libsndfile"] = soundfile.__libsndfile_version__
    digest.update(json.dumps([asdict(front_end), versions]).encode())
    return digest.hexdigest()
