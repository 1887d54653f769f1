"""Restore files whose tags were changed: the command `autotagging undo`."""

from pathlib import Path

from autotagging.tagging.journal import lock_journal
from autotagging.tagging.writing import undo_journal
from autotagging.tools._outcomes import report


def undo(journal: Path, /) -> None:
    """Restore the files that `autotagging apply` has changed, byte for byte.

    A file that was changed since stays as it is, and is listed; the others are restored. It may be
    repeated, also after an interruption of either command.

    Parameters
    ----------
    journal
        Journal of `autotagging apply`.

    Raises
    ------
    UserError
        A file was not restored, for a reason that is listed, or the journal is none or in use.
    OSError
        The journal can't be read.
    """
    with lock_journal(journal):
        report(undo_journal(journal))
