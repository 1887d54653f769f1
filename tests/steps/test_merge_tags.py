"""Step merge_tags as a command."""

import re

import pandas as pd
import pytest
import yaml

from autotagging.labels.tags import find_category
from commands import (
    merge_tags,
)
from conftest import ROOT


def test_merge_tags(downloaded, vocabulary):
    message = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    assert "4 raw tags, 3 merged, 2 kept" in message
    assert "warning: 50 tags wanted, 2 have positives" in message
    labels = pd.read_csv(downloaded / "labels.csv")
    assert labels.columns.tolist() == ["clip_id", "mp3_path", "beat", "flute"]
    assert labels["beat"].tolist() == [1, 1, 0, 0, 1]
    # The only other tag, harp, has no positive.
    others = pd.read_csv(downloaded / "other_labels.csv")
    assert others.columns.tolist() == ["clip_id", "mp3_path"]
    tags = pd.read_csv(downloaded / "tags.csv")
    assert tags.to_dict("list") == {
        "tag": ["beat", "flute"],
        "category": ["other", "instrument"],
        "count": [3, 3],
        "merged_from": ["beat;beats", "flute"],
    }
    raw = pd.read_csv(downloaded / "raw_tags.csv").set_index("raw_tag")
    assert raw["count"].to_dict() == {"beat": 2, "beats": 1, "flute": 3, "harp": 0}
    assert raw.loc["beats", "merged_into"] == "beat"
    assert raw["kept"].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "synonyms:\n  beat:\n    - beat\n    - beets\ncategories: {}\n",
            "line 4: synonym group 'beat': the corpus has no tag 'beets'; correct the group, or "
            "set merge_tags.synonyms to keep",
        ),
        (
            "synonyms:\n  flute:\n    - beat\ncategories: {}\n",
            "line 3: synonym group 'flute' has the name of a tag that is not in it",
        ),
        ("synonyms: [beat]\ncategories: {}\n", "line 1: synonyms: expected a mapping of lists"),
    ],
)
def test_a_wrong_vocabulary_is_named_with_its_line(downloaded, vocabulary, content, message):
    vocabulary.write_text(content)
    printed = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded, code=2)
    assert f"tags.yaml, {message}" in printed


def test_synonyms_can_be_kept(downloaded, vocabulary):
    annotations = downloaded / "annotations_final.csv"
    message = merge_tags(annotations, vocabulary, downloaded, synonyms="keep")
    assert "4 raw tags, not merged, 3 kept" in message
    columns = pd.read_csv(downloaded / "labels.csv", nrows=0).columns
    assert columns[2:].tolist() == ["flute", "beat", "beats"]


@pytest.mark.parametrize("synonyms", ["merge", "keep"])
def test_synonyms_share_their_category(downloaded, vocabulary, synonyms):
    content = {"synonyms": {"beat": ["beat", "beats"]}, "categories": {"rhythm": ["beats"]}}
    vocabulary.write_text(yaml.safe_dump(content))
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded, synonyms=synonyms)
    tags = pd.read_csv(downloaded / "tags.csv", index_col="tag")["category"]
    assert tags[["beat", "flute"]].tolist() == ["rhythm", "other"]
    assert set(tags.drop("flute")) == {"rhythm"}


def test_the_vocabulary_of_the_docs_has_a_category_for_each_tag():
    text = (ROOT / "docs/own_data.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```\n(synonyms:.*?)```", text, re.DOTALL)
    known = yaml.safe_load(example)
    category_of = {tag: name for name, tags in known["categories"].items() for tag in tags}
    assert find_category("electronic", known["synonyms"], category_of) == "genre"


def test_a_category_of_a_tag_that_is_not_there_is_named(downloaded, vocabulary):
    annotations = downloaded / "annotations_final.csv"
    assert "categor" not in merge_tags(annotations, vocabulary, downloaded)
    text = "synonyms: {pulse: [beat]}\ncategories:\n  a: [pulse]\n  b:\n    - flutte\n    - hrap\n"
    vocabulary.write_text(text)
    message = merge_tags(annotations, vocabulary, downloaded)
    assert (
        "tags.yaml, line 5: category 'b': the corpus has no tag 'flutte', nor 1 more under "
        "categories\n"
    ) in message


def test_the_vocabulary_of_a_corpus_is_kept_with_the_results(downloaded, vocabulary):
    annotations, copy = downloaded / "annotations_final.csv", downloaded / "corpus_tags.yaml"
    merge_tags(annotations, vocabulary, downloaded, "--vocabulary-copy", copy)
    assert copy.read_bytes() == vocabulary.read_bytes()
    assert "  corpus_tags.yaml\n" in (downloaded / "SHA256SUMS").read_text()
    merge_tags(annotations, vocabulary, downloaded)
    assert not copy.exists()
