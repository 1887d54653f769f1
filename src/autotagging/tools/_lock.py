"""dvc.lock: what DVC notes of the stages that it ran or recorded."""

import json
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.strict_yaml import read_yaml
from autotagging.tools._engines import RESULTS, run

LOCK = Path("dvc.lock")
_REMEDY = f"`git checkout -- {LOCK}` gets the committed one"


def read_lock() -> dict[str, dict[str, Any]]:
    """Read the stages.

    Raises
    ------
    UserError
        The file is damaged, or has the marks of a merge.
    """
    content = read_yaml(LOCK)
    if not isinstance(content, dict) or not isinstance(content.get("stages"), dict):
        raise UserError(f"{LOCK}: no stages; {_REMEDY}")
    for name, stage in content["stages"].items():
        if not _is_whole(stage):
            raise UserError(f"{LOCK}: stage {name} is damaged; {_REMEDY}")
    return content["stages"]


def results_of(stage: dict[str, Any]) -> list[tuple[str, str]]:
    """List the folders of results/ that a stage has made, each with its MD5."""
    outs = stage.get("outs", [])
    return [(out["path"], out["md5"]) for out in outs if out["path"].startswith(f"{RESULTS}/")]


def changed_sources(stages: dict[str, dict]) -> list[str]:
    """List parameters and tracked files that differ from dvc.lock, for the stages in it."""
    status = json.loads(run("dvc", "status", "--json", capture=True).stdout)
    changed = set()
    entries = [entry for stage, entries in status.items() if stage in stages for entry in entries]
    for entry in entries:
        deps = entry.get("changed deps", {}) if isinstance(entry, dict) else {}
        for path, what in deps.items():
            if path == "params.yaml":
                changed.update(what if isinstance(what, dict) else [path])
            elif not path.startswith(f"{RESULTS}/"):
                changed.add(path)
    return sorted(changed)


def _is_whole(stage: Any) -> bool:
    """Tell whether what this project reads of a stage is there; others may be in dvc.yaml, too."""
    try:
        read = [text for result in results_of(stage) for text in result]
        read += [dep["path"] for dep in stage.get("deps", [])]
        params = stage.get("params", {}).get("params.yaml", {})
    except (AttributeError, KeyError, TypeError):
        return False
    return all(isinstance(text, str) for text in read) and isinstance(params, dict)
