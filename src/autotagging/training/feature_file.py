"""Features of clips: computed in blocks, and stored in a file from which they are read."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.progress import progress

Gather = Callable[[np.ndarray], np.ndarray]

BLOCK = 32
"""Clips that are read, transformed and written together."""


def transformed(
    gather: Gather,
    transform: Callable[[np.ndarray], np.ndarray],
    *,
    threads: int = 1,
    dtype: type = np.float16,
) -> Gather:
    """Make a function from clip ids to features: (clips, windows, ...).

    Parameters
    ----------
    gather
        Function from clip ids to spectrograms, (clips, mel bins, frames), in dB; or to their stored
        features. At most 32 clips are read at a time.
    transform
        Function from a float32 array of one clip to features, (windows, ...).
    threads
        Clips that are transformed at a time; the result does not depend on it.
    dtype
        Type of the features.

    Raises
    ------
    UserError
        By the function: a clip has features that are not finite, or too large for the type.
    """

    def of_block(clip_ids: np.ndarray) -> np.ndarray:
        arrays = gather(clip_ids).astype(np.float32, copy=False)
        if threads == 1:
            features = [transform(array) for array in arrays]
        else:
            with ThreadPoolExecutor(threads) as pool:
                features = [*pool.map(transform, arrays)]
        return _converted(clip_ids, np.stack(features), dtype)

    def of_clips(clip_ids: np.ndarray) -> np.ndarray:
        first = of_block(clip_ids[:BLOCK])
        features = np.empty((len(clip_ids), *first.shape[1:]), dtype)
        features[:BLOCK] = first
        for start in range(BLOCK, len(clip_ids), BLOCK):
            features[start : start + BLOCK] = of_block(clip_ids[start : start + BLOCK])
        return features

    return of_clips


def _converted(clip_ids: np.ndarray, features: np.ndarray, dtype: type) -> np.ndarray:
    """Convert features, and raise a UserError that names the first clip that has unusable ones."""
    with np.errstate(over="ignore"):
        converted = features.astype(dtype)
    usable = np.isfinite(converted).reshape(len(converted), -1).all(axis=1)
    if usable.all():
        return converted
    row = int(usable.argmin())
    fault = "not finite"
    if np.isfinite(features[row]).all():
        fault = f"above {np.finfo(dtype).max:g}, the largest of {np.dtype(dtype)}; scale them down"
    raise UserError(f"clip {clip_ids[row]}: the model's features of it have values {fault}")


class FeatureFile:
    """Features of clips in a file, written once and read clip by clip: they need not fit in memory.

    They are stored as float32, because they have any range before they are scaled.

    Parameters
    ----------
    path
        File of the features. If an interrupted run of the same training left it, it is completed.
    clip_ids
        Clips in the order of the file.
    compute
        Function from clip ids to features: float32, (clips, windows, ...).
    threads
        Clips that are computed at a time by functions of `finished`.
    """

    def __init__(self, path: Path, clip_ids: np.ndarray, compute: Gather, *, threads: int = 1):
        self._rows = {int(clip): row for row, clip in enumerate(clip_ids)}
        self._threads = threads
        self.shape = compute(clip_ids[:1]).shape[1:]
        self._bytes = 4 * int(np.prod(self.shape))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            # What was written last may not have reached the disk.
            done = max(file.tell() // self._bytes // BLOCK - 1, 0) * BLOCK
            done = min(done, len(clip_ids))
            file.truncate(done * self._bytes)
            starts = range(done, len(clip_ids), BLOCK)
            for start in progress(starts, total=len(starts), label="features of all clips, block"):
                file.write(compute(clip_ids[start : start + BLOCK]).tobytes())
                file.flush()
                os.fsync(file.fileno())
        self._file = path.open("rb")

    def each(self, clip_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Read features clip by clip: float32, (windows, ...)."""
        for clip in clip_ids:
            yield self.gather([clip])[0]

    def finished(self, finish: Callable[[np.ndarray], np.ndarray]) -> Gather:
        """Make a function from clip ids to features of these: float16, (clips, windows, ...).

        Parameters
        ----------
        finish
            Function from the stored features of a clip to others, (windows, ...).
        """
        return transformed(self.gather, finish, threads=self._threads)

    def gather(self, clip_ids: Sequence[int]) -> np.ndarray:
        """Read features: float32, (clips, windows, ...); several threads may call this."""
        features = np.empty((len(clip_ids), *self.shape), np.float32)
        for row, clip in zip(features, clip_ids, strict=True):
            start = self._rows[int(clip)] * self._bytes
            if os.preadv(self._file.fileno(), [row], start) != self._bytes:
                raise UserError(f"{self._file.name}: shorter than it was written; delete it")
        return features
