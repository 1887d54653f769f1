import hashlib

import pandas as pd
import pytest
import yaml

from autotagging.corpus.tables import read_annotations, read_clip_info
from autotagging.dataset.groups import LEVELS
from autotagging.dataset.subsets import describe
from autotagging.labels.partition import (
    apportion,
    folder_split,
    group_split,
    leakage,
    random_split,
)
from autotagging.labels.tags import merge_synonyms, most_frequent
from conftest import ROOT

PAPER = {"train": 19773, "validation": 1521, "test": 4566}


def test_the_papers_counts_are_exact_on_as_many_clips():
    subset = random_split(range(25860), weights=PAPER, seed=0)
    assert subset.value_counts().to_dict() == PAPER
    assert describe("random", subset) == "random 19773/1521/4566"


def test_elsewhere_they_are_weights():
    # 13 : 1 : 3 of 239 is 182.75, 14.06, 42.20
    assert apportion(239, PAPER) == {"train": 183, "validation": 14, "test": 42}
    assert apportion(17, PAPER) == {"train": 13, "validation": 1, "test": 3}
    # 3.8, 0.3 and 0.9 of 5 are 4, 0 and 1: the largest gives one to the empty one.
    assert apportion(5, PAPER) == {"train": 3, "validation": 1, "test": 1}
    assert apportion(3, PAPER) == {"train": 1, "validation": 1, "test": 1}


def test_a_clips_place_in_the_shuffle_is_a_hash_of_seed_and_id():
    digests = {clip: hashlib.sha256(f"7:{clip}".encode()).hexdigest() for clip in (4, 8, 15)}
    first = min(digests, key=digests.get)
    subset = random_split([4, 8, 15], weights={"train": 1, "validation": 1, "test": 1}, seed=7)
    assert subset[first] == "train"


def test_the_split_is_the_same_on_every_platform():
    subset = random_split(range(8), weights={"train": 5, "validation": 1, "test": 2}, seed=0)
    assert subset.str[:2].tolist() == ["va", "te", "tr", "tr", "tr", "te", "tr", "tr"]


@pytest.mark.parametrize(
    "weights",
    [
        {"train": 8, "valid": 1, "test": 1},
        {"train": 8, "validation": 0, "test": 1},
        {"train": 8, "test": 1},
    ],
)
def test_weights_of_other_subsets_or_without_clips_are_refused(weights):
    expected = "expected positive numbers of train, validation, test"
    with pytest.raises(ValueError, match=expected):
        random_split(range(10), weights=weights, seed=0)
    groups, labels = pd.Series(["x", "y", "z"]), pd.DataFrame({"a": [0, 1, 1]})
    with pytest.raises(ValueError, match=expected):
        group_split(groups, labels, weights=weights, seed=0)


def test_another_seed_is_another_split():
    one, other = (random_split(range(100), weights=PAPER, seed=seed) for seed in (0, 1))
    assert (one != other).any()


def test_leakage_is_the_share_of_test_clips_whose_group_is_in_training():
    subset = pd.Series(["train", "train", "test", "test", "validation"], index=[1, 2, 3, 4, 5])
    groups = pd.DataFrame(
        {
            "track": ["a", "b", "a", "c", "c"],
            "album": ["A", "B", "A", "B", "C"],
            "artist": ["X", "Y", "Z", "W", "X"],
        },
        index=[1, 2, 3, 4, 5],
    )
    shares = leakage(subset, groups).set_index("level")["share"]
    assert shares.to_dict() == {"track": 0.5, "album": 1.0, "artist": 0.0}


def test_a_clip_without_clip_info_shares_nothing():
    subset = pd.Series(["train", "test"], index=[1, 2])
    groups = pd.DataFrame({"track": ["a"], "album": ["A"], "artist": ["X"]}, index=[1])
    assert leakage(subset, groups)["share"].tolist() == pytest.approx([0, 0, 0])


