import subprocess
import sys

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.tools._recordings import count_compiled, recordings
from autotagging.tools.data_card import (
    count_segments,
    count_tags,
    data_card,
    describe_split,
    find_cut,
    folder_table,
    group_table,
    leave_out,
    noise_table,
)
from conftest import ROOT

INPUTS = {
    "vocabulary": ROOT / "workflow/resources/tags.yaml",
    "params": ROOT / "params.yaml",
    "remote": ROOT / "workflow/resources/magnatagatune.yaml",
}
LABELS = pd.DataFrame({"a": [1, 1, 1, 0], "b": [0, 1, 0, 0]}, index=[1, 2, 3, 4])
GROUPS = pd.DataFrame(
    {
        "track": ["a1", "a1", "a2", "b1"],
        "album": ["A", "A", "A", "B"],
        "artist": ["X", "X", "X", "Y"],
    },
    index=[1, 2, 3, 4],
)
INFO = pd.DataFrame(
    [
        ("Ehren Starks", "Lines", "The Tale, of Room 620"),
        ("Brad Sucks", "Nervous", "Making Me Nervous"),
        ("Magnatune Compilation", "Rock", "Ehren Starks_ The tale of room 620"),
        ("Various Artists", "Rock", "Making Me Nervous (Brad Sucks)"),
        ("Various Artists", "Rock", "Lost (Brad Sucks)"),
        ("C. Layne", "Nervous", "Lost"),
        ("C Layne", "Rain", "Lost"),
    ],
    columns=["artist", "album", "title"],
    index=[11, 12, 13, 14, 15, 16, 17],
)


@pytest.fixture(scope="session")
def card(magnatagatune, tmp_path_factory):
    out = tmp_path_factory.mktemp("card") / "docs/data.md"
    data_card(tables=magnatagatune, out=out, **INPUTS)
    return out.read_text(encoding="utf-8")


def test_tags_are_counted_per_clip():
    counts = count_tags(LABELS, prefix="raw")
    assert (counts["raw_clips"], counts["raw_tags"], counts["raw_positives"]) == (4, 2, 4)
    assert (counts["raw_mean"], counts["raw_median"], counts["raw_most"]) == (1, 1, 2)
    assert (counts["raw_none"], counts["raw_none_share"], counts["raw_density"]) == (1, 25, 50)


def test_segments_are_counted_from_clip_info():
    table = pd.DataFrame(
        {
            "segmentStart": ["30", "0", "30"],
            "segmentEnd": ["59", "29", "59"],
            "mp3_path": ["0/a.mp3", "", "0/b.mp3"],
        }
    )
    counts = count_segments(table)
    assert (counts["listed"], counts["without_file"]) == (3, 1)
    assert (counts["segment_lengths"], counts["segment_starts"]) == ("29", "0, 30")


def test_groups_are_counted_with_their_clips():
    table = group_table(GROUPS).set_index("level")
    assert table.loc["track"].tolist() == [3, 1, "1", 2]
    assert table.loc["album"].tolist() == [2, 1, "2", 3]


def test_folders_have_clips_albums_and_a_subset():
    paths = pd.Series(["0/a.mp3", "0/b.mp3", "c/c.mp3", "f/d.mp3"], index=[1, 2, 3, 4])
    lines = folder_table(paths, GROUPS).splitlines()
    assert lines[2:] == [
        "| 0 | 2 | 1 | 1 | train |",
        "| c | 1 | 1 | 1 | validation |",
        "| f | 1 | 1 | 1 | test |",
    ]


def test_a_forgotten_synonym_changes_which_tags_are_kept():
    # Merged, x and y have 3 clips each, z 1. Apart, x has 1 and x2 has 2: x2 takes its place.
    raw = pd.DataFrame(
        {"x": [1, 0, 0, 0], "x2": [0, 1, 1, 0], "y": [1, 1, 0, 1], "z": [0, 0, 0, 1]}
    )
    raw_tags = pd.DataFrame(
        {
            "raw_tag": ["x", "x2", "y", "z"],
            "merged_into": ["x", "x", "y", "z"],
            "merged_count": [3, 3, 3, 1],
        }
    )
    found = leave_out("x2", raw, raw_tags, 2)
    assert found == {"forgotten": "x2", "tags_without": 4, "enters": "x2", "leaves": "x"}
    cut = find_cut(raw_tags, 2)
    assert (cut["merged_tags"], cut["last_in"], cut["first_out"]) == (3, "y", "z")
    assert (cut["last_in_count"], cut["first_out_count"]) == (3, 1)
    with pytest.raises(UserError, match=r"n_tags is 3: .* fewer than the 3 merged tags"):
        find_cut(raw_tags, 3)


