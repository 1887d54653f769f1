"""DVC's list of who reads and writes results/, as far as this package writes it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc.repo.experiments.refs import WORKSPACE_STASH

from autotagging.common.errors import UserError
from autotagging.tools import _results_lock
from autotagging.tools._results_lock import hold_results, replacing_results

LIST, EXPERIMENTS = Path(".dvc/tmp/rwlock"), Path(".dvc/tmp/exps/rwlock")


@pytest.fixture(autouse=True)
def released(tmp_path, monkeypatch):
    """What is to be called when the process ends, in a project with DVC."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    Path(".dvc").mkdir()
    calls = []
    register = SimpleNamespace(register=lambda *call: calls.append(call))
    monkeypatch.setattr(_results_lock, "atexit", register)  # libraries have the module's own
    return calls


def write_list(pid):
    """List a process that writes a result."""
    LIST.parent.mkdir()
    writer = {"pid": pid, "cmd": "dvc repro"}
    LIST.write_text(json.dumps({"write": {os.path.abspath("results/split"): writer}}))


def test_a_process_is_listed_until_it_ends(released, tmp_path):
    assert hold_results() == ""
    reader = {"pid": os.getpid(), "cmd": "snakemake"}
    assert json.loads(LIST.read_text())["read"] == {str(tmp_path / "results"): [reader]}
    assert json.loads(EXPERIMENTS.read_text())["read"] == {WORKSPACE_STASH: [reader]}
    ((release, held),) = released
    release(held)
    for each in (LIST, EXPERIMENTS):
        assert not json.loads(each.read_text()).get("read")
    release(held)


def test_nothing_is_listed_without_dvc_or_in_a_stage_of_it(monkeypatch, released):
    monkeypatch.setenv("DVC_ROOT", "/project")
    assert hold_results() == ""
    monkeypatch.delenv("DVC_ROOT")
    with monkeypatch.context() as patch:
        patch.setattr(_results_lock, "find_spec", lambda name: None)
        assert hold_results() == ""
    Path(".dvc").rmdir()
    assert hold_results() == ""
    assert not released
    assert not LIST.exists()


def test_a_run_waits_for_dvc_but_not_for_a_dead_process(released):
    write_list(pid=os.getppid())
    with pytest.raises(UserError, match=rf"^DVC is at work here.* \(PID {os.getppid()}\): dvc rep"):
        hold_results()
    LIST.write_text(LIST.read_text().replace(f" {os.getppid()}", f" {2**22 + 1}"))
    assert hold_results() == ""
    assert len(released) == 1


def test_a_run_that_was_killed_is_removed_although_its_number_is_another_process(
    released, tmp_path
):
    """In a container, Snakemake is always process 1."""
    LIST.parent.mkdir()
    ended, other = ({"pid": os.getppid(), "cmd": cmd} for cmd in ("snakemake", "dvc commit"))
    LIST.write_text(json.dumps({"read": {str(tmp_path / "results"): [ended, other]}}))
    assert hold_results() == ""
    ((release, held),) = released
    release(held)
    assert json.loads(LIST.read_text())["read"] == {str(tmp_path / "results"): [other]}


def test_another_run_that_is_at_work_stays_listed(released, tmp_path):
    """Snakemake lets two runs work in one folder if they make different results."""
    LIST.parent.mkdir()
    wait = ["-c", "import time; print(flush=True); time.sleep(60)", "bin/snakemake"]
    with subprocess.Popen([sys.executable, *wait], stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        other = {"pid": run.pid, "cmd": "snakemake"}
        LIST.write_text(json.dumps({"read": {str(tmp_path / "results"): [other]}}))
        assert hold_results() == ""
        assert other in json.loads(LIST.read_text())["read"][str(tmp_path / "results")]
        run.kill()


def test_the_list_is_guarded_as_dvc_is_told_to(released):
    """DVC takes the file that the other kind of lock leaves behind for a lock that is held."""
    Path(".dvc/config").write_text("[core]\n    hardlink_lock = true\n")
    assert hold_results() == ""
    assert not [*Path(".dvc").rglob("rwlock.lock")]


def test_results_are_not_replaced_while_another_process_reads_them(tmp_path):
    LIST.parent.mkdir()
    run = {"pid": os.getppid(), "cmd": "snakemake"}
    LIST.write_text(json.dumps({"read": {str(tmp_path / "results"): [run]}}))
    with pytest.raises(UserError, match="Snakemake or DVC is at work here"), replacing_results():
        raise AssertionError
    LIST.unlink()
    with replacing_results():
        assert json.loads(LIST.read_text())["write"]
    assert not json.loads(LIST.read_text()).get("write")


def test_another_dvc_is_a_warning(monkeypatch, released):
    LIST.parent.mkdir()
    LIST.write_text("{")
    assert hold_results().startswith("warning: start no `dvc repro` or `dvc exp run` during this ")
    monkeypatch.setitem(sys.modules, "dvc.rwlock", None)
    assert "dvc.rwlock" in hold_results()
    assert not released
