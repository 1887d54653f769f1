"""From scores to predicted tags: thresholds, precision, recall and F1 (sec. III)."""

import numpy as np
from scipy.stats import rankdata

RATES = {"precision": "precision", "recall": "recall", "f1": "F1"}
"""Names of the results of `rates`, in order: the share of right tags among predicted tags, the
share of predicted tags among right tags, and the harmonic mean of both."""


def best_thresholds(labels: np.ndarray, scores: np.ndarray, *, otherwise: float) -> np.ndarray:
    """Threshold of each tag with the highest F1; of several, the highest threshold.

    Use validation clips: on the clips that the thresholds are chosen on, F1 is too high.

    Parameters
    ----------
    labels, scores : (clips, tags)
    otherwise
        Threshold of tags without a positive, for which no threshold can be chosen.

    Returns
    -------
    thresholds : (tags,)
        Midpoints between two neighbouring scores, or 0 if F1 is highest with the tag predicted
        for every clip (of a score above 0, as a score has to be above its threshold).
    """
    return np.array(
        [
            _best_threshold(truth.astype(bool), score) if truth.any() else otherwise
            for truth, score in zip(labels.T, np.asarray(scores, np.float64).T, strict=True)
        ]
    )


def _best_threshold(truth: np.ndarray, score: np.ndarray) -> float:
    distinct = np.unique(score)
    candidates = np.concatenate([[0.0], (distinct[1:] + distinct[:-1]) / 2])
    given = len(score) - np.searchsorted(np.sort(score), candidates, side="right")
    hits = truth.sum() - np.searchsorted(np.sort(score[truth]), candidates, side="right")
    f1 = 2 * hits / (given + truth.sum())
    return float(candidates[np.flatnonzero(f1 == f1.max())[-1]])


def rates(hits: np.ndarray, given: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 from counts; 0 / 0 is 0, as with scikit-learn's zero_division=0.

    Parameters
    ----------
    hits, given, actual : any shape
        Number of true positives, of predicted positives, and of actual positives.

    Returns
    -------
    rates : (3, ...)
    """
    over, under = np.array([hits, hits, 2 * hits]), np.array([given, actual, given + actual])
    return np.divide(over, under, out=np.zeros(over.shape), where=under > 0)


def counts_by_tag(labels: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Count hits, given and actual of each tag, the arguments of `rates`: (3, tags).

    Parameters
    ----------
    labels, given : (clips, tags)
        Whether a clip has the tag, and whether the tag is predicted.
    """
    return np.array([(labels * given).sum(axis=0), given.sum(axis=0), labels.sum(axis=0)], float)


def mean_rates(
    labels: np.ndarray, given: np.ndarray, *, scored: np.ndarray
) -> dict[str, float | None]:
    """Average precision, recall and F1.

    Parameters
    ----------
    labels, given
        See `counts_by_tag`.
    scored : bool, (tags,)
        Tags in the macro average; the micro average is over all decisions.

    Returns
    -------
    rates
        accuracy; precision_macro, recall_macro, f1_macro (None where no tag is scored);
        precision_micro, recall_micro, f1_micro.
    """
    counts = counts_by_tag(labels, given)
    macro, micro = rates(*counts)[:, scored], rates(*counts.sum(axis=1))
    return {
        "accuracy": float((labels == given).mean()),
        **{
            f"{name}_macro": float(values.mean()) if scored.any() else None
            for name, values in zip(RATES, macro, strict=True)
        },
        **{f"{name}_micro": float(value) for name, value in zip(RATES, micro, strict=True)},
    }


def precision_at_k(labels: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
    """Share of right tags among the k of highest score, for each clip that has a tag.

    For tags of equal score this is the expected share in random order.

    Parameters
    ----------
    labels, scores : (clips, tags)
    k
        Number of highest-scored tags, from 1 to the number of tags.

    Returns
    -------
    precision : (clips,)
        NaN for clips without a tag.

    Raises
    ------
    ValueError
        k is out of range.
    """
    if not 1 <= k <= labels.shape[1]:
        raise ValueError(
            f"precision at k = {k}; expected 1 to {labels.shape[1]}, the number of tags"
        )
    last = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above, tied = scores > last, scores == last
    places = k - above.sum(axis=1)
    hits = (labels * above).sum(axis=1) + places * (labels * tied).sum(axis=1) / tied.sum(axis=1)
    return np.where(labels.any(axis=1), hits / k, np.nan)


def roc_auc_by_clip(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """ROC-AUC of each clip: the share of pairs of a right and a wrong tag in the right order.

    Parameters
    ----------
    labels, scores : (clips, tags)

    Returns
    -------
    roc_auc : (clips,)
        NaN for clips with no tag or all tags.
    """
    positives = labels.sum(axis=1, dtype=np.float64)
    pairs = positives * (labels.shape[1] - positives)
    wins = (rankdata(scores, axis=1) * labels).sum(axis=1) - positives * (positives + 1) / 2
    return np.divide(wins, pairs, out=np.full(len(labels), np.nan), where=pairs > 0)
