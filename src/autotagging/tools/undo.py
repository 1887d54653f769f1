"""Restore files whose tags were changed: the command `autotagging undo`."""

from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.common.files import check_regular
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
        The journal is in use, or it is none.
    OSError
        There is no such file, or it can't be read.
    """
    check_regular(journal)
    with journal.open("rb") as file:  # a lock would make its folder
        if not file.read(1):
            raise UserError(f"{journal}: not a journal of `autotagging apply`; it is empty")
    with lock_journal(journal):
        report(undo_journal(journal))
