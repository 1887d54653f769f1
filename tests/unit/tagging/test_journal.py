import json
from contextlib import closing
from dataclasses import replace

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.journal import (
    Entry,
    Journal,
    journal_path,
    lock_journal,
    read_journal,
    started_copies,
)
from autotagging.tagging.outcomes import RefusedError

ENTRY = Entry("/music/a\n\udce9.mp3", "1" * 64, "2" * 64, [b"old", (7, 9)], 10**18, 10**18 + 1)


def write(path, *entries, digest="a" * 64):
    with closing(Journal(path, "plan.jsonl", digest)) as journal:
        for entry in entries:
            copy = path.with_name("copy")
            copy.touch()
            journal.started(f"{entry.path}.copy")
            with journal.replacing(entry, copy):
                copy.unlink()


def test_entries_are_read_last_first(tmp_path):
    path = tmp_path / "journal.jsonl"
    other = Entry("/music/b.mp3", "3" * 64, "4" * 64, [(0, 1)], 1, 2)
    write(path, ENTRY)
    write(path, other)
    assert [*read_journal(path)] == [other, ENTRY]
    copies = [f"{entry.path}.copy" for entry in (ENTRY, other)]
    assert [*map(str, started_copies(path))] == copies


def test_a_line_that_was_cut_is_no_entry_and_the_next_run_removes_it(tmp_path):
    path = tmp_path / "journal.jsonl"
    write(path, ENTRY)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:-20])
    assert [*read_journal(path)] == [ENTRY]
    write(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"", b'{"jou', b'{"journal": 1, "plan": "p", "plan_sha256": "a"}']
)
def test_a_journal_whose_first_line_was_cut_is_begun_again(tmp_path, content):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    assert [*read_journal(path)] == []
    write(path, ENTRY)
    assert [*read_journal(path)] == [ENTRY]


@pytest.mark.parametrize("content", [b"\n", b"a song", b"[1]\n", b'{"path": "x"}\n', b"\xff" * 9])
def test_a_file_that_is_no_journal_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a journal of `autotagging apply`"):
        [*read_journal(path)]
    with pytest.raises(UserError, match=r"not the journal of plan.jsonl"):
        write(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        {"path": 1},
        {"path": "relative.mp3"},
        {"path": "/a\0b"},
        {"path": "/\ud800"},
        {"old_sha256": None},
        {"pieces": "x"},
        {"mtime_ns": "1"},
        {"atime_ns": 10**30},
        {"mtime_ns": -(10**30)},
        {"other": 1},
    ],
)
def test_a_damaged_line_is_named(tmp_path, change):
    path = tmp_path / "journal.jsonl"
    write(path, ENTRY)
    *lines, last = path.read_text().splitlines()
    damaged = json.dumps({**json.loads(last), **change})
    assert damaged != last
    path.write_text("\n".join([*lines, damaged, "[]", last, ""]))
    first, *outcomes = read_journal(path)
    assert first == ENTRY
    places = [(outcome.path, outcome.what) for outcome in outcomes]
    assert places == [(f"{path}, line {number}", "damaged_line") for number in (4, 3)]


def test_a_line_that_lacks_something_is_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    write(path, ENTRY)
    *lines, last = path.read_text().splitlines()
    names = [*json.loads(last)]
    cut = [last.replace(f'"{name}"', f'"{name[:-1]}_"') for name in names]
    path.write_text("\n".join([*lines, *cut, last, ""]))
    first, *outcomes = read_journal(path)
    assert first == ENTRY
    assert [outcome.what for outcome in outcomes] == ["damaged_line"] * len(names)


@pytest.mark.parametrize("error", [OSError, lambda: RefusedError("changed", "meanwhile")])
@pytest.mark.parametrize("renamed", [True, False])
def test_the_entry_of_a_file_that_was_not_replaced_is_removed(tmp_path, error, renamed):
    path, copy = tmp_path / "journal.jsonl", tmp_path / "copy"
    write(path, ENTRY)
    whole = path.read_bytes()
    copy.touch()
    other = replace(ENTRY, path="/b.mp3")

    def fail(journal):
        with journal.replacing(other, copy):
            assert [*read_journal(path)] == [other, ENTRY]
            if renamed:
                copy.unlink()
            raise error()

    with closing(Journal(path, "plan.jsonl", "a" * 64)) as journal:
        with pytest.raises((OSError, RefusedError)):
            fail(journal)
        assert [*read_journal(path)] == ([other, ENTRY] if renamed else [ENTRY])
        assert (path.read_bytes() == whole) is not renamed


@pytest.mark.parametrize("time", [-1, 10**19])  # 1969 and 2286, which some file systems can have
def test_times_of_any_year_are_kept(tmp_path, time):
    path = tmp_path / "journal.jsonl"
    entry = replace(ENTRY, atime_ns=time, mtime_ns=time)
    write(path, entry)
    assert [*read_journal(path)] == [entry]


def test_a_copy_that_no_file_can_be_is_left_out(tmp_path):
    path = tmp_path / "journal.jsonl"
    write(path, ENTRY)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"started": ' + b"[" * 100_000 + b"\n" + b'{"started": [1]}\n')
    assert [*map(str, started_copies(path))] == [f"{ENTRY.path}.copy"]


def test_a_plan_has_one_journal_and_another_plan_another(tmp_path):
    plan = tmp_path / "plan.jsonl"
    first = journal_path(plan, "a" * 64)
    assert first == tmp_path / "plan.journal.jsonl"
    write(first, digest="a" * 64)
    assert journal_path(plan, "a" * 64) == first
    second = journal_path(plan, "b" * 64)
    assert second == tmp_path / "plan.journal-2.jsonl"
    with pytest.raises(UserError, match=r"not the journal of plan.jsonl; give another"):
        write(first, digest="b" * 64)


def test_a_journal_in_use_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    with lock_journal(path), pytest.raises(UserError, match="is at work on it"), lock_journal(path):
        pass
    assert [*tmp_path.iterdir()] == []
