import numpy as np
import pandas as pd
import pytest

from autotagging.reporting import first_page

PAPER = {
    "method": "CRNN",
    "model": "crnn",
    "this_paper": True,
    "year": 2017,
    "roc_auc": 0.893,
    "accuracy": 0.94,
    "loss": 0.15,
    "citation": "Panwar et al. 2017",
    "tags": "50 merged",
    "tag_names": ["drum", "flute"],
    "split": "random 19773/1521/4566",
    "epochs": 100,
    "comparable": True,
    "note": "",
}


GAIN = {"low": -0.2, "high": 0.1}


def run(model, seed, roc_auc, **more):
    return {
        "model": model,
        "seed": seed,
        "reads_audio": model != "lookup",
        "corpus": "demo",
        "split": "random 6/1/3",
        "synonyms": "merge",
        "roc_auc_macro": roc_auc,
        "pr_auc_macro": 0.25,
        "accuracy": 0.9,
        "loss": 0.3,
        "tag_names": ["drum", "flute"],
        "n_tags": 50,
        "n_tags_scored": 50,
        "baselines": {
            "all_zero": {"roc_auc_macro": 0.5, "accuracy": 0.95},
            "prior": {"roc_auc_macro": 0.5, "accuracy": 0.94, "loss": 0.2},
            "lookup": {"roc_auc_macro": 0.9, "accuracy": 0.9, "loss": 0.3},
        },
        "gains": {"over_lookup": {} if roc_auc is None else {"roc_auc_macro": roc_auc - 0.9}},
        "intervals": {"artists": {"gain_over_lookup": {"roc_auc_macro": GAIN}}},
        "validation": {"roc_auc_macro": 0.75 + seed / 4},
        **more,
    }


def runs(**more):
    networks = [run("crnn", seed, 0.8 + seed / 10, epochs=18, **more) for seed in (0, 1)]
    return [*networks, run("lookup", 0, 0.9, **more)]


def test_results_are_compared_with_audio_blind_baselines_and_the_paper():
    newer = {**PAPER, "this_paper": False, "roc_auc": 0.9}
    del newer["model"]
    rows = first_page.comparison(runs(), [PAPER, newer])
    assert [(row["kind"], row["method"]) for row in rows] == [
        ("audio", "CRNN"),
        ("tables", "lookup"),
        ("constant", "each tag's share in training"),
        ("constant", "“no” to every tag"),
        ("cited", "CRNN (the paper)"),
    ]
    assert [row["roc_auc"] for row in rows] == pytest.approx([0.85, 0.9, 0.5, 0.5, 0.893])
    assert [row["accuracy"] for row in rows] == pytest.approx([0.9, 0.9, 0.94, 0.95, 0.94])
    assert np.isnan(rows[3]["loss"])
    assert "not comparable with this run" in rows[4]["note"]


def test_the_paper_is_comparable_on_its_own_corpus_split_and_tags():
    own = runs(corpus="magnatagatune", split="random 19773/1521/4566")
    note = first_page.comparison(own, [PAPER])[-1]["note"]
    assert note == "cited: MagnaTagATune, the same split and tags"
    for other in ({"split": "random 6/1/3"}, {"tag_names": ["drum", "harp"]}):
        note = first_page.comparison([{**run, **other} for run in own], [PAPER])[-1]["note"]
        assert "not comparable" in note


def test_lookup_is_a_baseline_where_it_is_no_model():
    rows = first_page.comparison([run("crnn", 0, 0.8, epochs=18)], [PAPER])
    assert [(row["kind"], row["method"], row["roc_auc"]) for row in rows[:2]] == [
        *(("audio", "CRNN", 0.8), ("tables", "lookup", 0.9)),
    ]


def test_a_model_without_epochs_may_read_audio():
    statistics = run("statistics", 0, 0.8, trainable_parameters=9650, multiply_adds=19_660)
    rows = first_page.comparison([statistics, run("lookup", 0, 0.9)], [PAPER])
    assert [(row["kind"], row["parameters"], row["multiply_adds"]) for row in rows[:2]] == [
        *(("audio", "9,650", "0.0197"), ("tables", "-", "-")),
    ]
    assert first_page.gain_over_lookup([run("lookup", 0, 0.9), statistics])["model"] == "statistics"


def test_the_first_model_that_reads_audio_is_compared_with_lookup_on_the_same_clips():
    gain = first_page.gain_over_lookup(runs())
    assert (gain["model"], gain["lookup"]) == ("crnn", 0.9)
    assert gain["difference"] == pytest.approx(-0.05)
    assert (gain["low"], gain["high"]) == (-0.2, 0.1)
    assert first_page.gain_over_lookup([run("lookup", 0, 0.9)]) == {}
    undefined = {"artists": {"gain_over_lookup": {"roc_auc_macro": None}}}
    assert first_page.gain_over_lookup([run("crnn", 0, None, epochs=1, intervals=undefined)]) == {}
    gain = first_page.gain_over_lookup([run("crnn", 0, 0.8, epochs=1, intervals=undefined)])
    assert (gain["difference"], gain["low"], gain["high"]) == (pytest.approx(-0.1), None, None)


