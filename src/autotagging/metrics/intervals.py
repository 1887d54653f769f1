"""Confidence intervals of a model's metrics, by the bootstrap over clips, tracks and artists."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autotagging.metrics.averages import measure_clips
from autotagging.metrics.bootstrap import (
    Areas,
    Sampling,
    interval,
    mean_over_tags,
    resample_areas,
    resample_means,
    resample_sums,
)
from autotagging.metrics.decisions import RATES, rates
from autotagging.metrics.scores import Scores, TestSet
from autotagging.metrics.settings import Bootstrap
from autotagging.metrics.table import METRICS, Resampling


@dataclass(frozen=True)
class Resampled:
    """The metrics of one model in each resample.

    Attributes
    ----------
    means : each (1 + resamples,)
        Values by name of the metric; NaN where undefined.
    areas
        ROC-AUC and average precision of each tag.
    n_groups
        Number of groups that the resamples draw, such as artists.
    """

    means: dict[str, np.ndarray]
    areas: Areas
    n_groups: int


def resample(test_set: TestSet, scores: Scores, sampling: Sampling) -> Resampled:
    """Compute the metrics of `TestSet.measure` in each resample, with fixed thresholds."""
    labels, values = test_set.test, np.asarray(scores.test, np.float64)
    areas = resample_areas(labels, values, sampling)
    resampling = Resampling(labels, values, sampling, areas)
    means = {
        name: metric.resample(resampling) for name, metric in METRICS.items() if metric.resample
    }
    by_clip = measure_clips(labels, values, precision_at=test_set.settings.precision_at)
    sampled = resample_means(np.column_stack([*by_clip.values()]), sampling)
    means |= dict(zip(by_clip, sampled.T, strict=True))
    drawn = np.isfinite(areas.roc_auc)
    for suffix, threshold in (
        ("", test_set.settings.threshold),
        ("_at_tag_thresholds", test_set.tag_thresholds(scores)),
    ):
        decided = _resample_decisions(labels, values > threshold, drawn, sampling)
        means |= {f"{name}{suffix}": samples for name, samples in decided.items()}
    return Resampled(means, areas, sampling.n_groups)


def _resample_decisions(
    labels: np.ndarray, given: np.ndarray, drawn: np.ndarray, sampling: Sampling
) -> dict[str, np.ndarray]:
    """Accuracy and the averages of precision, recall and F1 in each resample."""
    columns = np.concatenate([labels * given, given, labels], axis=1)
    counts = np.array(np.split(resample_sums(columns, sampling), 3, axis=1))
    by_tag, micro = rates(*counts), rates(*counts.sum(axis=2))
    right = (labels == given).mean(axis=1, keepdims=True)
    return {
        "accuracy": resample_means(right, sampling)[:, 0],
        **{
            f"{name}_macro": mean_over_tags(np.where(drawn, values, np.nan))
            for name, values in zip(RATES, by_tag, strict=True)
        },
        **{f"{name}_micro": values for name, values in zip(RATES, micro, strict=True)},
    }


def sampling_units(
    track: np.ndarray, artist: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Sampling]:
    """Return the ways to draw test clips: one by one, or all of a track or an artist together.

    Parameters
    ----------
    track, artist : (clips,)
        Numbers of each clip's track and artist.
    bootstrap
        Number of resamples, and seed.
    """
    groups = {"clips": np.arange(len(track)), "tracks": track, "artists": artist}
    return {
        unit: Sampling(each, bootstrap.resamples, bootstrap.bootstrap_seed)
        for unit, each in groups.items()
    }


def intervals(
    model: Resampled, lookup: Areas, scored: np.ndarray, *, confidence: float
) -> dict[str, Any]:
    """Compute the limits of each metric, and of the model's gain over the lookup baseline.

    Parameters
    ----------
    model, lookup
        Metrics of the model, and areas of the lookup baseline, in the same resamples.
    scored : bool, (tags,)
        Tags with both classes on all test clips.
    confidence
        Share of the resamples between the limits.

    Returns
    -------
    intervals
        Low and high by metric, or None where undefined; gain_over_lookup in the same form; the
        number of groups, of resamples (0 with fewer than two groups, and all limits are None), and
        of resamples in which a scored tag had one class only, so that it was left out of the means.
    """
    without = np.isnan(model.areas.roc_auc[1:, scored]).any(axis=1).sum()
    better = {
        f"{name}_macro": model.means[f"{name}_macro"] - mean_over_tags(getattr(lookup, name))
        for name in ("roc_auc", "pr_auc")
    }
    return {
        **{name: limits(name, values, confidence) for name, values in model.means.items()},
        "gain_over_lookup": {
            name: limits(name, values, confidence, lowest=-1) for name, values in better.items()
        },
        "groups": model.n_groups,
        "resamples": len(model.areas.roc_auc) - 1,
        "resamples_without_some_tag": int(without),
    }


def limits(
    name: str, samples: np.ndarray, confidence: float, *, lowest: float = 0
) -> dict[str, float] | None:
    """Give low and high of a metric from its values in all resamples; None where undefined."""
    basic = name.startswith("pr_auc")
    low, high = interval(samples, confidence=confidence, basic=basic, bounds=(lowest, 1))
    return None if np.isnan(low) else {"low": float(low), "high": float(high)}
