import json
import math
import os
from contextlib import closing

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.bundle import Description
from autotagging.tagging.results import Results, Settings, to_line
from bundles import FRONT_END


def settings(*, thresholds=None, digest="d", keep_windows=False, hop=2.0):
    described = Description(
        "m", 0, digest, ("a", "b"), FRONT_END, (96, 94), thresholds=thresholds or {}
    )
    return Settings(described, hop, keep_windows=keep_windows)


def result_of(song, *, audio="f" * 64):
    status = song.stat()
    return {
        "path": str(song),
        "audio_sha256": audio,
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "model": "d",
        "seconds": 3.0,
        "windows": 1,
        "hop": 2.0,
        "scores": {"a": 0.7, "b": 0.4},
        "tags": ["a"],
    }


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "sóng.mp3"
    path.write_bytes(b"audio")
    return path


@pytest.fixture
def path(tmp_path, song):
    path = tmp_path / "results.jsonl"
    with closing(Results(path, settings())) as results:
        results.add(song, result_of(song))
    return path


def holds(path, song, **changes):
    with closing(Results(path, settings(**changes))) as results:
        return results.holds(song)


def read(path, song):
    with closing(Results(path, settings())) as results:
        return [*results.of([song])]


def test_a_result_holds_until_file_model_or_settings_change(path, song):
    assert holds(path, song)
    assert not holds(path, song.with_name("other.mp3"))
    assert not holds(path, song, digest="e")
    assert not holds(path, song, hop=1.0)
    assert not holds(path, song, keep_windows=True)
    os.utime(song, ns=(1, 1))
    assert not holds(path, song)


def test_a_line_is_readable_and_has_the_absolute_path(path, song, monkeypatch):
    monkeypatch.chdir(song.parent)
    assert '"path": "' + str(song) in path.read_text(encoding="utf-8")
    assert holds(path, song.relative_to(song.parent))


def test_an_interrupted_line_is_removed_and_the_song_is_tagged_again(path, song, tmp_path):
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    assert read(path, song) == [result_of(song)]
    assert holds(path, song)
    assert path.read_bytes() == whole
    path.write_bytes(whole[:50])
    assert not holds(path, song)
    assert path.read_bytes() == b""


WINDOWS = {"window_starts": [0.0, 1.0], "window_scores": [[0.7, 0.4], [0.7, 0.4]]}
DAMAGED = [
    {"scores": {"a": None, "b": 0.4}},
    {"scores": {"a": "0.7", "b": 0.4}},
    {"scores": {"a": 7, "b": 0.4}},
    {"scores": {"a": True, "b": 0.4}},
    {"scores": ["a", "b"]},
    {"seconds": None},
    {"seconds": 10**400},
    {"windows": "1"},
    {"tags": None},
    {"tags": [["a"]]},
    {"audio_sha256": [1]},
    {"audio_sha256": None},
    {"audio_sha256": "f" * 63 + "g"},
    {"warning": 1},
    {"error": "timeout"},
    {"error": {"type": "timeout"}},
    {"error": {"type": "timeout", "message": "m"}, "scores": {"a": None, "b": 0.4}},
    {**WINDOWS, "window_starts": [0.0]},
    {**WINDOWS, "window_starts": [0.0, "1"]},
    {**WINDOWS, "window_scores": 5},
    {**WINDOWS, "window_scores": [[0.7, 0.4], [0.7]]},
    {**WINDOWS, "window_scores": [[0.7, 0.4], [0.7, 4]]},
]


@pytest.mark.parametrize("change", DAMAGED, ids=range(len(DAMAGED)))
def test_a_song_of_a_damaged_line_is_tagged_again(tmp_path, song, change):
    path = tmp_path / "results.jsonl"
    damaged = json.dumps({**result_of(song), **change}) + "\n"
    path.write_text(damaged)
    assert not holds(path, song)
    with closing(Results(path, settings())) as results:
        assert results.audio == frozenset()
        results.add(song, result_of(song))
        assert [*results.of([song])] == [result_of(song)]
    assert path.read_text().startswith(damaged)
    assert holds(path, song)
    assert read(path, song) == [result_of(song)]


