"""Mean and deviation of each mel bin, and the logistic regressions on them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotagging.features.logistic import fit_logistic


def fit_statistics(clips: Any, *, seed: int, keep: Callable) -> dict[str, np.ndarray]:
    """Fit the mean and deviation of each feature: arrays mean and deviation, (features,)."""

    def compute() -> dict[str, np.ndarray]:
        rows = np.concatenate([_statistics(block) for block in clips.blocks()])
        deviation = rows.std(axis=0)
        return {
            "mean": rows.mean(axis=0).astype(np.float32),
            "deviation": np.where(deviation > 0, deviation, 1.0).astype(np.float32),
        }

    return keep("statistics", compute)


def transform_statistics(mel: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute a clip's features: float32, (1, 2 x mel bins), means first, standardized."""
    return ((_statistics(mel[None]) - arrays["mean"]) / arrays["deviation"]).astype(np.float32)


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
