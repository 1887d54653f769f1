"""Bootstrap: the uncertainty of metrics that comes from the choice of test clips (sec. III).

A resample is a count of how often each clip was drawn. All metrics of a resample are computed
from the counts: scores are sorted only once, and resamples are never expanded to clips. The clips
of a track or an artist are similar, so these are drawn as well, all clips of each together: the
cluster bootstrap. Limits are those of the percentile interval, or of the basic one: see `interval`.

In each result, the first row is for all clips, once each; the others are for the resamples. With
fewer than two groups there are none: every resample would be all clips, which says nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

_CHUNK, _CELLS = 64, 2**19  # resamples at a time, so that they stay in the processor's cache


@dataclass(frozen=True)
class Sampling:
    """Settings of the draws.

    Attributes
    ----------
    groups : (clips,)
        Groups of clips that are drawn together, such as tracks; or a group for each clip.
    resamples
        Number of resamples.
    seed
        Seed of the draws; the same seed and groups give the same resamples for every model.
    """

    groups: np.ndarray
    resamples: int
    seed: int

    @property
    def n_groups(self) -> int:
        """Number of different groups."""
        return len(np.unique(self.groups))

    def draws(self) -> Iterator[np.ndarray]:
        """Yield the counts of some resamples at a time: int32, (clips, some resamples).

        The first are of all clips; those of resamples follow if there are two groups or more.
        """
        rng = np.random.default_rng(self.seed)
        names, group = np.unique(self.groups, return_inverse=True)
        yield np.ones((len(group), 1), np.int32)
        if len(names) < 2:
            return
        chunk = max(1, min(_CHUNK, _CELLS // len(group)))
        for start in range(0, self.resamples, chunk):
            counts = np.empty((len(group), min(chunk, self.resamples - start)), np.int32)
            for drawn in counts.T:
                drawn[:] = np.bincount(
                    rng.integers(len(names), size=len(names)), minlength=len(names)
                )[group]
            yield counts


@dataclass(frozen=True)
class Ranking:
    """One tag's clips sorted by score, divided where the ties of a positive begin or end.

    Attributes
    ----------
    segments : sparse, (segments, clips)
        Membership of clips in segments, from the lowest score.
    positives : (positives,)
        Clips that have the tag, from the lowest score.
    below, upto : (positives,)
        Number of segments below each positive's ties, without and with these ties.
    first : (positives,)
        Number of positives below each positive's ties.
    """

    segments: sparse.csr_matrix
    positives: np.ndarray
    below: np.ndarray
    upto: np.ndarray
    first: np.ndarray


def rank(labels: np.ndarray, scores: np.ndarray, clips: np.ndarray | None = None) -> Ranking:
    """Sort the decisions of one tag, or of all tags together.

    Parameters
    ----------
    labels, scores : (decisions,)
    clips : (decisions,)
        Number of the clip of each decision; by default there is one decision per clip.
    """
    order = np.argsort(scores, kind="stable")
    places = np.flatnonzero(labels[order])
    ordered = scores[order]
    low = np.searchsorted(ordered, ordered[places], side="left")
    high = np.searchsorted(ordered, ordered[places], side="right")
    cuts = np.unique(np.concatenate([[0], low, high, [len(order)]]))
    rows = order if clips is None else clips[order]
    shape = (len(cuts) - 1, rows.max() + 1)
    return Ranking(
        segments=sparse.csr_matrix((np.ones(len(rows), np.int32), rows, cuts), shape=shape),
        positives=rows[places],
        below=np.searchsorted(cuts, low),
        upto=np.searchsorted(cuts, high),
        first=np.searchsorted(low, low),
    )


def weighted_areas(ranking: Ranking, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and average precision of one tag in each resample, with scikit-learn's ties.

    Parameters
    ----------
    ranking
        Ranking of the tag's clips.
    counts : int32, (clips, resamples)
        Number of times each clip was drawn.

    Returns
    -------
    roc_auc, pr_auc : (resamples,)
        NaN where no positive or no negative was drawn.
    """
    drawn = _cumulated(ranking.segments @ counts)
    weights = counts[ranking.positives].astype(np.int64)
    below, upto = drawn[ranking.below], drawn[ranking.upto]
    positives, clips = weights.sum(axis=0), drawn[-1]
    # Among themselves, positives win exactly half of their pairs.
    wins = (weights * (below + upto)).sum(axis=0) - positives**2
    pairs = 2 * positives * (clips - positives)
    undefined = np.full(len(clips), np.nan)
    roc_auc = np.divide(wins, pairs, out=undefined.copy(), where=pairs > 0)
    found = positives - _cumulated(weights)[ranking.first]
    precision = found / np.maximum(clips - below, 1)
    summed = (weights * precision).sum(axis=0)
    return roc_auc, np.divide(summed, positives, out=undefined, where=pairs > 0)


