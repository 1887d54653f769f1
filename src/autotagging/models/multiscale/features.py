"""Maxima over windows of k-means features on several time scales."""

from collections.abc import Mapping

import numpy as np

from autotagging.features.codebook import fit_windows, multiply_adds, window_features
from autotagging.features.pyramid import Representation

fit_multiscale = fit_windows
"""Fit codebook and scale of the features in two passes."""


transform_multiscale = window_features
"""Compute the features of a clip's windows."""


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
