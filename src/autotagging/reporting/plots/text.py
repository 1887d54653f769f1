"""Texts in figures that come from data: names of any length, in any script.

The figures' own font is the one that Matplotlib ships, whatever is installed on the machine.
Characters that it lacks are drawn with other fonts that are installed.
"""

import functools
import textwrap
import unicodedata
import warnings
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font, LoadFlags, StyleFlags
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

_FONT, _SIZE = "DejaVu Sans", 7.0
_CHARACTERS_PER_INCH, _MOST_PER_INCH = 18.5, 40
NOT_IN_XML = {code: " " for code in (*range(32), *range(127, 160))} | {0xFFFE: "?", 0xFFFF: "?"}
_INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Zs")


def fitted(name: str, inches: float, *, size: float = _SIZE, weight: str = "normal") -> str:
    """Write a name on one line of at most this length; leave its middle out if it is longer.

    Parameters
    ----------
    name
        Name from data.
    inches
        Length of the line.
    size, weight
        Size in points and weight of the font.
    """
    line = shown = " ".join(name.translate(NOT_IN_XML).split())
    kept = min(len(line), int(_MOST_PER_INCH * inches))
    while kept > 1 and (kept < len(shown) - 1 or length(shown, size=size, weight=weight) > inches):
        kept -= 1
        shown = f"{line[: kept - kept // 3]}…{line[len(line) - kept // 3 :]}"
    return shown


def wrap(text: str, inches: float) -> str:
    """Break a text, set at 7 pt, into lines of at most this length."""
    text = text.translate(NOT_IN_XML)
    characters = max(int(inches * _CHARACTERS_PER_INCH), 10)
    while True:
        lines = textwrap.wrap(text, characters)
        if characters <= 10 or all(length(line) <= inches for line in lines):
            return "\n".join(lines)
        characters -= 1


def length(line: str, *, size: float = _SIZE, weight: str = "normal") -> float:
    """Length of a line of text, in inches; see `fitted`."""
    families, _ = _other_fonts(_lacking(line, weight))
    font = FontProperties(family=[_FONT, *families], size=size, weight=weight)
    with warnings.catch_warnings(action="ignore"):  # a box for a missing glyph has a width, too
        return text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] / 72


def complete_fonts(figure: Figure) -> tuple[str, list[str]]:
    """Let texts use installed fonts for characters that the figures' own font lacks.

    Returns
    -------
    characters, texts
        Characters that no installed font has, in order, and the texts that have them.
    """
    characters: set[str] = set()
    texts = {}
    for text in figure.findobj(Text):
        lacking = _lacking(text.get_text(), text.get_weight())
        if lacking:
            families, missing = _other_fonts(lacking)
            text.set_fontfamily([_FONT, *families])
            if missing:
                characters |= missing
                texts[text.get_text()] = None
    return "".join(sorted(characters)), [*texts]


def _lacking(text: Iterable[str], weight: str | int) -> frozenset[str]:
    """Characters of a text that the figures' own font lacks."""
    lacking = {*text} - _of_own_font(weight)
    return frozenset(each for each in lacking if unicodedata.category(each) not in _INVISIBLE)


@functools.cache
def _of_own_font(weight: str | int) -> frozenset[str]:
    _use_the_font_of_matplotlib()
    path = fontManager.findfont(FontProperties(family=_FONT, weight=weight))
    return frozenset(map(chr, FT2Font(path).get_charmap()))


@functools.cache
def _use_the_font_of_matplotlib() -> None:
    """Have no other font of this name: another version of it would make other bytes.

    Matplotlib keeps its list of fonts in a cache of the user. It may be of another environment, and
    then names a font of the system, or none.
    """
    fontManager.ttflist = [font for font in fontManager.ttflist if font.name != _FONT]
    for style in ("", "-Bold", "-Oblique", "-BoldOblique"):
        fontManager.addfont(Path(mpl.get_data_path(), "fonts/ttf", f"DejaVuSans{style}.ttf"))


@functools.cache
def _other_fonts(characters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Choose few installed fonts; return their families, and the characters that none has."""
    families = []
    while characters:
        drawn = {family: _drawn(family, characters) for family in _installed()}
        best = max(drawn, key=lambda family: len(drawn[family]), default=None)
        if best is None or not drawn[best]:
            break
        fontManager.addfont(_installed()[best][0])  # Matplotlib's list may be from before
        families.append(best)
        characters -= drawn[best]
    return tuple(families), characters


def _drawn(family: str, characters: frozenset[str]) -> set[str]:
    """Characters for which an installed font has a shape; coloured emoji have none."""
    path, codes = _installed()[family]
    found = [each for each in characters if np.isin(ord(each), codes)]
    font = FT2Font(path) if found else None
    drawn = set()
    for each in found:
        font.load_char(ord(each), flags=LoadFlags.NO_SCALE)
        if len(font.get_path()[0]):
            drawn.add(each)
    return drawn


@functools.cache
def _installed() -> dict[str, tuple[str, np.ndarray]]:
    """Path and character codes of one upright font of each family, in alphabetical order."""
    found = {}
    for path in sorted(findSystemFonts()):
        try:
            font = FT2Font(path)
        except (OSError, RuntimeError):
            continue  # not a font that Matplotlib can use
        upright = not font.style_flags & (StyleFlags.BOLD | StyleFlags.ITALIC)
        boxes_for_all = font.family_name.lstrip(".").startswith("LastResort")
        if upright and font.scalable and font.family_name != _FONT and not boxes_for_all:
            codes = np.fromiter(font.get_charmap(), np.uint32)
            found.setdefault(font.family_name, (path, codes))
    return dict(sorted(found.items()))
