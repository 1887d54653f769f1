"""Files that are edited while results are made or recorded."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _edits, record, restore
from autotagging.tools._edits import edited_since, times_of_edits
from autotagging.tools._unrecorded import RECORDS

PARAMS, CODE = Path("params.yaml"), Path("src/autotagging/metrics/averages.py")
LOCK = "schema: '2.0'\nstages: {}\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CODE.parent.mkdir(parents=True)
    for path in (PARAMS, CODE, Path("dvc.lock")):
        path.write_text(LOCK, encoding="utf-8")
    Path("results/extract_mel").mkdir(parents=True)


@pytest.fixture
def plan(monkeypatch):
    """What Snakemake prints about the files as they are now."""
    answer = SimpleNamespace(returncode=0, stdout="1 job")
    monkeypatch.setattr(_edits.subprocess, "run", lambda *_, **__: answer)
    return answer


def edit(path):
    path.write_text("edited", encoding="utf-8")
    os.utime(path, ns=(0, 0))


def test_nothing_is_edited(plan):
    Path("src/autotagging/__pycache__").mkdir()
    before = times_of_edits()
    Path("src/autotagging/__pycache__/averages.pyc").touch()
    edit(Path("dvc.lock"))
    assert edited_since(before, []) == ""


def test_what_is_edited_new_or_deleted_is_named(plan):
    before = times_of_edits()
    CODE.unlink()
    CODE.with_name("other.py").touch()
    edit(PARAMS)
    named = "params.yaml, src/autotagging/metrics/averages.py, src/autotagging/metrics/other.py"
    assert edited_since(before, []) == named
    plan.stdout = "Nothing to be done (all requested files are present and up to date)."
    assert edited_since(before, []) == ""
    plan.returncode = 1
    assert edited_since(before, []) == named


@pytest.fixture
def runs(monkeypatch):
    """DVC's run cache; parameters are edited while DVC's commit writes there and to dvc.lock."""
    folder = Path("cache/runs")
    (folder / "12/1234").mkdir(parents=True)
    (folder / "12/1234/56").touch()

    def run(*command, **options):
        if "commit" in command:
            edit(PARAMS)
            Path("dvc.lock").write_text(LOCK + "new: true\n", encoding="utf-8")
            (folder / "ab/abcd").mkdir(parents=True)
            (folder / "ab/abcd/ef").touch()
        return SimpleNamespace(stdout="extract_mel\n")

    monkeypatch.setattr(record, "finished_outputs", lambda then: [])
    monkeypatch.setattr(record, "run", run)
    monkeypatch.setattr(record, "cache_folder", lambda: Path("cache/files/md5"))
    return folder


@pytest.mark.parametrize("lock", [LOCK, None])
def test_nothing_is_recorded_of_parameters_that_were_edited_meanwhile(plan, runs, lock):
    if lock is None:
        Path("dvc.lock").unlink()
    with pytest.raises(UserError, match=r"^params\.yaml: edited meanwhile, and results/ is of"):
        record.record()
    assert [path.name for path in sorted(runs.rglob("*"))] == ["12", "1234", "56"]
    assert Path("dvc.lock").exists() == (lock is not None)
    if lock:
        assert Path("dvc.lock").read_text(encoding="utf-8") == lock


def test_nor_of_those_that_were_put_back_when_dvc_had_read_them(plan, runs, monkeypatch):
    plan.stdout = "Nothing to be done"
    monkeypatch.setattr(record, "changed_sources", lambda stages: ["corpus"])
    with pytest.raises(UserError, match=r"^corpus: edited meanwhile"):
        record.record()
    assert Path("dvc.lock").read_text(encoding="utf-8") == LOCK
    PARAMS.touch()
    monkeypatch.setattr(record, "changed_sources", lambda stages: [])
    shutil.rmtree(runs / "ab", ignore_errors=True)
    record.record()
    assert Path("dvc.lock").read_text(encoding="utf-8") != LOCK


def test_results_are_not_marked_as_of_what_was_edited_before(monkeypatch):
    def run(*command, **options):
        if "--touch" in command:
            RECORDS.mkdir(parents=True)
            edit(PARAMS)
        return SimpleNamespace(stdout="", stderr="", returncode=0)

    monkeypatch.setattr(restore, "run", run)
    for name in ("check_project", "cache_folder", "_check_own_corpus", "_check_starts"):
        monkeypatch.setattr(restore, name, lambda: None)
    changed = iter([[], ["corpus"], [], []])  # at the start, at the end; of an edit without effect
    monkeypatch.setattr(restore, "changed_sources", lambda stages: next(changed))
    monkeypatch.setattr(restore, "read_params", lambda path: {"models": []})
    with pytest.raises(UserError, match=r"^edited meanwhile: corpus; put the content before back"):
        restore.restore()
    assert not RECORDS.exists()
    PARAMS.write_text(LOCK, encoding="utf-8")
    restore.restore()
    assert RECORDS.exists()
