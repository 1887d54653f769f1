"""What training measures after each epoch: loss and macro ROC-AUC (sec. III).

Separate from the package metrics, so that a new metric of the evaluation retrains no model.
"""

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score


def mean_roc_auc(labels: np.ndarray, scores: np.ndarray, *, weighted: bool = False) -> float | None:
    """Mean ROC-AUC over the columns that have both classes; None where none has.

    Parameters
    ----------
    labels, scores : (clips, tags)
    weighted
        Whether to weight tags by their positives.
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


def cross_entropy(labels: np.ndarray, scores: np.ndarray) -> float:
    """Binary cross-entropy, the mean over all decisions, in nats (sec. III)."""
    return float(log_loss(labels.ravel(), np.asarray(scores, np.float64).ravel(), labels=[0, 1]))


def smoothed_prior(labels: np.ndarray) -> np.ndarray:
    """Share of clips with each tag, with half a clip added to both classes: never 0 or 1.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    """
    return (labels.sum(axis=0) + 0.5) / (len(labels) + 1)
