"""dvc.lock: what DVC notes of the stages that it ran or recorded."""

from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.strict_yaml import read_yaml

LOCK = Path("dvc.lock")
_REMEDY = f"`git checkout -- {LOCK}` gets the committed one"


def read_lock() -> dict[str, dict[str, Any]]:
    """Read the stages, each with its command, results, what it read, and parameters.

    Raises
    ------
    UserError
        The file is damaged, has the marks of a merge, or a stage lacks an entry.
    """
    content = read_yaml(LOCK)
    if not isinstance(content, dict) or not isinstance(content.get("stages"), dict):
        raise UserError(f"{LOCK}: no stages; {_REMEDY}")
    for name, stage in content["stages"].items():
        if wrong := _fault(stage):
            raise UserError(f"{LOCK}: stage {name}: {wrong}; {_REMEDY}")
    return content["stages"]


def _fault(stage: Any) -> str | None:
    """Say what is wrong with a stage; None if nothing is."""
    if not isinstance(stage, dict) or not isinstance(stage.get("cmd"), str):
        return "no `cmd`"
    for entry in ("outs", "deps"):
        files = stage.get(entry, [])
        if not isinstance(files, list) or not all(map(_is_file, files)):
            return f"`{entry}` is no list of paths with their md5"
    if not stage.get("outs"):
        return "no `outs`"
    params = stage.get("params", {})
    if not isinstance(params, dict) or not isinstance(params.get("params.yaml", {}), dict):
        return "`params` has no parameters of params.yaml"
    return None


def _is_file(entry: Any) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), str) for name in ("path", "md5")
    )
