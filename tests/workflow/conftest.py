"""A tiny project that has run from beginning to end, for all tests of this folder."""

import fcntl
import shutil
from pathlib import Path

import pytest

from projects import Project, new_project


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    """Function that copies the files of this checkout, as they are now, into a new one."""

    def make() -> Project:
        corpora = tmp_path_factory.getbasetemp() / "corpora"
        return new_project(tmp_path_factory.mktemp("project"), corpora)

    return make


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory, worker_id) -> Path:
    """Folder that the worker processes of this run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def tiny_run(shared_folder, tmp_path_factory) -> Project:
    """A project in which `snakemake` has run from beginning to end, and is committed.

    report.html is the report of this run. The first worker that comes here runs it; each worker has
    a copy of its own.
    """
    finished, corpora = shared_folder / "tiny_run", shared_folder / "corpora_of_tiny_run"
    with open(shared_folder / "tiny_run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            _run_from_beginning_to_end(tmp_path_factory.mktemp("project"), corpora).rename(finished)
    copy, base = tmp_path_factory.mktemp("tiny") / "project", tmp_path_factory.getbasetemp()
    shutil.copytree(finished, copy, symlinks=True)
    shutil.copytree(corpora, base / "corpora", dirs_exist_ok=True)
    return Project(copy, corpora=base / "corpora")


def _run_from_beginning_to_end(folder: Path, corpora: Path) -> Path:
    project = new_project(folder, corpora)
    ran = project.jobs("snakemake --cores all")
    assert {"download", "extract_mel_shard", "train", "table_4"} <= ran
    project.run("snakemake --report report.html")
    project.commit()
    return folder


@pytest.fixture(scope="session")
def finished_copy(tiny_run, make_project):
    """Function that makes a project with the results of the tiny run, as if it had run there."""

    def make() -> Project:
        copy = make_project()
        for folder in ("results", ".snakemake"):
            shutil.copytree(tiny_run.folder / folder, copy.folder / folder, dirs_exist_ok=True)
        return copy

    return make


@pytest.fixture(scope="session")
def recorded_run(finished_copy) -> Project:
    """A project with the results of the tiny run, recorded in DVC and committed."""
    project = finished_copy()
    project.run("autotagging record")
    project.commit()
    return project


@pytest.fixture(scope="session")
def recorded_copy(recorded_run, tmp_path_factory):
    """Function that copies the recorded project, with DVC's cache."""

    def make() -> Project:
        folder = tmp_path_factory.mktemp("recorded") / "project"
        shutil.copytree(recorded_run.folder, folder, symlinks=True)
        return Project(folder, corpora=tmp_path_factory.getbasetemp() / "corpora")

    return make
