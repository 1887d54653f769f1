"""Maxima over windows of k-means features on several time scales."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotagging.features.codebook import fit_windows, multiply_adds, window_features
from autotagging.features.pyramid import Representation


def fit_multiscale(
    clips: Any,
    *,
    seed: int,
    keep: Callable,
    representation: Representation,
    n_levels: int,
    n_means: int,
    sample_frames: int,
    retain: float,
    epsilon: float,
    iterations: int,
    pool_frames: int,
) -> dict[str, np.ndarray]:
    """Fit codebook and scale of the features in two passes: see `features.codebook.fit_windows`."""
    return fit_windows(
        clips,
        seed=seed,
        keep=keep,
        representation=representation,
        n_levels=n_levels,
        n_means=n_means,
        sample_frames=sample_frames,
        retain=retain,
        epsilon=epsilon,
        iterations=iterations,
        pool_frames=pool_frames,
    )


def transform_multiscale(
    mel: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    *,
    representation: Representation,
    pool_frames: int,
) -> np.ndarray:
    """Compute the features of a clip's windows: float32, (windows, levels x means), from -5 to 5.

    There is a window for every pool_frames whole frames; a shorter clip is repeated up to one.
    """
    return window_features(mel, arrays, representation=representation, pool_frames=pool_frames)


def multiply_adds_multiscale(
    arrays: Mapping[str, np.ndarray],
    *,
    mel_bins: int,
    frames: int,
    representation: Representation,
    pool_frames: int,
) -> int:
    """Count the multiply-adds of the matrix products in `transform_multiscale`."""
    return multiply_adds(
        arrays["codebook"],
        mel_bins=mel_bins,
        frames=frames,
        representation=representation,
        pool_frames=pool_frames,
    )
