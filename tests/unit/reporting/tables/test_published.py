import numpy as np
import pytest
import yaml

from autotagging.reporting.tables.published import NEWER, OF_PAPER, ORIENTATION, table_4
from conftest import ROOT

PUBLISHED = yaml.safe_load((ROOT / "workflow/resources/published.yaml").read_text())
TAG_NAMES = PUBLISHED[0]["tag_names"]


def metrics(seed, auc, *, accuracy=0.9, corpus="demo", split="random 183/14/42", **more):
    return {
        "model": "crnn",
        "seed": seed,
        "corpus": corpus,
        "split": split,
        "roc_auc_macro": auc,
        "roc_auc_micro": 0.99,
        "accuracy": accuracy,
        "loss": 0.25,
        "synonyms": "merge",
        "tag_names": TAG_NAMES,
        "n_tags": 50,
        "n_tags_scored": 49,
        "baselines": {
            "all_zero": {"roc_auc_macro": 0.5, "accuracy": 0.95},
            "prior": {"roc_auc_macro": 0.5, "accuracy": 0.94, "loss": 0.2},
            "lookup": {"roc_auc_macro": 0.7, "accuracy": 0.93, "loss": 0.3},
        },
        "epochs": 20,
        "best_epoch": 12 + seed,
        **more,
    }


@pytest.fixture
def published():
    return PUBLISHED


def test_table_4_averages_two_seeds(published):
    table = table_4([metrics(0, 0.80), metrics(1, 0.90, accuracy=0.92)], published)
    row = table.iloc[0]
    assert row[["source", "group", "method", "model"]].tolist() == [
        *("measured here", OF_PAPER, "CRNN", "crnn"),
    ]
    assert row["paper_roc_auc"] == 0.893
    assert row["roc_auc"] == pytest.approx(0.85)
    assert row["roc_auc_std"] == pytest.approx(0.05 * 2**0.5)  # n - 1 in the denominator
    assert row["accuracy"] == pytest.approx(0.91)
    lookup, prior, all_zero = (table.iloc[row] for row in (1, 2, 3))
    assert lookup[["method", "roc_auc", "loss"]].tolist() == ["lookup", 0.7, 0.3]
    assert prior[["method", "roc_auc", "accuracy", "loss"]].tolist() == [
        *("each tag's share in training", 0.5, 0.94, 0.2),
    ]
    assert all_zero[["method", "roc_auc", "accuracy"]].tolist() == ["“no” to every tag", 0.5, 0.95]
    assert np.isnan(all_zero["loss"])
    assert (row["seeds"], row["epochs"], row["best_epoch"]) == (2, "20 of 100", "12; 13")
    assert row["tags"] == "50 merged, 49 scored"
    assert row["comparable_with_paper"] == "no"
    assert "synthetic demo corpus, not comparable" in row["note"]


def test_table_4_has_a_row_per_model_with_the_deviation_over_three_seeds(published):
    crnn = [metrics(seed, auc) for seed, auc in enumerate((0.84, 0.86, 0.91))]
    lookup = [metrics(seed, 0.1, accuracy=0.7, model="lookup") for seed in range(3)]
    for run in lookup:
        del run["epochs"], run["best_epoch"]
    table = table_4([*crnn, *lookup], published)
    assert table["model"].tolist()[:2] == ["crnn", "lookup"]
    assert table.loc[4, "method"] == "CRNN (the paper)"
    assert table["seeds"].tolist()[:2] == [3, 3]
    assert table.loc[0, "roc_auc"] == pytest.approx(0.87)
    assert table.loc[0, "roc_auc_std"] == pytest.approx(0.0013**0.5)
    assert table.loc[1, ["roc_auc", "roc_auc_std", "accuracy_std"]].tolist() == [0.1, 0, 0]


def test_table_4_says_how_long_seeds_trained_that_stopped_apart(published):
    runs = [
        metrics(seed, 0.8, epochs=epochs, best_epoch=best)
        for seed, epochs, best in ((0, 61, 51), (1, 77, 67), (2, 61, 51))
    ]
    row = table_4(runs, published).iloc[0]
    assert (row["epochs"], row["best_epoch"]) == ("61 - 77 of 100", "51; 67; 51")


def test_table_4_has_no_deviation_of_one_seed(published):
    table = table_4([metrics(0, 0.8)], published)
    assert np.isnan(table.loc[0, "roc_auc_std"])
    assert table.loc[0, "roc_auc"] == 0.8


def test_table_4_cites_the_paper_and_newer_work(published):
    table = table_4([metrics(0, 0.8)], published)
    cited = table[table["source"] == "cited"]
    assert len(table) == 1 + 3 + 7 + 7
    assert cited["roc_auc"].tolist() == [
        *(0.893, 0.894, 0.888, 0.882, 0.88, 0.898, 0.861),
        *(0.9005, 0.8722, 0.9106, 0.9058, 0.9077, 0.9127, 0.9129),
    ]
    assert cited["comparable_with_paper"].tolist() == ["yes"] + ["no"] * 13
    paper = cited.iloc[0]
    assert (paper["accuracy"], paper["loss"]) == (0.94, 0.15)
    assert '"no" to every tag: 94.63 % accuracy' in paper["note"]
    multi_scale = cited.set_index("method").loc["Multi-scale approach"]
    assert multi_scale["year"] == 2013
    assert "ISMIR 2013" in multi_scale["citation"]


