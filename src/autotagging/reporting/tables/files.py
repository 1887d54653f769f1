"""Write tables for programs (CSV), for readers (Markdown, HTML) and for papers (LaTeX)."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autotagging.common.files import replacing, write_csv
from autotagging.common.versions import write_versions
from autotagging.reporting.averaging import plus_minus
from autotagging.reporting.outputs import LIBRARIES, TableFiles
from autotagging.reporting.pages import data_uri, write_page

_NAMES = {"roc_auc": "ROC-AUC", "pr_auc": "average precision", "f1": "F1"}
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?(e[+-]\d+)?|-")

# Where a character has a meaning in Markdown; a dollar sign begins mathematics on GitHub, which
# takes no backslash before it.
_MARKDOWN = re.compile(r"[\\`*~<|]|(?<!\w)_|_(?!\w)|(?<=\])\(|&(?=#?\w+;)")
_DOLLAR = "<span>$</span>"

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
_ROWS = 45  # rows that fit on a page in LaTeX
_WIDE = 30  # characters; LaTeX breaks the lines of longer cells


class Part(NamedTuple):
    """One of several tables that readers see below one another.

    Attributes
    ----------
    title, caption
        Text above the table.
    table
        Table whose columns are joined and named as in `save_table`.
    notes
        Text below the table.
    names
        Columns whose headings are names from data, such as models, and stay as they are.
    """

    title: str
    caption: str
    table: pd.DataFrame
    notes: str = ""
    names: Sequence[str] = ()


def save_table(
    table: pd.DataFrame,
    files: TableFiles,
    *,
    caption: str,
    notes: str = "",
    shown: pd.DataFrame | Sequence[Part] | None = None,
) -> None:
    """Write a table as CSV, at full precision, and with its caption for readers.

    For readers, numbers have three decimals; `x_std` is joined to `x` as "x ± x_std" (see
    `averaging.plus_minus`), and `x_low` and `x_high` as "x [x_low, x_high]". Empty columns are
    left out.

    Parameters
    ----------
    table
        Any table; its index is not written.
    files
        Files to write.
    caption
        One line above the table, of at most three sentences.
    notes
        Text below the table; parts have their own.
    shown
        Table or tables that readers see in place of `table`.
    """
    write_csv(table, files.csv)
    if shown is None or isinstance(shown, pd.DataFrame):
        shown = [Part("", "", table if shown is None else shown, notes)]
    texts = [_text(part) for part in shown]
    with replacing(files.md) as temporary:
        blocks = [f"{plain_markdown(caption)}\n", *map(_markdown, texts)]
        temporary.write_text("\n".join(blocks), encoding="utf-8")
    with replacing(files.tex) as temporary:
        temporary.write_text(_latex(texts, caption=caption, label=files.tex.stem), encoding="utf-8")
    write_page(
        files.html,
        "table.html",
        caption=caption,
        parts=texts,
        csv_name=files.csv.name,
        csv_uri=data_uri(files.csv.read_bytes(), "text/csv"),
    )
    if files.table_versions:
        write_versions(files.table_versions, *LIBRARIES)


def to_markdown(table: pd.DataFrame) -> str:
    """Format a table for GitHub, as `save_table` describes."""
    return _markdown(_text(Part("", "", table)))


class _Text(NamedTuple):
    """A part as readers see it; `numeric` tells which columns are numbers."""

    title: str
    caption: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    notes: str


def _text(part: Part) -> _Text:
    """Round, join and name columns as `save_table` describes."""
    table = part.table.reset_index(drop=True)
    text = pd.DataFrame({name: [_cell(value) for value in table[name]] for name in table.columns})
    for name in table.columns:
        if f"{name}_std" in text:
            del text[f"{name}_std"]
            text[name] += table[f"{name}_std"].map(plus_minus)
        if {f"{name}_low", f"{name}_high"} <= set(text.columns):
            limits = zip(text.pop(f"{name}_low"), text.pop(f"{name}_high"), strict=True)
            text[name] += [
                f" [{low},\N{NO-BREAK SPACE}{high}]" if low else "" for low, high in limits
            ]
    if len(text):
        text = text.loc[:, (text != "").any()]
    numeric = [
        pd.api.types.is_numeric_dtype(table[name])
        or all(_NUMBER.fullmatch(cell) for cell in text[name] if cell)
        for name in text.columns
    ]
    columns = [name if name in part.names else _heading(name) for name in text.columns]
    rows = text.to_numpy().tolist()
    return _Text(part.title, part.caption, columns, numeric, rows, part.notes)


def _markdown(text: _Text) -> str:
    """Format a table for GitHub."""
    lines = [
        [*map(plain_markdown, text.columns)],
        ["---:" if right else "---" for right in text.numeric],
        *[[*map(plain_markdown, row)] for row in text.rows],
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    title, caption, notes = map(plain_markdown, (text.title, text.caption, text.notes))
    above = [f"**{title}.** {caption}\n"] if title else []
    below = [f"{notes}\n"] if notes else []
    return "\n".join([*above, table, *below])


def plain_markdown(text: str) -> str:
    """Let a text from data be no formatting."""
    return _MARKDOWN.sub(r"\\\g<0>", text).replace("$", _DOLLAR)


def _latex(texts: list[_Text], *, caption: str, label: str) -> str:
    """Format tables for LaTeX, at most as wide as the page; a long table becomes several."""
    tables = []
    labels: dict[str, int] = {}
    for text in texts:
        own = f"{text.title}. {text.caption}" if text.title else caption
        own = re.sub(r"^Table \d+\. ", "", own)
        name = ":".join([label, *text.title.lower().split()[:1]])
        labels[name] = labels.get(name, 0) + 1
        name += f"-{labels[name]}" * (labels[name] > 1)
        for start in range(0, max(len(text.rows), 1), _ROWS):
            part = text._replace(rows=text.rows[start : start + _ROWS])
            if start + _ROWS < len(text.rows):
                part = part._replace(notes="")
            more = {"caption": f"{own} Continued.", "label": f"{name}:{start}"}
            tables.append(
                _latex_table(part, **(more if start else {"caption": own, "label": name}))
            )
    return "\n".join(tables)


def _latex_table(text: _Text, *, caption: str, label: str) -> str:
    table = pd.DataFrame(text.rows, columns=text.columns)
    longest = [max([0, *map(len, table[name])]) for name in table]
    alignment = [
        "r" if right else r">{\raggedright\arraybackslash}p{0.3\linewidth}" if n > _WIDE else "l"
        for right, n in zip(text.numeric, longest, strict=True)
    ]
    latex = (
        table.map(_escape)
        .rename(columns=_escape)
        .style.hide(axis="index")
        .to_latex(
            column_format="".join(alignment),
            position_float="centering",
            hrules=True,
            caption=_escape(caption),
            label=f"tab:{label}",
        )
    )
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    latex = latex.replace(r"\begin{tabular}", fit + "\n" + r"\begin{tabular}")
    notes = r"\par\smallskip\parbox{\linewidth}{\footnotesize %s}"
    below = f"\n{notes % _escape(text.notes)}" if text.notes else ""
    return latex.replace(r"\end{tabular}", r"\end{tabular}}" + below)


def _escape(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    if escaped[:1] in ("[", "*"):  # after the end of a row, LaTeX would take it for an option
        escaped = "{}" + escaped
    return _MINUS.sub(r"\(-\)", _QUOTED.sub(r"``\1''", escaped))


def _heading(name: str) -> str:
    """Name a column for readers; the model's name before the space is not changed."""
    model, space, name = name.rpartition(" ")
    for part, heading in _NAMES.items():
        name = name.replace(part, heading)
    return model + space + name.replace("_", " ")


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value).replace("\n", " ")
