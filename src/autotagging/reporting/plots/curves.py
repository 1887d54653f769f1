"""Figures of loss (Fig. 5) and of ROC-AUC and ROC curves (Fig. 7), sec. III."""

import itertools

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autotagging.reporting.averaging import over_seeds, plus_minus
from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    VERMILION,
    new_figure,
    styled,
)

_CHOICES = {"best": "best epoch", "last": "last", "oracle": "upper bound"}
"""Epochs that a number may come from: columns of per_epoch.csv and names for readers."""


@styled
def figure_5(runs: pd.DataFrame, *, caption: str = "") -> Figure:
    """Draw training and validation loss per epoch, with the best epoch; a panel per model.

    Several seeds: the mean with a band of ± one standard deviation, and each seed as a thin line.
    After a seed has stopped, mean and band are of the seeds still training.

    Parameters
    ----------
    runs : (epochs of all runs, ...)
        model, seed, epoch, loss, val_loss (mean binary cross-entropy over tags), best (true at the
        epoch whose weights are evaluated).
    caption
        Corpus, split and seeds.
    """
    models = list(runs["model"].unique())
    columns = min(len(models), 2)
    rows = -(-len(models) // columns)
    figure = new_figure(COLUMN if columns == 1 else PAGE, 0.3 + 2.4 * rows, caption)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, model in zip(grid, models, strict=False):
        _learning_curves(axes, runs[runs["model"] == model], "loss", "loss (binary cross-entropy)")
        axes.set_title(model)
        axes.legend(loc="best", title=_seeds_title(runs[runs["model"] == model]))
    for axes in grid[len(models) :]:
        axes.remove()
    return figure


def _learning_curves(axes: Axes, runs: pd.DataFrame, metric: str, label: str) -> None:
    """Draw a metric of training and validation per epoch, for all seeds of one model."""
    seeds = runs["seed"].nunique()
    for column, name, colour, dashes in (
        (metric, "training", BLUE, "-"),
        (f"val_{metric}", "validation", VERMILION, "--"),
    ):
        curves = runs.pivot(index="epoch", columns="seed", values=column)
        marker = "o" if len(curves) <= 30 and seeds == 1 else ""
        _mean_curve(axes, curves, color=colour, linestyle=dashes, marker=marker, label=name)
    best = runs[runs["best"]]
    axes.plot(
        best["epoch"],
        best[f"val_{metric}"],
        linestyle="",
        marker="D",
        markersize=6,
        markerfacecolor="none",
        markeredgecolor="black",
        label=_best_epochs(best["epoch"]),
    )
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _mean_curve(axes: Axes, curves: pd.DataFrame, *, color: str, **line: str) -> None:
    """Draw the mean of curves; for several, also ± one standard deviation and each curve.

    Parameters
    ----------
    axes
        Axes to draw on.
    curves : (points, seeds)
        Curves, indexed by x. Where the curve of a seed has ended (NaN), mean and band are of the
        others; the band ends where only one is left.
    color, line
        Arguments of `Axes.plot`.
    """
    mean, std = over_seeds(curves)
    single = len(curves) == 1  # a line of one point is seen by its marker only
    if curves.shape[1] > 1:
        dashes = line["linestyle"]
        axes.fill_between(curves.index, mean - std, mean + std, color=color, alpha=0.18, lw=0)
        thin = {"linestyle": dashes, "lw": 0.5, "alpha": 0.6}
        axes.plot(curves.index, curves, color=color, marker="_" if single else "", **thin)
    axes.plot(mean.index, mean, color=color, **line | ({"marker": "o"} if single else {}))


def _best_epochs(epochs: pd.Series) -> str:
    """List the best epochs of the seeds; give their range if there are more than five."""
    several = sorted(set(epochs))
    if len(several) > 5:
        return f"best epochs: {several[0]} to {several[-1]}"
    return f"best epoch{'s' * (len(several) > 1)}: {', '.join(map(str, several))}"


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

    ROC curves of models that are not trained in epochs are drawn with those of each network, or
    alone if there is no network. Several seeds are drawn as in Fig. 5; ROC curves are averaged at
    each false positive rate.

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
    _learning_curves(axes, runs, "auc", "macro ROC-AUC (mean over tags)")
    if test is not None and len(test):
        _test_curve(axes, test, complete=len(test) == len(runs))
    if cited_auc is not None:
        label = f"paper: {cited_auc:.3f} (cited,\nMagnaTagATune; set and\nepoch not stated)"
        axes.axhline(cited_auc, color=PURPLE, linestyle="-.", linewidth=1.2, label=label)
    axes.set_ylim(top=1.0)
    below = {"loc": "upper left", "bbox_to_anchor": (0, -0.17), "borderaxespad": 0}
    axes.legend(**below, ncols=2, alignment="left", title=_seeds_title(runs))


def _test_curve(axes: Axes, test: pd.DataFrame, *, complete: bool) -> None:
    """Draw the ROC-AUC on the test clips, with its value at each choice of the epoch.

    Unless all epochs are known, only points are drawn.
    """
    choices = [
        f"{text} {_mean_and_spread(chosen['roc_auc_macro'].astype(float))}"
        for column, text in _CHOICES.items()
        if len(chosen := test[test[column] == 1])
    ]
    label = "test: " + ",\n".join(choices)
    curves = test.pivot(index="epoch", columns="seed", values="roc_auc_macro").astype(float)
    if complete:
        marker = "s" if len(curves) <= 30 and curves.shape[1] == 1 else ""
        _mean_curve(axes, curves, color=GREEN, linestyle=":", marker=marker, label=label)
    else:
        points = curves.stack()
        axes.plot(points.index.get_level_values("epoch"), points, "s", color=GREEN, label=label)


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
        label = f"{name}, AUC {_mean_and_spread(areas)}"
        _mean_curve(axes, curves, color=colour, linestyle=dashes, label=label)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="chance, AUC 0.500")
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.set(xlabel="false positive rate (1 - specificity)", ylabel="true positive rate")
    seeds = scores["seed"].nunique()
    axes.legend(loc="lower right", title="" if seeds == 1 else f"mean ± std of {seeds} seeds")


def _mean_and_spread(values: pd.Series) -> str:
    """Format the mean over seeds, with the standard deviation for several."""
    if values.isna().all():
        return "undefined"
    mean, std = over_seeds(values.to_frame().T)
    return f"{mean.iloc[0]:.3f}{plus_minus(std.iloc[0])}"
