"""The evaluation by tag, by category (sec. III claims a strength in moods), and by epoch."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.metrics import averages
from autotagging.metrics.bootstrap import Areas, interval, mean_over_tags
from autotagging.metrics.differences import gain_minus_rest
from autotagging.metrics.intervals import Resampled
from autotagging.metrics.scores import Scores, TestSet

_AREAS = ("roc_auc", "pr_auc")
_OF_EPOCHS = ("roc_auc_macro", "pr_auc_macro", "loss", "accuracy")


def table_of_tags(
    test_set: TestSet,
    scores: Scores,
    categories: Sequence[str],
    artist: np.ndarray,
    resampled: Mapping[str, Resampled],
    *,
    confidence: float,
) -> pd.DataFrame:
    """Add categories, artists and limits to `averages.per_tag`.

    The limits are columns <area>_<unit>_low and _high; artists is the number of test artists with
    the tag: all its limits are too narrow where it is low.

    Parameters
    ----------
    test_set, scores
        Labels of the clips, and scores of the model.
    categories : (tags,)
        Category of each tag: genre, instrument, vocal, mood or other.
    artist : (clips,)
        Number of each test clip's artist.
    resampled
        Metrics of the resamples by sampling unit: clips, tracks, artists.
    confidence
        Share of the resamples between the limits.
    """
    table = averages.per_tag(
        test_set.test,
        scores.test,
        test_set.tags,
        threshold=test_set.settings.threshold,
        tag_thresholds=test_set.tag_thresholds(scores),
    )
    table.insert(1, "category", [*categories])
    artists = [len(np.unique(artist[tagged == 1])) for tagged in test_set.test.T]
    table.insert(table.columns.get_loc("positives") + 1, "artists", artists)
    for area in reversed(_AREAS):
        place = table.columns.get_loc(area) + 1
        for unit in reversed(resampled):
            limits = interval(getattr(resampled[unit].areas, area), confidence=confidence)
            for name, values in zip(("high", "low"), limits[::-1], strict=True):
                table.insert(place, f"{area}_{unit}_{name}", values)
    return table


def table_of_categories(
    tags: pd.DataFrame,
    resampled: Mapping[str, tuple[Resampled, Areas]],
    *,
    confidence: float,
) -> pd.DataFrame:
    """Average the tags of each category, and compare with all other tags and with `lookup`.

    Parameters
    ----------
    tags
        Table from `table_of_tags`.
    resampled
        Metrics of the model and areas of the lookup baseline in the same resamples, by sampling
        unit.
    confidence
        See `table_of_tags`.

    Returns
    -------
    table : (categories, ...)
        category, tags, tags_scored, share (its mean, the pr_auc of random scores); roc_auc, pr_auc,
        roc_auc_minus_rest (difference to all other tags), gain_over_lookup (of roc_auc) and
        gain_over_lookup_minus_rest (see `differences.gain_minus_rest`), each with its limits as
        <column>_<unit>_low and _high; NaN if there is no tag.
    """
    rows = []
    scored = tags["roc_auc"].notna().to_numpy()
    for category in sorted(tags["category"].unique()):
        inside = (tags["category"] == category).to_numpy()
        row = {"category": category, "tags": inside.sum(), "tags_scored": (inside & scored).sum()}
        row["share"] = tags.loc[inside & scored, "share"].mean()
        means = {
            unit: _means(model.areas, lookup, inside) for unit, (model, lookup) in resampled.items()
        }
        for name, unit in product(means[INTERVAL_UNIT], means):
            samples = means[unit][name]
            limits = interval(samples, confidence=confidence, basic=name == "pr_auc")
            row[name] = samples[0]
            row |= {f"{name}_{unit}_low": limits[0], f"{name}_{unit}_high": limits[1]}
        rows.append(row)
    return pd.DataFrame(rows)


def _means(areas: Areas, lookup: Areas, inside: np.ndarray) -> dict[str, np.ndarray]:
    """Average the areas over some tags, and compare with others: each (1 + resamples,)."""
    roc_auc = mean_over_tags(areas.roc_auc[:, inside])
    return {
        "roc_auc": roc_auc,
        "pr_auc": mean_over_tags(areas.pr_auc[:, inside]),
        "roc_auc_minus_rest": roc_auc - mean_over_tags(areas.roc_auc[:, ~inside]),
        "gain_over_lookup": roc_auc - mean_over_tags(lookup.roc_auc[:, inside]),
        "gain_over_lookup_minus_rest": gain_minus_rest(areas.roc_auc, lookup.roc_auc, inside),
    }


def table_of_epochs(
    test_set: TestSet,
    best: Scores,
    others: Iterable[tuple[int, np.ndarray]],
    description: Mapping[str, Any],
) -> pd.DataFrame:
    """Evaluate the weights after each epoch on the test clips.

    Parameters
    ----------
    test_set
        Labels of the test clips.
    best
        Scores of the epoch that was chosen on the validation clips.
    others
        Numbers of other epochs, from 1, and their scores on the test clips, (clips, tags).
    description
        Description of the model: best_epoch, and epochs (number of trained epochs); both are
        missing for a model without epochs.

    Returns
    -------
    table : (epochs given, 8)
        epoch, roc_auc_macro, pr_auc_macro, loss, accuracy; and as 0 or 1: best (on validation),
        last, oracle (highest roc_auc_macro on the test clips, the first of several: an upper
        bound, chosen on the clips it is measured on; only if all epochs are given).
    """
    chosen, trained = (description.get(name, 0) for name in ("best_epoch", "epochs"))
    by_epoch = chain([(chosen, best.test)] if chosen else [], others)
    rows = [
        {
            "epoch": epoch,
            **averages.measure_epoch(test_set.test, each, threshold=test_set.settings.threshold),
            "best": int(epoch == chosen),
            "last": int(epoch == trained),
            "oracle": 0,
        }
        for epoch, each in by_epoch
    ]
    columns = ["epoch", *_OF_EPOCHS, "best", "last", "oracle"]
    table = pd.DataFrame(rows, columns=columns).sort_values("epoch", ignore_index=True)
    areas = table["roc_auc_macro"].astype(float)
    if len(table) == trained and areas.notna().any():
        table.loc[areas.idxmax(), "oracle"] = 1
    return table


def choice_of_epochs(table: pd.DataFrame) -> dict[str, dict[str, Any] | None]:
    """Give the best, last and oracle epoch of `table_of_epochs`; None if unknown."""
    chosen = {
        "best_on_validation": table[table["best"] == 1],
        "last": table[table["last"] == 1],
        "upper_bound_best_on_test": table[table["oracle"] == 1],
    }
    return {
        name: None if rows.empty else rows[["epoch", *_OF_EPOCHS]].to_dict("records")[0]
        for name, rows in chosen.items()
    }
