"""A copy of the project with a corpus small enough to run it all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
            **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
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
        corpora = self.environment.get("AUTOTAGGING_CORPORA", self.folder / "corpora")
        return Project(folder, corpora=Path(corpora))

    def commit(self) -> None:
        """Commit everything."""
        self.run("git add --all")
        self.run("git -c user.name=t -c user.email=t@example.org commit --quiet --message x")


def new_project(folder: Path, corpora: Path) -> Project:
    """Copy the files of this checkout, as they are now, into a folder."""
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
    project = Project(folder, corpora=corpora)
    project.run("git init --quiet")
    for old, new in TINY.items():
        project.replace("params.yaml", old, new)
    return project
