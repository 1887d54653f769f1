"""Edits while results are made or recorded.

DVC reads parameters and code at the end, and would take them for those of the results.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

_CODE = ("src", "workflow")


def times_of_edits() -> dict[str, int]:
    """Get the time of the last edit, in ns, of params.yaml and of each file of the code."""
    files = [
        os.path.join(folder, name)
        for top in _CODE
        for folder, _, names in os.walk(top)
        for name in names
        if not name.endswith(".pyc")
    ]
    times = {}
    for path in ["params.yaml", *files]:
        with suppress(OSError):  # a temporary file of an editor
            times[path] = os.stat(path).st_mtime_ns
    return times


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
