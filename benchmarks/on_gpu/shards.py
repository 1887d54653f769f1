"""Made-up clips on disk, as `extract_mel` leaves them."""

import hashlib
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from on_gpu import data
from on_gpu.sizes import MEL_BINS, Size

_SHARDS = 4
_NOISES = 64


def write_shards(folder: Path, size: Size) -> Path:
    """Write the training and validation clips as extract_mel does; return the summary.

    The clips are numbered from 0, the validation clips come last. A clip is one of 64 spectrograms
    of noise, turned in time, at its level.
    """
    summary = folder / "summary.csv"
    if summary.exists():
        return summary
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    noises = rng.standard_normal((_NOISES, MEL_BINS, size.frames), np.float32) * 15 - 30
    clips = size.clips + size.validation
    levels, _ = data.make_levels(clips)
    turns = rng.integers(0, size.frames, clips)
    listed = []
    for number, clip_ids in enumerate(np.array_split(np.arange(clips), _SHARDS)):
        mel = np.empty((len(clip_ids), MEL_BINS, size.frames), np.float16)
        for row, clip in enumerate(clip_ids):
            mel[row] = np.roll(noises[clip % _NOISES], turns[clip], 1) + levels[clip]
        listed.append(_write_shard(folder / f"shard-{number:02}", clip_ids, mel))
    pd.DataFrame(listed).to_csv(summary, index=False)
    return summary


def _write_shard(path: Path, clip_ids: np.ndarray, mel: np.ndarray) -> dict[str, str]:
    np.save(path.with_suffix(".npy"), mel)
    table = pd.DataFrame({"clip_id": clip_ids, "row": range(len(mel)), "status": "ok"})
    table["crc32"] = [zlib.crc32(spectrogram) for spectrogram in mel]
    table.to_csv(path.with_suffix(".csv"), index=False)
    checksum = hashlib.sha256(path.with_suffix(".csv").read_bytes()).hexdigest()
    return {"shard": path.name, "table_sha256": checksum}
