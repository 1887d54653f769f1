"""Whether a command was typed in the folder of the project."""

from pathlib import Path

from autotagging.common.errors import UserError

MEND = "cd to that folder"
_FILES = ("Snakefile", "params.yaml")


def elsewhere() -> str:
    """Say that the current folder is not that of the project; empty if it is."""
    if all(Path(name).is_file() for name in _FILES):
        return ""
    return f"{Path.cwd()} is not the folder of the project"


def check_project() -> None:
    """Raise UserError if the current folder is not that of the project."""
    if text := elsewhere():
        raise UserError(f"{text}; {MEND}")
