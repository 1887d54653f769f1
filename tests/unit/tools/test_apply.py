"""The commands apply and undo, as a person runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutagen.id3 import ID3, TCON

from autotagging.common.errors import UserError
from autotagging.tagging.file_tags import read_file_tags
from autotagging.tagging.plans import write_plan
from autotagging.tools.apply import apply
from autotagging.tools.undo import undo
from bundles import write_bundle
from commands import autotagging
from song_files import planned, write_song


@pytest.fixture
def plan(tmp_path):
    songs = [write_song(tmp_path / f"Söng {number}.mp3", seed=number) for number in range(3)]
    write_plan(map(planned, songs), tmp_path / "plan.jsonl")
    return tmp_path / "plan.jsonl"


@pytest.fixture
def songs(plan):
    return sorted(plan.parent.glob("*.mp3"))


def test_a_dry_run_shows_old_and_new(plan, songs, capsys):
    before = [path.read_bytes() for path in songs]
    apply(plan, dry_run=True)
    change = "\n  genre  (none) -> Rock; Indie Rock\n  mood   (none) -> Calm\n"
    shown = "".join(f"{path}{change}" for path in songs)
    assert capsys.readouterr().out == f"{shown}3 files: 3 planned\n"
    assert [path.read_bytes() for path in songs] == before
    assert not plan.with_name("plan.journal.jsonl").exists()


def test_files_are_written_and_restored(plan, songs, capsys):
    before = [path.read_bytes() for path in songs]
    journal = plan.with_name("plan.journal.jsonl")
    apply(plan)
    assert capsys.readouterr().out == f"journal: {journal}\n3 files: 3 written\n"
    assert {read_file_tags(path).genre for path in songs} == {("Rock", "Indie Rock")}
    apply(plan)
    assert capsys.readouterr().out == f"journal: {journal}\n3 files: 3 already\n"
    undo(journal)
    assert capsys.readouterr().out == "3 files: 3 restored\n"
    assert [path.read_bytes() for path in songs] == before
    assert {path.name for path in plan.parent.iterdir()} == {
        *(path.name for path in songs),
        "plan.jsonl",
        "plan.journal.jsonl",
    }


def test_files_that_stay_are_named_and_the_others_written(plan, songs, capsys):
    songs[0].rename(songs[0].with_name("x\x1b[31m\n.mp3"))
    songs[1].chmod(0o444)
    with pytest.raises(SystemExit) as ended:
        apply(plan, journal=plan.with_name("j"))
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        f"{songs[0]}: missing: no such file or folder",
        f"{songs[1]}: read_only: the file is read-only",
    ]
    assert (
        shown.out == f"journal: {plan.with_name('j')}\n3 files: 1 missing, 1 read_only, 1 written\n"
    )


def test_names_and_values_do_not_reach_the_terminal_as_they_are(plan, songs, capsys):
    tags = ID3()
    tags.add(TCON(encoding=3, text=["Rock\u202e"]))
    tags.save(songs[0])
    name = songs[0].rename(songs[0].with_name("x\x1b[31m\n.mp3"))
    write_plan([planned(name)], plan)
    apply(plan, journal=plan.with_name("j\x1b[31m"))
    assert "/j\ufffd[31m\n1 file: 1 written\n" in capsys.readouterr().out
    undo(plan.with_name("j\x1b[31m"))
    capsys.readouterr()
    apply(plan, dry_run=True)
    out = capsys.readouterr().out
    assert "/x\ufffd[31m\ufffd.mp3\n  genre  Rock\ufffd -> Rock; Indie Rock\n" in out


def test_the_commands_report_by_their_exit_code(plan, songs):
    songs[0].unlink()
    assert "0.mp3: missing: no such file or folder\n" in autotagging("apply", plan, code=1)
    assert autotagging("undo", plan.with_name("plan.journal.jsonl")) == ""


def test_a_file_that_is_no_journal_is_named(songs):
    with pytest.raises(UserError, match="not a journal"):
        undo(songs[0])


def test_an_empty_or_missing_journal_is_named_and_nothing_is_made(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(UserError, match=r"empty\.jsonl: not a journal"):
        undo(empty)
    with pytest.raises(FileNotFoundError):
        undo(tmp_path / "none" / "sub" / "j.jsonl")
    assert [*tmp_path.iterdir()] == [empty]


def test_a_plan_or_journal_that_is_no_file_is_told(plan, songs):
    before = [path.read_bytes() for path in songs]
    fifo = plan.with_name("fifo.jsonl")
    os.mkfifo(fifo)
    commands = apply, undo, lambda path: apply(plan, journal=path)
    for path, message in ((Path("."), "Is a directory"), (fifo, "not a regular file")):
        for command in commands:
            with pytest.raises(OSError, match=message) as raised:
                command(path)
            assert raised.value.filename == str(path)
    assert [path.read_bytes() for path in songs] == before
    os.mkfifo(plan.with_name("plan.journal.jsonl"))
    apply(plan)
    assert plan.with_name("plan.journal-2.jsonl").is_file()


@pytest.mark.parametrize("command", ["apply", "undo", "tag"])
def test_a_missing_file_is_told_alike(tmp_path, command):
    path = tmp_path / "none.jsonl"
    flags = ["--model", write_bundle(tmp_path / "bundle")] if command == "tag" else []
    shown = autotagging(command, path, *flags, code=2)
    assert shown == f"autotagging: {path}: no such file or folder\n"


def test_the_commands_need_only_light_libraries(plan):
    libraries = "tensorflow keras pandas scipy librosa yaml sklearn matplotlib onnxruntime"
    check = f"""
import sys
from pathlib import Path
from autotagging.tools.apply import apply
from autotagging.tools.undo import undo
apply(Path(sys.argv[1]), dry_run=True)
print({libraries.split()!r} and sorted(set(sys.modules) & set({libraries.split()!r})))
"""
    command = [sys.executable, "-c", check, str(plan)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"
