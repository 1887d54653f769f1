"""A copy of the project with a corpus small enough to run it all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

TINY = {
    "clips: 440": "clips: 24",
    "epochs: 9": "epochs: 1",
    "shards: 16": "shards: 2",
    "max_bad: 0.01": "max_bad: 0.1",
}


class Project:
    """A git checkout in a folder of its own, and the commands a person types there."""

    def __init__(self, folder: Path, corpora: Path):
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "AUTOTAGGING_CORPORA": str(corpora),
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }

    def run(self, command: str, code: int = 0) -> str:
        """Run a command line; return what it printed on both streams."""
        result = subprocess.run(
            command.split(),
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert result.returncode == code, result.stdout
        return result.stdout

    def jobs(self, command: str) -> set[str]:
        """Run a command line; return the rules whose jobs snakemake ran or would run."""
        printed = self.run(command)
        tables = re.findall(r"^job +count\n[- ]+\n((?:\w+ +\d+\n)+)", printed, flags=re.MULTILINE)
        rules = {line.split()[0] for table in tables for line in table.splitlines()}
        if not rules:
            assert "Nothing to be done" in printed or "up to date" in printed, printed
        return rules - {"total", "all", "figures"}

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file."""
        content = (self.folder / path).read_text()
        assert old in content, f"{path} has no {old!r}"
        (self.folder / path).write_text(content.replace(old, new))

    def clone(self, folder: Path) -> "Project":
        """Clone the last commit, as another person would."""
        self.run(f"git clone --quiet . {folder}")
        return Project(folder, corpora=Path(self.environment["AUTOTAGGING_CORPORA"]))

    def commit(self) -> None:
        """Commit everything."""
        self.run("git add --all")
        self.run("git -c user.name=t -c user.email=t@example.org commit --quiet --message x")


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    """Function that copies the files of this checkout, as they are now, into a new one."""

    def make() -> Project:
        folder = tmp_path_factory.mktemp("project")
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        project = Project(folder, corpora=tmp_path_factory.getbasetemp() / "corpora")
        project.run("git init --quiet")
        for old, new in TINY.items():
            project.replace("params.yaml", old, new)
        return project

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
