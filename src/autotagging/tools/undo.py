"""Restore files whose tags were changed: the command `autotagging undo`."""

from pathlib import Path

from autotagging.tagging.journal import lock_journal
from autotagging.tagging.writing import undo_journal
from autotagging.tools._outcomes import report


def undo(journal: Path, /) -> None:
    """Restore the files that `autotagging apply` has changed, byte for byte.

    A file that was changed since stays as it is, and is listed; the others are restored, and the
    exit code is 1. It may be repeated, also after an interruption of either command.

    Parameters
    ----------
    journal
        Journal of `autotagging apply`.

    Raises
    ------
    UserError
        The journal is in use, or the file is none.
    OSError
        The journal can't be read.
    """
    with lock_journal(journal):
        report(undo_journal(journal))
