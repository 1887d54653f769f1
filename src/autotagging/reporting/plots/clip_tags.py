"""Figure of the tags of one clip, predicted and actual (Fig. 6, sec. III)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from autotagging.reporting.plots.style import BLUE, COLUMN, ORANGE, VERMILION, new_figure, styled
from autotagging.reporting.plots.text import fitted

OUTCOMES = {
    "TP": ("true positive", BLUE, ""),
    "FP": ("false positive", VERMILION, "////"),
    "FN": ("false negative", ORANGE, "...."),
    "TN": ("true negative", "#B4B4B4", ""),
}
"""Name, colour and hatch of each outcome of a prediction."""


def outcomes(scores: np.ndarray, labels: np.ndarray, *, threshold: float) -> np.ndarray:
    """Name the outcome of each prediction: TP, FP, FN or TN; positive means above the threshold.

    Parameters
    ----------
    scores : float, any shape
        From 0 to 1.
    labels : of the same shape
        0 or 1.
    threshold
        From 0 to 1 (paper: 0.5).
    """
    predicted, actual = np.asarray(scores) > threshold, np.asarray(labels) == 1
    return np.where(actual, np.where(predicted, "TP", "FN"), np.where(predicted, "FP", "TN"))


def median_clip(
    clip_ids: np.ndarray, scores: np.ndarray, labels: np.ndarray, *, threshold: float
) -> int:
    """Give the clip_id whose accuracy is closest to the median; the lowest of several.

    Parameters
    ----------
    clip_ids : int, (clips,)
    scores, labels : (clips, tags)
    threshold
        Score above which a tag is predicted; see `outcomes`.
    """
    correct = np.isin(outcomes(scores, labels, threshold=threshold), ("TP", "TN")).sum(axis=1)
    distance = np.abs(correct - np.median(correct))
    return int(np.min(np.asarray(clip_ids)[distance == distance.min()]))


@styled
def figure_6(
    scores: np.ndarray,
    labels: np.ndarray,
    tags: list[str],
    *,
    clip_id: int,
    threshold: float,
    caption: str = "",
) -> Figure:
    """Draw predicted scores and actual tags of one clip, with its accuracy.

    Parameters
    ----------
    scores : float, (tags,)
        From 0 to 1.
    labels : (tags,)
        0 or 1.
    tags
        Names, in the order of `scores`; drawn by descending score.
    clip_id
        Clip named in the title.
    threshold
        Score above which a tag is predicted; see `outcomes`.
    caption
        Model, corpus, split.
    """
    kinds = outcomes(scores, labels, threshold=threshold)
    figure = new_figure(COLUMN, 1.93 + 0.125 * max(len(tags), 4), caption)
    axes = figure.add_subplot()
    for row, tag in enumerate(np.argsort(-np.asarray(scores), kind="stable")):
        kind = kinds[tag]
        _, colour, hatch = OUTCOMES[kind]
        axes.barh(row, scores[tag], 0.78, color=colour, hatch=hatch, edgecolor="white", lw=0.3)
        if labels[tag]:
            axes.plot(-0.03, row, marker="*", markersize=5, color="black", clip_on=False)
        axes.annotate(
            f"{kind} {scores[tag]:.3f}",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontweight="normal" if kind == "TN" else "bold",
        )
        axes.text(-0.06, row, fitted(tags[tag], 1.0), ha="right", va="center")
    axes.axvline(threshold, color="black", linestyle=":", linewidth=0.9)
    axes.set(xlim=(0, 1), ylim=(len(tags) - 0.4, -0.6), yticks=[])
    axes.set_xlabel(f"predicted score (threshold {threshold:g})")
    axes.set_title(_accuracy_title(kinds, clip_id))
    figure.legend(handles=_outcome_legend(kinds), loc="outside lower left", ncols=2)
    return figure


def _accuracy_title(kinds: np.ndarray, clip_id: int) -> str:
    positive, negative = int((kinds == "TP").sum()), int((kinds == "TN").sum())
    accuracy = (positive + negative) / len(kinds)
    return (
        f"Clip {clip_id}\naccuracy = [TP + TN] / all\n"
        f"= [{positive} + {negative}] / {len(kinds)} = {accuracy:.2f}"
    )


def _outcome_legend(kinds: np.ndarray) -> list[Patch | Line2D]:
    patches = [
        Patch(
            facecolor=colour,
            hatch=hatch,
            edgecolor="white",
            label=f"{kind} {name}: {int((kinds == kind).sum())}",
        )
        for kind, (name, colour, hatch) in OUTCOMES.items()
    ]
    star = Line2D([], [], color="black", marker="*", linestyle="", markersize=5, label="actual tag")
    return [*patches, star]
