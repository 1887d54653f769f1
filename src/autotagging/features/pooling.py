"""Summarize frames over time; all arrays are time-major."""

from collections.abc import Sequence

import numpy as np

from autotagging.features.clip_windows import cuts
from autotagging.features.pyramid import Level


def statistics(windows: np.ndarray) -> np.ndarray:
    """Summarize windows by the six functions of Hamel, Lemieux, Bengio and Eck (2011).

    Parameters
    ----------
    windows : (windows, frames, dims)

    Returns
    -------
    statistics : float32, (windows, 6 dims)
        Mean of all dimensions, then variance, maximum, minimum, third and fourth centred moment of
        all dimensions. The moments are not normalized, so that a constant dimension has none:
        variance and moments are exactly 0.
    """
    # Less the first frame, a constant is 0 whatever the rounding.
    first = windows[:, :1].astype(np.float64)
    change = windows - first
    mean = change.mean(axis=1, keepdims=True)
    centred = change - mean
    square = centred**2
    pooled = (
        (first + mean)[:, 0],
        square.mean(axis=1),
        windows.max(axis=1),
        windows.min(axis=1),
        (square * centred).mean(axis=1),
        (square**2).mean(axis=1),
    )
    return np.concatenate(pooled, axis=1).astype(np.float32)


def segment_maxima(values: np.ndarray, segment_frames: int) -> np.ndarray:
    """Take the maxima over segments that do not overlap; a shorter last segment counts.

    Parameters
    ----------
    values : (frames, dims)
        At least one frame.
    segment_frames
        Frames of a segment.

    Returns
    -------
    maxima : (segments, dims)
    """
    starts = range(0, len(values), segment_frames)
    # Many times as fast as np.maximum.reduceat.
    return np.stack([values[start : start + segment_frames].max(axis=0) for start in starts])


def level_maxima(levels: Sequence[Level], *, window_frames: int) -> np.ndarray:
    """Take the maxima of all levels of a clip over windows at the same times.

    Parameters
    ----------
    levels
        Levels of one clip, each with its own number of dimensions. The first has all frames of the
        clip, at least one window: see `clip_windows.repeated`.
    window_frames
        Length of a window, in frames of the clip. What remains at the end of the clip is left out.

    Returns
    -------
    maxima : (windows, sum of the levels' dims)

    Raises
    ------
    UserError
        A window has no frame of a level.
    ValueError
        The clip is shorter than a window.
    """
    n_windows = len(levels[0].values) // window_frames
    if n_windows == 0:
        raise ValueError(f"the clip is shorter than a window of {window_frames} frames")
    maxima = []
    for values, times in levels:
        bounds = cuts(times, window_frames, n_windows=n_windows)
        maxima.append(np.maximum.reduceat(values[: bounds[-1]], bounds[:-1], axis=0))
    return np.concatenate(maxima, axis=1)
