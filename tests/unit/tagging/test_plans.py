import json
import os

import pytest
from mutagen.apev2 import APEv2

from autotagging.common.files import sha256
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.mapping import read_mapping
from autotagging.tagging.outcomes import Outcome
from autotagging.tagging.plans import Change, make_plan, read_plan, write_plan
from song_files import write_copy, write_song

MAPPING = read_mapping(None, {"rock": "genre", "pop": "genre", "calm": "mood", "piano": "other"})


@pytest.fixture
def song(tmp_path):
    return write_song(tmp_path / "song.flac")


def result(path, *tags):
    scores = {tag: 0.9 - 0.1 * number for number, tag in enumerate(tags)}
    digest = audio_sha256(path)
    return {"path": str(path), "audio_sha256": digest, "scores": scores, "tags": [*tags]}


def tagged(song, **fields):
    other = song.with_name("other.flac")
    write_copy(song, other, fields)
    other.replace(song)
    return song


def only(results, **options):
    """The one planned file."""
    planned, left_out = make_plan(results, MAPPING, **options)
    assert left_out == []
    (file,) = planned
    return file


def test_a_plan_has_the_old_and_the_new_tags(song):
    before = sha256(song)
    file = only([result(song, "rock", "calm", "piano", "pop")])
    assert (file.path, file.format) == (str(song), "flac")
    assert file.audio_sha256 == audio_sha256(song)
    assert file.genre == Change((), ("Rock", "Pop"))
    assert file.mood == Change((), ("Calm",))
    assert file.shown() == ["genre  (none) -> Rock; Pop", "mood   (none) -> Calm"]
    assert sha256(song) == before


def test_only_empty_fields_are_filled(song):
    tagged(song, genre=["Schlager"])
    file = only([result(song, "rock", "calm")])
    assert file.genre == Change(("Schlager",), ("Schlager",))
    assert file.changes() == {"mood": Change((), ("Calm",))}


def test_values_are_added_or_replaced_where_one_asks_for_it(song):
    tagged(song, genre=["Schlager", "ROCK"], mood=["Sad"])
    results = [result(song, "rock", "pop")]
    assert only(results, existing="add").genre.new == ("Schlager", "ROCK", "Pop")
    assert only(results, existing="replace").genre.new == ("Rock", "Pop")
    assert only(results, existing="replace").mood.new == ("Sad",)  # never emptied


def test_a_value_that_is_there_in_another_spelling_is_not_added(song):
    tagged(song, genre=["new-age"])
    assert only([result(song, "new age", "pop")], existing="add").genre.new == ("new-age", "Pop")


def test_a_value_that_is_there_in_another_spelling_of_umlauts_is_not_added(song):
    tagged(song, genre=["Tu\u0308rku\u0308"])
    mapping = read_mapping(None, {"türkü": "genre", "pop": "genre"})
    (file,), _ = make_plan([result(song, "türkü", "pop")], mapping, existing="add")
    assert file.genre.new == ("Tu\u0308rku\u0308", "Pop")


@pytest.mark.parametrize("existing", ["keep", "add", "replace"])
def test_a_genre_that_is_in_a_tag_of_another_kind_stays(tmp_path, existing):
    song = write_song(tmp_path / "song.mp3")
    tags = APEv2()
    tags["Genre"] = "Jazz"
    tags.save(song)
    file = only([result(song, "rock", "calm")], existing=existing)
    assert file.changes() == {"mood": Change((), ("Calm",))}
    assert file.genre.new == file.genre.old


def test_files_that_are_left_out_have_a_reason(song, tmp_path):
    tagged(song, genre=["Rock"])
    failed = {"path": str(tmp_path / "a.mp3"), "error": {"type": "empty", "message": "no bytes"}}
    text = tmp_path / "b.mp3"
    text.write_text("text")
    vanished = {**result(song, "rock"), "path": str(tmp_path / "c.mp3")}
    untagged = {**result(song, "piano"), "path": str(tmp_path / "d.mp3")}
    results = [failed, result(text, "rock"), vanished, untagged, result(song, "pop")]
    planned, left_out = make_plan(results, MAPPING)
    assert planned == []
    reasons = ["empty", "unreadable", "missing", "untagged", "already"]
    assert [outcome.what for outcome in left_out] == reasons


def test_a_file_that_is_named_twice_is_planned_once(song):
    link = song.with_name("link.flac")
    link.symlink_to(song)
    assert only([result(song, "pop"), result(link, "rock")]).genre.new == ("Rock",)


def test_a_plan_is_read_as_it_was_written(song, tmp_path):
    names = [
        "with \n line end.flac",
        "Ünï 日本 \"quoted\" 'x'.flac",
        os.fsdecode(b"latin-\xe9.flac"),
    ]
    files = []
    for name in names:
        path = tmp_path / name
        path.write_bytes(song.read_bytes())
        files.append(only([result(path, "rock", "calm")]))
    write_plan(files, tmp_path / "plan.jsonl")
    assert [*read_plan(tmp_path / "plan.jsonl")] == files
    assert "Ünï 日本" in (tmp_path / "plan.jsonl").read_text(encoding="utf-8")


def test_a_damaged_line_is_named_and_the_others_are_read(song, tmp_path):
    plan = tmp_path / "plan.jsonl"
    file = only([result(song, "rock")])
    write_plan([file], plan)
    good = json.loads(plan.read_text())
    changed = [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "\ud800"},
        {"path": None},
        {"audio_sha256": "abc"},
        {"genre": ["Rock"]},
        {"mood": {"old": [], "new": "Calm"}},
        {"genre": {"old": [1], "new": []}},
        {"genre": {"old": [], "new": ["a\nb"]}},
        {"genre": {"old": [], "new": [""]}},
    ]
    lines = [json.dumps({**good, **change}).encode() for change in changed]
    lines += [b"{", b"\xff\xfe", b"[]", b"[" * 100_000, json.dumps(good).encode()[:-9]]
    plan.write_bytes(b"\n".join([*lines, b"", plan.read_bytes()]))
    *damaged, last = read_plan(plan)
    assert last == file
    assert len(damaged) == len(lines)
    for number, outcome in enumerate(damaged, start=1):
        assert isinstance(outcome, Outcome)
        assert (outcome.path, outcome.what) == (f"{plan}, line {number}", "damaged_line")
    assert "no audio_sha256" in damaged[4].message