def test_clips_of_unknown_groups_share_nothing_and_are_counted():
    subset = pd.Series(["train", "train", "test", "test"], index=[1, 2, 3, 4])
    groups = pd.DataFrame(
        {"track": [None, "b", None, "b"], "album": None, "artist": ["X", "X", "X", None]},
        index=[1, 2, 3, 4],
    )
    # Clip 4 shares track b, and with it album and artist, whatever they are; clip 3 artist X.
    assert leakage(subset, groups).to_dict("list") == {
        "level": ["track", "album", "artist"],
        "share": [0.5, 0.5, 1.0],
        "clips_without_group": [2, 4, 1],
    }


def test_folders_0_to_b_train_c_validates_d_to_f_test():
    paths = pd.Series({digit: f"{digit}/clip.mp3" for digit in "0bcdf"})
    assert folder_split(paths).to_dict() == {
        "0": "train",
        "b": "train",
        "c": "validation",
        "d": "test",
        "f": "test",
    }


def make_groups(sizes, tag_of):
    """Clips of groups of these sizes; a clip has tag t if its group is in tag_of[t]."""
    names = [name for name, size in enumerate(sizes) for _ in range(size)]
    groups = pd.Series([f"g{name}" for name in names], index=range(100, 100 + len(names)))
    tags = {tag: [int(name in members) for name in names] for tag, members in tag_of.items()}
    return groups, pd.DataFrame(tags, index=groups.index)


def test_no_group_is_in_two_subsets_and_the_sizes_are_near():
    sizes = [40, 25, 25, 10, 10, 10, 5, 5, 5, 5, 2, 2, 1, 1, 1, 1, 1, 1]  # 150
    groups, labels = make_groups(sizes, {"a": {0, 3, 6}, "b": {1, 4, 7}})
    subset = group_split(groups, labels, weights={"train": 13, "validation": 1, "test": 3}, seed=0)
    assert subset.index.equals(groups.index)
    assert subset.groupby(groups).nunique().max() == 1
    # 13 : 1 : 3 of 150 is 114.7, 8.8, 26.5
    counts = subset.value_counts()
    assert abs(counts["train"] - 114.7) < 2
    assert abs(counts["validation"] - 8.8) < 2
    assert abs(counts["test"] - 26.5) < 2


def test_groups_are_shared_out_so_that_tags_are_balanced():
    # Twelve groups of ten, half of them with the tag: each third must get two of the six.
    groups, labels = make_groups([10] * 12, {"a": set(range(6))})
    subset = group_split(groups, labels, weights={"train": 1, "validation": 1, "test": 1}, seed=3)
    assert labels["a"].groupby(subset).sum().tolist() == [20, 20, 20]
    assert subset.value_counts().tolist() == [40, 40, 40]


@pytest.mark.parametrize(
    ("sizes", "subsets"),
    [
        # Without the rule, all are training clips: 29.8 of the 39 are, and 2.3 validate.
        ([13, 13, 13], {13}),
        ([100, 20, 10], {100, 20, 10}),
        ([50, 1, 1], {50, 1}),
        ([9, 9, 9, 9], {18, 9}),
        ([5, 5, 5, 5, 5], {15, 5}),
        ([5] * 8, {30, 5}),
        ([5] * 7 + [1], {30, 5, 1}),
    ],
)
def test_as_few_groups_as_there_are_subsets_leave_none_empty(sizes, subsets):
    groups, labels = make_groups(sizes, {"a": {0}, "b": {1, 2}})
    subset = group_split(groups, labels, weights={"train": 13, "validation": 1, "test": 3}, seed=0)
    assert subset.groupby(groups).nunique().max() == 1
    counts = subset.value_counts()
    assert set(counts) == subsets
    assert len(counts) == 3
    assert counts["train"] == counts.max()


