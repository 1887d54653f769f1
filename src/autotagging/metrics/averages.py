"""Metrics of ranking and decisions (sec. III); the headline is the macro ROC-AUC."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve

from autotagging.metrics.decisions import (
    counts_by_tag,
    mean_rates,
    precision_at_k,
    rates,
)
from autotagging.metrics.table import (
    METRICS,
    average_precisions,
    mean_average_precision,
    mean_or_none,
)
from autotagging.training.epoch_metrics import cross_entropy, has_both_classes, mean_roc_auc


def evaluate(
    labels: np.ndarray,
    scores: np.ndarray,
    tags: Sequence[str],
    *,
    threshold: float = 0.5,
    tag_thresholds: np.ndarray | None = None,
    precision_at: Sequence[int] = (),
    calibration_bins: int = 10,
) -> dict[str, Any]:
    """Evaluate scores of tags against labels.

    Tags with only positives or only negatives have no ROC-AUC: they are listed, and left out of
    all means over tags.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    scores : (clips, tags)
        0 to 1.
    tags : (tags,)
        Names of the tags.
    threshold
        Score above which a tag is predicted (sec. III).
    tag_thresholds : (tags,)
        Threshold of each tag, chosen on other clips; None: unknown.
    precision_at
        Numbers k of highest-scored tags for which precision is computed, from 1; None for a k
        above the number of tags.
    calibration_bins
        Number of bins of the calibration error; see `calibration`.

    Returns
    -------
    metrics
        Those of `METRICS`: roc_auc_macro, roc_auc_micro, roc_auc_weighted (by positives),
        roc_auc_samples (per clip, over clips with a tag), pr_auc_macro (average precision), loss
        (binary cross-entropy, natural logarithm); calibration_error; accuracy, precision, recall
        and f1 from `decisions.mean_rates`, and the same at_tag_thresholds;
        precision_at; threshold, n_clips, n_clips_with_tags, n_tags, n_tags_scored, tags_not_scored.

    Raises
    ------
    ValueError
        The shapes don't match, a score is not finite, or a k or the number of bins is below 1.
    """
    labels, scores = _checked(labels, scores, tags)
    scored = has_both_classes(labels)
    by_clip = measure_clips(labels, scores, precision_at=precision_at)
    metrics = {
        name: metric.measure(labels, scores) if metric.measure else mean_or_none(by_clip[name])
        for name, metric in METRICS.items()
    }
    metrics |= {
        "calibration_error": calibration_error(calibration(labels, scores, bins=calibration_bins)),
        **mean_rates(labels, scores > threshold, scored=scored),
        "precision_at": {str(k): mean_or_none(by_clip[f"precision_at_{k}"]) for k in precision_at},
    }
    if tag_thresholds is not None:
        metrics["at_tag_thresholds"] = mean_rates(labels, scores > tag_thresholds, scored=scored)
    return metrics | {
        "threshold": threshold,
        "n_clips": len(labels),
        "n_clips_with_tags": int(labels.any(axis=1).sum()),
        "n_tags": len(tags),
        "n_tags_scored": int(scored.sum()),
        "tags_not_scored": [tag for tag, known in zip(tags, scored, strict=True) if not known],
    }


def measure_epoch(
    labels: np.ndarray, scores: np.ndarray, *, threshold: float
) -> dict[str, float | None]:
    """Compute the metrics that compare epochs: roc_auc_macro, pr_auc_macro, loss, accuracy."""
    return {
        "roc_auc_macro": mean_roc_auc(labels, scores),
        "pr_auc_macro": mean_average_precision(labels, scores),
        "loss": cross_entropy(labels, scores),
        "accuracy": accuracy(labels, scores, threshold=threshold),
    }


def measure_clips(
    labels: np.ndarray, scores: np.ndarray, *, precision_at: Sequence[int]
) -> dict[str, np.ndarray]:
    """Compute the metrics that are means over clips for each clip: (clips,), NaN where undefined.

    Parameters
    ----------
    labels, scores : (clips, tags)
    precision_at
        See `evaluate`.

    Returns
    -------
    by_clip
        The means over clips among `METRICS`, and precision_at_<k>.
    """
    return {
        **{
            name: metric.by_clip(labels, scores)
            for name, metric in METRICS.items()
            if metric.by_clip
        },
        **{f"precision_at_{k}": _precision_or_nan(labels, scores, k) for k in precision_at},
    }


def _precision_or_nan(labels: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
    if k > labels.shape[1]:
        return np.full(len(labels), np.nan)
    return precision_at_k(labels, scores, k)


def per_tag(
    labels: np.ndarray,
    scores: np.ndarray,
    tags: Sequence[str],
    *,
    threshold: float,
    tag_thresholds: np.ndarray,
) -> pd.DataFrame:
    """Compute the metrics of each tag.

    Parameters
    ----------
    labels, scores, tags, threshold, tag_thresholds
        See `evaluate`.

    Returns
    -------
    table : (tags, 10)
        tag, positives, share (of clips, the pr_auc of random scores), roc_auc, pr_auc (NaN where
        undefined), f1_at_<threshold>, threshold (the tag's own), and precision, recall and f1 at
        that threshold.
    """
    labels, scores = _checked(labels, scores, tags)
    scored = has_both_classes(labels)
    areas = [
        roc_auc_score(truth, score) if known else np.nan
        for truth, score, known in zip(labels.T, scores.T, scored, strict=True)
    ]
    precision, recall, f1 = rates(*counts_by_tag(labels, scores > tag_thresholds))
    return pd.DataFrame(
        {
            "tag": [*tags],
            "positives": labels.sum(axis=0, dtype=np.int64),
            "share": labels.mean(axis=0),
            "roc_auc": areas,
            "pr_auc": average_precisions(labels, scores),
            f"f1_at_{threshold:g}": rates(*counts_by_tag(labels, scores > threshold))[2],
            "threshold": tag_thresholds,
            "precision": precision,
            "recall": recall,
            "f1": f1,
        }
    )


def roc_curves(labels: np.ndarray, scores: np.ndarray, *, points: int = 201) -> pd.DataFrame:
    """ROC curves averaged over tags (macro) and over all decisions (micro).

    Returns
    -------
    curves : (points, 3)
        fpr (evenly spaced, 0 to 1), and the true positive rates macro and micro; NaN where no tag,
        or not all labels together, have both classes.
    """
    grid = np.linspace(0, 1, points)
    by_tag = [
        _interpolated_tpr(labels[:, i], scores[:, i], grid)
        for i in np.flatnonzero(has_both_classes(labels))
    ]
    undefined = np.full(points, np.nan)
    macro = np.mean(by_tag, axis=0) if by_tag else undefined
    both = labels.min() != labels.max()
    micro = _interpolated_tpr(labels.ravel(), scores.ravel(), grid) if both else undefined
    return pd.DataFrame({"fpr": grid, "macro": macro, "micro": micro})


def calibration(labels: np.ndarray, scores: np.ndarray, *, bins: int) -> pd.DataFrame:
    """Compare the mean score with the share of positives in bins of the score.

    Parameters
    ----------
    labels, scores : (clips, tags)
    bins
        Number of bins of equal width, 0 to 1. A score on an edge is in the upper bin.

    Returns
    -------
    table : (bins, 5)
        low, high, decisions, mean_score, share (of decisions whose label is 1), over all tags; the
        last two are NaN in empty bins.

    Raises
    ------
    ValueError
        The number of bins is below 1.
    """
    if bins < 1:
        raise ValueError(f"calibration in {bins} bins; expected at least 1")
    edges = np.linspace(0, 1, bins + 1)
    flat = np.asarray(scores, np.float64).ravel()
    place = np.clip(np.searchsorted(edges, flat, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, each, minlength=bins) for each in (flat, labels.ravel())]
    mean_score, share = np.divide(sums, counts, out=np.full((2, bins), np.nan), where=counts > 0)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "decisions": counts,
            "mean_score": mean_score,
            "share": share,
        }
    )


def calibration_error(bins: pd.DataFrame) -> float:
    """Average |mean score - share| over the decisions: the expected calibration error."""
    gaps = (bins["mean_score"] - bins["share"]).abs()
    return float((gaps * bins["decisions"]).sum() / bins["decisions"].sum())


def accuracy(labels: np.ndarray, scores: np.ndarray, *, threshold: float) -> float:
    """Share of right decisions, where a tag is predicted above the threshold (sec. III)."""
    return float(((scores > threshold) == labels).mean())


def _checked(
    labels: np.ndarray, scores: np.ndarray, tags: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.shape[1:] != (len(tags),):
        raise ValueError(
            f"labels {labels.shape}, scores {scores.shape} and {len(tags)} tags do not fit"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores are not all finite")
    return labels, scores


def _interpolated_tpr(labels: np.ndarray, scores: np.ndarray, grid: np.ndarray) -> np.ndarray:
    fpr, tpr, _ = roc_curve(labels, scores)
    return np.concatenate([[0.0], np.interp(grid[1:], fpr, tpr)])
