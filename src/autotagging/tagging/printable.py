"""Names and messages as a terminal may show them."""


def printable(text: str) -> str:
    """Replace characters that a terminal would not show, or would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
