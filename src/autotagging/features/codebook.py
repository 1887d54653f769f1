"""Pooled k-means features on several time scales (Dieleman and Schrauwen 2013; Table 4).

A clip is represented on several levels, see `pyramid`. On each, the frames are whitened and
compared with a dictionary of spherical k-means; the features of a window are the maxima over its
frames. The encoding is linear, so that whitening and dictionary are one matrix per level: the
codebook. The whitening's subtraction of the mean is left out of it: it shifts a feature of all
windows alike, which the standardization removes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotagging.features.clip_windows import repeated
from autotagging.features.compression import power
from autotagging.features.pooling import level_maxima
from autotagging.features.pyramid import Level, Representation, multiscale
from autotagging.features.sampling import choose, rows_per_clip
from autotagging.features.spherical_kmeans import spherical_kmeans
from autotagging.features.whitening import Moments, whiten, whitening


def fit_codebook(
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
    """Fit a codebook in one pass over the training clips.

    In memory are the sample, 4 x sample_frames x mel bins x n_levels bytes (460 MB for 200,000
    frames of 96 bins on 6 levels), and a copy of one level of it.

    Parameters
    ----------
    clips
        Training clips: `len(clips)`, and `clips.blocks()`, see `models.FeatureModel`.
    seed
        Seed of the sample and of the first centroids.
    keep
        See `models.FeatureModel`.
    representation, n_levels
        See `pyramid.multiscale`.
    n_means
        Centroids per level.
    sample_frames
        Frames per level that k-means runs on, at most; the covariance is that of all frames.
    retain
        Share of each level's variance that whitening keeps.
    epsilon
        Regularization of the whitening, relative to the mean variance of a level's bins.
    iterations
        Iterations of k-means.
    pool_frames
        Frames of a window.

    Returns
    -------
    arrays
        codebook, float32, (levels, mel bins, means).

    Raises
    ------
    UserError
        A level does not vary, or has fewer frames in the sample than centroids; or a window is too
        short for a level.
    """

    def codebook() -> dict[str, np.ndarray]:
        moments, samples = _moments_and_samples(
            clips,
            seed=seed,
            representation=representation,
            n_levels=n_levels,
            sample_frames=sample_frames,
            pool_frames=pool_frames,
        )
        dictionaries = []
        for level in moments:
            mean, matrix = whitening(level, retain=float(retain), epsilon=epsilon, relative=True)
            rows = whiten(samples.pop(0), mean, matrix)
            centroids = spherical_kmeans(rows, n_means, seed=seed, iterations=iterations)
            dictionaries.append(matrix @ centroids.T)
        return {"codebook": np.stack(dictionaries)}

    return keep("codebook", codebook)


def _moments_and_samples(
    clips: Any,
    *,
    seed: int,
    representation: Representation,
    n_levels: int,
    sample_frames: int,
    pool_frames: int,
) -> tuple[list[Moments], list[np.ndarray]]:
    """Sum the moments of each level, and draw a sample of its frames, in one pass."""
    counts = iter(enumerate(rows_per_clip(len(clips), sample_frames)))
    moments: list[Moments] = []
    samples: list[list[np.ndarray]] = [[] for _ in range(n_levels)]
    for block in clips.blocks():
        moments = moments or [Moments.zero(block.shape[1]) for _ in range(n_levels)]
        for mel in block:
            number, count = next(counts)
            levels = _levels(mel, representation, n_levels, pool_frames)
            for (values, _), sums, sample in zip(levels, moments, samples, strict=True):
                sums.add(values)
                sample.append(values[choose(seed, number, len(values), count)])
    return moments, [np.concatenate(samples.pop(0)) for _ in range(n_levels)]


def _levels(
    mel: np.ndarray, representation: Representation, n_levels: int, pool_frames: int
) -> list[Level]:
    clip = repeated(power(mel), pool_frames)
    return multiscale(clip, representation=representation, n_levels=n_levels)


def window_maxima(
    mel: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    *,
    representation: Representation,
    pool_frames: int,
) -> np.ndarray:
    """Encode the frames of a clip and take the maxima over windows that do not overlap.

    Parameters
    ----------
    mel : float32, (mel bins, frames)
        Log-mel spectrogram of one clip, in dB. A clip that is shorter than a window is repeated up
        to one window.
    arrays
        Of `fit_codebook`.
    representation, pool_frames
        See `fit_codebook`.

    Returns
    -------
    maxima : float32, (windows, levels x means)
    """
    codebook = arrays["codebook"]
    encoded = [
        level._replace(values=level.values @ dictionary)
        for level, dictionary in zip(
            _levels(mel, representation, len(codebook), pool_frames), codebook, strict=True
        )
    ]
    return level_maxima(encoded, window_frames=pool_frames)


def multiply_adds(
    arrays: Mapping[str, np.ndarray],
    *,
    mel_bins: int,
    frames: int,
    representation: Representation,
    pool_frames: int,
) -> int:
    """Count the multiply-adds of `window_maxima` of one clip; those of the pyramid are left out."""
    n_levels, _, n_means = arrays["codebook"].shape
    silence = np.full((mel_bins, frames), -np.inf, np.float32)
    levels = _levels(silence, representation, n_levels, pool_frames)
    return sum(len(level.values) * mel_bins * n_means for level in levels)
