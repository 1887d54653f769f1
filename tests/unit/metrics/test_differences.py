import dataclasses

import numpy as np
import pytest

from autotagging.metrics.averages import evaluate
from autotagging.metrics.bootstrap import mean_over_tags, resample_areas
from autotagging.metrics.differences import Run, differences
from autotagging.metrics.intervals import sampling_units
from autotagging.metrics.settings import Bootstrap

TAGS = ["a", "b", "c"]
BOOTSTRAP = Bootstrap(300, 0.95, 0)


def runs(clips=240):
    """Two seeds of a good model, one of a bad one; four clips a track, three tracks an artist."""
    rng = np.random.default_rng(0)
    ids, labels = np.arange(clips), (rng.random((clips, 3)) < 0.3).astype(np.uint8)
    made = {}
    for name, gain in (("good", 1.5), ("good again", 1.5), ("bad", 0.4)):
        scores = rng.normal(size=labels.shape) + gain * labels
        made[name] = Run(
            name.split()[0], ids, ids // 4, ids // 12, labels, 1 / (1 + np.exp(-scores))
        )
    return made


def compare(*chosen, categories=("mood", "genre", "genre")):
    return differences([*chosen], categories, BOOTSTRAP)


def measured(run):
    return evaluate(run.labels, run.scores, TAGS)


def test_a_better_model_is_found_better():
    made = runs()
    table = compare(made["good"], made["bad"]).set_index(["tags", "metric"])
    row = table.loc[("all", "ROC-AUC")]
    assert row["first_value"] == pytest.approx(measured(made["good"])["roc_auc_macro"])
    assert row["second_value"] == pytest.approx(measured(made["bad"])["roc_auc_macro"])
    assert row["difference"] == row["first_value"] - row["second_value"]
    for unit in ("clips", "tracks", "artists"):
        assert 0 < row[f"{unit}_low"] < row["difference"] < row[f"{unit}_high"]
    assert row["clear"] == "yes"
    assert table.loc[("all", "average precision"), "first_value"] == pytest.approx(
        measured(made["good"])["pr_auc_macro"]
    )
    assert {group for group, _ in table.index} == {"all", "genre", "mood"}


def test_a_model_is_not_found_better_than_itself():
    made = runs()["good"]
    other = dataclasses.replace(made, model="copy")
    table = compare(made, other)
    limits = table.filter(regex="difference|rest$|_low$|_high$")
    assert limits.shape[1] == 14
    assert (limits[table["tags"] != "all"] == 0).all(axis=None)
    assert (limits.filter(regex="^(?!gain)") == 0).all(axis=None)
    assert set(table["clear"]) == {"no"}


def test_seeds_are_averaged():
    made = runs()
    table = compare(made["good"], made["good again"], made["bad"])
    seeds = [measured(made[name]) for name in ("good", "good again")]
    assert len(table) == 6
    for row, area in enumerate(("roc_auc_macro", "pr_auc_macro")):
        assert table.loc[row, "first_value"] == pytest.approx(np.mean([s[area] for s in seeds]))


def test_limits_of_a_difference_in_average_precision_are_mirrored_and_may_be_negative():
    made = runs()
    bad, good = made["bad"], made["good"]
    row = compare(bad, good).set_index(["tags", "metric"]).loc[("all", "average precision")]
    for unit, sampling in sampling_units(bad.track, bad.artist, BOOTSTRAP).items():
        first, second = (
            mean_over_tags(resample_areas(run.labels, run.scores, sampling).pr_auc)
            for run in (bad, good)
        )
        value, *drawn = first - second
        low, high = 2 * value - np.quantile(drawn, [0.975, 0.025])
        assert row[f"{unit}_low"] == pytest.approx(low)
        assert row[f"{unit}_high"] == pytest.approx(high)


def test_a_difference_that_depends_on_the_artist_is_not_clear():
    """Some of the 20 artists are scored better by the first model, fewer by the second."""
    second = runs()["bad"]
    gain = np.random.default_rng(1).normal(0.5, 2, 20)[second.artist, None]
    logits = np.log(second.scores / (1 - second.scores)) + gain * second.labels
    first = dataclasses.replace(second, model="first", scores=1 / (1 + np.exp(-logits)))
    row = compare(first, second).iloc[0]
    assert row["artists_low"] < 0 < row["clips_low"]
    assert row["clear"] == "no"


def test_a_gain_in_one_category_alone_is_clear_against_the_rest():
    """The first model is better in the first tag, and the same in the others."""
    made = runs()
    scores = made["bad"].scores.copy()
    scores[:, 0] = made["good"].scores[:, 0]
    table = compare(dataclasses.replace(made["good"], scores=scores), made["bad"])
    table = table.set_index(["tags", "metric"])
    mood, genre, every = (table.loc[(name, "ROC-AUC")] for name in ("mood", "genre", "all"))
    assert mood["gain_minus_rest"] == pytest.approx(mood["difference"] - genre["difference"])
    assert genre["gain_minus_rest"] == -mood["gain_minus_rest"]
    assert 0 < mood["gain_minus_rest_artists_low"] < mood["gain_minus_rest"]
    assert genre["gain_minus_rest_artists_high"] < 0
    assert (mood["gain_minus_rest_clear"], genre["gain_minus_rest_clear"]) == ("yes", "yes")
    assert genre["clear"] == "no"
    assert np.isnan(every["gain_minus_rest"])
    assert every["gain_minus_rest_clear"] == ""


def test_a_gain_that_all_categories_share_is_not_clear_against_the_rest():
    """Three tags with the same clips and scores."""
    same = [
        dataclasses.replace(run, labels=run.labels[:, [0, 0, 0]], scores=run.scores[:, [0, 0, 0]])
        for run in runs().values()
    ]
    mood = compare(same[0], same[2]).set_index(["tags", "metric"]).loc[("mood", "ROC-AUC")]
    assert mood["clear"] == "yes"
    assert mood["gain_minus_rest_clear"] == "no"


def test_with_one_artist_nothing_is_clear():
    """Limits by tracks are still drawn; those by artists, which are shown, would be a point."""
    made = runs()
    alone = [dataclasses.replace(made[n], artist=np.zeros(240, int)) for n in ("good", "bad")]
    row = compare(*alone).iloc[0]
    assert row["difference"] > row["tracks_low"] > 0
    assert np.isnan([row["artists_low"], row["artists_high"]]).all()
    assert row["clear"] == ""
    mood = compare(*alone).iloc[4]
    assert (mood["tags"], mood["gain_minus_rest_clear"]) == ("mood", "")
    assert np.isfinite(mood["gain_minus_rest"])


def test_only_clips_that_all_models_scored_are_compared_whatever_their_order():
    made = runs()
    good, bad = made["good"], made["bad"]
    order = np.random.default_rng(1).permutation(200)
    fewer = Run("bad", *(array[order] for array in list(vars(bad).values())[1:]))
    shorter = Run("good", *(array[:200] for array in list(vars(good).values())[1:]))
    table = compare(good, fewer)
    assert table.loc[0, "first_value"] == pytest.approx(measured(shorter)["roc_auc_macro"])
    assert table.loc[0, "second_value"] == pytest.approx(measured(fewer)["roc_auc_macro"])


def test_one_model_has_nothing_to_be_compared_with():
    assert compare(runs()["good"]).empty
