"""Calls of DVC and Snakemake, for the tools that connect the two."""

import subprocess
import sys
from pathlib import Path

from autotagging.common.errors import UserError

RESULTS = Path("results")


def run(
    tool: str, *arguments: str, capture: bool = False, check: bool = True
) -> subprocess.CompletedProcess:
    """Run DVC or Snakemake in the environment of this package."""
    result = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        text=True,
        encoding="utf-8",
        errors="replace",
        capture_output=capture,
    )
    if check and result.returncode:
        last = (result.stderr or "").strip().splitlines()[-1:] or ["see above"]
        raise UserError(f"`{tool} {' '.join(arguments)}` failed: {last[0]}")
    return result
