"""Mean and deviation of each mel bin, and the logistic regressions on them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotagging.features.logistic import fit_logistic
from autotagging.features.standardize import MeanAndDeviation, standardized


def fit_statistics(clips: Any, *, seed: int, keep: Callable) -> dict[str, np.ndarray]:
    """Fit the mean and deviation of each feature: arrays mean and deviation, (features,)."""

    def compute() -> dict[str, np.ndarray]:
        moments = MeanAndDeviation()
        for block in clips.blocks():
            moments.add(_statistics(block))
        found = {"mean": moments.mean, "deviation": moments.deviation}
        return {name: array.astype(np.float32) for name, array in found.items()}

    return keep("statistics", compute)


def transform_statistics(mel: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute a clip's features: float32, (1, 2 x mel bins), means first, from -5 to 5."""
    return standardized(_statistics(mel[None]), mean=arrays["mean"], deviation=arrays["deviation"])


def multiply_adds_statistics(
    arrays: Mapping[str, np.ndarray], *, mel_bins: int, frames: int
) -> int:
    """Count the multiply-adds of matrix products in `transform_statistics`: none."""
    return 0


def solve_statistics(
    train: np.ndarray,
    labels: np.ndarray,
    validation: np.ndarray,
    validation_labels: np.ndarray,
    *,
    strength: float,
) -> list[np.ndarray]:
    """Fit the regressions: kernel, (features, tags), and bias, (tags,)."""
    return [*fit_logistic(train[:, 0], labels, strength=strength)]


def _statistics(mel: np.ndarray) -> np.ndarray:
    mel = mel.astype(np.float64)
    return np.concatenate([mel.mean(axis=2), mel.std(axis=2)], axis=1)
