"""Files of a crate, and what it can't tell."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import crate
from autotagging.tools._job_note import Note
from autotagging.tools._jobs import Job


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one result, and with git's settings of nobody."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("LC_ALL", "C")
    Path("results").mkdir()
    Path("results/split.csv").write_text("clip_id,subset\n")
    return tmp_path


def test_what_is_packed_is_on_the_disk(folder, monkeypatch):
    stored = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: stored.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    )
    crate._copy(["results/split.csv"], folder / "crate")
    assert stored == [str(folder / "crate/results/split.csv")]


def test_jobs_whose_commit_git_did_not_tell_are_counted(capsys):
    now = datetime.now(UTC)

    def job(rule, note):
        return Job(rule, "autotagging", [f"results/{rule}.csv"], [], {}, {}, {}, now, now, note)

    known, unknown = Note(now, "0" * 40, False, {}), Note(now, None, False, {})
    crate._warn_of_unknown_commits([job("download", known), job("split", None)])
    assert capsys.readouterr().err == ""
    crate._warn_of_unknown_commits([job("download", known), job("merge_tags", unknown)])
    printed = capsys.readouterr().err
    assert printed.startswith("warning: git did not tell the commit of 1 of 2 jobs, merge_tags ")


@pytest.mark.parametrize("owner", ["nobody", "another user", "this user"])
def test_without_a_list_of_files_what_git_said_is_told(folder, monkeypatch, owner):
    reasons = {"nobody": "not a git repository", "another user": "dubious ownership"}
    if owner != "nobody":
        subprocess.run(["git", "init", "-q"], check=True)
    if owner == "another user":
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match=reasons.get(owner, "no Snakefile")) as error:
        crate._code()
    assert "\n" not in str(error.value)
