import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.metrics import scores as scoring
from autotagging.metrics.baselines import measure_baselines
from autotagging.metrics.bootstrap import mean_over_tags
from autotagging.metrics.breakdown import (
    choice_of_epochs,
    table_of_categories,
    table_of_epochs,
    table_of_tags,
)
from autotagging.metrics.intervals import intervals, resample, sampling_units
from autotagging.metrics.scoring import score_tables
from autotagging.metrics.settings import Bootstrap, EvaluationSettings
from autotagging.metrics.summary import summarise
from autotagging.models.stored import StoredModel
from autotagging.training.epoch_metrics import has_both_classes

TAGS = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def test_set():
    rng = np.random.default_rng(0)
    labels = (rng.random((300, 4)) < [0.5, 0.3, 0.2, 0.1]).astype(np.uint8)
    labels[:200, 3] = 0  # no test clip has tag d
    return scoring.TestSet(
        tags=TAGS,
        test=labels[:200],
        validation=labels[200:],
        settings=EvaluationSettings(threshold=0.5, precision_at=[1, 2], calibration_bins=5),
    )


@pytest.fixture(scope="module")
def scores(test_set):
    rng = np.random.default_rng(1)
    return scoring.Scores(
        *(
            (0.2 * labels + 0.8 * rng.random(labels.shape)).round(2)
            for labels in (test_set.test, test_set.validation)
        )
    )


