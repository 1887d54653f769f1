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
_WITHOUT_LINE = 6  # points: at a larger distance a line joins point and name


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

    def holds(self, point: np.ndarray) -> bool:
        """Whether a point is in the rectangle."""
        x, y = point
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def nearest(self, point: np.ndarray) -> np.ndarray:
        """Point of the rectangle that is nearest to a point."""
        return np.clip(point, (self.left, self.bottom), (self.right, self.top))

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
    left, low, right, high = axes.bbox.extents * to_points
    inside = _Box(left, right, low, high)
    dots = [_Box(x - 3, x + 3, y - 3, y + 3) for x, y in xy]
    ends = [
        (x, *(axes.transData.transform([(1, end) for end in pair])[:, 1] * to_points))
        for (x, _), pair in zip(xy, limits, strict=True)
    ]
    bars = [_Box(x - 1, x + 1, low, high) for x, low, high in ends if np.isfinite(low + high)]
    for line in axes.lines:  # horizontal, through the whole axes
        height = axes.transData.transform((1, line.get_ydata()[0]))[1] * to_points
        bars.append(_Box(inside.left, inside.right, height - 1, height + 1))
    names_and_lines: list[_Box] = []
    for place, dot, name, colour in zip(xy, dots, names, colours, strict=True):
        own = [bar for bar in bars if bar.holds(place)]
        crossed = [*(other for other in dots if other is not dot), *own]
        width = 72 * length(name)
        box = _best_place(place, width, [*dots, *bars], crossed, names_and_lines, inside)
        names_and_lines += [box, *_line(place, box)]
        _write(axes, place, box, name, colour)


def _best_place(
    point: np.ndarray,
    width: float,
    marks: list[_Box],
    crossed: list[_Box],
    written: list[_Box],
    inside: _Box,
) -> _Box:
    """Choose the box of a name by what it would cover: marks, what is written, or no axes.

    The line to its point may cover neither what is written nor what must not be `crossed`.
    """
    best, least = None, np.inf
    for distance in _DISTANCES:
        for angle in _ANGLES:
            x = point[0] + distance * np.cos(angle) + width / 2 * (np.cos(angle) - 1)
            y = point[1] + distance * np.sin(angle) + _HEIGHT / 2 * (np.sin(angle) - 1)
            box = _Box(x, x + width, y, y + _HEIGHT)
            covered = sum(box.shared(mark) for mark in marks)
            covered += 4 * sum(box.shared(other) for other in written)
            covered += 4 * (box.area - box.shared(inside))
            line = _line(point, box)
            covered += sum(part.shared(other) for part in line for other in crossed + written)
            if covered + distance / 2 < least:
                best, least = box, covered + distance / 2
    return best


def _line(point: np.ndarray, box: _Box) -> list[_Box]:
    """Cut the line that joins a point and a distant name into small boxes; none for a near one."""
    end = box.nearest(point)
    far = np.hypot(*(end - point))
    if far <= _WITHOUT_LINE:
        return []
    steps = np.linspace(3 / far, 1, 8)[:-1]
    return [
        _Box(x - 1.5, x + 1.5, y - 1.5, y + 1.5) for x, y in point + np.outer(steps, end - point)
    ]


def _write(axes: Axes, point: np.ndarray, box: _Box, name: str, colour: str) -> None:
    """Write a name into its box; the place is relative to the point."""
    to_data = axes.transData.inverted()
    data = to_data.transform(point * axes.figure.dpi / 72)
    if _line(point, box):
        end = box.nearest(point) - point
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
        arrow = {"textcoords": "offset points", "arrowprops": line}
        axes.annotate("", data, xytext=tuple(end), **arrow).set_in_layout(False)
    offset = (box.left - point[0], (box.bottom + box.top) / 2 - point[1])
    place = {"textcoords": "offset points", "va": "center", "ha": "left", "color": colour}
    axes.annotate(name, data, xytext=offset, **place).set_in_layout(False)
