"""Checks of the command `autotagging doctor`.

Modules import at their top only what Python itself has, so that they say what is missing.
"""

from typing import NamedTuple


class Check(NamedTuple):
    """What a check found.

    Attributes
    ----------
    name
        Subject of the check, in a word.
    text
        What there is.
    fix
        What to do or to type; empty if all is well.
    """

    name: str
    text: str
    fix: str = ""
