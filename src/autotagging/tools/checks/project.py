"""The folder of the project, git, DVC, Snakemake's lock, and results against versions."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from autotagging.common.counting import counted
from autotagging.tools._project import MEND, elsewhere
from autotagging.tools.checks import Check
from autotagging.tools.checks.packages import install

_LOCKS = Path(".snakemake/locks")
_AGAIN = "delete these folders of results/, and run snakemake --cores all"
_ALLOW = r"git config --global --add safe\.directory .+"  # git prints it, in any language
_BOTH = ("AA", "DD")  # states of `git status`: both sides added or deleted the file
_UNLOCK = "wait for it; if there is none: snakemake --unlock"


def check_folder() -> Check:
    """Check that the command was typed in the folder of the project."""
    text = elsewhere()
    return Check("folder", text or str(Path.cwd()), MEND if text else "")


def check_git() -> Check:
    """Give the commit, and count the files that differ from it."""
    commit = _run("git", "log", "-1", "--format=%h")
    if commit is None:
        return Check("git", "not installed", "install git, which DVC needs")
    if allow := re.search(_ALLOW, commit.stderr):
        text = "the folder belongs to another user, so git refuses it; logs can't name the commit"
        return Check("git", text, allow[0])
    if commit.returncode:
        clone = "git clone the project again, or git init: DVC needs it"
        return Check("git", (commit.stderr.strip().splitlines() or ["no commit"])[-1], clone)
    changed = _run("git", "status", "--porcelain").stdout.splitlines()
    if unmerged := [line[3:] for line in changed if "U" in line[:2] or line[:2] in _BOTH]:
        first = f"{unmerged[0]} the first" if len(unmerged) > 1 else unmerged[0]
        text = f"a merge is not finished in {counted(len(unmerged), 'file')}, {first}"
        return Check("git", text, "git status")
    files = f"{counted(len(changed), 'file') if changed else 'no file'} changed since"
    return Check("git", f"{files} commit {commit.stdout.strip()}")


def start_dvc() -> subprocess.Popen | None:
    """Start to compare the results with dvc.lock; None if DVC is not installed."""
    if find_spec("dvc") is None:
        return None
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "status", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def check_dvc(process: subprocess.Popen | None) -> Check:
    """Wait for the process of `start_dvc`, and count the stages that differ from dvc.lock."""
    if process is None:
        return Check("dvc", "not installed", install())
    printed, log = process.communicate()
    try:
        stages = json.loads(printed)
    except ValueError:
        last = (log.strip().splitlines() or ["no message"])[-1]
        return Check("dvc", last.removeprefix("ERROR: "), "dvc status")
    if not stages:
        return Check("dvc", "results, code and parameters are those of dvc.lock")
    first, more = next(iter(stages)), ", ..." if len(stages) > 1 else ""
    differing = counted(len(stages), "stage differs", "stages differ")
    text = f"{differing} from dvc.lock ({first}{more}); after a run"
    return Check("dvc", f"{text}, `autotagging record` records the results")


def check_snakemake() -> Check:
    """Check that no run is going on or was killed."""
    if find_spec("snakemake") is None:
        return Check("snakemake", "not installed", install())
    if _LOCKS.is_dir() and any(_LOCKS.iterdir()):
        return Check("snakemake", "a run is going on, or was killed", _UNLOCK)
    return Check("snakemake", "no run is going on")


def check_results() -> Check:
    """Compare the versions that made the results with those installed."""
    from autotagging.tools import _outdated

    if not any(_outdated.RESULTS.glob("*/*")):
        return Check("results", "none yet; `snakemake --cores all` makes them")
    if found := _outdated.find_outdated():
        return Check("results", _outdated.describe(found), _outdated.remedy(found))
    if unknown := _outdated.without_versions():
        return Check("results", f"{', '.join(unknown)}: no readable versions.json", _AGAIN)
    return Check("results", "made by the versions installed")


def _run(*command: str) -> subprocess.CompletedProcess | None:
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    except OSError:
        return None
