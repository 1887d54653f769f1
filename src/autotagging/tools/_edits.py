"""Edits while results are made or recorded.

DVC reads parameters and code at the end, and would take them for those of the results.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_EDITED = (Path("params.yaml"), Path("src"), Path("workflow"))


def times_of_edits() -> dict[str, int]:
    """Get the time of the last edit, in ns, of params.yaml and of each file of the code."""
    return dict(_times())


def _times() -> Iterator[tuple[str, int]]:
    for top in _EDITED:
        for path in [top, *top.rglob("*")]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path), path.stat().st_mtime_ns


def edited_since(before: Mapping[str, int], command: Sequence[str]) -> str:
    """Name the files that were edited since, if results are not those of their new content.

    Parameters
    ----------
    before
        What `times_of_edits` gave.
    command
        Arguments of Snakemake that would make the results again.

    Returns
    -------
    edited
        Their paths; empty if there are none, or if the command would run no job.
    """
    now = times_of_edits()
    edited = sorted(path for path in before | now if before.get(path) != now.get(path))
    if not edited:
        return ""
    plan = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    unchanged = plan.returncode == 0 and "Nothing to be done" in plan.stdout
    return "" if unchanged else ", ".join(edited)
