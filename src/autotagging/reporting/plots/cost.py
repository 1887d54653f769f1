"""Figure of macro ROC-AUC against what a model costs (sec. III)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from autotagging.reporting.plots.labels import label_points
from autotagging.reporting.plots.style import (
    BLACK,
    BLUE,
    PAGE,
    VERMILION,
    new_figure,
    styled,
)
from autotagging.reporting.plots.text import fitted

_COSTS = {
    "trainable_parameters": "trainable parameters",
    "multiply_adds": "multiply-adds to score one clip",
}


@styled
def cost(
    table: pd.DataFrame, *, lookup: float | None, lines: str = "", caption: str = ""
) -> Figure:
    """Draw the macro ROC-AUC of each model with its interval, against two kinds of cost.

    The first model is in another colour. A model whose cost or ROC-AUC is not known is named below
    the axis.

    Parameters
    ----------
    table : (models, ...)
        model, roc_auc, roc_auc_low, roc_auc_high, trainable_parameters, multiply_adds; NaN where
        unknown.
    lookup
        Macro ROC-AUC of the audio-blind baseline, drawn as a line; None where undefined.
    lines
        What the intervals are; see `captions.lines`.
    caption
        Corpus, split and seeds.
    """
    figure = new_figure(PAGE, 3.6, ". ".join(filter(None, [caption, lines])))
    panels = figure.subplots(1, 2, sharey=True)
    colours = [VERMILION, *[BLUE] * (len(table) - 1)]
    table = table.assign(colour=colours[: len(table)])
    drawn = {}
    for axes, (name, label) in zip(panels, _COSTS.items(), strict=True):
        known = table[(table[name] > 0) & table["roc_auc"].notna()]
        drawn[name] = known.assign(x=known[name])
        _estimates(axes, drawn[name])
        missing = [model for model in table["model"] if model not in set(known["model"])]
        unknown = f"\nnot known: {fitted(', '.join(missing), 2.4)}" * bool(missing)
        axes.set(xlabel=label + unknown, ylabel="macro ROC-AUC (mean over tags)")
        if lookup is not None:
            axes.axhline(lookup, color=BLACK, linestyle="--", linewidth=1)
    if lookup is not None:
        _name_line(panels[1], lookup)
    for axes, points in zip(panels, drawn.values(), strict=True):
        names = [fitted(model, 1.0) for model in points["model"]]
        limits = points[["roc_auc_low", "roc_auc_high"]].to_numpy()
        label_points(axes, points[["x", "roc_auc"]].to_numpy(), limits, names, points["colour"])
    return figure


def _estimates(axes: Axes, points: pd.DataFrame) -> None:
    """Draw a point and an interval for each model."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.08)
    if len(points):
        exponents = np.log10(points["x"])
        room = 0.2  # decades: for the names at both ends
        ends = np.floor(exponents.min() - room), np.ceil(exponents.max() + room)
        axes.set_xlim(*10.0 ** np.array(ends))
    low, high, colour = (points[name] for name in ("roc_auc_low", "roc_auc_high", "colour"))
    axes.vlines(points["x"], low, high, color=colour, linewidth=0.9)
    axes.scatter(points["x"], points["roc_auc"], color=colour, s=14, zorder=3)


def _name_line(axes: Axes, height: float) -> None:
    """Name the line of the baseline to the right of the panels, where nothing else is."""
    axes.annotate(
        "lookup\n(no audio)", (1.02, height), xycoords=("axes fraction", "data"), va="center"
    )