def test_noise_counts_contradictions_and_what_is_missing():
    names = "no singer|singer|vocal|female|male|no beat|beat|drum|fast|slow|violin|cello|string"
    labels = pd.DataFrame(0, index=range(4), columns=names.split("|"))
    labels.loc[:, "no singer"] = 1
    labels.loc[0, ["male", "vocal"]] = 1
    labels.loc[:2, "violin"] = 1
    labels.loc[0, "string"] = 1
    labels.loc[3, ["no beat", "fast", "cello", "female"]] = 1
    table = noise_table(labels).set_index("clips_tagged")
    assert table.loc["no singer", ["clips", "share"]].tolist() == [2, "50.0 %"]
    assert table.loc["violin"].tolist() == ["not tagged string", 2, "66.7 %"]


def test_a_recording_on_a_compilation_is_that_of_its_artist():
    recording = recordings(INFO)
    assert recording[13] == recording[11]
    assert recording[14] == recording[12]
    assert recording[16] == recording[17]  # one artist, spelled in two ways
    assert recording.nunique() == 4


def test_clips_of_compilations_are_counted():
    counts = count_compiled(INFO, recordings(INFO))
    assert counts == {"compilations": 2, "compiled_clips": 3, "compiled_again": 2}


def test_a_split_is_described_by_what_leaks():
    subset = pd.Series(["train", "test", "validation", "test"], index=[1, 2, 3, 4])
    groups = GROUPS.assign(title=["s", "t", "u", "s"])
    row = describe_split(LABELS, subset, groups, pseudo_count=1.0)
    assert row["title"] == "50.0 %"  # clip 4
    # Clip 2 has its track, album and artist in training, clip 4 nothing.
    assert row["train / validation / test"] == "1/1/2"
    assert [row[level] for level in GROUPS] == ["50.0 %"] * 3
    # Training has one clip, with a: its prior is 1, and both test clips score 1 for a, 0 for b.
    assert row["lookup"] == 0.5


def test_tables_that_are_not_the_official_ones_are_refused(small_tables, tmp_path):
    out = tmp_path / "data.md"
    with pytest.raises(UserError, match=r"annotations_final\.csv: not the official"):
        data_card(tables=small_tables, out=out, **INPUTS)
    assert not out.exists()


def test_parameters_that_lack_one_are_refused(magnatagatune, tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("merge_tags: {n_tags: 50}\n")
    with pytest.raises(UserError, match=r"params\.yaml: not the parameters .*'split'"):
        data_card(tables=magnatagatune, out=tmp_path / "o.md", **{**INPUTS, "params": params})


@pytest.mark.parametrize(
    "text",
    [
        "25,863 clips of music",
        "5,405 tracks on 446 albums by 230 artists",
        "Of its 31,382 rows, 5,519 have no path",
        "89,395 of the 25,863 x 188 labels",
        "4,221 clips (16.3 %)",
        "makes 134 tags of 188",
        "leaves 135 tags, and among the 50 *female vocal* takes the place of *no beat*",
        "*no beat*, with 242 clips, is the last tag kept; *chorus*, with 241,",
        "4,505 (17.4 %)",
        "5.366 %",
        "94.63 %",
        "(binary cross-entropy) of 0.192.",
        "698 of their 962 clips",
        "| random | merged | 19773/1521/4566 | 95.7 % | 100.0 % | 100.0 % | 96.0 % | 0.868 |",
        "| artist | merged | 19784/1517/4559 | 0.0 % | 0.0 % | 0.0 % | 3.4 % | 0.500 |",
        "| folder | raw, untagged dropped | 15247/1529/4332 |",
    ],
)
def test_the_card_states_the_known_numbers(card, text):
    assert text in " ".join(card.split())


def test_the_card_in_the_repository_is_the_generated_one(card):
    assert (ROOT / "docs/data.md").read_text(encoding="utf-8") == card
    assert not any(place in card for place in ("/work", "/home", "/tmp", "/Users"))


def test_the_card_needs_no_tensorflow():
    code = "import sys, autotagging.tools.data_card; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
