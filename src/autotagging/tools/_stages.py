"""The stages in dvc.lock, checked for what this project reads of them."""

from typing import Any

from autotagging.common.errors import UserError
from autotagging.tools._engines import LOCK, read_lock


def recorded_stages() -> dict[str, dict[str, Any]]:
    """Read the stages in dvc.lock, each with its command, results, what it read and parameters.

    Raises
    ------
    UserError
        The file is damaged, has the marks of a merge, or a stage lacks an entry.
    """
    stages = read_lock()
    for name, stage in stages.items():
        if wrong := _fault(stage):
            raise UserError(
                f"{LOCK}: stage {name}: {wrong}; `git checkout -- {LOCK}` gets the committed one"
            )
    return stages


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
