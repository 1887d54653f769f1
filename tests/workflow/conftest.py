"""A tiny project that has run from beginning to end, for all tests of this folder."""

import shutil

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
def tiny_run(make_project) -> Project:
    """A project in which `snakemake` has run from beginning to end, and is committed.

    report.html is the report of this run.
    """
    project = make_project()
    ran = project.jobs("snakemake --cores all")
    assert {"download", "extract_mel_shard", "train", "table_4"} <= ran
    project.run("snakemake --report report.html")
    project.commit()
    return project


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
