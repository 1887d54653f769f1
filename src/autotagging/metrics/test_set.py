"""All that is said of a model's scores on the test clips, beside answers that hear nothing.

Test clips choose nothing here: thresholds come from validation clips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotagging.metrics import averages as metrics
from autotagging.metrics.bootstrap import (
    Areas,
    Sampling,
    interval,
    mean_over_tags,
    resample_areas,
    resample_means,
    resample_micro,
    resample_sums,
)
from autotagging.metrics.decisions import RATES, best_thresholds, rates
from autotagging.training.epoch_metrics import has_both_classes

# Of a constant answer these mean nothing: the loss is infinite, and all tags are tied.
_NOT_OF_ZEROS = ("loss", "calibration_error", "precision_at", "at_tag_thresholds")


@dataclass(frozen=True)
class Answer:
    """Scores of one model or baseline, float, (clips, tags) each.

    Attributes
    ----------
    test, validation
        Of the clips of these subsets.
    """

    test: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True)
class Questions:
    """What the answers are held against.

    Attributes
    ----------
    tags : (tags,)
        Names.
    test, validation : (clips, tags)
        Labels, 0 and 1.
    threshold
        A score above it decides for the tag.
    precision_at
        How many tags of highest score to look at.
    calibration_bins
        Scores are compared with the share of right tags in so many bins.
    """

    tags: Sequence[str]
    test: np.ndarray
    validation: np.ndarray
    threshold: float
    precision_at: Sequence[int]
    calibration_bins: int

    def tag_thresholds(self, answer: Answer) -> np.ndarray:
        """Thresholds of highest F1 on the validation clips: (tags,)."""
        return best_thresholds(self.validation, answer.validation, otherwise=self.threshold)

    def measure(self, answer: Answer) -> dict[str, Any]:
        """Evaluate an answer on the test clips, as `metrics.evaluate` does."""
        return metrics.evaluate(
            self.test,
            answer.test,
            self.tags,
            threshold=self.threshold,
            tag_thresholds=self.tag_thresholds(answer),
            precision_at=self.precision_at,
            calibration_bins=self.calibration_bins,
        )


def summarise(
    questions: Questions,
    model: Answer,
    lookup: Answer,
    prior: np.ndarray,
    resampled: Mapping[str, tuple["Resampled", Areas]],
    *,
    confidence: float,
) -> dict[str, Any]:
    """Put together all numbers of a model, the headline first.

    Parameters
    ----------
    questions
        With the labels.
    model, lookup
        Answers of the model, and of the baseline that looks tags up.
    prior : (tags,)
        Share of training clips with the tag.
    resampled
        By what was drawn: the model, and the areas of the baseline, in the same resamples.
    confidence
        As of `intervals`.

    Returns
    -------
    summary
        What `Questions.measure` gives; intervals by what was drawn; baselines; gains over each.
    """
    scored = has_both_classes(questions.test)
    measured = questions.measure(model)
    baselines = measure_baselines(questions, prior=prior, lookup=lookup)
    return {
        **measured,
        "confidence": confidence,
        "intervals": {
            unit: intervals(*both, scored, confidence=confidence)
            for unit, both in resampled.items()
        },
        "baselines": baselines,
        "gains": {f"over_{name}": gains(measured, each) for name, each in baselines.items()},
    }


def measure_baselines(
    questions: Questions, *, prior: np.ndarray, lookup: Answer
) -> dict[str, dict[str, Any]]:
    """Measure answers that hear nothing.

    Parameters
    ----------
    questions
        As for the model.
    prior : (tags,)
        Share of training clips with the tag.
    lookup
        Of the model of that name.

    Returns
    -------
    baselines
        all_zero (never a tag; its loss is infinite, and no tag is above another), prior (each clip
        gets the shares), lookup: all metrics that mean something for them.
    """
    zeros, shares = (
        Answer(*(np.broadcast_to(row, y.shape) for y in (questions.test, questions.validation)))
        for row in (np.zeros(len(prior)), prior)
    )
    measured = {
        "all_zero": _numbers(questions.measure(zeros)),
        "prior": _numbers(questions.measure(shares)),
        "lookup": _numbers(questions.measure(lookup)),
    }
    for name in _NOT_OF_ZEROS:
        del measured["all_zero"][name]
    return measured


def _numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what is not measured, but counted or set."""
    return {k: v for k, v in measured.items() if not k.startswith(("n_", "tags_", "threshold"))}


