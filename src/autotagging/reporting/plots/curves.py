"""Figures of loss (Fig. 5) and of ROC-AUC and ROC curves (Fig. 7), sec. III."""

import itertools

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.plots.lines import (
    curve_on_test,
    finish_roc,
    learning_curves,
    mean_and_spread,
    mean_curve,
)
from autotagging.reporting.plots.many_curves import many_aucs, many_losses
from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    new_figure,
    styled,
)

_FEW = 2
"""Most models whose curves have panels of full size, each with its own legend."""


@styled
def figure_5(runs: pd.DataFrame, *, caption: str = "") -> Figure:
    """Draw training and validation loss per epoch, with the best epoch; a panel per model.

    More than two models have small panels with one legend. Several seeds: the mean with a band of
    ± one standard deviation, and each seed as a thin line. After a seed has stopped, mean and band
    are of the seeds still training.

    Parameters
    ----------
    runs : (epochs of all runs, ...)
        model, seed, epoch, loss, val_loss (mean binary cross-entropy over tags), best (true at the
        epoch whose weights are evaluated).
    caption
        Corpus, split and seeds.
    """
    models = list(runs["model"].unique())
    if len(models) > _FEW:
        return many_losses(runs, models, caption)
    columns = max(len(models), 1)
    figure = new_figure(COLUMN if columns == 1 else PAGE, 2.7, caption)
    for axes, model in zip(figure.subplots(1, columns, squeeze=False)[0], models, strict=False):
        learning_curves(axes, runs[runs["model"] == model], "loss", "loss (binary cross-entropy)")
        axes.set_title(model)
        axes.legend(loc="best", title=_seeds_title(runs[runs["model"] == model]))
    if not models:
        figure.axes[0].set(title="no model has epochs", xlabel="epoch", ylabel="loss")
    return figure


def _seeds_title(runs: pd.DataFrame) -> str:
    """Title a legend whose lines are means over seeds; empty for one seed."""
    seeds = runs["seed"].nunique()
    if seeds == 1:
        return ""
    last = runs.groupby("seed")["epoch"].max()
    ended = f";\nafter epoch {last.min()}, of those still training" * (last.nunique() > 1)
    return f"mean ± std of {seeds} seeds{ended}"


@styled
def figure_7(
    runs: pd.DataFrame,
    roc: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    test: pd.DataFrame | None = None,
    cited_auc: float | None = None,
    caption: str = "",
) -> Figure:
    """Draw AUC per epoch (left) and ROC curve on the test set (right); a row per network.

    More than two networks have small panels of AUC per epoch, and below them one panel with the
    ROC curves of all models. Otherwise, ROC curves of models that are not trained in epochs are
    drawn with those of each network, or alone if there is no network. Several seeds are drawn as in
    Fig. 5; ROC curves are averaged at each false positive rate.

    Parameters
    ----------
    runs : (epochs of all runs, ...)
        model, seed, epoch, auc, val_auc, best; only of models trained in epochs.
    roc : (points of all curves, 5)
        model, seed, fpr (the same points in each curve), and true positive rates: macro and micro
        average.
    scores : (runs, ...)
        model, seed, roc_auc_macro, roc_auc_micro; NaN where undefined.
    test : (known epochs of all runs, ...)
        model, seed, epoch, roc_auc_macro (on the test clips), best, last, oracle (0 or 1).
    cited_auc
        ROC-AUC of the paper, drawn as a line labelled as cited.
    caption
        Corpus, split, models and seeds.
    """
    models = list(scores["model"].unique())
    networks = [model for model in models if model in set(runs["model"])]
    others = [model for model in models if model not in networks]
    if len(networks) > _FEW:
        return many_aucs(runs, roc, scores, test=test, cited_auc=cited_auc, caption=caption)
    figure = new_figure(PAGE, 0.3 + 3.8 * max(len(networks), 1), caption)
    grid = figure.subplots(max(len(networks), 1), 2, squeeze=False, width_ratios=(1.15, 1))
    for (left, right), model in zip(grid, networks, strict=False):
        tested = None if test is None else test[test["model"] == model]
        _auc_panel(left, runs[runs["model"] == model], tested, cited_auc)
        left.set_title(f"{model}: AUC per epoch")
        _roc_panel(right, roc, scores, [model, *others])
        right.set_title(f"{model}: ROC curve, test clips")
    if not networks:
        grid[0, 1].remove()
        _roc_panel(grid[0, 0], roc, scores, others)
        grid[0, 0].set_title(f"{', '.join(others)}: ROC curve, test clips")
    return figure


def _auc_panel(
    axes: Axes, runs: pd.DataFrame, test: pd.DataFrame | None, cited_auc: float | None
) -> None:
    learning_curves(axes, runs, "auc", "macro ROC-AUC (mean over tags)")
    if test is not None and len(test):
        curve_on_test(axes, test, complete=len(test) == len(runs))
    if cited_auc is not None:
        label = f"paper: {cited_auc} (cited,\nMagnaTagATune; set and\nepoch not stated)"
        axes.axhline(cited_auc, color=PURPLE, linestyle="-.", linewidth=1.2, label=label)
    axes.set_ylim(top=1.0)
    below = {"loc": "upper left", "bbox_to_anchor": (0, -0.17), "borderaxespad": 0}
    axes.legend(**below, ncols=2, alignment="left", title=_seeds_title(runs))


def _roc_panel(axes: Axes, roc: pd.DataFrame, scores: pd.DataFrame, models: list[str]) -> None:
    """Draw the macro and micro average of the first model, and macro averages of the others."""
    looks = [(models[0], "macro", BLUE, "-"), (models[0], "micro", GREEN, "--")]
    looks += [
        (model, "macro", colour, "-.")
        for model, colour in zip(models[1:], itertools.cycle((ORANGE, PURPLE, GREY)))
    ]
    for model, average, colour, dashes in looks:
        curves = roc[roc["model"] == model].pivot(index="fpr", columns="seed", values=average)
        areas = scores.loc[scores["model"] == model, f"roc_auc_{average}"]
        name = f"{average} average" if model == models[0] else f"{model}, {average}"
        label = f"{name}, AUC {mean_and_spread(areas)}"
        mean_curve(axes, curves, color=colour, linestyle=dashes, label=label)
    finish_roc(axes)
    seeds = scores["seed"].nunique()
    axes.legend(loc="lower right", title="" if seeds == 1 else f"mean ± std of {seeds} seeds")
