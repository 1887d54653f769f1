import csv

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.bundle import Description
from autotagging.tagging.errors import ERRORS
from autotagging.tagging.finding import find_songs
from autotagging.tagging.jams import jams
from autotagging.tagging.outputs import csv_lines, line, table, write_lines
from autotagging.tagging.taggram import text
from bundles import FRONT_END
from conftest import ROOT

DESCRIBED = Description(
    "m", 0, "d", ("a", "b", "no c"), FRONT_END, (96, 94), thresholds={"a": 0.3, "b": 0.9}
)
RESULT = {"path": "/music/x, y.mp3", "audio_sha256": "f", "seconds": 243.2, "windows": 9}
RESULT |= {"scores": {"a": 0.25, "b": 0.95, "no c": 0.5}, "tags": ["b", "no c"]}
ERROR = {"path": "/music/z.mp3", "error": {"type": "not_audio", "message": "no audio"}}


def test_a_table_has_bars_and_marks_tags_above_their_thresholds():
    assert table("x.mp3", RESULT, DESCRIBED, top=3).splitlines() == [
        "x.mp3  0:04:03  b, no c",
        "  * b     ███████████████████·  0.95  threshold 0.90",
        "  * no c  ██████████··········  0.50  threshold 0.50",
        "    a     █████···············  0.25  threshold 0.30",
    ]


def test_tags_above_their_thresholds_are_shown_beyond_the_top():
    assert len(table("x.mp3", RESULT, DESCRIBED, top=0).splitlines()) == 3


def test_a_song_without_a_tag_is_untagged():
    result = {**RESULT, "tags": [], "warning": "decoding failed after 243.2 s: error"}
    first, second = table("x.mp3", result, DESCRIBED, top=0).splitlines()
    assert first == "x.mp3  0:04:03  untagged"
    assert second == "  only the beginning: decoding failed after 243.2 s: error"
    assert line("x.mp3", result) == "x.mp3: untagged"


def test_an_error_is_a_line_that_can_not_change_the_terminal():
    assert line("z\x1b[31m\n.mp3", ERROR) == "z\ufffd[31m\ufffd.mp3: not_audio: no audio"


def test_names_of_tags_can_not_change_the_terminal():
    tags = ("a\x1b[31m", "b\u202e")
    described = Description("m", 0, "d", tags, FRONT_END, (96, 94))
    result = {**RESULT, "scores": dict.fromkeys(tags, 0.5), "tags": [*tags]}
    assert line("x.mp3", result) == "x.mp3: a\ufffd[31m, b\ufffd"
    assert table("x.mp3", result, described, top=3).splitlines() == [
        "x.mp3  0:04:03  a\ufffd[31m, b\ufffd",
        "  * a\ufffd[31m  ██████████··········  0.50  threshold 0.50",
        "  * b\ufffd      ██████████··········  0.50  threshold 0.50",
    ]
    windows = {"window_scores": [[0.5, 0.5]], "window_starts": [0.0], "hop": 2.0}
    shown = text("x.mp3", {**result, **windows}, described, top=2, width=40)
    assert all(each.isprintable() for each in shown.splitlines())
    assert "  * a\ufffd[31m " in shown


def test_csv_has_a_column_for_each_tag(tmp_path):
    path = tmp_path / "songs.csv"
    write_lines(csv_lines([RESULT, ERROR], DESCRIBED.tags), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = {"a": "0.25", "b": "0.95", "no c": "0.5"}
    described = {"error": "", "seconds": "243.2", "windows": "9", "tags": "b; no c"}
    assert rows[0] == {"path": "/music/x, y.mp3", **described, **scores}
    assert rows[1] == {**dict.fromkeys(rows[0], ""), "path": ERROR["path"], "error": "not_audio"}


def test_a_name_with_a_line_end_stays_in_its_field(tmp_path):
    path, names = tmp_path / "songs.csv", ["a\rb.mp3", "a\nb.mp3", "a\r\n"]
    write_lines(csv_lines([{**RESULT, "path": name} for name in names], DESCRIBED.tags), path)
    with path.open(encoding="utf-8", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == names


def test_jams_has_an_observation_of_each_tag():
    document = jams(RESULT, DESCRIBED)
    (annotation,) = document["annotations"]
    assert document["file_metadata"]["jams_version"] == "0.3.4"
    assert document["file_metadata"]["duration"] == annotation["duration"] == 243.2
    assert annotation["namespace"] == "tag_open"
    assert annotation["data"][1] == {
        "time": 0.0,
        "duration": 243.2,
        "value": "b",
        "confidence": 0.95,
    }
    assert annotation["sandbox"]["tags"] == ["b", "no c"]


def test_jams_has_the_windows_if_they_are_kept():
    windows = {"window_starts": [0.0, 2.0], "window_scores": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]}
    _, annotation = jams({**RESULT, **windows}, DESCRIBED)["annotations"]
    assert len(annotation["data"]) == 6
    assert annotation["data"][4] == {
        "time": 2.0,
        "duration": 2.0,
        "value": "b",
        "confidence": 0.5,
    }


def test_the_page_has_every_error():
    page = (ROOT / "docs/tagging.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {*rows} >= {f"| `{kind}` | {meaning} |" for kind, meaning in ERRORS.items()}


def test_songs_of_a_folder_are_found_by_their_suffix(tmp_path, monkeypatch):
    names = ("b/2.mp3", "b/1.FLAC", "a/c/x.m4a", "a/cover.jpg", ".hidden/x.mp3", "b/._2.mp3")
    for name in (*names, "alone.txt"):
        (tmp_path / "music" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / name).touch()
    monkeypatch.chdir(tmp_path)
    folder, alone = tmp_path / "music", tmp_path / "music/alone.txt"
    (folder / "link").symlink_to(folder, target_is_directory=True)
    found = find_songs([folder, alone, folder / "b"])
    assert found.songs == [folder / name for name in ("a/c/x.m4a", "b/1.FLAC", "b/2.mp3")] + [alone]
    assert [str(name) for name in found.names.values()] == [
        "music/a/c/x.m4a",
        "music/b/1.FLAC",
        "music/b/2.mp3",
        "alone.txt",
    ]


def test_nothing_to_tag_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no audio files in"):
        find_songs([tmp_path])
    with pytest.raises(UserError, match="nope: no such file or folder"):
        find_songs([tmp_path / "nope"])


def test_a_missing_path_does_not_keep_the_others_from_being_tagged(tmp_path):
    (tmp_path / "song.mp3").touch()
    paths = [tmp_path / "nope", tmp_path / "song.mp3"]
    assert find_songs(paths).songs == paths
