import hashlib

import pandas as pd
import pytest

from autotagging.partition import apportion, describe, leakage, random_split

PAPER = {"train": 19773, "validation": 1521, "test": 4566}


def test_the_papers_counts_are_exact_on_as_many_clips():
    subset = random_split(range(25860), weights=PAPER, seed=0)
    assert subset.value_counts().to_dict() == PAPER
    assert describe(subset) == "random 19773/1521/4566"


def test_elsewhere_they_are_weights():
    # 13 : 1 : 3 of 239 is 182.75, 14.06, 42.20
    assert apportion(239, PAPER) == {"train": 183, "validation": 14, "test": 42}
    assert apportion(17, PAPER) == {"train": 13, "validation": 1, "test": 3}


def test_a_clips_place_in_the_shuffle_is_a_hash_of_seed_and_id():
    digests = {clip: hashlib.sha256(f"7:{clip}".encode()).hexdigest() for clip in (4, 8, 15)}
    first = min(digests, key=digests.get)
    subset = random_split([4, 8, 15], weights={"train": 1, "validation": 1, "test": 1}, seed=7)
    assert subset[first] == "train"


def test_the_split_is_the_same_on_every_platform():
    subset = random_split(range(8), weights={"train": 5, "validation": 1, "test": 2}, seed=0)
    assert subset.str[:2].tolist() == ["va", "te", "tr", "tr", "tr", "te", "tr", "tr"]


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
