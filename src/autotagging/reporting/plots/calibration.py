"""Figure of the calibration: scores as probabilities (sec. III)."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    GREY,
    PAGE,
    VERMILION,
    log_counts,
    new_figure,
    styled,
)


@styled
def calibration(bins: pd.DataFrame, errors: pd.DataFrame, *, caption: str = "") -> Figure:
    """Draw the share of decisions with the tag against the score, and a histogram of scores.

    Two models are side by side, others below them; more than four have small panels, four in a row,
    and one legend. The decisions of all seeds of a model are pooled.

    Parameters
    ----------
    bins : (bins of all runs, ...)
        model, seed, low, high, decisions, mean_score, share; the last two NaN in empty bins.
    errors : (runs, ...)
        model, seed, calibration_error.
    caption
        Corpus, split and seeds.
    """
    models = list(errors["model"].unique())
    small = len(models) > 4
    columns = min(len(models), 4 if small else 2)
    rows = math.ceil(len(models) / columns)
    height = 2.9 if small else 4.3
    figure = new_figure(COLUMN if columns == 1 else PAGE, height * rows, caption)
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=(2.4, 1) * rows)
    pairs = [*zip(grid[::2].ravel(), grid[1::2].ravel(), strict=True)]
    for unused in pairs[len(models) :]:
        for axes in unused:
            axes.remove()
    for (upper, lower), model in zip(pairs, models, strict=False):
        summed = _over_seeds(bins[bins["model"] == model])
        error = errors.loc[errors["model"] == model, "calibration_error"].mean()
        _reliability(upper, summed, error)
        upper.set_title(model)
        if small:
            upper.text(0.04, 0.96, f"error {error:.3f}", transform=upper.transAxes, va="top")
        else:
            upper.legend(loc="upper left")
        width = summed.index.get_level_values("high") - summed.index.get_level_values("low")
        low = summed.index.get_level_values("low")
        lower.bar(low, summed["decisions"], width, align="edge", color=BLUE, edgecolor="white")
        log_counts(lower)
        lower.set(xlim=(0, 1), xlabel="score", ylabel="decisions")
        lower.set_ylim(bottom=0.5)  # shows bars of a single decision
    if small:
        handles, _ = pairs[0][0].get_legend_handles_labels()
        labels = ["score = share", "share with the tag (error: calibration error)"]
        figure.legend(handles, labels, loc="outside lower left", ncols=2)
    return figure


def _reliability(axes: Axes, bins: pd.DataFrame, error: float) -> None:
    known = bins[bins["decisions"] > 0]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="score = share")
    label = f"calibration error {error:.3f}"
    line = {"color": VERMILION, "label": label, "clip_on": False}  # 0 and 1 are at the edges
    axes.plot(known["mean_score"], known["share"], "o-", **line)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean score", ylabel="share with the tag")


def _over_seeds(bins: pd.DataFrame) -> pd.DataFrame:
    """Pool the decisions of all seeds in each bin."""
    weighted = bins.assign(
        mean_score=bins["mean_score"].fillna(0) * bins["decisions"],
        share=bins["share"].fillna(0) * bins["decisions"],
    )
    columns = ["decisions", "mean_score", "share"]
    summed = weighted.groupby(["low", "high"])[columns].sum()
    counts = summed["decisions"].replace(0, np.nan)
    return summed.assign(mean_score=summed["mean_score"] / counts, share=summed["share"] / counts)
