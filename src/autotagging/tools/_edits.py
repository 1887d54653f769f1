"""Edits while a stage of DVC runs.

DVC reads parameters and code when the stage has ended, and takes them for those of its results.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autotagging.common.errors import UserError

_EDITED = (Path("params.yaml"), Path("src"), Path("workflow"))


def times_of_edits() -> dict[str, int]:
    """Get the time of the last edit, in ns, of params.yaml and of each file of the code."""
    return dict(_times())


def _times() -> Iterator[tuple[str, int]]:
    for top in _EDITED:
        for path in [top, *top.rglob("*")]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path), path.stat().st_mtime_ns


def check_edits(before: Mapping[str, int], command: Sequence[str]) -> None:
    """Stop if what was edited since would make this run's results again.

    Parameters
    ----------
    before
        What `times_of_edits` gave when the run began.
    command
        Arguments of Snakemake in this run.

    Raises
    ------
    UserError
        With the files as they are now, the same command would run a job.
    """
    now = times_of_edits()
    edited = sorted(path for path in before | now if before.get(path) != now.get(path))
    if not edited:
        return
    plan = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if plan.returncode or "Nothing to be done" not in plan.stdout:
        raise UserError(
            f"{', '.join(edited)}: edited while this stage ran; its results are of the content "
            "before, and DVC would record them as of the new one. `dvc repro` makes them again; "
            "with the content before put back, `autotagging record` saves them"
        )
