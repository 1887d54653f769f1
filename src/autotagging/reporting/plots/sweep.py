"""Figure of the macro ROC-AUC of experiments against a parameter that they vary."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.reporting.averaging import summarise
from autotagging.reporting.plots.style import (
    BLACK,
    COLUMN,
    GREEN,
    PAGE,
    VERMILION,
    new_figure,
    styled,
)
from autotagging.reporting.plots.text import fitted

_SUBSETS = {"validation": (VERMILION, "--", "o", -1), "test": (GREEN, ":", "s", 1)}
"""Colour, dashes, marker and side of the clips that are measured, as in the learning curves."""
_ASIDE = 0.009  # of the width: validation is drawn to the left of a value, test to the right
_MOST_LEVEL = 6  # values whose names fit next to each other


@styled
def sweep(table: pd.DataFrame, *, parameter: str, confidence: float, caption: str = "") -> Figure:
    """Draw the macro ROC-AUC on validation and test clips against a parameter, for each model.

    A point is one seed; lines and intervals are means over the seeds of a value.

    Parameters
    ----------
    table : (trainings, ...)
        model, value (of the parameter), seed; validation, test and
        lookup (macro ROC-AUC, the last of the audio-blind baseline; NaN where undefined);
        validation_low, validation_high, test_low and test_high (limits of the intervals).
    parameter
        Name of the parameter.
    confidence
        Confidence of the intervals, 0 to 1.
    caption
        Corpus, split, models and seeds.
    """
    texts = [caption] if caption else []
    if table["seed"].nunique() > 1:
        texts.append("Points: seeds")
    if table[["validation_low", "test_low"]].notna().any(axis=None):
        texts.append(f"Bars: {100 * confidence:g} % confidence interval, by {INTERVAL_UNIT}")
    models = [*dict.fromkeys(table["model"])]
    columns = min(len(models), 2)
    rows = -(-len(models) // 2)
    figure = new_figure(COLUMN if columns == 1 else PAGE, 0.9 + 2.3 * rows, ". ".join(texts))
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    places, scale = positions(table["value"])
    for axes, model in zip(panels, models, strict=False):
        trainings = table[table["model"] == model]
        _panel(axes, trainings, places)
        axes.set(ylabel="macro ROC-AUC (mean over tags)", xlabel=f"{parameter}{scale}")
        if len(models) > 1:
            axes.set_title(fitted(model, 2.5))
    for axes in panels[len(models) :]:
        axes.set_axis_off()
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower left", ncols=2 * columns, frameon=False)
    return figure


def positions(values: Iterable[Any]) -> tuple[dict[str, float], str]:
    """Place the values of a parameter on an axis.

    Numbers have a linear or a logarithmic scale, whichever spaces them more evenly; other values
    are next to each other in their order.

    Returns
    -------
    places
        Position of each value, by its text.
    scale
        Addition to the axis's name.
    """
    names = {value_text(value): value for value in values}
    if not is_numeric(names.values()):
        return {name: float(place) for place, name in enumerate(names)}, ""
    places = np.array([*names.values()], float)
    scale = ""
    if (places > 0).all() and _unevenness(np.log10(places)) < _unevenness(places):
        places, scale = np.log10(places), " (log scale)"
    return dict(zip(names, map(float, places), strict=True)), scale


def is_numeric(values: Iterable[Any]) -> bool:
    """Tell whether all values are numbers; true and false are none."""
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def value_text(value: Any) -> str:
    """Write a value of a parameter, equal ones alike: as in params.yaml, but 1 for 1.0."""
    if isinstance(value, str):
        return value
    return f"{value:.12g}" if is_numeric([value]) else json.dumps(value)


def _unevenness(places: np.ndarray) -> float:
    """Range of the distances between neighbours, relative to their mean; 0 for even ones."""
    gaps = np.diff(np.sort(places))
    return round(np.ptp(gaps) / gaps.mean(), 6) if len(gaps) else 0.0


def _panel(axes: Axes, trainings: pd.DataFrame, places: dict[str, float]) -> None:
    """Draw the trainings of one model."""
    trainings = trainings.assign(place=trainings["value"].map(value_text).map(places))
    means = summarise(trainings, ["place"], [*_SUBSETS, "lookup"]).sort_values("place")
    width = max(places.values()) - min(places.values()) or 1.0
    for subset, (colour, dashes, marker, side) in _SUBSETS.items():
        aside = side * _ASIDE * width
        x, low, high = means["place"] + aside, means[f"{subset}_low"], means[f"{subset}_high"]
        axes.vlines(x, low, high, color=colour, linewidth=0.9)
        line = {"color": colour, "linestyle": dashes, "marker": marker}
        axes.plot(x, means[subset], label=subset, **line)
        several = trainings[trainings.groupby("place")["seed"].transform("nunique") > 1]
        if len(several):
            points = {"color": colour, "s": 9, "facecolors": "none", "linewidths": 0.6}
            axes.scatter(several["place"] + 2 * aside, several[subset], marker=marker, **points)
    known = means[means["validation"].notna()]
    if len(known):
        best = known.loc[[known["validation"].idxmax()]]
        ring = {"marker": "D", "markersize": 7, "markerfacecolor": "none", "linestyle": ""}
        x = best["place"] - _ASIDE * width
        axes.plot(x, best["validation"], color=BLACK, label="highest on validation", **ring)
    axes.plot(means["place"], means["lookup"], color=BLACK, linewidth=1, label="lookup (no audio)")
    _name_values(axes, places)


def _name_values(axes: Axes, places: dict[str, float]) -> None:
    """Name the values on the axis, aslant if there are many."""
    inches = 3.0 / min(len(places), _MOST_LEVEL)
    names = [fitted(name, inches) for name in places]
    slant = {"rotation": 45, "ha": "right"} if len(places) > _MOST_LEVEL else {}
    axes.set_xticks([*places.values()], names, **slant)
    axes.margins(x=0.08)
