"""Maxima over windows of k-means features on several time scales."""

from collections.abc import Mapping

import numpy as np

from autotagging.features.codebook import fit_codebook, multiply_adds, window_maxima
from autotagging.features.pyramid import Representation
from autotagging.features.standardize import fit_scale, scaled

fit_multiscale = fit_codebook
encode_multiscale = window_maxima
fit_encoded_multiscale = fit_scale
finish_multiscale = scaled


def multiply_adds_multiscale(
    arrays: Mapping[str, np.ndarray],
    *,
    mel_bins: int,
    frames: int,
    representation: Representation,
    pool_frames: int,
) -> int:
    """Count the multiply-adds of the matrix products in `encode_multiscale`."""
    return multiply_adds(
        arrays["codebook"],
        mel_bins=mel_bins,
        frames=frames,
        representation=representation,
        pool_frames=pool_frames,
    )
