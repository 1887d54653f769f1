"""Figures of ROC-AUC by tag and by category, with intervals (sec. III: is it best at moods?)."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.plots.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    PURPLE,
    SKY,
    VERMILION,
    new_figure,
    styled,
)

_LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"))
_ONE_COLUMN = 12  # tags; more are drawn in two


@styled
def tag_scores(table: pd.DataFrame, *, confidence: float, caption: str = "") -> Figure:
    """Draw the ROC-AUC of each tag with its interval, in the order of the tags.

    Parameters
    ----------
    table : (tags x models, ...)
        tag, category, positives (test clips with the tag), model; roc_auc (NaN where all test clips
        or none have the tag), roc_auc_low, roc_auc_high.
    confidence
        Of the intervals.
    caption
        Corpus, split, models and seeds.
    """
    tags = table.drop_duplicates("tag")
    columns = 1 if len(tags) <= _ONE_COLUMN else 2
    rows = math.ceil(len(tags) / columns)
    figure = new_figure(COLUMN * columns + 0.2 * (columns - 1), 0.95 + 0.18 * rows, caption)
    grid = figure.subplots(1, columns, sharex=True, squeeze=False)[0]
    for number, axes in enumerate(grid):
        shown = tags.iloc[number * rows : (number + 1) * rows]
        _estimates(axes, table, "tag", shown["tag"].tolist(), room=rows)
        for row, (positives, category) in enumerate(
            zip(shown["positives"], shown["category"], strict=True)
        ):
            _beside(axes, row, f"{positives} {category}")
        axes.set_ylabel("tag; right: test clips with it, category")
    _explain(figure, grid[0], confidence)
    return figure


@styled
def category_scores(table: pd.DataFrame, *, confidence: float, caption: str = "") -> Figure:
    """Draw the mean ROC-AUC over the tags of each category with its interval.

    Parameters
    ----------
    table : (categories x models, ...)
        category, tags, tags_scored, model; roc_auc (NaN where no tag is scored), roc_auc_low,
        roc_auc_high.
    confidence
        Of the intervals.
    caption
        Corpus, split, models and seeds.
    """
    categories = table.drop_duplicates("category")
    per_row = 0.14 * table["model"].nunique() + 0.12
    figure = new_figure(COLUMN, 1.25 + per_row * len(categories), caption)
    axes = figure.add_subplot()
    _estimates(axes, table, "category", categories["category"].tolist())
    for row, (scored, tags) in enumerate(
        zip(categories["tags_scored"], categories["tags"], strict=True)
    ):
        _beside(axes, row, f"{scored} of {tags}" if scored < tags else f"{tags}")
    axes.set_ylabel("category; right: tags scored")
    _explain(figure, axes, confidence)
    return figure


def _estimates(
    axes: Axes, table: pd.DataFrame, key: str, names: Sequence[str], *, room: int = 0
) -> None:
    """Draw a row for each name, and in it a point with its interval for each model."""
    models = list(table["model"].unique())
    places = (np.arange(len(models)) - (len(models) - 1) / 2) * min(0.34, 0.8 / len(models))
    for number, (model, place) in enumerate(zip(models, places, strict=True)):
        colour, marker = _LOOKS[number % len(_LOOKS)]
        rows = table[table["model"] == model].set_index(key).reindex(names)
        y = np.arange(len(names)) + place
        axes.hlines(y, rows["roc_auc_low"], rows["roc_auc_high"], color=colour, linewidth=0.9)
        axes.plot(rows["roc_auc"], y, marker, color=colour, markersize=3.2, label=model)
    undefined = table.groupby(key)["roc_auc"].count().reindex(names) == 0
    for row in np.flatnonzero(undefined):
        axes.text(0.52, row, "not scored", color=GREY, va="center")
    axes.axvline(0.5, color="black", linestyle=":", linewidth=0.9, label="chance")
    low = min(0.45, float(table[["roc_auc", "roc_auc_low"]].min().min()) - 0.02)
    axes.set(xlim=(max(low, -0.02), 1.01), ylim=(max(len(names), room) - 0.4, -0.6))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("ROC-AUC")


def _beside(axes: Axes, row: int, text: str) -> None:
    """Write a text right of a row; the layout makes room for it."""
    axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", color=GREY)


def _explain(figure: Figure, axes: Axes, confidence: float) -> None:
    """Put the legend below the axes, where it hides nothing."""
    title = f"lines: intervals of {100 * confidence:g} %, by tracks"
    handles, labels = axes.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower left", ncols=4, title=title)
    legend.set_alignment("left")
