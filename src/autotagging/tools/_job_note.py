"""A line at the top of a job's log: when, from which commit and on which machine it ran.

Results don't have it, because the same run gives the same bytes anywhere.
"""

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autotagging.tools._machine import cores, processor

_GIT = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
_LINE = re.compile(
    r"^# (?P<started>\S+) \| (?P<commit>[0-9a-f]{40}|unknown)(?P<changed>\+?) \| (?P<host>.+?)"
    r" \| (?P<system>.+?) \| (?P<processor>.+?) \| (?P<cores>\d+) cores"
    r" \| (?P<memory_gib>[\d.]+) GiB$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Note:
    """When and where a job ran.

    Attributes
    ----------
    started
        Start of the job's process, in UTC.
    commit
        Commit of the checkout, as 40 hexadecimal digits; None without git.
    changed
        Whether tracked files differed from the commit.
    machine
        Host, system, processor, cores (that the process could use) and memory_gib.
    """

    started: datetime
    commit: str | None
    changed: bool
    machine: dict[str, str | int | float]


def write_note() -> None:
    """Write the line on standard error, for the checkout in the current folder."""
    described = "unknown"
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        git = subprocess.run(
            _GIT, capture_output=True, encoding="utf-8", env=environment, timeout=60
        )
        described = git.stdout.strip() if git.returncode == 0 else described
    except (OSError, subprocess.TimeoutExpired):
        pass
    parts = [
        datetime.now(UTC).isoformat(timespec="seconds"),
        described,
        platform.node() or "unknown",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        processor(),
        f"{cores()} cores",
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
    ]
    print("# " + " | ".join(parts), file=sys.stderr, flush=True)


def read_note(log: Path) -> Note | None:
    """Read the line of a log; None if there is no such log or line, or the line is damaged."""
    try:
        found = _LINE.search(log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    if not found:
        return None
    commit = found["commit"] if found["commit"] != "unknown" else None
    machine = {name: found[name] for name in ("host", "system", "processor")}
    try:
        numbers = {"cores": int(found["cores"]), "memory_gib": float(found["memory_gib"])}
        started = datetime.fromisoformat(found["started"])
    except ValueError:
        return None
    if started.tzinfo is None:
        return None
    return Note(started, commit, bool(found["changed"]), machine | numbers)
