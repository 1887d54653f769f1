"""Several time scales of one clip: Dieleman and Schrauwen's representations (2013; Table 4).

All arrays are time-major, (frames, bins); frequency is never smoothed.
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from autotagging.common.errors import UserError
from autotagging.features.compression import log_power

Representation = Literal["laplacian", "gaussian", "multiresolution"]


class Level(NamedTuple):
    """One time scale of a clip.

    Attributes
    ----------
    values : float32, (frames of the level, dims)
    times : float64, (frames of the level,)
        Time of each frame, in frames of the clip.
    """

    values: np.ndarray
    times: np.ndarray


def multiscale(power: np.ndarray, *, representation: Representation, n_levels: int) -> list[Level]:
    """Represent a clip on several time scales, compressed to ln(1 + 10,000 power).

    The pyramids are built from the compressed clip; the other representation averages the power,
    and is compressed afterwards.

    Parameters
    ----------
    power : float32, (frames, mel bins)
        Power of one clip.
    representation
        "laplacian", "gaussian" or "multiresolution": see the functions of these names.
    n_levels
        Number of levels, the clip itself (or what a Laplacian pyramid has in its place) included.

    Returns
    -------
    levels
        From the finest to the coarsest.

    Raises
    ------
    UserError
        A level averages more frames than the clip has.
    ValueError
        The number of levels is below 1.
    """
    if representation == "multiresolution":
        levels = multiresolution(power, n_levels)
        return [level._replace(values=log_power(level.values)) for level in levels]
    pyramid = {"laplacian": laplacian, "gaussian": gaussian}[representation]
    return pyramid(log_power(power), n_levels)


def gaussian(clip: np.ndarray, n_levels: int) -> list[Level]:
    """Build a Gaussian pyramid: smooth in time, take every second frame, repeat.

    The kernel is the binomial [1 4 6 4 1] / 16; the first and last frame are repeated at the edges.
    1366 frames give levels of 1366, 683, 342, 171, 86 and 43 frames.

    Parameters
    ----------
    clip : float32, (frames, bins)
    n_levels
        Number of levels, the clip included.

    Returns
    -------
    levels
        From the clip itself to the coarsest.

    Raises
    ------
    ValueError
        The number of levels is below 1.
    """
    _check_number(n_levels)
    levels = [clip]
    while len(levels) < n_levels:
        levels.append(_every_second(levels[-1]))
    return [
        Level(values, np.arange(len(values)) * 2.0**number) for number, values in enumerate(levels)
    ]


def _check_number(n_levels: int) -> None:
    if n_levels < 1:
        raise ValueError(f"n_levels is {n_levels}; expected at least 1")


def _every_second(clip: np.ndarray) -> np.ndarray:
    """Smooth with [1 4 6 4 1] / 16 and take the frames 0, 2, 4, ...: (ceil(frames / 2), bins)."""
    padded = _edges_repeated(clip, 2)
    n = len(clip)
    first, second, third, fourth, fifth = (padded[k : k + n : 2] for k in range(5))
    return (first + fifth + 4 * (second + fourth) + 6 * third) / 16


def laplacian(clip: np.ndarray, n_levels: int) -> list[Level]:
    """Build a Laplacian pyramid: each Gaussian level less the next one, upsampled.

    The last level stays Gaussian, so that the sum of the levels, each upsampled to the length of
    the clip, is the clip.

    Parameters
    ----------
    clip : float32, (frames, bins)
    n_levels
        Number of levels.

    Returns
    -------
    levels
        From the finest to the coarsest, with the lengths of the Gaussian pyramid.

    Raises
    ------
    ValueError
        The number of levels is below 1.
    """
    levels = gaussian(clip, n_levels)
    details = [
        fine._replace(values=fine.values - upsampled(coarse.values, len(fine.values)))
        for fine, coarse in pairwise(levels)
    ]
    return [*details, levels[-1]]


def upsampled(level: np.ndarray, frames: int) -> np.ndarray:
    """Double the frame rate of a level: zeros between its frames, then [1 4 6 4 1] / 8.

    Parameters
    ----------
    level : float32, (ceil(frames / 2), bins)
    frames
        Frames of the next finer level.

    Returns
    -------
    level : float32, (frames, bins)
    """
    padded = _edges_repeated(level, 1)
    before, here, after = padded[:-2], padded[1:-1], padded[2:]
    fine = np.empty((2 * len(level), *level.shape[1:]), level.dtype)
    fine[::2] = (before + after + 6 * here) / 8
    fine[1::2] = (here + after) / 2
    return fine[:frames]


def _edges_repeated(clip: np.ndarray, times: int) -> np.ndarray:
    return np.pad(clip, ((times, times), (0, 0)), mode="edge")


def multiresolution(power: np.ndarray, n_levels: int) -> list[Level]:
    """Average the power over 1, 2, 4, 8, ... frames at the same hop, without padding.

    This approximates spectrograms with longer and longer windows, which need the audio. The
    average over 2^k frames has about the time resolution of a window 2^k times as long, but keeps
    the frequency resolution of the stored window: partials closer than that stay unresolved.

    Parameters
    ----------
    power : float32, (frames, mel bins)
        Power of one clip; not compressed, since powers of frames add up and logarithms do not.
    n_levels
        Number of levels, the clip itself included.

    Returns
    -------
    levels
        Of power. A level that averages n frames has n - 1 frames fewer than the clip; the time of
        a frame is the middle of what it averages.

    Raises
    ------
    UserError
        A level averages more frames than the clip has.
    ValueError
        The number of levels is below 1.
    """
    _check_number(n_levels)
    longest = 2 ** (n_levels - 1)
    if longest > len(power):
        raise UserError(
            f"level {n_levels} averages {longest} frames, but a clip has {len(power)}: "
            "set fewer levels"
        )
    levels = [power]
    while len(levels) < n_levels:
        averaged = 2 ** (len(levels) - 1)
        levels.append((levels[-1][:-averaged] + levels[-1][averaged:]) / 2)
    return [
        Level(values, np.arange(len(values)) + (2**number - 1) / 2)
        for number, values in enumerate(levels)
    ]