def test_the_headline_is_the_mean_over_seeds_of_each_model():
    headline = first_page.headline(runs())
    assert list(headline) == ["crnn", "lookup", "all_zero", "prior"]
    alone = first_page.headline([run("crnn", 0, 0.8)])
    assert list(alone) == ["crnn", "all_zero", "prior", "lookup"]
    assert headline["crnn"]["roc_auc_macro"] == pytest.approx(0.85)
    assert headline["crnn"]["validation_roc_auc_macro"] == 0.875
    assert headline["prior"] == {"roc_auc_macro": 0.5, "accuracy": 0.94, "loss": 0.2}
    assert first_page.headline([run("crnn", 0, None)])["crnn"]["roc_auc_macro"] is None


def test_tags_are_ranked_and_those_without_a_score_are_named():
    per_tag = pd.DataFrame(
        {
            "tag": list("abcde"),
            "artists": [1, 2, 3, 0, 5],
            "roc_auc": [0.5, 0.9, 0.5, np.nan, 0.7],
        }
    )
    ranking = first_page.tag_ranking(per_tag)
    assert [row["tag"] for row in ranking["scored"]] == ["a", "b", "c", "e"]
    assert [row["tag"] for row in ranking["best"]] == ["b", "e"]
    assert [row["tag"] for row in ranking["worst"]] == ["a", "c"]
    assert ranking["at_least"] == 1
    assert ranking["unscored"] == ["d"]


def test_best_and_worst_tags_have_some_artists_where_enough_tags_do():
    per_tag = pd.DataFrame(
        {
            "tag": [f"tag {number}" for number in range(12)],
            "positives": 90,
            "artists": [1, *([5] * 10), 4],
            "roc_auc": np.linspace(1, 0, 12),
        }
    )
    ranking = first_page.tag_ranking(per_tag)
    assert [row["tag"] for row in ranking["best"]] == [f"tag {number}" for number in range(1, 6)]
    assert [row["tag"] for row in ranking["worst"]] == [f"tag {n}" for n in range(10, 5, -1)]
    assert ranking["at_least"] == 5


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.3, "larger"), (-0.3, -0.01, "smaller"), (-0.1, 0.1, "no different")],
)
def test_the_gain_on_a_category_is_larger_only_where_the_interval_says_so(low, high, verdict):
    """Moods are harder than the rest by 0.2, which says nothing about the gain."""
    gain = "gain_over_lookup_minus_rest"
    rest = {"roc_auc_minus_rest": [0.2, -0.2], gain: [0.1, (low + high) / 2]}
    for name, sides in (("roc_auc_minus_rest", (-0.3, -0.1)), (gain, (low, high))):
        rest |= {f"{name}_artists_low": sides[0], f"{name}_artists_high": sides[1]}
    table = pd.DataFrame({"category": ["genre", "mood"], "roc_auc": 0.8, **rest})
    assert first_page.category(table, "mood")["verdict"] == verdict
    assert first_page.category(table, "vocal") == {}
    assert first_page.category(table.assign(**{gain: np.nan}), "mood") == {}
    alone = table.assign(**{f"{gain}_artists_low": np.nan, f"{gain}_artists_high": np.nan})
    assert first_page.category(alone, "mood")["verdict"] == ""


def test_lookup_is_compared_where_it_is_one_of_several_models():
    assert first_page.compared_with_lookup(runs())
    assert not first_page.compared_with_lookup([run("lookup", 0, 0.9)])
    assert not first_page.compared_with_lookup([run("crnn", 0, 0.8), run("fcn4", 0, 0.8)])


def test_example_clips_are_the_best_the_median_and_the_worst():
    predictions = {
        "clip_id": np.array([9, 4, 5, 6, 7]),
        "labels": np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]),
        "scores": np.array(
            [[0.9, 0.1, 0.2], [0.1, 0.2, 0.3], [0.2, 0.1, 0.3], [0.9, 0.8, 0.1], [1, 1, 1]]
        ),
        "tags": np.array(["drum", "flute", "harp"]),
    }
    clips = first_page.example_clips(predictions)  # of ROC-AUC 1, 0, 0.5, 1; the last has none
    assert [(clip["which"], clip["clip_id"], clip["roc_auc"]) for clip in clips] == [
        ("best", 6, 1.0),
        ("median", 5, 0.5),
        ("worst", 4, 0.0),
    ]
    assert [row["tag"] for row in clips[1]["top"]] == ["harp", "drum", "flute"]
    assert [row["actual"] for row in clips[1]["top"]] == [False, True, False]
    assert clips[1]["actual"] == ["drum"]
    assert clips[1]["missed"] == []


def test_actual_tags_further_down_are_listed_with_their_ranks():
    labels, scores = np.zeros((1, 10), int), np.linspace(1, 0.1, 10)[None]
    labels[0, [2, 9]] = 1
    tags = np.array([f"tag {number}" for number in range(10)])
    (clip,) = first_page.example_clips(
        {"clip_id": np.array([3]), "labels": labels, "scores": scores, "tags": tags}
    )
    assert clip["which"] == "best"
    assert len(clip["top"]) == 8
    assert clip["missed"] == [
        {"tag": "tag 9", "score": pytest.approx(0.1), "actual": True, "rank": 10}
    ]


def test_no_clip_is_chosen_where_none_can_be_ranked():
    labels = np.array([[0, 0], [1, 1]])
    arrays = {
        "clip_id": np.arange(2),
        "labels": labels,
        "scores": labels,
        "tags": np.array(["a", "b"]),
    }
    assert first_page.example_clips(arrays) == []
