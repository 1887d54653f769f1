"""Results that were cut, changed or exchanged since their step wrote them stop the next step."""

import shutil

import pandas as pd
import pytest

from autotagging.common.files import write_checksums
from commands import evaluate_lookup, extract_mel, merge_tags, split
from conftest import write_shards

COUNTS = ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0]


def cut(path):
    """Cut a file after one of its lines."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def test_clips_that_were_cut_are_not_split(downloaded, vocabulary, tmp_path):
    merged = tmp_path / "merged"
    merge_tags(downloaded / "annotations_final.csv", vocabulary, merged)
    for name in ("clips.csv", "groups.csv"):
        shutil.copy(downloaded / name, merged)
    write_checksums(merged / "SHA256SUMS", merged.glob("*.csv"))
    cut(merged / "clips.csv")
    message = split(merged, COUNTS, code=2)
    assert message == (
        f"autotagging: {merged}/clips.csv: not as its step wrote it (SHA256SUMS): cut or changed "
        "since; delete it and run again\n"
    )


def test_annotations_that_were_cut_are_not_merged(downloaded, vocabulary):
    cut(downloaded / "annotations_final.csv")
    message = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded, code=2)
    assert "annotations_final.csv: not as its step wrote it" in message


def test_each_step_leaves_checksums_of_its_results(downloaded, vocabulary):
    def listed():
        lines = (downloaded / "SHA256SUMS").read_text().splitlines()
        return [line[66:] for line in lines]

    tables = ["annotations_final.csv", "clip_info_final.csv", "clips.csv", "groups.csv"]
    assert listed() == sorted([*tables, "audio.json", "versions.json"])
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    tables = ["labels.csv", "other_labels.csv", "raw_tags.csv", "tag_settings.json", "tags.csv"]
    assert listed() == [*tables, "versions.json"]
    split(downloaded, COUNTS)
    assert listed() == ["leakage.csv", "split.csv", "split_settings.json", "versions.json"]


@pytest.mark.parametrize("name", ["labels", "split"])
def test_a_model_is_not_scored_on_other_clips_than_those_it_left_out(lookup, name):
    """With the subsets exchanged, the test clips are those that the model was trained on."""
    path = lookup / f"{name}.csv"
    header, *lines = path.read_text().splitlines()
    first, last = ([line.rpartition(",")[place] for line in lines] for place in (0, 2))
    lines = [header, *map(",".join, zip(first, last[::-1], strict=True))]
    path.write_text("\n".join(lines) + "\n")
    assert evaluate_lookup(lookup, code=2) == (
        f"autotagging: {path}: not the {name} that {lookup}/model.json was trained with; "
        "train again\n"
    )


def test_shards_that_were_cut_are_not_gathered(tmp_path):
    mel = pd.Series(range(8), dtype="float16").to_numpy().reshape(2, 4)
    write_shards(tmp_path, {1: mel, 2: mel}, {3: mel, 4: mel})
    extract_mel(tmp_path, 2, 0)
    cut(tmp_path / "shard-01.csv")
    assert "shard-01.csv: 1 rows, but 2 in the .npy" in extract_mel(tmp_path, 2, 0, code=2)