ARTIST = np.arange(200) // 10
UNITS = sampling_units(np.arange(200) // 4, ARTIST, Bootstrap(100, 0.9, 0))


@pytest.fixture(scope="module")
def resampled(test_set, scores):
    return {unit: resample(test_set, scores, each) for unit, each in UNITS.items()}


def flat(measured):
    return {
        **{name: value for name, value in measured.items() if isinstance(value, float)},
        **{f"precision_at_{k}": value for k, value in measured["precision_at"].items()},
        **{f"{k}_at_tag_thresholds": v for k, v in measured["at_tag_thresholds"].items()},
    }


def test_of_all_clips_once_the_resampled_metrics_are_the_measured_ones(test_set, scores, resampled):
    measured = flat(test_set.measure(scores))
    first = {name: values[0] for name, values in resampled["clips"].means.items()}
    for name in measured.keys() - {"calibration_error", "threshold"}:
        assert first.pop(name) == pytest.approx(measured[name]), name
    assert not first


def test_thresholds_come_from_validation_clips_alone(test_set, scores):
    turned = scoring.TestSet(**{**vars(test_set), "test": 1 - test_set.test})
    other = scoring.Scores(1 - scores.test, scores.validation)
    assert turned.tag_thresholds(other).tolist() == test_set.tag_thresholds(scores).tolist()


def test_a_tag_without_a_validation_clip_has_the_threshold_of_the_settings(test_set, scores):
    settings = EvaluationSettings(threshold=0.7, precision_at=[], calibration_bins=5)
    none = np.zeros_like(test_set.validation)
    without = scoring.TestSet(TAGS, test_set.test, none, settings)
    assert without.tag_thresholds(scores).tolist() == [0.7] * 4


def test_the_prior_has_the_scores_of_chance(test_set):
    prior = np.array([0.5, 0.3, 0.2, 0.1])
    measured = measure_baselines(
        test_set, prior=prior, lookup=scoring.Scores(test_set.test, test_set.validation)
    )
    shares = test_set.test.mean(axis=0)[:3]  # d is not scored
    for name in ("all_zero", "prior"):
        assert measured[name]["roc_auc_macro"] == 0.5
        assert measured[name]["pr_auc_macro"] == pytest.approx(shares.mean())
    assert measured["all_zero"]["accuracy"] == pytest.approx(1 - test_set.test.mean())
    assert "loss" not in measured["all_zero"]
    # The prior's first tag is always a: right for the clips that have it, of those with any.
    tagged = test_set.test[test_set.test.any(axis=1)]
    assert measured["prior"]["precision_at"]["1"] == pytest.approx(tagged[:, 0].mean())
    # Given to every clip, a tag's F1 is 2 * share / (1 + share).
    assert measured["prior"]["at_tag_thresholds"]["f1_macro"] == pytest.approx(
        (2 * shares / (1 + shares)).mean()
    )
    assert measured["lookup"]["roc_auc_macro"] == 1


def test_the_summary_says_how_much_better_than_chance_and_than_looking_up(
    test_set, scores, resampled
):
    worse = scoring.Scores(scores.test * 0.5 + 0.2, scores.validation * 0.5 + 0.2)  # the same order
    spread = {unit: (each, each.areas) for unit, each in resampled.items()}
    summary = summarise(test_set, scores, worse, np.full(4, 0.3), spread, confidence=0.9)
    assert next(iter(summary)) == "roc_auc_macro"
    assert summary["tags_not_scored"] == ["d"]
    gains = summary["gains"]
    assert gains["over_prior"]["roc_auc_macro"] == pytest.approx(summary["roc_auc_macro"] - 0.5)
    assert gains["over_lookup"]["roc_auc_macro"] == 0
    assert gains["over_lookup"]["loss"] == pytest.approx(
        summary["loss"] - summary["baselines"]["lookup"]["loss"]
    )
    for limits in summary["intervals"].values():
        assert limits["roc_auc_macro"]["low"] < summary["roc_auc_macro"]
        assert summary["roc_auc_macro"] < limits["roc_auc_macro"]["high"]
        assert limits["gain_over_lookup"]["roc_auc_macro"] == {"low": 0, "high": 0}
        assert limits["resamples_without_some_tag"] == 0


def basic(samples):
    """Limits of the basic interval of 90 %."""
    low, high = 2 * samples[0] - np.quantile(samples[1:], [0.95, 0.05])
    return pytest.approx(low), pytest.approx(high)


def test_limits_of_average_precision_are_mirrored_and_a_gain_may_be_negative(
    test_set, scores, resampled
):
    model, scored = resampled["artists"], has_both_classes(test_set.test)
    lookup = scoring.Scores(scores.test + 0.3 * test_set.test, scores.validation)
    reference = resample(test_set, lookup, UNITS["artists"]).areas
    limits = intervals(model, reference, scored, confidence=0.9)
    means = model.means["pr_auc_macro"]
    assert (*limits["pr_auc_macro"].values(),) == basic(means)
    gain = limits["gain_over_lookup"]["pr_auc_macro"]
    assert (*gain.values(),) == basic(means - mean_over_tags(reference.pr_auc))
    assert gain["low"] < gain["high"] < 0
    assert limits["gain_over_lookup"]["roc_auc_macro"]["high"] < 0


def test_clips_of_a_track_or_an_artist_are_drawn_together():
    """Two clips a track, two tracks an artist."""
    track, artist = np.arange(40) // 2, np.arange(40) // 4
    sizes = {"clips": 1, "tracks": 2, "artists": 4}
    units = sampling_units(track, artist, Bootstrap(50, 0.9, 0))
    assert units.keys() == sizes.keys()
    for unit, size in sizes.items():
        *_, counts = units[unit].draws()
        alike = [(counts.reshape(-1, of, 50) == counts[::of, None]).all() for of in (1, 2, 4)]
        assert alike == [of <= size for of in (1, 2, 4)]


def test_a_tag_says_how_many_test_artists_have_it(test_set, scores, resampled):
    """Two clips an artist, of whom the last 20 have no clip with tag a."""
    labels = test_set.test.copy()
    labels[:160, 0], labels[160:, 0] = 1, 0
    chosen = dataclasses.replace(test_set, test=labels)
    categories = ["mood", "genre", "genre", "other"]
    table = table_of_tags(
        chosen, scores, categories, np.arange(200) // 2, resampled, confidence=0.9
    )
    assert table.columns.tolist()[:4] == ["tag", "category", "positives", "artists"]
    assert table[["positives", "artists"]].to_numpy().tolist()[::3] == [[160, 80], [0, 0]]


def with_itself(resampled):
    """Let the areas of lookup be those of the model."""
    return {unit: (each, each.areas) for unit, each in resampled.items()}


def test_categories_are_set_against_all_other_tags(test_set, scores, resampled):
    categories = ["mood", "genre", "genre", "other"]
    tags = table_of_tags(
        test_set, scores, categories, UNITS["artists"].groups, resampled, confidence=0.9
    )
    assert tags["category"].tolist() == categories
    assert tags.loc[3].filter(like="auc").isna().all()
    table = table_of_categories(tags, with_itself(resampled), confidence=0.9).set_index("category")
    assert table["tags"].to_dict() == {"genre": 2, "mood": 1, "other": 1}
    assert table["tags_scored"].to_dict() == {"genre": 2, "mood": 1, "other": 0}
    a, b, c = tags["roc_auc"][:3]
    assert table.loc["genre", "roc_auc"] == pytest.approx((b + c) / 2)
    assert table.loc["mood", "roc_auc_minus_rest"] == pytest.approx(a - (b + c) / 2)
    for unit in ("clips", "tracks", "artists"):
        row = table.loc["mood"]
        assert row[f"roc_auc_{unit}_low"] < a < row[f"roc_auc_{unit}_high"]
        assert tags.loc[0, f"roc_auc_{unit}_low"] == row[f"roc_auc_{unit}_low"]
        assert row[f"gain_over_lookup_{unit}_low"] == row[f"gain_over_lookup_{unit}_high"] == 0
    assert table.loc["other"].filter(like="auc").isna().all()


def test_the_gain_over_lookup_on_a_category_is_compared_with_that_on_the_rest(test_set, scores):
    """The baseline is better in tag a, and like the model in the others."""
    raised = np.clip(scores.test + [0.3, 0, 0, 0] * test_set.test, 0, 1)
    better = scoring.Scores(raised, scores.validation)
    both = {
        unit: (resample(test_set, scores, each), resample(test_set, better, each).areas)
        for unit, each in UNITS.items()
    }
    of_model = {unit: model for unit, (model, _) in both.items()}
    tags = table_of_tags(
        test_set,
        scores,
        ["mood", "genre", "genre", "other"],
        ARTIST,
        of_model,
        confidence=0.9,
    )
    table = table_of_categories(tags, both, confidence=0.9).set_index("category")
    lookup = test_set.measure(better)["roc_auc_macro"]
    gain = table["gain_over_lookup"]
    assert gain["mood"] == pytest.approx(3 * (test_set.measure(scores)["roc_auc_macro"] - lookup))
    assert gain["genre"] == 0
    assert table["gain_over_lookup_minus_rest"].to_dict() == pytest.approx(
        {"mood": gain["mood"], "genre": -gain["mood"], "other": np.nan}, nan_ok=True
    )
    for unit in UNITS:
        assert table.loc["mood", f"gain_over_lookup_minus_rest_{unit}_high"] < 0


def test_a_tag_that_is_not_scored_counts_for_nothing_in_its_category(test_set, scores, resampled):
    categories = ["mood", "genre", "genre", "genre"]
    tags = table_of_tags(
        test_set, scores, categories, UNITS["artists"].groups, resampled, confidence=0.9
    )
    table = table_of_categories(tags, with_itself(resampled), confidence=0.9).set_index("category")
    row = table.loc["genre"]
    assert (row["tags"], row["tags_scored"]) == (3, 2)
    for name in ("share", "roc_auc", "pr_auc"):
        assert row[name] == pytest.approx(tags[name][1:3].mean())
    areas = resampled["artists"].areas.pr_auc[:, 1:3]
    limits = row["pr_auc_artists_low"], row["pr_auc_artists_high"]
    assert limits == basic(areas.mean(axis=1))


def epochs(test_set, scores, *, best, trained):
    by_epoch = {epoch: np.where(test_set.test == 1, share, 0.5) for epoch, share in scores.items()}
    first = scoring.Scores(by_epoch.pop(best), test_set.validation)
    description = {"best_epoch": best, "epochs": trained}
    return table_of_epochs(test_set, first, by_epoch.items(), description)


def test_the_oracle_is_told_from_the_epoch_that_validation_chose(test_set):
    table = epochs(test_set, {1: 0.4, 2: 0.5, 3: 0.6, 4: 0.3}, best=2, trained=4)
    assert table["epoch"].tolist() == [1, 2, 3, 4]
    assert table["roc_auc_macro"].tolist() == [0, 0.5, 1, 0]
    choices = choice_of_epochs(table)
    assert {name: row["epoch"] for name, row in choices.items()} == {
        "best_on_validation": 2,
        "last": 4,
        "upper_bound_best_on_test": 3,
    }
    assert choices["best_on_validation"]["roc_auc_macro"] == 0.5


def test_the_best_epoch_has_the_metrics_of_the_model(test_set, scores):
    description = {"best_epoch": 1, "epochs": 2}
    (row,) = table_of_epochs(test_set, scores, (), description).to_dict("records")
    measured = test_set.measure(scores)
    for name in ("roc_auc_macro", "pr_auc_macro", "loss", "accuracy"):
        assert row[name] == measured[name]


def test_where_epochs_are_missing_there_is_no_oracle(test_set):
    table = epochs(test_set, {2: 0.5, 4: 0.3}, best=2, trained=4)
    assert table[["best", "last", "oracle"]].to_numpy().tolist() == [[1, 0, 0], [0, 1, 0]]
    assert choice_of_epochs(table)["upper_bound_best_on_test"] is None


def test_a_model_without_epochs_has_none_to_choose_from(test_set, scores):
    table = table_of_epochs(test_set, scores, (), {})
    assert table.empty
    assert set(choice_of_epochs(table).values()) == {None}
    assert isinstance(table, pd.DataFrame)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (3.0, "model 'lookup': its scores are from 3 to 3, and must be from 0 to 1"),
        (np.nan, "model 'lookup': its scores are from nan to nan"),
        (1.0, None),
    ],
)
def test_a_model_of_tables_whose_scores_are_none_is_named(monkeypatch, score, message):
    def give(arrays, groups, *, pseudo_count):
        return np.full((len(groups), 2), score, np.float32)

    monkeypatch.setattr("autotagging.models.lookup.score_lookup", give)
    described = {"model": "lookup", "options": {"pseudo_count": 1.0}}
    stored = StoredModel(Path("model.json"), described, {})
    table = pd.DataFrame({"track": ["a", "b"]})
    subsets = {"test": table, "validation": table}
    if message is None:
        assert score_tables(stored, table, subsets).test.tolist() == [[1, 1], [1, 1]]
        return
    with pytest.raises(UserError, match=message):
        score_tables(stored, table, subsets)
