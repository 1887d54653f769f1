"""Check what a command is to write before it starts: no song may be lost to a slip in the flags."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from autotagging.common.errors import UserError, reason
from autotagging.common.files import check_regular
from autotagging.tagging.formats import SUFFIXES


def check_outputs(
    files: Mapping[str, Path | None],
    inputs: Iterable[Path],
    *,
    folders: Mapping[str, Path | None] | None = None,
) -> None:
    """Raise UserError if an output is an input, another output, no regular file, or may be a song.

    Parameters
    ----------
    files
        Files that are written, by flag; None: the flag is not given.
    inputs
        Files that are read.
    folders
        Folders in which files are written, by flag.
    """
    read = {os.path.realpath(path) for path in inputs}
    taken: dict[str, str] = {}
    for flag, path in files.items():
        if path is None:
            continue
        try:
            check_regular(path)
        except OSError as error:
            raise UserError(f"{flag} {path}: {reason(error)}; name another file") from error
        place = os.path.realpath(path)
        if path.suffix.lower() in SUFFIXES:
            raise UserError(f"{flag} {path}: the name of an audio file")
        if place in read:
            raise UserError(f"{flag} {path}: a file that is read; name another one")
        if other := taken.get(place):
            raise UserError(f"{other} and {flag} have the same file, {path}")
        taken[place] = flag
    for flag, path in (folders or {}).items():
        if path is not None and os.path.lexists(path) and not path.is_dir():
            raise UserError(f"{flag} {path}: not a folder")