def test_a_song_of_a_line_that_lacks_something_is_tagged_again(tmp_path, song):
    path = tmp_path / "results.jsonl"
    for name in result_of(song).keys() - {"path", "scores"}:
        line = json.dumps(result_of(song)).replace(f'"{name}"', f'"{name[:-1]}_"')
        path.write_text(f"{line}\n")
        assert not holds(path, song), name


def test_the_scores_of_windows_are_read(tmp_path, song):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps({**result_of(song), **WINDOWS}) + "\n")
    assert holds(path, song, keep_windows=True)


PLAN = b'{"path": "/a.mp3", "genre": {"old": [], "new": ["Rock"]}}\n'


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"This is text",
            b"[1]\n",
            b'{"path": 1}\n',
            PLAN,
            PLAN[:-1],
            b'{"a": 1',
            b"\xff\xfb\x90",
        ),
        b"[" * 100_000 + b"\n",
    ],
    ids=range(8),
)
def test_a_file_of_other_content_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"song\.mp3: line 1 is no result of `autotagging tag`"):
        Results(path, settings())
    assert path.read_bytes() == content


def test_a_line_that_is_no_json_is_named_among_others(path):
    content = path.read_bytes() + b'{"path": "/a.mp3" "scores": {}}\n'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"line 2 is no result .*; delete the line, or name anothe"):
        Results(path, settings())
    assert path.read_bytes() == content


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("place", ['"other": ', '"seconds": ', '"other": [{"a": '])
def test_a_line_with_a_number_that_is_not_finite_is_named(path, song, number, place):
    closed = "}]" if "[" in place else ""
    line = json.dumps(result_of(song))[:-1] + f", {place}{number}{closed}}}\n"
    content = path.read_bytes() + line.encode()
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"line 2 is no result .*; delete the line, or name anothe"):
        Results(path, settings(thresholds={"a": 0.8, "b": 0.3}))
    assert path.read_bytes() == content


def test_other_thresholds_choose_other_tags_without_the_audio(path, song):
    with closing(Results(path, settings(thresholds={"a": 0.8, "b": 0.3}))) as results:
        assert results.holds(song)
        (result,) = results.of([song])
    assert result["tags"] == ["b"]
    assert read(path, song) == [{**result_of(song), "tags": ["b"]}]


def test_known_audio_has_the_earlier_scores(path, song):
    moved = song.rename(song.with_name("moved.mp3"))
    with closing(Results(path, settings())) as results:
        assert results.audio == {"f" * 64}
        status = {"bytes": 5, "mtime_ns": moved.stat().st_mtime_ns}
        found = {"path": str(moved), "audio_sha256": "f" * 64, **status, "known": True}
        results.add(moved, found)
    assert read(path, moved) == [result_of(moved)]
    assert holds(path, moved)


def test_an_error_is_kept_but_tried_again(path, song):
    error = {"path": str(song), "error": {"type": "timeout", "message": "m"}}
    with closing(Results(path, settings())) as results:
        results.add(song, error)
        assert [*results.of([song])] == [error]
    assert not holds(path, song)
    assert read(path, song) == [error]


def test_a_name_that_is_no_text_comes_back(tmp_path):
    song = tmp_path / os.fsdecode(b"\xff.mp3")
    error = {"path": str(song), "error": {"type": "timeout", "message": "m"}}
    path = tmp_path / "results.jsonl"
    with closing(Results(path, settings())) as results:
        results.add(song, error)
    assert json.loads(path.read_text(encoding="utf-8"))["path"] == str(song)
    assert read(path, song) == [error]


def test_what_is_no_json_is_not_written(song):
    with pytest.raises(ValueError, match="JSON"):
        to_line({**result_of(song), "scores": {"a": math.nan, "b": 0.4}})


def test_one_run_at_a_time_writes_results(path):
    with closing(Results(path, settings())), pytest.raises(UserError, match="at work on it"):
        Results(path, settings())


def test_without_a_file_results_are_temporary(song):
    with closing(Results(None, settings())) as results:
        results.add(song, result_of(song))
        assert [*results.of([song])] == [result_of(song)]
