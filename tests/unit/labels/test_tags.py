import pandas as pd
import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.corpus.tables import read_annotations
from autotagging.labels.tags import find_category, merge_synonyms, merged_names, most_frequent
from autotagging.labels.vocabulary import read_vocabulary
from conftest import ROOT

PAPER_TAGS = """techno, fast, electro, beat, dance, drum, synth, trance, loud, no singer, rock, pop,
modern, bass, strange, vocal, male, ambient, heavy, guitar, new age, no piano, female, slow, hard,
piano, india, jazz, singer, no beat, violin, string, sitar, quiet, solo, foreign, eastern,
classical, flute, soft, country, folk, chant, opera, choir, harpsichord,
orchestra, baroque, harp, cello"""
"""The names in Fig. 6."""

LABELS = pd.DataFrame(
    {"beat": [1, 0, 0, 1], "flute": [0, 0, 1, 0], "beats": [0, 1, 0, 1], "harp": [0, 0, 0, 0]}
)


def test_a_clip_has_a_merged_tag_if_it_has_any_of_its_synonyms():
    merged = merge_synonyms(LABELS, {"beat": ["beat", "beats"]})
    assert merged.to_dict("list") == {
        "beat": [1, 1, 0, 1],
        "flute": [0, 0, 1, 0],
        "harp": [0, 0, 0, 0],
    }


def test_a_group_may_have_a_name_of_its_own():
    assert list(merge_synonyms(LABELS, {"wind": ["flute"]}).columns) == [
        "beat",
        "wind",
        "beats",
        "harp",
    ]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"beat": ["beat", "beets"]}, "no tag 'beets'"),
        ({"a": ["beat"], "b": ["beat"]}, "'beat' is in two"),
        ({"beat": ["beats"]}, "name of a tag that is not in it"),
        ({"mp3_path": ["beat", "beats"]}, "name of a column that is no tag"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups, message):
    with pytest.raises(UserError, match=message):
        merge_synonyms(LABELS, groups)


def test_the_most_frequent_come_first_and_ties_are_alphabetical():
    assert most_frequent(LABELS, 2) == ["beat", "beats"]
    assert most_frequent(LABELS, 3) == ["beat", "beats", "flute"]


@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_tag_is_refused(n):
    with pytest.raises(ValueError, match=f"the {n} most frequent tags; expected at least 1"):
        most_frequent(LABELS, n)


def test_tags_without_positives_are_never_kept():
    assert "harp" not in most_frequent(LABELS, 50)


def test_merged_names_keeps_the_order_of_raw_tags():
    names = merged_names(LABELS.columns, {"beat": ["beat", "beats"]})
    assert names.to_dict() == {"beat": "beat", "flute": "flute", "beats": "beat", "harp": "harp"}


@pytest.mark.parametrize(
    ("tag", "category_of", "expected"),
    [
        ("beat", {"beat": "rhythm", "beats": "genre"}, "rhythm"),
        ("beats", {"beat": "rhythm", "pulse": "genre"}, "rhythm"),
        ("beat", {"beats": "genre"}, "genre"),
        ("beats", {"pulse": "genre"}, "genre"),
        ("beat", {"beats": "rhythm", "pulse": "genre"}, None),
        ("beat", {"harp": "instrument"}, None),
        ("harp", {"beats": "genre", "harp": "instrument"}, "instrument"),
        ("flute", {"beats": "genre", "harp": "instrument"}, None),
    ],
)
def test_a_tag_without_a_category_has_that_of_its_group(tag, category_of, expected):
    assert find_category(tag, {"beat": ["beats", "pulse"]}, category_of) == expected


def test_every_raw_tag_has_the_category_of_the_tag_it_is_merged_into():
    known = read_vocabulary(ROOT / "workflow/resources/tags.yaml")
    found = {
        raw: find_category(raw, known.synonyms, known.category_of)
        for group in known.synonyms.values()
        for raw in group
    }
    assert found["electronic"] == "genre"
    assert found["strings"] == found["drums"] == "instrument"
    assert found["woman"] == "vocal"
    assert {raw for raw, name in found.items() if name is None} == {
        *("beat", "beats", "no beat", "no drums"),  # their groups have none
    }


def test_the_papers_tags_are_those_that_a_run_is_compared_with():
    rows = yaml.safe_load((ROOT / "workflow/resources/published.yaml").read_text())
    (paper,) = (row for row in rows if row.get("this_paper"))
    assert paper["tag_names"] == PAPER_TAGS.replace("\n", " ").split(", ")


def test_the_official_table_gives_the_tags_of_the_paper(magnatagatune):
    annotations = read_annotations(magnatagatune / "annotations_final.csv.gz")
    raw = annotations.drop(columns=["clip_id", "mp3_path"])
    synonyms = yaml.safe_load((ROOT / "workflow/resources/tags.yaml").read_text())["synonyms"]
    merged = merge_synonyms(raw, synonyms)
    kept = most_frequent(merged, 50)
    assert raw.shape == (25863, 188)
    assert raw.to_numpy().sum() == 89395
    assert merged.shape[1] == 134
    assert set(kept) == set(PAPER_TAGS.replace("\n", " ").split(", "))
    assert merged["no beat"].sum() == 242  # the 50th
    assert merged["chorus"].sum() == 241  # the 51st
    synonyms["female"].remove("female vocal")
    forgetful = merge_synonyms(raw, synonyms)
    assert forgetful.shape[1] == 135
    assert set(most_frequent(forgetful, 50)) ^ set(kept) == {"female vocal", "no beat"}
    readable = ~annotations["clip_id"].isin([35644, 55753, 57881])
    labels = merged.loc[readable, kept].to_numpy()
    assert (labels.sum(axis=1) == 0).sum() == 4505
    assert labels.mean() == pytest.approx(0.05366, abs=5e-6)
