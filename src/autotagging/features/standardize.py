"""Standardize features by the mean and deviation of the training clips."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Features of float32 that vary by less than this, relative to their mean, vary by rounding.
_ROUNDING = 1e-6


class MeanAndDeviation:
    """Mean and standard deviation of each feature, in one pass over blocks of rows.

    Sums are in float64, relative to the first row, so that a constant feature deviates by exactly
    0. The same blocks in the same order give the same bytes.
    """

    def __init__(self) -> None:
        self._rows = 0

    def add(self, rows: np.ndarray) -> None:
        """Count in a block of rows, (rows, features); it may have no row."""
        if not len(rows):
            return
        if not self._rows:
            self._first = rows[0].astype(np.float64)
            self._mean = np.zeros_like(self._first)
            self._squares = np.zeros_like(self._first)
        change = rows - self._first
        mean = change.mean(axis=0)
        step = mean - self._mean
        both = self._rows + len(rows)
        # Two groups together: the squares within each, and those between their means.
        self._squares += ((change - mean) ** 2).sum(axis=0)
        self._squares += step**2 * (self._rows * len(rows) / both)
        self._mean += step * (len(rows) / both)
        self._rows = both

    @property
    def mean(self) -> np.ndarray:
        """Mean of each feature: float64, (features,)."""
        self._check()
        return self._first + self._mean

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each feature: float64, (features,); 0 if it varies by rounding."""
        self._check()
        deviation = np.sqrt(self._squares / self._rows)
        return np.where(deviation > _ROUNDING * np.abs(self.mean), deviation, 0.0)

    def _check(self) -> None:
        if not self._rows:
            raise ValueError("there is no mean of no rows")


def standardized(
    rows: np.ndarray, *, mean: np.ndarray, deviation: np.ndarray, limit: float = 5.0
) -> np.ndarray:
    """Standardize features and clip them: third and fourth moments have long tails.

    Parameters
    ----------
    rows : (rows, features)
    mean, deviation : (features,)
        Of the training clips: see `MeanAndDeviation`.
    limit
        Largest size of a standardized feature.

    Returns
    -------
    standardized : float32, (rows, features)
        From -limit to limit; 0 where the deviation is 0.
    """
    scale = np.divide(1.0, deviation, out=np.zeros(len(deviation)), where=deviation > 0)
    return np.clip((rows - mean) * scale, -limit, limit).astype(np.float32)


def fit_scale(
    clips: Any, encoded: Any, arrays: Mapping[str, np.ndarray], *, seed: int, keep: Callable
) -> dict[str, np.ndarray]:
    """Fit mean and deviation to stored features: float64, (features,); see `models.FeatureModel`.

    They are those of all windows of the training clips.
    """

    def scale() -> dict[str, np.ndarray]:
        moments = MeanAndDeviation()
        for windows in encoded.each(clips.clip_ids):
            moments.add(windows.reshape(-1, windows.shape[-1]))
        return {"mean": moments.mean, "deviation": moments.deviation}

    return keep("scale", scale)


def scaled(encoded: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Standardize a clip's features by the arrays of `fit_scale`: float32, from -5 to 5."""
    return standardized(encoded, mean=arrays["mean"], deviation=arrays["deviation"])
