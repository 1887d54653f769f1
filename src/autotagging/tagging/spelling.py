"""Comparison of names that people wrote."""

import re
from unicodedata import normalize


def spelling_key(name: str) -> str:
    """Give the form by which names are compared.

    Case, forms of Unicode, spaces, hyphens and underscores make no difference: "Hip-Hop" and
    "hip hop" are one name.
    """
    return re.sub(r"[\s_-]+", " ", normalize("NFKC", name).casefold()).strip()
