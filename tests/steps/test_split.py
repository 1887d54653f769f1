"""Step split as a command."""

import json

import pandas as pd
import pytest

from commands import (
    PAPER_SPLIT,
    merge_tags,
    split,
)


def test_split_leaves_out_what_can_not_be_read(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    counts = ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0]
    message = split(downloaded, counts)
    assert "left out, empty or missing: clip 11, b/clip-b-0-29.mp3" in message
    assert "left out, empty or missing: clip 15, f/clip-f-0-29.mp3" in message
    table = pd.read_csv(downloaded / "split.csv")
    assert table["clip_id"].tolist() == [2, 6, 10]
    assert sorted(table["subset"]) == ["test", "train", "validation"]
    assert pd.read_csv(downloaded / "leakage.csv")["level"].tolist() == ["track", "album", "artist"]


def test_clips_without_a_tag_can_be_dropped(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    labels = pd.read_csv(downloaded / "labels.csv")
    labels.loc[labels["clip_id"] == 6, ["beat", "flute"]] = 0
    (downloaded / "SHA256SUMS").unlink()  # as of a table made by hand
    labels.to_csv(downloaded / "labels.csv", index=False)
    counts = ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0]
    message = split(downloaded, counts, untagged="drop", code=2)
    # 10 has flute, 2 has beat: two are left.
    assert "left out, without any tag: 1 clip\n" in message
    assert "labels.csv: 2 usable clips, too few to split: expected at least 3" in message
    assert not (downloaded / "split.csv").exists()


def test_a_split_can_be_given_as_a_file(downloaded, vocabulary, tmp_path):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    given = tmp_path / "fold 1.csv"
    given.write_text("clip_id,subset\n10,train\n2,test\n6,validation\n11,test\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given)
    assert "left out, not usable here: 1 clip\n" in message
    table = pd.read_csv(downloaded / "split.csv").set_index("clip_id")
    assert table["subset"].to_dict() == {10: "train", 2: "test", 6: "validation"}
    settings = json.loads((downloaded / "split_settings.json").read_text())
    assert settings == {"scheme": "file fold 1.csv"}
    given.write_text("clip_id;subset\n10;train\n2;test\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given, code=2)
    assert "fold 1.csv: no validation clips by the scheme file; add some" in message


@pytest.fixture
def tables(tmp_path):
    """A folder with six clips, all tagged, of three artists; one tag is named as a column is."""
    clips = pd.DataFrame({"clip_id": range(6), "mp3_path": [f"{clip}/a.mp3" for clip in range(6)]})
    tags = {"clips": [1, 0, 0, 0, 0, 1], "subset": [0, 1, 1, 1, 1, 0], "count": 1}
    clips.assign(**tags).to_csv(tmp_path / "labels.csv", index=False)
    clips.assign(bytes=1).to_csv(tmp_path / "clips.csv", index=False)
    write_groups(tmp_path, artist=[*"AAABBC"])
    return tmp_path


def write_groups(folder, **levels):
    known = {"track": [f"t{clip}" for clip in range(6)], "album": "B/b", "artist": "B"}
    table = pd.DataFrame({"clip_id": range(6), **known, **levels})
    table.to_csv(folder / "groups.csv", index=False)


def test_three_artists_are_one_for_each_subset(tables):
    message = split(tables, PAPER_SPLIT, scheme="artist")
    assert "artist split: {'train': 3, 'validation': 1, 'test': 2}" in message
    table = pd.read_csv(tables / "split.csv")
    subsets = ["train"] * 3 + ["test"] * 2 + ["validation"]
    assert table.columns.tolist() == ["clip_id", "mp3_path", "subset"]
    assert table["subset"].tolist() == subsets


def test_two_artists_are_too_few(tables):
    write_groups(tables, artist=[*"AAABBB"])
    message = split(tables, PAPER_SPLIT, scheme="artist", code=2)
    assert (
        "groups.csv: 2 artists of 6 usable clips, too few to split: expected at least 3" in message
    )


def test_unknown_artists_are_no_group(tables):
    known = {"artist": [*"AAA", "", "", ""], "album": [*"AAA", "", "", ""]}
    write_groups(tables, **known, track=[*"aaabb", ""])
    message = split(tables, PAPER_SPLIT, scheme="artist")
    assert "warning: 3 of 6 clips have no known artist: they share no artist with" in message
    assert "1 of 6 clips have no known track" in message
    # Clips 3 and 4 are of one track, so of one artist.
    subsets = pd.read_csv(tables / "split.csv")["subset"].tolist()
    assert subsets == ["train"] * 3 + ["test"] * 2 + ["validation"]
    leakage = pd.read_csv(tables / "leakage.csv")
    assert leakage["clips_without_group"].tolist() == [1, 3, 3]
    assert leakage["share"].tolist() == [0, 0, 0]


def test_a_split_by_a_level_that_no_clip_has_would_be_random(tables):
    write_groups(tables, artist="")
    message = split(tables, PAPER_SPLIT, scheme="artist", code=2)
    assert "groups.csv: the artist of every clip is unknown, so a split by artist would" in message
    assert "choose another split.scheme" in message
    assert not (tables / "split.csv").exists()
    split(tables, PAPER_SPLIT)
    assert pd.read_csv(tables / "leakage.csv")["clips_without_group"].tolist() == [0, 0, 6]


def test_a_subset_without_a_folder_is_named(tables):
    message = split(tables, PAPER_SPLIT, scheme="folder", code=2)
    assert "labels.csv: no validation clips by the scheme folder; choose another" in message


def test_the_official_tables_give_the_papers_split(magnatagatune, tmp_path):
    """The tables and the three empty clips are all that the split needs: no audio."""
    from autotagging.corpus.tables import read_annotations, read_clip_info

    clips = read_annotations(magnatagatune / "annotations_final.csv.gz")[["clip_id", "mp3_path"]]
    clips["bytes"] = 117_213
    clips.loc[clips["clip_id"].isin([35644, 55753, 57881]), "bytes"] = 0
    clips.to_csv(tmp_path / "clips.csv", index=False)
    merge_tags(magnatagatune / "annotations_final.csv.gz", "workflow/resources/tags.yaml", tmp_path)
    read_clip_info(magnatagatune / "clip_info_final.csv.gz").to_csv(
        tmp_path / "groups.csv", index=False
    )
    message = split(tmp_path, PAPER_SPLIT)
    assert "{'train': 19773, 'validation': 1521, 'test': 4566}, as requested" in message
    table = pd.read_csv(tmp_path / "split.csv")
    assert table["subset"].value_counts().to_dict() == {
        "train": 19773,
        "test": 4566,
        "validation": 1521,
    }
    leakage = pd.read_csv(tmp_path / "leakage.csv").set_index("level")["share"]
    assert leakage["track"] > 0.9
