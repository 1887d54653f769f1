"""Differences between models, with limits for the random choice of test clips (sec. III)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.metrics.bootstrap import Areas, Sampling, interval, mean_over_tags, resample_areas
from autotagging.metrics.intervals import sampling_units
from autotagging.metrics.settings import Bootstrap

_AREAS = {"roc_auc": "ROC-AUC", "pr_auc": "average precision"}
_SHOWN_REST = f"gain_minus_rest_{INTERVAL_UNIT}"
_LIMITS = tuple(
    f"{unit}_{side}" for unit in ("clips", "tracks", "artists") for side in ("low", "high")
)
_COLUMNS = (
    *("tags", "metric", "first", "second", "first_value", "second_value", "difference"),
    *(*_LIMITS, "clear", "gain_minus_rest"),
    *(f"gain_minus_rest_{name}" for name in (*_LIMITS, "clear")),
)


@dataclass(frozen=True)
class Run:
    """Scores of a model with one seed on the test clips.

    Attributes
    ----------
    model
        Name of the model.
    clip_id, track, artist : (clips,)
        Id of each clip, and numbers of its track and artist.
    labels, scores : (clips, tags)
    """

    model: str
    clip_id: np.ndarray
    track: np.ndarray
    artist: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


def differences(
    runs: Sequence[Run],
    categories: Sequence[str],
    bootstrap: Bootstrap,
) -> pd.DataFrame:
    """Compare every pair of models on the test clips that all have scored, in the same resamples.

    For a model with several seeds, the areas are averaged; the intervals cover the choice of
    clips, not of seeds.

    Parameters
    ----------
    runs
        Scores of all models and seeds, for the same tags.
    categories : (tags,)
        Category of each tag; the comparison is also made within each category.
    bootstrap
        How the limits are drawn.

    Returns
    -------
    table : (pairs of models x groups of tags x 2, 22)
        tags ("all" or a category), metric (ROC-AUC or average precision, the mean over these
        tags), first and second (models), first_value, second_value, difference (first minus
        second), its limits by clips, by tracks and by artists (NaN with fewer than two of them),
        and clear: "yes" if zero is outside the limits that are shown, by artists, "no" if it is
        not, empty without limits. gain_minus_rest is the difference of a category minus that of
        all other tags, with limits and gain_minus_rest_clear in the same form: a category in which
        the first model is more effective has a positive one, however hard its tags are. It is
        empty for all tags.
    """
    clips = sorted(set.intersection(*(set(run.clip_id.tolist()) for run in runs)))
    aligned = [_take(run, clips) for run in runs]
    units = sampling_units(aligned[0].track, aligned[0].artist, bootstrap)
    areas = {unit: _areas_by_model(aligned, sampling) for unit, sampling in units.items()}
    names = np.asarray(categories)
    groups = {"all": np.ones(len(names), bool)}
    groups |= {name: names == name for name in sorted(set(categories))}
    pairs = combinations(dict.fromkeys(run.model for run in runs), 2)
    rows = []
    for pair, (group, inside), area in product(pairs, groups.items(), _AREAS):
        values = {
            unit: [getattr(by_model[model], area) for model in pair]
            for unit, by_model in areas.items()
        }
        row = {"tags": group, "metric": _AREAS[area], "first": pair[0], "second": pair[1]}
        basic = area == "pr_auc"
        rows.append(row | _compared(values, inside, confidence=bootstrap.confidence, basic=basic))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _compared(
    values: Mapping[str, Sequence[np.ndarray]],
    inside: np.ndarray,
    *,
    confidence: float,
    basic: bool,
) -> dict[str, float | str]:
    """Compute both models' means over some tags, their difference, and that minus the rest's."""
    row, limits = {}, {"confidence": confidence, "basic": basic}
    for unit, both in values.items():
        first, second = (mean_over_tags(each[:, inside]) for each in both)
        row |= {"first_value": first[0], "second_value": second[0]}
        row["difference"] = first[0] - second[0]
        low, high = interval(first - second, **limits, bounds=(-1, 1))
        row |= {f"{unit}_low": low, f"{unit}_high": high}
        minus_rest = gain_minus_rest(*both, inside)
        row["gain_minus_rest"] = minus_rest[0]
        low, high = interval(minus_rest, **limits, bounds=(-2, 2))
        row |= {f"gain_minus_rest_{unit}_low": low, f"gain_minus_rest_{unit}_high": high}
    for clear, sides in (("clear", INTERVAL_UNIT), ("gain_minus_rest_clear", _SHOWN_REST)):
        row[clear] = _clear(row[f"{sides}_low"], row[f"{sides}_high"])
    return row


def gain_minus_rest(first: np.ndarray, second: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Subtract a model's gain on all other tags from its gain on some tags.

    Both models' means depend on how hard the tags are; their difference, and so the gains, do less.

    Parameters
    ----------
    first, second : (1 + resamples, tags)
        Areas of the model and of the one that it is compared with, in the same resamples.
    inside : bool, (tags,)
        Tags of a category.

    Returns
    -------
    contrast : (1 + resamples,)
        NaN where no tag is inside, or none outside.
    """
    gain, rest = (
        mean_over_tags(first[:, tags]) - mean_over_tags(second[:, tags])
        for tags in (inside, ~inside)
    )
    return gain - rest


def _clear(low: float, high: float) -> str:
    """Tell whether zero is outside the limits: "yes" or "no"; empty if there are none."""
    if np.isnan(low):
        return ""
    return "yes" if low > 0 or high < 0 else "no"


def _take(run: Run, clips: Sequence[int]) -> Run:
    """Keep some clips, in the order given."""
    places = pd.Index(run.clip_id).get_indexer(clips)
    arrays = (run.clip_id, run.track, run.artist, run.labels, run.scores)
    return Run(run.model, *(array[places] for array in arrays))


def _areas_by_model(runs: Sequence[Run], sampling: Sampling) -> dict[str, Areas]:
    """Average the areas of each model over its seeds."""
    found: dict[str, list[Areas]] = {}
    for run in runs:
        found.setdefault(run.model, []).append(resample_areas(run.labels, run.scores, sampling))
    return {
        model: Areas(
            roc_auc=np.mean([each.roc_auc for each in areas], axis=0),
            pr_auc=np.mean([each.pr_auc for each in areas], axis=0),
            positives=areas[0].positives,
        )
        for model, areas in found.items()
    }