@pytest.mark.parametrize(
    ("corpus", "split", "comparable"),
    [
        ("magnatagatune", "random 19773/1521/4566", "yes"),
        ("magnatagatune", "folders 0-b/c/d-f", "no"),
        ("magnatagatune (own files, 3 clips missing)", "random 19773/1521/4566", "no"),
        ("realmusic", "random 180/14/42", "no"),
    ],
)
def test_only_the_papers_corpus_and_split_are_comparable(published, corpus, split, comparable):
    table = table_4([metrics(0, 0.8, corpus=corpus, split=split, n_tags_scored=50)], published)
    assert table.loc[0, "comparable_with_paper"] == comparable
    assert (table.loc[0, "note"] == "") == (comparable == "yes")


def test_own_files_of_magnatagatune_are_comparable_with_a_note(published):
    run = metrics(0, 0.8, split="random 19773/1521/4566", n_tags_scored=50)
    titles = ("magnatagatune (own files)", "magnatagatune (own files, 3 clips missing)")
    rows = [table_4([{**run, "corpus": title}], published).loc[0] for title in titles]
    assert [row["comparable_with_paper"] for row in rows] == ["yes", "no"]
    assert [row["note"] for row in rows] == [
        "own files, audio not verified",
        "own files, audio not verified; clips are missing",
    ]


def test_table_4_takes_untrained_models_and_undefined_numbers(published):
    lookup = metrics(0, None)
    for key in ("epochs", "best_epoch"):
        del lookup[key]
    table = table_4([{**lookup, "model": "lookup"}, metrics(0, float("nan"))], published)
    assert table["model"].tolist()[:2] == ["crnn", "lookup"]
    assert table.loc[:1, "roc_auc"].isna().all()
    assert table.loc[1, "epochs"] == ""


def test_raw_tags_are_not_comparable_with_the_papers(published):
    run = metrics(0, 0.8, corpus="magnatagatune", split="random 19773/1521/4566", n_tags_scored=50)
    table = table_4([{**run, "synonyms": "keep"}], published)
    assert table.loc[0, "tags"] == "50 raw"
    assert table.loc[0, "comparable_with_paper"] == "no"


def test_as_many_merged_tags_of_other_names_are_not_comparable_with_the_papers(published):
    run = metrics(0, 0.8, corpus="magnatagatune", split="random 19773/1521/4566", n_tags_scored=50)
    in_another_order = {**run, "tag_names": TAG_NAMES[::-1]}
    others = {**run, "seed": 1, "tag_names": [*TAG_NAMES[:-1], "female vocal"]}
    rows = [
        table_4(runs, published).loc[0]
        for runs in ([run, in_another_order], [others], [run, others])
    ]
    assert [row["tags"] for row in rows] == ["50 merged"] * 3
    assert [row["comparable_with_paper"] for row in rows] == ["yes", "no", "no"]
    assert rows[1]["note"] == rows[2]["note"] == "split or tags differ from the paper's"


def test_systems_have_the_papers_names_and_order_and_others_are_for_orientation(published):
    names = ("musicnn", "pooled", "fcn4", "crnn", "lookup")
    runs = [metrics(0, 0.8, model=name, trainable_parameters=7) for name in names]
    table = table_4(runs, published)
    rows = table[table["source"] == "measured here"]
    assert rows[["group", "method", "model", "year"]].fillna(0).values.tolist() == [
        [OF_PAPER, "CRNN", "crnn", 2017],
        [OF_PAPER, "FCN-4", "fcn4", 2016],
        [OF_PAPER, "Pooling MFCC", "pooled", 2011],
        [ORIENTATION, "musicnn", "musicnn", 0],
        [ORIENTATION, "lookup", "lookup", 0],
        [ORIENTATION, "each tag's share in training", "", 0],
        [ORIENTATION, "“no” to every tag", "", 0],
    ]
    assert rows["paper_roc_auc"].tolist()[:3] == [0.893, 0.894, 0.861]
    assert rows["citation"].tolist()[1] == "Choi et al. 2016, arXiv:1606.00298"
    assert rows["epochs"].tolist()[:3] == ["20 of 100", "20", "20"]  # the paper's are of its CRNN
    groups = table.loc[table["source"] == "cited", "group"]
    assert groups.tolist() == [OF_PAPER] * 7 + [NEWER] * 7


def test_costs_are_counts_and_of_several_seeds_the_most(published):
    costs = [{"trainable_parameters": 2**40 + seed, "multiply_adds": None} for seed in (1, 0)]
    runs = [metrics(seed, 0.8, **cost) for seed, cost in enumerate(costs)]
    table = table_4(runs, published)
    assert table.loc[0, "trainable_parameters"] == 2**40 + 1
    assert table["multiply_adds"].isna().all()


def test_every_system_of_the_papers_table_4_has_a_model_of_its_own(published):
    models = [row["model"] for row in published if "model" in row]
    assert models == [
        *("crnn", "fcn4", "bof_rbm", "conv1d", "transfer", "multiscale", "pooled"),
    ]
    notes = {row["model"]: row["note"] for row in published if "model" in row}
    assert "not MFCC" in notes["pooled"]
    assert "below .88" in notes["transfer"]
