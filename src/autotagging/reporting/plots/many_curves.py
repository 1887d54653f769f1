"""Figures 5 and 7 of many models: small panels with one legend (sec. III)."""

import itertools
import math
import re

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.averaging import over_seeds
from autotagging.reporting.plots.lines import (
    best_epochs,
    curve_on_test,
    finish_roc,
    learning_curves,
    mean_and_spread,
)
from autotagging.reporting.plots.style import BLACK, BLUE, ORANGE, PAGE, PURPLE, new_figure

_LINES = [(colour, dashes) for dashes in ("-", "--", "-.", ":") for colour in (BLUE, ORANGE, BLACK)]
"""Looks of the ROC curves, told apart with any colour vision."""
_COLUMNS, _ROC_HEIGHT = 3, 4.0  # small panels in a row; inches


def many_losses(runs: pd.DataFrame, models: list[str], caption: str) -> Figure:
    """Draw small panels of losses above one legend.

    Parameters are those of `curves.figure_5`, and models: the names, in order.
    """
    rows = math.ceil(len(models) / _COLUMNS)
    figure = new_figure(PAGE, 0.6 + 1.7 * rows, caption)
    for number, model in enumerate(models, start=1):
        axes = figure.add_subplot(rows, _COLUMNS, number)
        learning_curves(axes, runs[runs["model"] == model], "loss", "loss", marked=False)
        _title_small(axes, model, runs)
    handles, _ = figure.axes[0].get_legend_handles_labels()
    labels = ["training", "validation", "best epoch"]
    title = "; ".join(filter(None, ["loss: binary cross-entropy", _seeds_title(runs)]))
    legend = figure.legend(handles, labels, loc="outside lower left", ncols=3, title=title)
    legend.set_alignment("left")
    return figure


def _title_small(axes: Axes, model: str, runs: pd.DataFrame) -> None:
    """Name the model of a small panel, and its best epochs below the axis."""
    best = runs.loc[(runs["model"] == model) & runs["best"], "epoch"]
    axes.set_title(model)
    axes.set_xlabel(f"epoch ({best_epochs(best)})")


def _seeds_title(runs: pd.DataFrame) -> str:
    """Say what the lines of several seeds are, in the title of one legend for all panels."""
    if runs["seed"].nunique() == 1:
        return ""
    last = runs.groupby(["model", "seed"])["epoch"].max()
    ended = ", of those still training" * bool((last.groupby("model").nunique() > 1).any())
    return f"lines and bands: mean ± std of {runs['seed'].nunique()} seeds{ended}"


def many_aucs(
    runs: pd.DataFrame,
    roc: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    test: pd.DataFrame | None,
    cited_auc: float | None,
    caption: str,
) -> Figure:
    """Draw small panels of AUC per epoch, and the ROC curves of all models below them.

    Parameters are those of `curves.figure_7`.
    """
    models = [*runs["model"].unique()]
    rows = math.ceil(len(models) / _COLUMNS)
    heights = [*[1.8] * rows, 0.55, _ROC_HEIGHT]
    figure = new_figure(PAGE, 0.2 + sum(heights), caption)
    grid = figure.add_gridspec(rows + 2, _COLUMNS, height_ratios=heights)
    handles = {}
    for number, model in enumerate(models):
        axes = figure.add_subplot(grid[divmod(number, _COLUMNS)])
        own = runs[runs["model"] == model]
        learning_curves(axes, own, "auc", "macro ROC-AUC", marked=False)
        if test is not None and len(tested := test[test["model"] == model]):
            curve_on_test(axes, tested, complete=len(tested) == len(own), marked=False)
        if cited_auc is not None:
            axes.axhline(cited_auc, color=PURPLE, linestyle="-.", linewidth=1.2, label="cited")
        axes.set_ylim(top=1.0)
        _title_small(axes, model, runs)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            kind = re.match(r"\w+", label).group()
            line = kind != "test" or handle.get_linestyle() != "None"
            handles.setdefault(kind if line else "points", handle)
    names = {
        "training": "training",
        "validation": "validation",
        "best": "best epoch",
        "test": "test",
        "points": "test, kept epochs only",
        "cited": f"paper: {cited_auc} (cited, MagnaTagATune; set and epoch not stated)",
    }
    between = figure.add_subplot(grid[-2, :])
    between.set_axis_off()
    shown = {name: handles[kind] for kind, name in names.items() if kind in handles}
    place = {"loc": "upper left", "bbox_to_anchor": (0, 1), "borderaxespad": 0, "ncols": 3}
    legend = between.legend([*shown.values()], [*shown], **place, title=_seeds_title(runs))
    legend.set_alignment("left")
    curves, beside = (figure.add_subplot(grid[-1, part]) for part in (slice(-1), -1))
    _all_rocs(curves, beside, roc, scores)
    return figure


def _all_rocs(axes: Axes, beside: Axes, roc: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Draw the macro averages of all models, named in the order of their AUC beside the panel."""
    beside.set_axis_off()
    areas = scores.groupby("model")["roc_auc_macro"].mean()
    ranked = areas.sort_values(ascending=False, kind="stable").index
    looks = dict(zip(scores["model"].unique(), itertools.cycle(_LINES)))
    for model in ranked:
        colour, dashes = looks[model]
        curves = roc[roc["model"] == model].pivot(index="fpr", columns="seed", values="macro")
        area = mean_and_spread(scores.loc[scores["model"] == model, "roc_auc_macro"])
        mean = over_seeds(curves)[0]
        axes.plot(mean.index, mean, color=colour, linestyle=dashes, label=f"{model}, AUC {area}")
    finish_roc(axes)
    axes.set_title("ROC curves (macro), test clips")
    seeds = scores["seed"].nunique()
    title = "highest AUC first" + f"; mean ± std of {seeds} seeds" * (seeds > 1)
    legend = beside.legend(*axes.get_legend_handles_labels(), loc="center left", title=title)
    legend.set_alignment("left")
