"""Where Snakemake's idea of finished (file times) meets DVC's (contents): record and restore."""

import json
import subprocess
import sys
from pathlib import Path

from autotagging.common.errors import UserError

_RESULTS = Path("results")


def record() -> None:
    """Let DVC record the results of a finished snakemake run in its cache and dvc.lock.

    Raises
    ------
    UserError
        Snakemake has work left to do for params.yaml and the code as they are, a result is
        missing, or results/ holds files that no rule makes.
    """
    outputs = _outputs()
    pending = [
        path for path, plan in outputs.items() if plan != "no update" or not Path(path).exists()
    ]
    if pending:
        raise UserError(
            f"{len(pending)} of {len(outputs)} results are missing or not what params.yaml and the "
            f"code ask for, {pending[0]} the first; run `snakemake --cores all`, then record"
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
        dvc.lock is of other code or parameters, the cache lacks a result, or results/ holds files
        that were never recorded. Nothing is changed then.
    """
    if not Path("dvc.lock").exists():
        raise UserError("no dvc.lock here: is this the folder of the project?")
    if changed := _changed_sources():
        raise UserError(
            f"dvc.lock is of other code or parameters: {', '.join(changed)} differ; check out the "
            "ones it is of, or `dvc repro` to make the results anew"
        )
    checkout = _run("dvc", "checkout", capture=True, check=False)
    if checkout.returncode and "unsaved" in checkout.stderr:
        raise UserError(
            "results/ holds files that are not recorded, and they would be lost: `autotagging "
            "record` them or delete them, then restore"
        )
    if checkout.returncode:
        raise UserError(
            "DVC's cache lacks results that dvc.lock names; `dvc pull` fetches them where there is "
            "a remote, `dvc repro` makes them anew"
        )
    _run("snakemake", "--touch", "--cores", "all", "--quiet", "all", capture=True)
    print("results/ is what dvc.lock says, and snakemake takes it as finished", file=sys.stderr)


def _changed_sources() -> list[str]:
    """List parameters and tracked files that are not those of dvc.lock."""
    status = json.loads(_run("dvc", "status", "--json", capture=True).stdout)
    changed = set()
    for stage in status.values():
        for entry in stage:
            deps = entry.get("changed deps", {}) if isinstance(entry, dict) else {}
            for path, what in deps.items():
                if path == "params.yaml":
                    changed.update(what if isinstance(what, dict) else [path])
                elif not path.startswith(f"{_RESULTS}/"):
                    changed.add(path)
    return sorted(changed)


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
