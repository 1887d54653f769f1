"""How well scores rank and decide tags (sec. III). Headline: the mean ROC-AUC over tags (macro)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score, roc_curve


def evaluate(
    labels: np.ndarray, scores: np.ndarray, tags: Sequence[str], *, threshold: float = 0.5
) -> dict[str, Any]:
    """Evaluate scores of tags against labels.

    Tags with positives or negatives only have no ROC-AUC: they are named, and left out of the
    macro and weighted means.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    scores : (clips, tags)
        0 to 1.
    tags : (tags,)
        Names.
    threshold
        A score above it decides for the tag (sec. III), which accuracy judges.

    Returns
    -------
    metrics
        roc_auc_macro, roc_auc_micro, roc_auc_weighted (by positives), roc_auc_samples (per clip,
        over clips with a tag), pr_auc_macro (average precision), accuracy, loss (binary
        cross-entropy, natural logarithm), threshold, n_clips, n_tags, n_tags_scored,
        tags_not_scored.

    Raises
    ------
    ValueError
        The shapes don't fit, or a score is not finite.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.shape[1:] != (len(tags),):
        raise ValueError(
            f"labels {labels.shape}, scores {scores.shape} and {len(tags)} tags do not fit"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores are not all finite")
    scored = has_both_classes(labels)
    return {
        "roc_auc_macro": mean_roc_auc(labels, scores),
        "roc_auc_micro": mean_roc_auc(labels.reshape(-1, 1), scores.reshape(-1, 1)),
        "roc_auc_weighted": mean_roc_auc(labels, scores, weighted=True),
        "roc_auc_samples": mean_roc_auc(labels.T, scores.T),
        "pr_auc_macro": _mean_or_none(
            [average_precision_score(labels[:, i], scores[:, i]) for i in np.flatnonzero(scored)]
        ),
        "accuracy": accuracy(labels, scores, threshold=threshold),
        "loss": cross_entropy(labels, scores),
        "threshold": threshold,
        "n_clips": len(labels),
        "n_tags": len(tags),
        "n_tags_scored": int(scored.sum()),
        "tags_not_scored": [tag for tag, known in zip(tags, scored, strict=True) if not known],
    }


def baselines(
    labels: np.ndarray, prior: np.ndarray, *, threshold: float = 0.5
) -> dict[str, dict[str, float]]:
    """Measure answers that hear nothing: never a tag, and each tag's share in training.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    prior : (tags,)
        Share of training clips with the tag.
    """
    scores = np.broadcast_to(prior, labels.shape)
    return {
        "all_zero": {"accuracy": accuracy(labels, np.zeros(labels.shape), threshold=threshold)},
        "prior": {
            "accuracy": accuracy(labels, scores, threshold=threshold),
            "loss": cross_entropy(labels, scores),
        },
    }


def smoothed_prior(labels: np.ndarray) -> np.ndarray:
    """Share of clips with each tag, with half a clip added on both sides: never 0 or 1.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    """
    return (labels.sum(axis=0) + 0.5) / (len(labels) + 1)


def per_tag(labels: np.ndarray, scores: np.ndarray, tags: Sequence[str]) -> pd.DataFrame:
    """Tabulate each tag's positives, ROC-AUC and average precision (NaN where undefined)."""
    rows = []
    for tag, truth, score in zip(tags, labels.T, scores.T, strict=True):
        known = 0 < truth.sum() < len(truth)
        rows.append(
            {
                "tag": tag,
                "positives": int(truth.sum()),
                "roc_auc": roc_auc_score(truth, score) if known else np.nan,
                "pr_auc": average_precision_score(truth, score) if known else np.nan,
            }
        )
    return pd.DataFrame(rows)


def roc_curves(labels: np.ndarray, scores: np.ndarray, *, points: int = 201) -> pd.DataFrame:
    """ROC curves averaged over tags (macro) and over all decisions (micro).

    Returns
    -------
    curves : (points, 3)
        fpr (evenly spaced, 0 to 1), and the true positive rates macro and micro.
    """
    grid = np.linspace(0, 1, points)
    by_tag = [
        _interpolated_tpr(labels[:, i], scores[:, i], grid)
        for i in np.flatnonzero(has_both_classes(labels))
    ]
    macro = np.mean(by_tag, axis=0) if by_tag else np.full(points, np.nan)
    micro = _interpolated_tpr(labels.ravel(), scores.ravel(), grid)
    return pd.DataFrame({"fpr": grid, "macro": macro, "micro": micro})


def mean_roc_auc(labels: np.ndarray, scores: np.ndarray, *, weighted: bool = False) -> float | None:
    """Mean ROC-AUC over the columns that have both classes; None where none has.

    Parameters
    ----------
    labels, scores : (rows, columns)
        Columns are tags; transposed, they are clips.
    weighted
        Weight columns by their positives.
    """
    columns = np.flatnonzero(has_both_classes(labels))
    if not len(columns):
        return None
    aucs = [roc_auc_score(labels[:, i], scores[:, i]) for i in columns]
    weights = labels[:, columns].sum(axis=0) if weighted else None
    return float(np.average(aucs, weights=weights))


def has_both_classes(labels: np.ndarray) -> np.ndarray:
    """Tell for each column whether it has a positive and a negative: bool, (columns,)."""
    positives = labels.sum(axis=0)
    return (positives > 0) & (positives < len(labels))


def accuracy(labels: np.ndarray, scores: np.ndarray, *, threshold: float) -> float:
    """Share of decisions that are right, deciding for a tag above the threshold (sec. III)."""
    return float(((scores > threshold) == labels).mean())


def cross_entropy(labels: np.ndarray, scores: np.ndarray) -> float:
    """Binary cross-entropy, the mean over all decisions, in nats (sec. III)."""
    return float(log_loss(labels.ravel(), np.asarray(scores, np.float64).ravel(), labels=[0, 1]))


def _mean_or_none(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _interpolated_tpr(labels: np.ndarray, scores: np.ndarray, grid: np.ndarray) -> np.ndarray:
    fpr, tpr, _ = roc_curve(labels, scores)
    return np.concatenate([[0.0], np.interp(grid[1:], fpr, tpr)])
