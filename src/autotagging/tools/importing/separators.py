"""Lists of tags that seem to have another separator, which would make each list one tag."""

import sys
from collections.abc import Sequence

_OTHERS = (";", ",", "|", "/")


def warn_of_separator(place: str, lists: Sequence[str], separator: str | None) -> None:
    """Print a warning if lists of tags are probably not split as they are meant.

    That is the case if more than half begin with a bracket, as lists do that pandas has written, or
    have another separator, and none has this one. Tags may have such characters, so it is no error.

    Parameters
    ----------
    place
        Where the lists are, for the message: "tags.csv, column genre".
    lists
        Lists of tags, as they are written; empty ones do not count.
    separator
        Text between two tags; None where a text is one tag, whatever is in it.
    """
    found = [text for text in map(str.strip, lists) if text]
    lists_of = {other: [text for text in found if other in text] for other in _OTHERS}
    other = max(_OTHERS, key=lambda other: len(lists_of[other]))
    if many := _most([text for text in found if text.startswith("[")], found):
        fault, remedy = "begin with '['", "write them without brackets and quotes"
    elif separator is None:
        many, fault = _most(lists_of[other], found), f"have {other!r}, and are one tag each"
        remedy = f"name the column tags, for lists, and add --separator {other!r}"
    elif not any(separator in text for text in found):
        many, fault = _most(lists_of[other], found), f"have {other!r}, none has {separator!r}"
        remedy = f"--separator {other!r}"
    if many:
        print(
            f"warning: {place}: {len(many)} of {len(found)} texts {fault}, such as {many[0]!r}; "
            f"perhaps {remedy}",
            file=sys.stderr,
        )


def _most(some: list[str], found: list[str]) -> list[str]:
    """Give some of the texts if they are more than half of all."""
    return some if 2 * len(some) > len(found) else []
