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
_COLUMNS = (
    "tags",
    "metric",
    "first",
    "second",
    "first_value",
    "second_value",
    "difference",
    "clips_low",
    "clips_high",
    "tracks_low",
    "tracks_high",
    "artists_low",
    "artists_high",
    "clear",
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
    table : (pairs of models x groups of tags x 2, 14)
        tags ("all" or a category), metric (ROC-AUC or average precision, the mean over these
        tags), first and second (models), first_value, second_value, difference (first minus
        second), its limits by clips, by tracks and by artists (NaN with fewer than two of them),
        and clear: "yes" if zero is outside the limits that are shown, by artists, "no" if it is
        not, empty without limits.
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
        means = {
            unit: [mean_over_tags(getattr(by_model[model], area)[:, inside]) for model in pair]
            for unit, by_model in areas.items()
        }
        row = {"tags": group, "metric": _AREAS[area], "first": pair[0], "second": pair[1]}
        mirrored = area == "pr_auc"
        rows.append(row | _compared(means, confidence=bootstrap.confidence, mirrored=mirrored))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _compared(
    values: Mapping[str, Sequence[np.ndarray]], *, confidence: float, mirrored: bool
) -> dict[str, float | str]:
    """Compute both models' values, and their difference with its limits."""
    row = {}
    for unit, (first, second) in values.items():
        row |= {"first_value": first[0], "second_value": second[0]}
        row["difference"] = first[0] - second[0]
        limits = interval(first - second, confidence=confidence, mirrored=mirrored, bounds=(-1, 1))
        row |= {f"{unit}_low": limits[0], f"{unit}_high": limits[1]}
    row["clear"] = _clear(row[f"{INTERVAL_UNIT}_low"], row[f"{INTERVAL_UNIT}_high"])
    return row


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
