"""Step split as a command."""

import pandas as pd

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
    assert "left out, without any tag: 1 clips" in message
    assert "2 clips, too few" in message


def test_a_split_can_be_given_as_a_file(downloaded, vocabulary, tmp_path):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    given = tmp_path / "given.csv"
    given.write_text("clip_id,subset\n10,train\n2,test\n6,validation\n11,test\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given)
    assert "1 clips are not usable here" in message
    table = pd.read_csv(downloaded / "split.csv").set_index("clip_id")
    assert table["subset"].to_dict() == {10: "train", 2: "test", 6: "validation"}
    given.write_text("clip_id,subset\n10,train\n2,tests\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given, code=2)
    assert "given.csv, line 3: subset is 'tests'" in message


def test_tracks_can_be_kept_together(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    message = split(downloaded, PAPER_SPLIT, scheme="track", code=2)
    # Clips 2 and 6 are one track, 10 another: no third subset.
    assert "3 clips, too few to split by track" in message


def test_too_few_clips_can_not_be_split(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    message = split(downloaded, PAPER_SPLIT, code=2)
    assert "3 clips, too few to split by random" in message
    assert not (downloaded / "split.csv").exists()


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
