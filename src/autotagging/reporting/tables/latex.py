r"""Tables for LaTeX, as floats of a page with one column of text.

They need the packages array, booktabs, graphicx and rotating, which every TeX has.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

# Characters with a meaning in LaTeX, and others that it has commands for.
_LATEX = {
    **{each: f"\\{each}" for each in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"\(\pm\)",
    "→": r"\(\to\)",
    "\N{NO-BREAK SPACE}": "~",
}
_MINUS = re.compile(r"(?<![\w)])-(?=\d)")
_QUOTED = re.compile(r'"([^"]*)"')

# Widths in em of the table's font, \footnotesize; lines of a table, without heading and notes.
_UPRIGHT, _SIDEWAYS = (40, 42), (64, 24)
_SEPARATOR = 1.0
_ROUNDING = 1e-6  # a sum of widths may end below them
_NARROW, _NATURAL = 7, 24  # a cell that is wider is broken into lines, if it can be


class TableText(NamedTuple):
    """A table as readers see it; `numeric` tells which columns are numbers."""

    title: str
    caption: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    notes: str


class _Layout(NamedTuple):
    """How a table is set: the environment, the columns, and where a page ends."""

    environment: str
    columns: str
    ends: list[int]


def latex_tables(texts: Sequence[TableText], *, caption: str, label: str) -> str:
    """Format tables for LaTeX, at most as wide as the page; a long table becomes several.

    Headings and long cells are broken into lines. A table that is still wider than the page is
    turned.

    Parameters
    ----------
    texts
        Tables; one with a title has a caption of its own.
    caption
        Caption of the others.
    label
        Begin of the tables' labels.
    """
    tables = []
    labels: dict[str, int] = {}
    for text in texts:
        own = f"{text.title}. {text.caption}".strip() if text.title else caption
        own = re.sub(r"^Table \d+\. ", "", own)
        name = ":".join([label, *text.title.lower().split()[:1]])
        labels[name] = labels.get(name, 0) + 1
        name += f"-{labels[name]}" * (labels[name] > 1)
        text = text._replace(rows=[[*map(_joined, row)] for row in text.rows])
        layout = _layout(text)
        for start, end in zip([0, *layout.ends], layout.ends, strict=False):
            part = text._replace(
                caption=f"{own} Continued." if start else own,
                rows=text.rows[start:end],
                notes=text.notes if end >= len(text.rows) else "",
            )
            tables.append(_table(part, layout, f"{name}:{start}" if start else name))
    return "\n".join(tables)


def _table(text: TableText, layout: _Layout, label: str) -> str:
    """Format one table."""
    table = pd.DataFrame(text.rows, columns=text.columns)
    latex = (
        table.map(_escape)
        .rename(columns=_escape)
        .style.hide(axis="index")
        .to_latex(
            environment=layout.environment,
            column_format=layout.columns,
            position_float="centering",
            hrules=True,
            caption=_escape(text.caption),
            label=f"tab:{label}",
        )
    )
    small = r"\footnotesize\renewcommand{\arraystretch}{1.1}"
    small += rf"\setlength{{\tabcolsep}}{{{_SEPARATOR / 2:g}em}}"
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    begin = r"\begin{tabular}"
    latex = latex.replace(begin, "\n".join([small, fit, begin]), 1)
    notes = r"\par\smallskip\parbox{\linewidth}{\footnotesize %s}"
    below = f"\n{notes % _escape(text.notes)}" if text.notes else ""
    return latex.replace(r"\end{tabular}", r"\end{tabular}}" + below)


def _layout(text: TableText) -> _Layout:
    """Choose the direction of a table, the widths of its columns, and the rows of each page."""
    heads = np.array([_em(name) for name in text.columns])
    cells = np.array([[_em(cell) for cell in row] for row in text.rows]).reshape(-1, len(heads))
    words = [
        max(_em(word) for each in column for word in each.split(" "))
        for column in zip(text.columns, *text.rows, strict=True)
    ]
    longest = cells.max(axis=0, initial=0)
    narrow = np.maximum(words, np.minimum(longest, _NARROW))
    natural = np.maximum(words, np.minimum(longest, _NATURAL))
    gaps = len(heads) * _SEPARATOR
    turned = narrow.sum() + gaps > _UPRIGHT[0]
    page, lines = _SIDEWAYS if turned else _UPRIGHT
    share = (page - gaps - narrow.sum()) / max((natural - narrow).sum(), _SEPARATOR)
    widths = narrow + (natural - narrow) * np.clip(share, 0, 1)
    widths += _ROUNDING
    broken = np.maximum(heads, longest) > widths
    columns = map(_column, text.numeric, widths, broken)
    ends = _ends(np.ceil(cells / widths).max(axis=1, initial=1), lines)
    return _Layout("sidewaystable" if turned else "table", "".join(columns), ends)


def _column(right: bool, width: float, broken: bool) -> str:
    """Format the type of a column; one whose texts are broken into lines has a width."""
    if not broken:
        return "r" if right else "l"
    side = "left" if right else "right"
    return rf">{{\ragged{side}\arraybackslash}}p{{{width:.1f}em}}"


def _ends(heights: np.ndarray, most: int) -> list[int]:
    """Give the number of rows before the end of each page of at most so many lines."""
    ends, lines = [], 0.0
    for row, height in enumerate(heights):
        if lines and lines + height > most:
            ends.append(row)
            lines = 0.0
        lines += height
    return [*ends, len(heights)]


def _em(text: str) -> float:
    """Estimate the width of a text in Computer Modern or narrower fonts, in em."""
    wide, thin = sum(map(text.count, "mwMW±→")), len(re.findall(r"[ijltfr.,:;'|()\[\]\s]", text))
    capitals = sum(map(str.isupper, text))
    return 0.54 * len(text) + 0.3 * wide + 0.2 * capitals - 0.2 * thin


def _joined(cell: str) -> str:
    """Keep a number and its deviation on one line."""
    return cell.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")


def _escape(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    if escaped[:1] in ("[", "*"):  # after the end of a row, LaTeX would take it for an option
        escaped = "{}" + escaped
    return _MINUS.sub(r"\(-\)", _QUOTED.sub(r"``\1''", escaped))
