"""Names next to the points of a figure, placed so that they cover neither points nor each other.

A box is (left, bottom, right, top) in points, from the lower left corner of the figure.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from autotagging.reporting.plots.style import GREY
from autotagging.reporting.plots.text import length

_HEIGHT = 8.5  # points: a line of text at 7 pt
_DISTANCES = (4, 7, 11, 16, 22, 29, 37, 46, 56, 67)  # points, from a point to its name
_ANGLES = np.radians(np.arange(0, 360, 15))
_DOT, _BAR, _LINE = 3.0, 1.0, 1.5  # points: half the width of each
_COVERED = 4  # what a covered square point costs; a point of distance costs a half
_WITHOUT_LINE = 6  # points: at a larger distance a line joins point and name


def label_points(
    axes: Axes, points: np.ndarray, limits: np.ndarray, names: Sequence[str], colours: Sequence[str]
) -> None:
    """Write a name next to each point, clear of other names, of points and of their intervals.

    Call it last, because the places depend on the size of the axes: each name takes the place
    nearest to its point that covers nothing, or the least.

    Parameters
    ----------
    axes
        Axes with their final limits and scales; names keep clear of its lines, all horizontal.
    points : (points, 2)
        x and y of each point.
    limits : (points, 2)
        Low and high end of the vertical interval of each point; NaN for none.
    names, colours
        Name of each point, and its colour.
    """
    if not len(points):
        return
    axes.figure.draw_without_rendering()
    to_points = 72 / axes.figure.dpi
    xy = axes.transData.transform(points) * to_points
    frame = axes.bbox.extents * to_points
    dots = np.hstack([xy - _DOT, xy + _DOT])
    bars = _bars(axes, xy[:, 0], limits)
    lines = np.array([_across(axes, line.get_ydata()[0]) for line in axes.lines]).reshape(-1, 4)
    marks, written = np.vstack([dots, bars, lines]), np.empty((0, 4))
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        others = np.vstack([np.delete(dots, number, axis=0), bars[number]])
        places = _places(xy[number], 72 * length(name))
        ways = np.stack([_way(xy[number], place) for place in places])
        covered = _shared(places, np.vstack([marks, written]))
        covered += _area(places) - _shared(places, frame[None])
        covered += _shared(ways, np.vstack([others, written])).sum(axis=1)
        best = np.argmin(_COVERED * covered + np.repeat(_DISTANCES, len(_ANGLES)) / 2)
        written = np.vstack([written, places[best], ways[best]])
        _write(axes, xy[number], places[best], name, colour)


def _bars(axes: Axes, x: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Boxes of the vertical intervals at some places, (points, 4); empty where there is none."""
    ends = [_across(axes, end)[1::2].mean() for end in np.nan_to_num(limits, nan=1.0).ravel()]
    low, high = np.reshape(ends, (-1, 2)).T
    boxes = np.stack([x - _BAR, low, x + _BAR, high], axis=1)
    return np.where(np.isfinite(limits).all(axis=1)[:, None], boxes, 0.0)


def _across(axes: Axes, y: float) -> np.ndarray:
    """Box of a horizontal line through the axes: (4,)."""
    to_points = 72 / axes.figure.dpi
    left, _, right, _ = axes.bbox.extents * to_points
    height = axes.transData.transform((1, y))[1] * to_points
    return np.array([left, height - _BAR, right, height + _BAR])


def _places(point: np.ndarray, width: float) -> np.ndarray:
    """Boxes around a point that its name may take, the nearest first: (places, 4)."""
    distance, angle = (grid.ravel() for grid in np.meshgrid(_DISTANCES, _ANGLES, indexing="ij"))
    left = point[0] + distance * np.cos(angle) + width / 2 * (np.cos(angle) - 1)
    bottom = point[1] + distance * np.sin(angle) + _HEIGHT / 2 * (np.sin(angle) - 1)
    return np.stack([left, bottom, left + width, bottom + _HEIGHT], axis=1)


def _way(point: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Boxes along the line from a point to its name, (7, 4); empty for a near name."""
    end = np.clip(point, box[:2], box[2:])
    far = np.hypot(*(end - point))
    if far <= _WITHOUT_LINE:
        return np.zeros((7, 4))
    steps = np.linspace(_DOT / far, 1, 8)[:-1, None]
    along = point + steps * (end - point)
    return np.hstack([along - _LINE, along + _LINE])


def _shared(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Area that each box, (..., 4), shares with other boxes, (others, 4), in square points."""
    low = np.maximum(boxes[..., None, :2], others[:, :2])
    high = np.minimum(boxes[..., None, 2:], others[:, 2:])
    return np.maximum(high - low, 0).prod(axis=-1).sum(axis=-1)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _write(axes: Axes, point: np.ndarray, box: np.ndarray, name: str, colour: str) -> None:
    """Write a name into its box; the place is relative to the point."""
    data = axes.transData.inverted().transform(point * axes.figure.dpi / 72)
    if _way(point, box).any():
        end = np.clip(point, box[:2], box[2:]) - point
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
        arrow = {"textcoords": "offset points", "arrowprops": line}
        axes.annotate("", data, xytext=tuple(end), **arrow).set_in_layout(False)
    offset = (box[0] - point[0], (box[1] + box[3]) / 2 - point[1])
    place = {"textcoords": "offset points", "va": "center", "ha": "left", "color": colour}
    text = axes.annotate(name, data, xytext=offset, zorder=4, **place)
    text.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    text.set_in_layout(False)
