"""Restore results from DVC for Snakemake: the command `autotagging restore`."""

import json
import sys
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS, run


def restore() -> None:
    """Get the results in dvc.lock from DVC's cache, and mark them as finished for Snakemake.

    Needed after `git checkout`, `dvc pull`, `dvc exp apply`, or a stage that DVC took from its run
    cache, because file times are then wrong.

    Raises
    ------
    UserError
        dvc.lock belongs to other code or parameters, the cache lacks a result, or results/ has
        files that were never recorded. Nothing is changed then.
    """
    if not Path("dvc.lock").exists():
        raise UserError("no dvc.lock here: is this the folder of the project?")
    if changed := _changed_sources():
        raise UserError(
            f"dvc.lock belongs to other code or parameters: {', '.join(changed)} differ; check out "
            "the matching ones, or run `dvc repro` to make the results again"
        )
    checkout = run("dvc", "checkout", capture=True, check=False)
    if checkout.returncode and "unsaved" in checkout.stderr:
        raise UserError(
            "results/ has files that are not recorded and would be lost; run `autotagging record` "
            "or delete them and restore"
        )
    if checkout.returncode:
        raise UserError(
            "DVC's cache lacks results in dvc.lock; `dvc pull` gets them from a remote, if any; "
            "`dvc repro` makes them again"
        )
    run("snakemake", "--touch", "--cores", "all", "--quiet", "all", capture=True)
    print("results/ matches dvc.lock and is marked as finished for Snakemake", file=sys.stderr)


def _changed_sources() -> list[str]:
    """List parameters and tracked files that differ from dvc.lock."""
    status = json.loads(run("dvc", "status", "--json", capture=True).stdout)
    changed = set()
    for stage in status.values():
        for entry in stage:
            deps = entry.get("changed deps", {}) if isinstance(entry, dict) else {}
            for path, what in deps.items():
                if path == "params.yaml":
                    changed.update(what if isinstance(what, dict) else [path])
                elif not path.startswith(f"{RESULTS}/"):
                    changed.add(path)
    return sorted(changed)
