"""Curves per epoch and ROC curves: what the figures of one and of many models have in common."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autotagging.reporting.averaging import over_seeds, plus_minus
from autotagging.reporting.plots.style import BLUE, GREEN, GREY, VERMILION

_CHOICES = {"best": "best epoch", "last": "last", "oracle": "upper bound"}
"""Epochs that a number may come from: columns of per_epoch.csv and names for readers."""


def learning_curves(
    axes: Axes, runs: pd.DataFrame, metric: str, label: str, *, marked: bool = True
) -> None:
    """Draw a metric of training and validation per epoch, for all seeds of one model.

    A few epochs have a marker each if they are to be `marked`.
    """
    seeds = runs["seed"].nunique()
    for column, name, colour, dashes in (
        (metric, "training", BLUE, "-"),
        (f"val_{metric}", "validation", VERMILION, "--"),
    ):
        curves = runs.pivot(index="epoch", columns="seed", values=column)
        marker = "o" if marked and len(curves) <= 30 and seeds == 1 else ""
        mean_curve(axes, curves, color=colour, linestyle=dashes, marker=marker, label=name)
    best = runs[runs["best"]]
    axes.plot(
        best["epoch"],
        best[f"val_{metric}"],
        linestyle="",
        marker="D",
        markersize=6,
        markerfacecolor="none",
        markeredgecolor="black",
        label=best_epochs(best["epoch"]),
    )
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def mean_curve(axes: Axes, curves: pd.DataFrame, *, color: str, **line: str) -> None:
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


def best_epochs(epochs: pd.Series) -> str:
    """List the best epochs of the seeds; give their range if there are more than five."""
    several = sorted(set(epochs))
    if len(several) > 5:
        return f"best epochs: {several[0]} to {several[-1]}"
    return f"best epoch{'s' * (len(several) > 1)}: {', '.join(map(str, several))}"


def curve_on_test(axes: Axes, test: pd.DataFrame, *, complete: bool, marked: bool = True) -> None:
    """Draw the ROC-AUC on the test clips, with its value at each choice of the epoch.

    Unless all epochs are known, only points are drawn.
    """
    choices = [
        f"{text} {mean_and_spread(chosen['roc_auc_macro'].astype(float))}"
        for column, text in _CHOICES.items()
        if len(chosen := test[test[column] == 1])
    ]
    label = "test: " + ",\n".join(choices)
    curves = test.pivot(index="epoch", columns="seed", values="roc_auc_macro").astype(float)
    if complete:
        marker = "s" if marked and len(curves) <= 30 and curves.shape[1] == 1 else ""
        mean_curve(axes, curves, color=GREEN, linestyle=":", marker=marker, label=label)
    else:
        points = curves.stack()
        axes.plot(points.index.get_level_values("epoch"), points, "s", color=GREEN, label=label)


def finish_roc(axes: Axes) -> None:
    """Draw the line of chance, and name the axes."""
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="chance, AUC 0.500")
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.set(xlabel="false positive rate (1 - specificity)", ylabel="true positive rate")


def mean_and_spread(values: pd.Series) -> str:
    """Format the mean over seeds, with the standard deviation for several."""
    if values.isna().all():
        return "undefined"
    mean, std = over_seeds(values.to_frame().T)
    return f"{mean.iloc[0]:.3f}{plus_minus(std.iloc[0])}"
