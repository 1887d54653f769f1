"""Results that DVC keeps, to Snakemake: the command `autotagging restore`."""

import json
import sys
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS, run


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
    checkout = run("dvc", "checkout", capture=True, check=False)
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
    run("snakemake", "--touch", "--cores", "all", "--quiet", "all", capture=True)
    print("results/ is what dvc.lock says, and snakemake takes it as finished", file=sys.stderr)


def _changed_sources() -> list[str]:
    """List parameters and tracked files that are not those of dvc.lock."""
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