def _cumulated(values: np.ndarray) -> np.ndarray:
    """Sum the rows before each row, and all rows: int64, (rows + 1, columns)."""
    sums = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


@dataclass(frozen=True)
class Areas:
    """ROC-AUC and average precision in each resample.

    Attributes
    ----------
    roc_auc, pr_auc : (1 + resamples, tags)
        NaN where no positive or no negative was drawn.
    positives : (1 + resamples, tags)
        Number of positives drawn.
    """

    roc_auc: np.ndarray
    pr_auc: np.ndarray
    positives: np.ndarray


def resample_areas(labels: np.ndarray, scores: np.ndarray, sampling: Sampling) -> Areas:
    """Measure the areas of each tag in each resample.

    Parameters
    ----------
    labels, scores : (clips, tags)
    sampling
        Draws of the clips.
    """
    rankings = [rank(*columns) for columns in zip(labels.T, scores.T, strict=True)]
    areas = [[weighted_areas(each, counts) for each in rankings] for counts in sampling.draws()]
    roc_auc, pr_auc = np.concatenate(areas, axis=2).transpose(1, 2, 0)
    return Areas(roc_auc, pr_auc, resample_sums(labels, sampling))


def resample_micro(labels: np.ndarray, scores: np.ndarray, sampling: Sampling) -> np.ndarray:
    """ROC-AUC over all decisions of all tags in each resample: (1 + resamples,)."""
    clips = np.repeat(np.arange(len(labels), dtype=np.int32), labels.shape[1])
    ranking = rank(labels.ravel(), scores.ravel(), clips)
    return np.concatenate([weighted_areas(ranking, counts)[0] for counts in sampling.draws()])


def resample_sums(values: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Sum whole numbers of the drawn clips in each resample.

    The sums are exact, and so the same in whatever order BLAS adds.

    Parameters
    ----------
    values : (clips, columns)
        Whole numbers of each clip.
    sampling
        Draws of the clips.

    Returns
    -------
    sums : float64, (1 + resamples, columns)
    """
    values = np.asarray(values, np.float64)
    return np.concatenate([counts.T.astype(np.float64) @ values for counts in sampling.draws()])


def resample_means(values: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Mean over the clips that have a value (not NaN) in each resample: (1 + resamples, columns).

    NaN where no clip with a value was drawn. Values are fractions, whose sum depends on the order:
    NumPy adds row by row, BLAS as suits the processor.
    """
    known = np.isfinite(values)
    columns = np.where(known, values, 0).T[:, :, None]
    sums = np.concatenate(
        [np.stack([(c * counts).sum(axis=0) for c in columns], 1) for counts in sampling.draws()]
    )
    clips = resample_sums(known, sampling)
    return np.divide(sums, clips, out=np.full(sums.shape, np.nan), where=clips > 0)


def mean_over_tags(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean over the tags that have a value in a resample; NaN where none has.

    Parameters
    ----------
    values : (1 + resamples, tags)
        NaN where undefined.
    weights : (1 + resamples, tags)
        Weights of the tags; by default equal.

    Returns
    -------
    mean : (1 + resamples,)
    """
    known = np.isfinite(values)
    weights = np.where(known, 1.0 if weights is None else weights, 0)
    total = weights.sum(axis=1)
    summed = (np.where(known, values, 0) * weights).sum(axis=1)
    return np.divide(summed, total, out=np.full(len(values), np.nan), where=total > 0)


def interval(
    samples: np.ndarray,
    *,
    confidence: float,
    basic: bool = False,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """Limits of a bootstrap interval: percentiles of the resamples, or basic ones.

    Parameters
    ----------
    samples : (1 + resamples, ...)
        Values in each resample; NaN where undefined, which is ignored.
    confidence
        Share of the resamples, between 0 and 1.
    basic
        Whether to compute the basic (reverse percentile) interval: the percentiles, mirrored at the
        first row. Average precision is higher when a positive is drawn twice; in a mean over tags
        this bias exceeds the width of the interval, and mirroring removes it.
    bounds
        Range of possible values, to which basic limits are clipped.

    Returns
    -------
    limits : (2, ...)
        Low and high; NaN where no resample has a value, or without resamples.
    """
    tail = (1 - confidence) / 2
    estimate, resampled = samples[0], samples[1:]
    if not len(resampled):
        return np.full((2, *np.shape(estimate)), np.nan)
    never = ~np.isfinite(resampled).any(axis=0)
    low, high = np.nanquantile(np.where(never, 0.0, resampled), [tail, 1 - tail], axis=0)
    if basic:
        low, high = np.clip([2 * estimate - high, 2 * estimate - low], *bounds)
    return np.where(never, np.nan, [low, high])
