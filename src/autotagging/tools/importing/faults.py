"""Rows and files that can't be used: collected, shown, and counted."""

import sys
from typing import NamedTuple

from autotagging.common.counting import counted
from autotagging.common.errors import UserError

_SHOWN = 20


class Fault(NamedTuple):
    """A row or file that can't be used: its place, and the reason."""

    where: str
    reason: str


class Faults:
    """The faults of one import, in the order in which they are found.

    Parameters
    ----------
    skip
        Whether rows and files with a fault are left out; otherwise one fault stops the import.
    """

    def __init__(self, *, skip: bool):
        self._skip = skip
        self._reported = 0
        self.found: list[Fault] = []

    def add(self, where: str, reason: str) -> None:
        """Add a fault of a row or file."""
        self.found.append(Fault(where, reason))

    def report(self) -> None:
        """Print the faults that are new since the last report, at most 20 of them.

        Raises
        ------
        UserError
            There are some, and they are not to be left out.
        """
        new = self.found[self._reported :]
        self._reported = len(self.found)
        for fault in new[:_SHOWN]:
            print(f"{fault.where}: {fault.reason}", file=sys.stderr)
        if len(new) > _SHOWN:
            print(f"and {len(new) - _SHOWN} more", file=sys.stderr)
        if new and not self._skip:
            count = counted(len(new), "row or file", "rows or files")
            raise UserError(
                f"{count} can't be used; nothing was written; correct them, or leave them out with "
                "--skip-bad"
            )
