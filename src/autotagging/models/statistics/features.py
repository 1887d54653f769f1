"""Mean and deviation of each mel bin, and the logistic regressions on them."""

from collections.abc import Mapping

import numpy as np

from autotagging.features.logistic import fit_logistic
from autotagging.features.standardize import fit_scale, scaled

fit_encoded_statistics = fit_scale
finish_statistics = scaled


def encode_statistics(mel: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute means and deviations of a clip's mel bins: float32, (1, 2 x mel bins), means first.

    Sums are in float64. Nothing is fitted before.
    """
    mel = mel.astype(np.float64)
    return np.concatenate([mel.mean(axis=1), mel.std(axis=1)]).astype(np.float32)[None]


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
