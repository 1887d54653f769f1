"""Figure of a taggram; needs Matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from autotagging.reporting.plots.style import PAGE, new_figure, styled, write_figure
from autotagging.reporting.plots.text import complete_fonts, fitted
from autotagging.tagging.bundle import Description
from autotagging.tagging.taggram import levels, minutes, spans, strongest, time_step

# Grey below the threshold, blue above it, with a step between.
_COLOURS = ((0, "#F4F5F6"), (0.5, "#D3D9DE"), (0.5, "#9FCDEB"), (0.75, "#2F83BE"), (1, "#002F52"))
_LEVELS = LinearSegmentedColormap.from_list("levels", _COLOURS)
_SCALE = Normalize(0, 1)
_ROW = 0.2  # inches
_LABEL = 1.1  # inches of the longest name of a tag


@styled
def taggram_figure(
    name: str, result: Mapping[str, Any], described: Description, *, top: int
) -> Figure:
    """Draw tags over time: a row for each tag, darker where its score is higher.

    A colour stands for the level of a score, which is 0.5 at the threshold of its tag: see
    `taggram.levels`. Tags that the whole song has are in bold.

    Parameters
    ----------
    name
        Name of the song to show.
    result
        Result of the song, with the scores of its windows.
    described
        The tagger.
    top
        Number of tags.
    """
    height = levels(result, described)
    shown = strongest(height, top)
    figure = new_figure(PAGE, 0.95 + _ROW * len(shown))
    axes = figure.add_subplot()
    _cells(axes, spans(result, described), height[:, shown])
    names = [described.tags[tag] for tag in shown]
    axes.set_yticks(np.arange(len(shown)) + 0.5, [fitted(tag, _LABEL) for tag in names])
    bold = any(tag in result["tags"] for tag in names)
    for label, tag in zip(axes.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if tag in result["tags"] else "normal")
    seconds = result["seconds"]
    axes.set(xlim=(0, seconds), ylim=(len(shown), 0), xlabel="time (minutes:seconds)")
    axes.xaxis.set_major_locator(MultipleLocator(time_step(seconds, 10)))
    axes.xaxis.set_major_formatter(lambda x, _: minutes(x))
    axes.set_title(fitted(name, PAGE - 0.5, size=8, weight="bold"), x=0)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    _key(axes, described, result, bold=bold)
    return figure


def _cells(axes: Axes, spans: np.ndarray, levels: np.ndarray) -> None:
    """Draw a rectangle for each window and tag, in the order of the tags from above."""
    corners, values = [], []
    for row, of_tag in enumerate(levels.T):
        for (low, high), level in zip(spans, of_tag, strict=True):
            top, bottom = row + 0.06, row + 0.94
            corners.append([(low, top), (high, top), (high, bottom), (low, bottom)])
            values.append(level)
    cells = PolyCollection(corners, array=values, cmap=_LEVELS, norm=_SCALE, linewidth=0)
    cells.set_antialiased(False)
    axes.add_collection(cells)


def _key(axes: Axes, described: Description, result: Mapping[str, Any], *, bold: bool) -> None:
    """Say what colours and bold names stand for, and what the windows are."""
    bar = axes.figure.colorbar(
        ScalarMappable(_SCALE, _LEVELS), ax=axes, ticks=[0, 0.5, 1], aspect=30, pad=0.015
    )
    bar.ax.set_yticklabels(["0", "threshold", "1"])
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)
    bar.set_label("level of the score")
    if bold:
        beside = ("axes fraction", axes.xaxis.label)
        axes.annotate("bold: tags of the whole song", (0, 0.5), xycoords=beside, va="center")
    axes.annotate(
        f"{described.model}: windows of {described.window_seconds:g} s every {result['hop']:g} s",
        (1, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        color="#555555",
    )


@styled
def save(figure: Figure, path: Path) -> Sequence[str]:
    """Write a figure in the format of the suffix; return the characters that no font has."""
    lacking, _ = complete_fonts(figure)
    write_figure(figure, path, title=f"Taggram: {figure.axes[0].get_title(loc='left')}")
    return lacking
