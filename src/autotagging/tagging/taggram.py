"""Taggrams: the tags of a song over time, from overlapping windows.

The name is that of musicnn (Pons and Serra, 2019). A window is as long as a clip of training, so
its scores are drawn for the few seconds around its middle.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autotagging.tagging.audio import TOLERANCE
from autotagging.tagging.bundle import Description
from autotagging.tagging.outputs import csv_line, heading
from autotagging.tagging.printable import printable

HOP = 3.0
"""Seconds from the beginning of a window to that of the next."""

_ROUNDING = 0.002  # seconds: the times of a result are whole milliseconds
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = 12  # columns of the text from one time to the next, at least


def spans(result: Mapping[str, Any], described: Description) -> np.ndarray:
    """Divide the time of a song among its windows: a moment has the window of the nearest middle.

    Moments further than half a hop from every middle have none, because there is silence; except
    those at the beginning and at the end of the song, which the first and the last window cover.

    Parameters
    ----------
    result
        Result of a song, with the scores of its windows.
    described
        The tagger.

    Returns
    -------
    spans : float64, (windows, 2)
        From and to, in seconds; they do not overlap.
    """
    hop, seconds = result["hop"], result["seconds"]
    starts = np.array(result["window_starts"], np.float64)
    middles = starts + described.window_seconds / 2
    low, high = middles - hop / 2, middles + hop / 2
    near = np.diff(starts) <= hop + TOLERANCE
    between = (middles[:-1] + middles[1:]) / 2
    high[:-1][near] = low[1:][near] = between[near]
    if starts[0] <= TOLERANCE:
        low[0] = 0
    if starts[-1] + described.window_seconds >= seconds - TOLERANCE - _ROUNDING:
        high[-1] = seconds
    return np.stack([low, high], axis=1).clip(0, seconds)


def levels(result: Mapping[str, Any], described: Description) -> np.ndarray:
    """Compare the scores of the windows with the thresholds of their tags.

    Returns
    -------
    levels : float64, (windows, tags)
        0 for a score of 0, 0.5 at the threshold, 1 for a score of 1, and linear between.
    """
    scores = np.array(result["window_scores"], np.float64)
    thresholds = np.array([described.threshold(tag) for tag in described.tags])
    with np.errstate(divide="ignore", invalid="ignore"):  # a threshold may be 0 or 1
        below = 0.5 * scores / thresholds
        above = 0.5 + 0.5 * (scores - thresholds) / (1 - thresholds)
    return np.where(scores >= thresholds, np.where(thresholds < 1, above, 1), below)


def strongest(levels: np.ndarray, top: int) -> np.ndarray:
    """Choose the tags to show: those with the highest levels in any window.

    Parameters
    ----------
    levels : (windows, tags)
        See `levels`.
    top
        Number of tags.

    Returns
    -------
    tags : int, (top,)
        Numbers of the tags, the one with the highest mean level first; all tags if there are fewer.
    """
    chosen = np.argsort(-levels.max(axis=0), kind="stable")[:top]
    return chosen[np.argsort(-levels.mean(axis=0)[chosen], kind="stable")]


def csv_lines(result: Mapping[str, Any], described: Description) -> Iterator[str]:
    """Write a taggram as CSV, a line at a time, with a row for each window.

    The columns are from and to, the time for which the row stands; window_from and window_to, the
    audio that was scored; and the score of each tag. All times are in seconds.
    """
    yield csv_line(["from", "to", "window_from", "window_to", *described.tags])
    rows = zip(
        spans(result, described).round(3).tolist(),
        result["window_starts"],
        result["window_scores"],
        strict=True,
    )
    for span, start, scores in rows:
        end = min(start + described.window_seconds, result["seconds"])
        yield csv_line([*span, max(start, 0.0), round(end, 3), *scores])


def text(
    name: str, result: Mapping[str, Any], described: Description, *, top: int, width: int
) -> str:
    """Draw a taggram with the block characters of a terminal; half the height is the threshold.

    Parameters
    ----------
    name
        Name of the song to show.
    result, described
        See `spans`.
    top
        Number of tags.
    width
        Characters of a line.
    """
    height = levels(result, described)
    shown = strongest(height, top)
    label = max((len(described.tags[tag]) for tag in shown), default=0) + 6
    columns = max(width - label - 1, 10)
    times = (np.arange(columns) + 0.5) * result["seconds"] / columns
    windows = window_at(spans(result, described), times)
    lines = heading(name, result)
    lines.append(" " * label + _time_marks(result["seconds"], columns))
    for tag in shown:
        mark = "*" if described.tags[tag] in result["tags"] else " "
        row = "".join(_block(height[window, tag]) if window >= 0 else " " for window in windows)
        lines.append(f"  {mark} {printable(described.tags[tag])}".ljust(label) + row)
    return "\n".join(lines)


def window_at(spans: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Find the window that stands for each time: int, (times,); -1 where there is none."""
    found = np.searchsorted(spans[:, 0], times, side="right") - 1
    return np.where((found >= 0) & (times <= spans[found, 1]), found, -1)


def _block(level: float) -> str:
    return _BLOCKS[min(int(level * len(_BLOCKS)), len(_BLOCKS) - 1)]


def _time_marks(seconds: float, columns: int) -> str:
    step = time_step(seconds, max(columns // _MARKS, 1))
    line = ""
    for mark in range(math.ceil(seconds / step)):
        line = line.ljust(int(mark * step / seconds * columns)) + minutes(mark * step)
    return line


def time_step(seconds: float, most: int) -> int:
    """Choose seconds between the marks of an axis of time, so that there are at most so many."""
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
    hours = 3600 * math.ceil(seconds / 3600 / most)
    return next((step for step in steps if seconds / step <= most), hours)


def minutes(seconds: float) -> str:
    """Write a time as minutes:seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