def gains(model: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, Any]:
    """Subtract the metrics of a baseline from those of a model, as far as both have them."""
    differences = {}
    for name, value in baseline.items():
        if isinstance(value, Mapping):
            differences[name] = gains(model[name], value)
        elif value is not None and model[name] is not None:
            differences[name] = model[name] - value
    return differences


@dataclass(frozen=True)
class Resampled:
    """The metrics of one model in each resample.

    Attributes
    ----------
    means : each (1 + resamples,)
        By the name of the metric; NaN where undefined.
    areas
        Of each tag.
    """

    means: dict[str, np.ndarray]
    areas: Areas


def resample(questions: Questions, answer: Answer, sampling: Sampling) -> Resampled:
    """Measure what `Questions.measure` does in each resample; thresholds stay as they are."""
    labels, scores = questions.test, np.asarray(answer.test, np.float64)
    areas = resample_areas(labels, scores, sampling)
    means = {
        "roc_auc_macro": mean_over_tags(areas.roc_auc),
        "roc_auc_micro": resample_micro(labels, scores, sampling),
        "roc_auc_weighted": mean_over_tags(areas.roc_auc, areas.positives),
        "pr_auc_macro": mean_over_tags(areas.pr_auc),
    }
    by_clip = metrics.measure_clips(labels, scores, precision_at=questions.precision_at)
    sampled = resample_means(np.column_stack([*by_clip.values()]), sampling)
    means |= dict(zip(by_clip, sampled.T, strict=True))
    drawn = np.isfinite(areas.roc_auc)
    for suffix, threshold in (
        ("", questions.threshold),
        ("_at_tag_thresholds", questions.tag_thresholds(answer)),
    ):
        decided = _resample_decisions(labels, scores > threshold, drawn, sampling)
        means |= {f"{name}{suffix}": values for name, values in decided.items()}
    return Resampled(means, areas)


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


def sampling_units(track: np.ndarray, *, resamples: int, seed: int) -> dict[str, Sampling]:
    """Name the two ways to draw test clips: each for itself, and all of a track together.

    Parameters
    ----------
    track : (clips,)
        Number of the track that each clip is of.
    resamples, seed
        As of `Sampling`.
    """
    groups = {"clips": np.arange(len(track)), "tracks": track}
    return {unit: Sampling(each, resamples, seed) for unit, each in groups.items()}


def intervals(
    model: Resampled, lookup: Areas, scored: np.ndarray, *, confidence: float
) -> dict[str, Any]:
    """Give the limits of each metric, and of what the model gains over the lookup baseline.

    Parameters
    ----------
    model, lookup
        In the same resamples.
    scored : bool, (tags,)
        Tags with both classes on all test clips.
    confidence
        Share of the resamples between the limits.

    Returns
    -------
    intervals
        By metric, low and high, or None where undefined; gain_over_lookup likewise; how many
        resamples there are, and in how many of them a scored tag had one class only, which left it
        out of that resample's means.
    """
    without = np.isnan(model.areas.roc_auc[1:, scored]).any(axis=1).sum()
    better = {
        f"{name}_macro": model.means[f"{name}_macro"] - mean_over_tags(getattr(lookup, name))
        for name in ("roc_auc", "pr_auc")
    }
    return {
        **{name: _limits(name, values, confidence) for name, values in model.means.items()},
        "gain_over_lookup": {
            name: _limits(name, values, confidence, lowest=-1) for name, values in better.items()
        },
        "resamples": len(model.areas.roc_auc) - 1,
        "resamples_without_some_tag": int(without),
    }


def _limits(
    name: str, samples: np.ndarray, confidence: float, *, lowest: float = 0
) -> dict[str, float] | None:
    mirrored = name.startswith("pr_auc")
    low, high = interval(samples, confidence=confidence, mirrored=mirrored, bounds=(lowest, 1))
    return None if np.isnan(low) else {"low": float(low), "high": float(high)}
