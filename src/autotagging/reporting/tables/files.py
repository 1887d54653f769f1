"""Write tables for programs (CSV), for readers (Markdown, HTML) and for papers (LaTeX)."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autotagging.common.files import replacing, write_csv
from autotagging.common.versions import write_versions
from autotagging.reporting.averaging import plus_minus
from autotagging.reporting.outputs import LIBRARIES, TableFiles, readable
from autotagging.reporting.pages import data_uri, write_page
from autotagging.reporting.tables.latex import TableText, latex_tables

_NAMES = {"roc_auc": "ROC-AUC", "pr_auc": "average precision", "f1": "F1"}
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?(e[+-]\d+)?|-")

# Where a character has a meaning in Markdown; a dollar sign begins mathematics on GitHub, which
# takes no backslash before it.
_MARKDOWN = re.compile(r"[\\`*~<|]|(?<!\w)_|_(?!\w)|(?<=\])\(|&(?=#?\w+;)")
_DOLLAR = "<span>$</span>"


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
        temporary.write_text(
            latex_tables(texts, caption=caption, label=files.tex.stem), encoding="utf-8"
        )
    write_page(
        files.html,
        "table.html",
        title=readable(files.csv),
        caption=caption.removeprefix(f"{readable(files.csv)}. "),
        parts=texts,
        csv_name=files.csv.name,
        csv_uri=data_uri(files.csv.read_bytes(), "text/csv"),
    )
    if files.table_versions:
        write_versions(files.table_versions, *LIBRARIES)


def to_markdown(table: pd.DataFrame) -> str:
    """Format a table for GitHub, as `save_table` describes."""
    return _markdown(_text(Part("", "", table)))


def _text(part: Part) -> TableText:
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
    return TableText(part.title, part.caption, columns, numeric, rows, part.notes)


def _markdown(text: TableText) -> str:
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
