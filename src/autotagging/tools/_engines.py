"""Calls of DVC and Snakemake, for the tools that connect the two."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tools._project import check_project

RESULTS = Path("results")


def flat(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the full name, such as train.crnn.input_norm, and the value of each parameter."""
    for name, value in section.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def run(
    tool: str, *arguments: str, capture: bool = False, check: bool = True
) -> subprocess.CompletedProcess:
    """Run DVC or Snakemake in the environment of this package.

    Raises
    ------
    UserError
        The current folder is not that of the project; or it failed, and `check` is set. What it has
        written on standard error is shown then, even if captured.
    """
    check_project()
    result = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        text=True,
        encoding="utf-8",
        errors="replace",
        capture_output=capture,
    )
    if check and result.returncode:
        print(result.stderr or "", end="", file=sys.stderr)
        raise UserError(f"`{tool} {' '.join(arguments)}` failed: see above")
    return result
