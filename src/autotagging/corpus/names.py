"""Characters that no tag, group or category may have in its name."""

import unicodedata

_NOT_IN_A_NAME = ("Cc", "Cs", "Zl", "Zp")  # control characters, half characters, line ends


def unfit_character(name: str) -> str | None:
    """Find the first character that is not for names; None if there is none.

    Control characters and the ends of lines and paragraphs would divide a name in tables, logs and
    playlists; half a character, a surrogate of UTF-16, can't be written as UTF-8.

    Returns
    -------
    character
        As in Unicode's tables: U+0085.
    """
    for character in name:
        if unicodedata.category(character) in _NOT_IN_A_NAME:
            return f"U+{ord(character):04X}"
    return None
