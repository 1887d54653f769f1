"""The metrics that need no threshold, as a table of functions and titles (sec. III).

To add a metric, add a row: the metric is then in metrics.json, also for the baselines, has
intervals, and is listed in the table `all_metrics`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import xlog1py, xlogy
from sklearn.metrics import average_precision_score

from autotagging.metrics.bootstrap import Areas, Sampling, mean_over_tags, resample_micro
from autotagging.metrics.decisions import roc_auc_by_clip
from autotagging.training.epoch_metrics import cross_entropy, has_both_classes, mean_roc_auc


class Resampling(NamedTuple):
    """Input of a metric's resampling.

    Attributes
    ----------
    labels, scores : (clips, tags)
        Labels and scores of the test clips.
    sampling
        Draws of the clips.
    areas
        ROC-AUC and average precision of each tag in each resample.
    """

    labels: np.ndarray
    scores: np.ndarray
    sampling: Sampling
    areas: Areas


class Metric(NamedTuple):
    """A row of the table; it needs `measure` or `by_clip`, and `by_clip` or `resample`.

    Attributes
    ----------
    title
        Title in tables and captions.
    measure
        Function of labels and scores, (clips, tags): the value, None where undefined. Without it,
        the value is the mean over clips.
    by_clip
        Function of labels and scores: the value of each clip, (clips,), NaN where undefined; for a
        metric that is a mean over clips.
    resample
        Function of a `Resampling`: the value in each resample, (1 + resamples,); for a metric that
        is not a mean over clips.
    """

    title: str
    measure: Callable[[np.ndarray, np.ndarray], float | None] | None = None
    by_clip: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    resample: Callable[[Resampling], np.ndarray] | None = None


def micro_roc_auc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """ROC-AUC of all decisions together; None where there is one class only."""
    return mean_roc_auc(labels.reshape(-1, 1), scores.reshape(-1, 1))


def weighted_roc_auc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean ROC-AUC over the tags, weighted by their positives."""
    return mean_roc_auc(labels, scores, weighted=True)


def mean_average_precision(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean average precision over the tags that have both classes."""
    return mean_or_none(average_precisions(labels, scores))


def average_precisions(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision of each tag that has both classes, else NaN: (tags,)."""
    areas = np.full(labels.shape[1], np.nan)
    for i in np.flatnonzero(has_both_classes(labels)):
        areas[i] = average_precision_score(labels[:, i], scores[:, i])
    return areas


def loss_by_clip(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Binary cross-entropy of each clip, the mean over its tags, in nats: (clips,)."""
    tiny = np.finfo(np.float64).eps  # scikit-learn clips at the same values
    clipped = np.clip(np.asarray(scores, np.float64), tiny, 1 - tiny)
    return -(xlogy(labels, clipped) + xlog1py(1.0 - labels, -clipped)).mean(axis=1)


def mean_or_none(values: np.ndarray) -> float | None:
    """Mean of the finite values; None where there is none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


METRICS = {
    "roc_auc_macro": Metric(
        "ROC-AUC, mean over tags (macro)",
        mean_roc_auc,
        resample=lambda drawn: mean_over_tags(drawn.areas.roc_auc),
    ),
    "roc_auc_micro": Metric(
        "ROC-AUC, all decisions together (micro)",
        micro_roc_auc,
        resample=lambda drawn: resample_micro(drawn.labels, drawn.scores, drawn.sampling),
    ),
    "roc_auc_weighted": Metric(
        "ROC-AUC, mean over tags weighted by positives",
        weighted_roc_auc,
        resample=lambda drawn: mean_over_tags(drawn.areas.roc_auc, drawn.areas.positives),
    ),
    "roc_auc_samples": Metric("ROC-AUC, mean over clips", by_clip=roc_auc_by_clip),
    "pr_auc_macro": Metric(
        "average precision, mean over tags (macro)",
        mean_average_precision,
        resample=lambda drawn: mean_over_tags(drawn.areas.pr_auc),
    ),
    "loss": Metric("binary cross-entropy", cross_entropy, by_clip=loss_by_clip),
}
"""Metrics by their names in metrics.json."""
