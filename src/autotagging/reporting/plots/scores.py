"""Figures of ROC-AUC by tag and by category, with intervals (sec. III)."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.plots.many_scores import category_panels, score_map
from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    PAGE,
    PURPLE,
    SKY,
    VERMILION,
    new_figure,
    styled,
)
from autotagging.reporting.plots.text import fitted, wrap
from autotagging.reporting.tables.scores import FEW_ARTISTS

_MOST_IN_A_ROW = 4  # models with points in one row; more have a map or panels
_COLOURS, _MARKERS = (BLUE, VERMILION, GREEN, PURPLE, SKY), "os^D"  # 20 combinations
_ONE_COLUMN = 12  # most tags that are drawn in one column


@styled
def tag_scores(table: pd.DataFrame, *, lines: str = "", caption: str = "") -> Figure:
    """Draw the ROC-AUC of each tag with its interval, in the order of the tags.

    More than four models are drawn as a map with a column per model and without intervals.

    Parameters
    ----------
    table : (tags x models, ...)
        tag, category, positives and artists (test clips and artists with the tag), model; roc_auc
        (NaN where all test clips or none have the tag), roc_auc_low, roc_auc_high. Points of tags
        with fewer than `FEW_ARTISTS` are hollow.
    lines
        What the intervals are; see `captions.lines`.
    caption
        Corpus, split, models and seeds.
    """
    if table["model"].nunique() > _MOST_IN_A_ROW:
        return score_map(table, caption)
    tags = table.drop_duplicates("tag")
    columns = 1 if len(tags) <= _ONE_COLUMN else 2
    rows = math.ceil(len(tags) / columns)
    width = COLUMN if columns == 1 else PAGE
    title = _legend_title(width, lines, f"Hollow: fewer than {FEW_ARTISTS} test artists")
    height = _row_height(table) * (rows + 1) + _height_of_texts(width, table, caption, title)
    figure = new_figure(width, height, caption)
    grid = figure.subplots(1, columns, sharex=True, squeeze=False)[0]
    for number, axes in enumerate(grid):
        shown = tags.iloc[number * rows : (number + 1) * rows]
        _estimates(axes, table, "tag", shown["tag"].tolist(), room=rows)
        for row, tag in enumerate(shown.to_dict("records")):
            clips = f"{tag['positives']} ({tag['artists']})"
            _right_of(axes, row, f"{clips} {fitted(tag['category'], 0.8)}")
        _above(axes, "test clips (artists)")
        axes.set_ylabel("tag")
    _explain(figure, grid[0], title)
    return figure


@styled
def category_scores(table: pd.DataFrame, *, lines: str = "", caption: str = "") -> Figure:
    """Draw the mean ROC-AUC over the tags of each category with its interval.

    More than four models have a panel per category, with a row per model.

    Parameters
    ----------
    table : (categories x models, ...)
        category, tags, tags_scored, model; roc_auc (NaN where no tag is scored), roc_auc_low,
        roc_auc_high.
    lines
        What the intervals are; see `captions.lines`.
    caption
        Corpus, split, models and seeds.
    """
    if table["model"].nunique() > _MOST_IN_A_ROW:
        return category_panels(table, lines, caption)
    categories = table.drop_duplicates("category")
    title = _legend_title(COLUMN, lines)
    rows = 1.6 * _row_height(table) * (len(categories) + 1)
    height = rows + _height_of_texts(COLUMN, table, caption, title)
    figure = new_figure(COLUMN, height, caption)
    axes = figure.add_subplot()
    _estimates(axes, table, "category", categories["category"].tolist())
    for row, (scored, tags) in enumerate(
        zip(categories["tags_scored"], categories["tags"], strict=True)
    ):
        _right_of(axes, row, f"{scored} of {tags}" if scored < tags else f"{tags}")
    _above(axes, "tags scored")
    axes.set_ylabel("category")
    _explain(figure, axes, title)
    return figure


def _estimates(
    axes: Axes, table: pd.DataFrame, key: str, names: Sequence[str], *, room: int = 0
) -> None:
    """Draw a row per name, with a point and an interval per model."""
    models = list(table["model"].unique())
    places = (np.arange(len(models)) - (len(models) - 1) / 2) * min(0.34, 0.8 / len(models))
    for number, (model, place) in enumerate(zip(models, places, strict=True)):
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        rows = table[table["model"] == model].set_index(key).reindex(names)
        y = np.arange(len(names)) + place
        axes.hlines(y, rows["roc_auc_low"], rows["roc_auc_high"], color=colour, linewidth=0.9)
        few = rows["artists"] < FEW_ARTISTS if key == "tag" else pd.Series(False, rows.index)
        line = {"color": colour, "marker": marker, "markersize": 3.2, "linestyle": ""}
        line["clip_on"] = False  # an area of 1 is at the edge
        axes.plot(rows["roc_auc"].where(~few), y, label=model, **line)
        axes.plot(rows["roc_auc"].where(few), y, markerfacecolor="white", **line)
    undefined = table.groupby(key)["roc_auc"].count().reindex(names) == 0
    for row in np.flatnonzero(undefined):
        axes.text(0.52, row, "not scored", color=GREY, va="center")
    axes.axvline(0.5, color="black", linestyle=":", linewidth=0.9, label="chance")
    low = min(0.45, float(table[["roc_auc", "roc_auc_low"]].min().min()) - 0.02)
    axes.set(xlim=(max(low, -0.02), 1.01), ylim=(max(len(names), room) - 0.4, -0.6))
    axes.set_yticks(range(len(names)), [fitted(name, 1.0) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("ROC-AUC")


def _row_height(table: pd.DataFrame) -> float:
    """Give the height of a row with a point per model, in inches."""
    return max(0.17, 0.03 + 0.08 * table["model"].nunique())


def _right_of(axes: Axes, row: float, text: str) -> None:
    """Write a text to the right of a row; the layout makes room for it."""
    axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", color=GREY)


def _above(axes: Axes, text: str) -> None:
    """Write a heading above the texts to the right of the rows."""
    place = {"xytext": (0, 3), "textcoords": "offset points", "color": GREY}
    axes.annotate(text, (1.02, 1), xycoords="axes fraction", **place)


def _legend_title(width: float, *texts: str) -> str:
    return wrap(". ".join(filter(None, texts)), width - 0.3)


def _height_of_texts(width: float, table: pd.DataFrame, caption: str, title: str) -> float:
    """Give the height of everything but the rows: caption, axis and legend, in inches."""
    entries = table["model"].nunique() + 1
    lines = wrap(caption, width - 0.1).count("\n") + title.count("\n")
    return 1.0 + 0.14 * (lines + math.ceil(entries / _legend_columns(width)))


def _legend_columns(width: float) -> int:
    return 2 if width <= COLUMN else 5


def _explain(figure: Figure, axes: Axes, title: str) -> None:
    """Put the legend below the axes, where it covers no data."""
    handles, labels = axes.get_legend_handles_labels()
    ncols = _legend_columns(figure.get_figwidth())
    legend = figure.legend(handles, labels, loc="outside lower left", ncols=ncols, title=title)
    legend.set_alignment("left")
