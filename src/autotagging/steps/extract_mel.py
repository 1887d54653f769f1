"""Step extract_mel: clips to log-mel spectrograms, in shards (sec. II.B, Table 1)."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging import mel
from autotagging.corpus import BadClipError, Corpus, open_corpus
from autotagging.errors import UserError
from autotagging.files import replacing, write_csv, write_json
from autotagging.progress import progress
from autotagging.store import USABLE


def extract_mel_shard(
    *,
    download: Path,
    shard: int,
    shards: int,
    sample_rate: int,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    seconds: float,
    tolerance: float,
    spectrograms: Path,
    clips: Path,
) -> None:
    """Turn one block of clips into log-mel spectrograms.

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
    seconds
        Clips are cropped or zero-padded at both ends to this length.
    tolerance
        Seconds by which a clip may be longer or shorter and still count as ok; clips that are
        shorter by more are too_short, which is bad, those that are longer are cropped.
    spectrograms
        Output: float16, (clips, n_mels, frames), in dB; zeros for a bad clip.
    clips
        Output: clip_id, row in the array, decoded seconds, status.
    """
    table = pd.read_csv(download / "clips.csv")
    block = np.array_split(np.arange(len(table)), shards)[shard]
    corpus = open_corpus(download)
    _check_unchanged(table.iloc[block], corpus)
    front_end = {"sample_rate": sample_rate, "n_fft": n_fft, "hop_length": hop_length}
    samples = mel.clip_samples(seconds=seconds, sample_rate=sample_rate)
    frames = mel.frame_count(seconds=seconds, sample_rate=sample_rate, hop_length=hop_length)
    rows = []
    with replacing(spectrograms) as temporary:
        array = np.lib.format.open_memmap(
            temporary, mode="w+", dtype=np.float16, shape=(len(block), n_mels, frames)
        )
        todo = progress(table.iloc[block].itertuples(), total=len(block), label=f"shard {shard}")
        for row, clip in enumerate(todo):
            waveform, status = _load(corpus, clip.mp3_path, sample_rate, seconds, tolerance)
            rows.append((clip.clip_id, row, len(waveform) / sample_rate, status))
            if status in USABLE:
                array[row] = mel.log_mel(
                    mel.fit_length(waveform, samples), n_mels=n_mels, **front_end
                )
            else:
                print(f"clip {clip.clip_id}, {clip.mp3_path}: {status}", file=sys.stderr)
        array.flush()
    write_csv(pd.DataFrame(rows, columns=["clip_id", "row", "seconds", "status"]), clips)


def extract_mel(
    *,
    shards: list[Path],
    sample_rate: int,
    n_fft: int,
    hop_length: int,
    n_mels: int,
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
    seconds
        What the shards were made with.
    max_bad
        Share of clips that may be bad, 0 to 1.
    summary
        Output: shard, clips, then a column of counts for each status.
    front_end
        Output: the settings, for models to remember.

    Raises
    ------
    UserError
        More than `max_bad` of the clips are bad.
    """
    tables = pd.concat({path.stem: pd.read_csv(path) for path in shards}, names=["shard"])
    bad = tables[~tables["status"].isin(USABLE)]
    if len(bad) > max_bad * len(tables):
        first = ", ".join(f"{clip.clip_id} {clip.status}" for clip in bad.head(10).itertuples())
        raise UserError(
            f"{len(bad)} of {len(tables)} clips are bad, more than max_bad = {max_bad:g}: {first}"
        )
    counts = pd.crosstab(tables.index.get_level_values("shard"), tables["status"].to_numpy())
    counts = counts.reindex([path.stem for path in shards], fill_value=0)
    counts = counts.reindex(columns=[*USABLE, *sorted(set(counts) - set(USABLE))], fill_value=0)
    print(f"{len(tables)} clips: {counts.sum().to_dict()}", file=sys.stderr)
    counts.insert(0, "clips", counts.sum(axis=1))
    write_csv(counts.rename_axis("shard").reset_index(), summary)
    write_json(
        {
            "sample_rate": sample_rate,
            "n_fft": n_fft,
            "hop_length": hop_length,
            "n_mels": n_mels,
            "seconds": seconds,
            "frames": mel.frame_count(
                seconds=seconds, sample_rate=sample_rate, hop_length=hop_length
            ),
        },
        front_end,
    )


def _check_unchanged(clips: pd.DataFrame, corpus: Corpus) -> None:
    """Stop where the audio is no longer what clips.csv says."""
    found = clips["mp3_path"].map(corpus.sizes()).fillna(-1)
    changed = clips[found != clips["bytes"].fillna(-1)]
    if len(changed):
        raise UserError(
            f"{corpus.folder}: {changed['mp3_path'].iloc[0]} is not as it was at the "
            "download; run `snakemake --cores all --forcerun download`"
        )


def _load(
    corpus: Corpus, mp3_path: str, sample_rate: int, seconds: float, tolerance: float
) -> tuple[np.ndarray, str]:
    """Decode a clip and judge its length; a clip that can't be decoded has no samples."""
    try:
        waveform = corpus.waveform(mp3_path, sample_rate=sample_rate)
    except BadClipError as error:
        return np.empty(0, np.float32), str(error)
    surplus = len(waveform) / sample_rate - seconds
    if abs(surplus) <= tolerance:
        return waveform, "ok" if surplus >= 0 else "padded"
    return waveform, "cropped" if surplus > 0 else "too_short"
