"""ROC-AUC by tag and by category of many models: a map, and panels (sec. III)."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.plots.style import BLUE, GREY, PAGE, VERMILION, new_figure
from autotagging.reporting.plots.text import fitted
from autotagging.reporting.tables.scores import FEW_ARTISTS

_COLOURS = colormaps["cividis"]
_ROW, _HEADS = 0.155, 0.95  # inches: a row of the map; the names of models above it


def score_map(table: pd.DataFrame, caption: str) -> Figure:
    """Draw a row per tag and a column per model, with the ROC-AUC written in each cell.

    The highest value of a tag, as written, is bold. Tags with fewer than `FEW_ARTISTS` have a
    star.

    Parameters
    ----------
    table : (tags x models, ...)
        See `scores.tag_scores`.
    caption
        Corpus, split, models and seeds.
    """
    tags, models = table.drop_duplicates("tag"), [*table["model"].unique()]
    areas = table.pivot(index="tag", columns="model", values="roc_auc")
    areas = areas.loc[tags["tag"], models].to_numpy(float)
    caption = f"{caption}. Bold: the highest of a tag; star: fewer than {FEW_ARTISTS} test artists"
    figure = new_figure(PAGE, _ROW * len(tags) + _HEADS + 0.45, caption)
    axes = figure.add_subplot()
    low = min(0.5, float(np.nanmin(areas, initial=0.5)))
    shades = np.ma.masked_invalid((areas - low) / (1 - low))
    axes.imshow(_COLOURS(shades), aspect="auto", interpolation="none")
    for row, values in enumerate(areas):
        best = f"{np.nanmax(values, initial=-1):.2f}"
        for column, value in enumerate(values):
            text = "–" if np.isnan(value) else f"{value:.2f}"  # noqa: RUF001
            dark = np.isfinite(value) and shades[row, column] < 0.5
            axes.text(
                column,
                row,
                text.removeprefix("0"),
                color="white" if dark else "black",
                weight="bold" if text == best else "normal",
                ha="center",
                va="center_baseline",
            )
    _name_rows_and_columns(axes, tags, models)
    return figure


def _name_rows_and_columns(axes: Axes, tags: pd.DataFrame, models: list[str]) -> None:
    """Write models above the map, tags to its left, and clips and artists to its right."""
    few = tags["artists"] < FEW_ARTISTS
    names = [fitted(name, 1.1) + " *" * less for name, less in zip(tags["tag"], few, strict=True)]
    axes.set_yticks(range(len(tags)), names)
    short = [fitted(model, _HEADS) for model in models]
    axes.set_xticks(range(len(models)), short, rotation=45, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="ROC-AUC of each model", ylabel="tag")
    axes.annotate("test clips\n(artists)", (1.01, 1.003), xycoords="axes fraction", color=GREY)
    for row, tag in enumerate(tags.to_dict("records")):
        text = f"{tag['positives']} ({tag['artists']}) {fitted(tag['category'], 0.7)}"
        place = {"xycoords": ("axes fraction", "data"), "va": "center_baseline", "color": GREY}
        axes.annotate(text, (1.01, row), **place)


def category_panels(table: pd.DataFrame, lines: str, caption: str) -> Figure:
    """Draw a panel per category, with a row per model.

    The first model is in another colour; a line through its value divides the others.

    Parameters
    ----------
    table : (categories x models, ...)
        See `scores.category_scores`.
    lines
        What the intervals are; see `captions.lines`.
    caption
        Corpus, split, models and seeds.
    """
    categories, models = table.drop_duplicates("category"), [*table["model"].unique()]
    first = models[0]
    caption = ". ".join(filter(None, [caption, lines, f"Dotted line: {first}"]))
    rows = -(-len(categories) // 3)
    figure = new_figure(PAGE, 0.35 + rows * (0.65 + 0.15 * len(models)), caption)
    grid = figure.subplots(rows, 3, sharex=True, squeeze=False)
    panels = [*zip(grid.ravel(), categories.to_dict("records"), strict=False)]
    for axes in grid.ravel()[len(categories) :]:
        axes.remove()
    for axes, category in panels:
        inside = table[table["category"] == category["category"]]
        _rows_of_models(axes, inside.set_index("model").reindex(models))
        axes.set_title(f"{fitted(category['category'], 1.0, weight='bold')} ({_tags(category)})")
        axes.tick_params(axis="x", labelbottom=True)
        if axes not in grid[:, 0]:
            axes.tick_params(labelleft=False)
            axes.yaxis.label.set_visible(False)
    return figure


def _tags(category: dict) -> str:
    """Say how many tags of a category are scored."""
    scored, tags = category["tags_scored"], category["tags"]
    return f"{scored} of {tags} tags" if scored < tags else f"{tags} tag{'s' * (tags != 1)}"


def _rows_of_models(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw a point and an interval for each model."""
    places = np.arange(len(rows))
    colours = [VERMILION, *[BLUE] * (len(rows) - 1)]
    axes.hlines(places, rows["roc_auc_low"], rows["roc_auc_high"], color=colours, linewidth=1.1)
    axes.scatter(rows["roc_auc"], places, color=colours, s=14, zorder=3)
    if np.isfinite(rows["roc_auc"].iloc[0]):
        axes.axvline(rows["roc_auc"].iloc[0], color=VERMILION, linestyle=":", linewidth=0.9)
    if rows["roc_auc"].isna().all():
        axes.text(0.5, 0.5, "not scored", transform=axes.transAxes, color=GREY, ha="center")
    axes.set_yticks(places, [fitted(name, 1.0) for name in rows.index])
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="ROC-AUC", ylabel="model")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
