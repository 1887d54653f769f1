"""Components, mel spectra or MFCCs of each frame, summarized over windows by six functions."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from autotagging.features import standardize, whitening
from autotagging.features.cepstrum import mfcc
from autotagging.features.clip_windows import overlapping_windows, whole_windows
from autotagging.features.compression import amplitude, log_power, power
from autotagging.features.pooling import statistics

Features = Literal["pmsc", "mel", "mfcc"]
Structure = Literal["pfc", "mtsl"]

_EPSILON = 1e-6  # added to the eigenvalues, in units of their mean: components have unit variance


def fit_pooled(
    clips: Any,
    *,
    seed: int,
    keep: Callable,
    features: Features,
    components: int,
    log: bool,
) -> dict[str, np.ndarray]:
    """Fit PCA in one pass over the training clips, if there are components.

    Nothing is drawn at random. In memory is one block of spectrograms.

    Parameters
    ----------
    clips, seed, keep
        See `models.FeatureModel`.
    features
        Features of a frame: components (pmsc), mel spectrum (mel) or MFCCs (mfcc).
    components
        Number of components.
    log
        Whether mel spectra are log-compressed power, or amplitude.

    Returns
    -------
    arrays
        For pmsc mean, float32, (mel bins,), and matrix, float32, (mel bins, components).

    Raises
    ------
    UserError
        There are more components than mel bins, or the spectra do not vary.
    """
    if features != "pmsc":
        return {}
    return keep("pca", lambda: _fit_pca(clips, components=components, log=log))


def encode_pooled(
    mel: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    *,
    features: Features,
    structure: Structure,
    log: bool,
    pool_frames: int,
    short_frames: int,
    short_hop: int,
    long_frames: int | None,
) -> np.ndarray:
    """Compute a clip's six functions of each window.

    For a full clip of 1366 frames and 90 components they take 26 kB with pfc. With mtsl they take
    337 kB, or 365 kB with the whole clip as a window: 7.2 to 7.8 GB for the training and validation
    clips of the paper, on disk.

    Parameters
    ----------
    mel : float32, (mel bins, frames)
        Log-mel spectrogram of one clip, in dB.
    arrays
        Of `fit_pooled`.
    features, log
        See `fit_pooled`.
    structure
        One time scale (pfc) or two (mtsl).
    pool_frames
        Frames of a window, for one time scale.
    short_frames, short_hop
        Frames of a short window, and from its beginning to that of the next, for two time scales.
    long_frames
        Frames of a long window, for two time scales; None: a whole clip.

    Returns
    -------
    pooled : float32, (windows, 6 x dims) or (windows, short windows, 6 x dims)
        With pfc or mtsl. For each window, or short window, the mean of all dimensions first, then
        the others in the order of `pooling.statistics`. A clip that is shorter than a window is
        repeated up to one; frames that remain at the end are left out.
    """
    frames = _frames(mel, arrays, features=features, log=log)
    return _pooled(frames, structure, pool_frames, short_frames, short_hop, long_frames)


def fit_encoded_pooled(
    clips: Any, encoded: Any, arrays: Mapping[str, np.ndarray], *, seed: int, keep: Callable
) -> dict[str, np.ndarray]:
    """Fit pooled_mean and pooled_deviation, float32, (6 x dims,): those of all windows."""
    scale = standardize.fit_scale(clips, encoded, arrays, seed=seed, keep=keep)
    return {f"pooled_{name}": array.astype(np.float32) for name, array in scale.items()}


def finish_pooled(encoded: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Standardize the six functions: float32, from -5 to 5."""
    return standardize.standardized(
        encoded, mean=arrays["pooled_mean"], deviation=arrays["pooled_deviation"]
    )


def multiply_adds_pooled(arrays: Mapping[str, np.ndarray], *, mel_bins: int, frames: int) -> int:
    """Count the multiply-adds of the projection on components for one clip; 0 without it."""
    return frames * arrays["matrix"].size if "matrix" in arrays else 0


def _fit_pca(clips: Any, *, components: int, log: bool) -> dict[str, np.ndarray]:
    moments = None
    for block in clips.blocks():
        moments = moments or whitening.Moments.zero(block.shape[1])
        for mel in block:
            moments.add(_spectra(mel, log=log))
    mean, matrix = whitening.whitening(moments, retain=components, epsilon=_EPSILON, relative=True)
    return {"mean": mean, "matrix": matrix}


def _spectra(mel: np.ndarray, *, log: bool) -> np.ndarray:
    """Compress mel spectra: (mel bins, frames) in dB to (frames, mel bins)."""
    return log_power(power(mel)) if log else amplitude(mel)


def _frames(
    mel: np.ndarray, arrays: Mapping[str, np.ndarray], *, features: Features, log: bool
) -> np.ndarray:
    """Compute the features of each frame: float32, (frames, dims)."""
    if features == "mfcc":
        return mfcc(mel)
    spectra = _spectra(mel, log=log)
    if features == "mel":
        return spectra
    return whitening.whiten(spectra, arrays["mean"], arrays["matrix"])


def _pooled(
    frames: np.ndarray,
    structure: Structure,
    pool_frames: int,
    short_frames: int,
    short_hop: int,
    long_frames: int | None,
) -> np.ndarray:
    """Summarize windows, or the short windows of each long one, by the six functions."""
    if structure == "pfc":
        return statistics(whole_windows(frames, pool_frames))
    long = whole_windows(frames, long_frames or len(frames))
    short = [overlapping_windows(window, short_frames, hop=short_hop) for window in long]
    pooled = statistics(np.concatenate(short))
    return pooled.reshape(len(long), -1, pooled.shape[-1])
