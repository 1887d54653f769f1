"""Where Snakemake's idea of finished (file times) meets DVC's (contents): record and restore."""

import re
import subprocess
import sys
from pathlib import Path

from autotagging.errors import UserError

_RESULTS = Path("results")


def record() -> None:
    """Let DVC record the results of a finished snakemake run in its cache and dvc.lock.

    Raises
    ------
    UserError
        Snakemake has work left to do for params.yaml and the code as they are, or results/ holds
        files that no rule makes.
    """
    outputs = _outputs()
    if pending := [path for path, plan in outputs.items() if plan != "no update"]:
        raise UserError(
            f"{len(pending)} of {len(outputs)} results are not what params.yaml and the code ask "
            f"for, {pending[0]} the first; run `snakemake --cores all`, then record"
        )
    extra = sorted(
        str(path) for path in _RESULTS.rglob("*") if path.is_file() and str(path) not in outputs
    )
    if extra:
        raise UserError(f"no rule makes these files, delete them and record: {', '.join(extra)}")
    _run("dvc", "commit", "--force")


def restore() -> None:
    """Get the results that dvc.lock names from DVC's cache, and tell Snakemake they are finished.

    For after `git checkout`, `dvc pull`, `dvc exp apply`, or a stage that DVC took from its run
    cache: file times mean nothing then.

    Raises
    ------
    UserError
        The cache lacks a result, or params.yaml or the code are not those of dvc.lock.
    """
    checkout = _run("dvc", "checkout", "--force", capture=True, check=False)
    if checkout.returncode:
        raise UserError(
            "DVC's cache lacks results that dvc.lock names; `dvc pull` fetches them where there is "
            "a remote, `dvc repro` makes them anew"
        )
    status = _run("dvc", "status", capture=True)
    if not re.search(r"up to date", status.stdout):
        changed = re.findall(r"^(\S+):$", status.stdout, flags=re.MULTILINE)
        raise UserError(
            f"dvc.lock is not of this code and these parameters (see `dvc status`): "
            f"{', '.join(changed)} differ; `dvc repro` makes them anew"
        )
    _run("snakemake", "--touch", "--cores", "all", "--quiet", "all", capture=True)
    print("results/ is what dvc.lock says, and snakemake takes it as finished", file=sys.stderr)


def _outputs() -> dict[str, str]:
    """Ask Snakemake for every output of the workflow, and whether it would make it again."""
    lines = _run("snakemake", "--summary", capture=True).stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    columns = lines[header].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[header + 1 :]]
    return {row["output_file"]: row["plan"] for row in rows}


def _run(
    tool: str, *arguments: str, capture: bool = False, check: bool = True
) -> subprocess.CompletedProcess:
    """Run DVC or Snakemake as installed beside this package."""
    result = subprocess.run(
        [sys.executable, "-m", tool, *arguments], text=True, capture_output=capture
    )
    if check and result.returncode:
        last = (result.stderr or "").strip().splitlines()[-1:] or ["see above"]
        raise UserError(f"`{tool} {' '.join(arguments)}` failed: {last[0]}")
    return result
