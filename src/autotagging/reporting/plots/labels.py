"""Names next to the points of a figure, placed so that they cover neither points nor each other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from autotagging.reporting.plots.style import GREY
from autotagging.reporting.plots.text import length

_HEIGHT = 8.5  # points: a line of text at 7 pt
_DISTANCES = (4, 7, 11, 16, 22, 29, 37, 46, 56, 67)  # points, from a point to its name
_ANGLES = np.radians(np.arange(0, 360, 15))
_WITHOUT_LINE = 8  # points: at a larger distance a line joins point and name


class _Box(NamedTuple):
    """A rectangle, in points."""

    left: float
    right: float
    bottom: float
    top: float

    def shared(self, other: "_Box") -> float:
        """Area that two rectangles share, in square points."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0) * max(height, 0)

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


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
    axes.figure.draw_without_rendering()
    to_points = 72 / axes.figure.dpi
    xy = axes.transData.transform(points) * to_points
    frame = axes.bbox.extents * to_points
    inside = _Box(frame[0], frame[2], frame[1], frame[3])
    marks = [_Box(x - 3, x + 3, y - 3, y + 3) for x, y in xy]
    known = np.isfinite(limits).all(axis=1)
    for (x, _), ends in zip(points[known], limits[known], strict=True):
        (left, low), (_, high) = axes.transData.transform([(x, end) for end in ends]) * to_points
        marks.append(_Box(left - 1, left + 1, low, high))
    for line in axes.lines:  # horizontal, through the whole axes
        height = axes.transData.transform((1, line.get_ydata()[0]))[1] * to_points
        marks.append(_Box(inside.left, inside.right, height - 1, height + 1))
    written: list[_Box] = []
    for place, name, colour in zip(xy, names, colours, strict=True):
        box, distance = _best_place(place, 72 * length(name), marks, written, inside)
        written.append(box)
        _write(axes, place, box, name, colour, joined=distance > _WITHOUT_LINE)


def _best_place(
    point: np.ndarray, width: float, marks: list[_Box], written: list[_Box], inside: _Box
) -> tuple[_Box, float]:
    """Choose the box of a name, and its distance from the point, by what the box covers."""
    best, least = None, np.inf
    for distance in _DISTANCES:
        for angle in _ANGLES:
            x = point[0] + distance * np.cos(angle) + width / 2 * (np.cos(angle) - 1)
            y = point[1] + distance * np.sin(angle) + _HEIGHT / 2 * (np.sin(angle) - 1)
            box = _Box(x, x + width, y, y + _HEIGHT)
            covered = sum(box.shared(mark) for mark in marks)
            covered += 4 * sum(box.shared(other) for other in written)
            covered += 4 * (box.area - box.shared(inside))
            if covered + distance / 2 < least:
                best, least = (box, distance), covered + distance / 2
    return best


def _write(
    axes: Axes, point: np.ndarray, box: _Box, name: str, colour: str, *, joined: bool
) -> None:
    """Write a name into its box; the place is relative to the point."""
    to_data = axes.transData.inverted()
    data = to_data.transform(point * axes.figure.dpi / 72)
    if joined:
        end = np.clip(point, (box.left, box.bottom + 1), (box.right, box.top - 1)) - point
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
        arrow = {"textcoords": "offset points", "arrowprops": line}
        axes.annotate("", data, xytext=tuple(end), **arrow).set_in_layout(False)
    offset = (box.left - point[0], (box.bottom + box.top) / 2 - point[1])
    place = {"textcoords": "offset points", "va": "center", "ha": "left", "color": colour}
    axes.annotate(name, data, xytext=offset, **place).set_in_layout(False)