@pytest.mark.parametrize("name", ["clips", "clip_id", "track", "subset", "count", "0"])
def test_a_tag_may_have_the_name_of_a_column(name):
    groups, labels = make_groups([10] * 12, {"a": set(range(6))})
    weights = {"train": 1, "validation": 1, "test": 1}
    subset = group_split(groups, labels.rename(columns={"a": name}), weights=weights, seed=3)
    assert subset.equals(group_split(groups, labels, weights=weights, seed=3))
    assert labels["a"].groupby(subset).sum().tolist() == [20, 20, 20]


def test_another_seed_is_another_split_into_groups():
    for sizes in ([1] * 60, range(1, 61)):
        groups, labels = make_groups([*sizes], {"a": set(range(30))})
        weights = {"train": 3, "validation": 1, "test": 1}
        splits = [group_split(groups, labels, weights=weights, seed=seed) for seed in (0, 0, 1, 2)]
        assert splits[0].equals(splits[1])
        first, *others = [set(groups[split == "test"]) for split in splits[1:]]
        assert all(len(first & other) < len(first) / 2 for other in others)


def test_more_groups_than_are_compared_at_once_are_split_as_well(monkeypatch):
    # 300 groups of one to seven clips, which a single block and 15 blocks both balance: each
    # third of the clips has a third of each tag, exactly.
    groups, labels = make_groups(
        [1 + name % 7 for name in range(300)],
        {tag: {name for name in range(300) if name % (tag + 2) == 0} for tag in range(4)},
    )
    for block in (300, 20):
        monkeypatch.setattr("autotagging.labels.partition._BLOCK", block)
        weights = {"train": 1, "validation": 1, "test": 1}
        subset = group_split(groups, labels, weights=weights, seed=0)
        assert subset.groupby(groups).nunique().max() == 1
        sizes = subset.value_counts()
        assert sizes.max() - sizes.min() <= 1
        positives = labels.groupby(subset).sum()
        assert (positives.max() - positives.min()).max() <= 2


@pytest.fixture(scope="module")
def official(magnatagatune):
    """Paths, labels (50 merged, and 50 raw tags) and groups of the 25,860 readable clips."""
    annotations = read_annotations(magnatagatune / "annotations_final.csv.gz").set_index("clip_id")
    annotations = annotations.drop(index=[35644, 55753, 57881])
    synonyms = yaml.safe_load((ROOT / "workflow/resources/tags.yaml").read_text())["synonyms"]
    raw = annotations.drop(columns="mp3_path")
    merged = merge_synonyms(raw, synonyms)
    groups = read_clip_info(magnatagatune / "clip_info_final.csv.gz").set_index("clip_id")
    return {
        "paths": annotations["mp3_path"],
        "merged": merged[most_frequent(merged, 50)],
        "raw": raw[most_frequent(raw, 50)],
        "groups": groups,
    }


def test_the_official_folder_split(official):
    sizes = folder_split(official["paths"]).value_counts()
    assert sizes.to_dict() == {"train": 18706, "test": 5329, "validation": 1825}


def test_the_published_split_of_raw_tags_without_untagged_clips(official):
    tagged = official["raw"].any(axis=1)
    sizes = folder_split(official["paths"][tagged]).value_counts()
    assert sizes.to_dict() == {"train": 15247, "test": 4332, "validation": 1529}


@pytest.mark.parametrize("level", LEVELS)
def test_group_splits_of_the_official_tables(official, level):
    names = official["groups"][level].reindex(official["paths"].index)
    subset = group_split(names, official["merged"], weights=PAPER, seed=0)
    for name, wanted in PAPER.items():
        assert (subset == name).sum() == pytest.approx(wanted, rel=0.01)
    shares = leakage(subset, official["groups"]).set_index("level")["share"]
    assert shares[level] == 0
    # The share of a tag among test clips is within 12 % of what it is among all, on average.
    rates = official["merged"][subset == "test"].mean() / official["merged"].mean()
    assert (rates - 1).abs().mean() < 0.12
    # Another seed tests on others: two draws of 18 % share about 18 % of the clips.
    other = group_split(names, official["merged"], weights=PAPER, seed=1)
    assert (other[subset == "test"] == "test").mean() < 0.3
