"""A Slurm cluster for all tests of this folder, and projects whose commands use it."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cluster.slurm import cluster, missing
from projects import Project, new_project

THREADS = min(8, len(os.sched_getaffinity(0)))
"""Threads of a training: those of the profile, but no more than this machine has."""

METADATA = ".snakemake/metadata"


class ClusterProject(Project):
    """A project whose commands use a cluster."""

    def __init__(self, folder: Path, corpora: Path, commands: Path):
        super().__init__(folder, corpora)
        self.environment["PATH"] = f"{commands}:{self.environment['PATH']}"

    def slurm_jobs(self) -> list[dict[str, str]]:
        """What Slurm says of each job that was submitted here, in their order."""
        lines = self.run("scontrol show job --oneliner").splitlines()
        jobs = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines]
        here = [job for job in jobs if job.get("WorkDir") == str(self.folder)]
        return sorted(here, key=lambda job: int(job["JobId"]))

    @contextmanager
    def training(self, command: str) -> Iterator[subprocess.Popen]:
        """Run a command line; do the block when a first epoch has begun, and wait for the end."""
        log = self.folder / "logs/train/crnn/seed-0/train.log"
        log.unlink(missing_ok=True)
        printed = self.folder / ".snakemake/printed.txt"
        with (
            printed.open("w") as file,
            subprocess.Popen(
                command.split(),
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            while not (log.exists() and "clips/s, about" in log.read_text()):
                assert process.poll() is None, printed.read_text()
                time.sleep(0.1)
            yield process

    def training_process(self) -> int:
        """Find the process that trains here."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has just ended
                words = path.read_bytes().split(b"\0")
                trains = b"train" in words and b"--checkpoint-minutes" in words
                if trains and path.with_name("cwd").samefile(self.folder):
                    return int(path.parent.name)
        raise AssertionError("no process trains")


@pytest.fixture(scope="session")
def slurm() -> Iterator[Path]:
    """Folder of Slurm's commands for a cluster."""
    if reason := missing():
        pytest.skip(reason)
    with cluster() as commands:
        yield commands


@pytest.fixture(scope="session")
def local_run(tmp_path_factory) -> Project:
    """A project in which `snakemake` has run on this machine, undisturbed."""
    folder = tmp_path_factory.mktemp("local")
    project = _project(folder, tmp_path_factory.getbasetemp() / "corpora")
    project.run(f"snakemake --cores {THREADS}")
    return project


@pytest.fixture(scope="session")
def make_project(tmp_path_factory, local_run, slurm):
    """Function that makes a project on the cluster, with the local run's results of some steps.

    Snakemake asks for the state of its jobs more often than by default.
    """

    def make(*steps: str) -> ClusterProject:
        folder = tmp_path_factory.mktemp("project")
        corpora = local_run.environment["AUTOTAGGING_CORPORA"]
        _project(folder, corpora)
        with (folder / "profiles/slurm/config.yaml").open("a") as file:
            file.write("slurm-init-seconds-before-status-checks: 3\n")
        for step in steps:
            shutil.copytree(local_run.folder / "results" / step, folder / "results" / step)
        if steps:
            shutil.copytree(local_run.folder / METADATA, folder / METADATA)
        return ClusterProject(folder, corpora, slurm)

    return make


def _project(folder: Path, corpora: Path) -> Project:
    """Make a project whose training lasts long enough to be killed."""
    project = new_project(folder, corpora)
    project.replace("params.yaml", "  epochs: 1\n", "  epochs: 12\n")
    return project
