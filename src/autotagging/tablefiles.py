"""Write tables for programs (CSV), for readers (Markdown, HTML) and for papers (LaTeX)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autotagging.files import replacing, write_csv
from autotagging.pages import data_uri, write_page
from autotagging.seeds import plus_minus

_NAMES = {"roc_auc": "ROC-AUC", "pr_auc": "average precision", "f1": "F1"}
_LATEX = {
    **{each: f"\\{each}" for each in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"±": r"\(\pm\)", "→": r"\(\to\)", "\N{NO-BREAK SPACE}": "~"},
}
_FIT = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
_LONG = 45  # rows that a page of LaTeX still holds
_WIDE = 30  # characters of a cell that LaTeX should break


def save_table(
    table: pd.DataFrame,
    csv: Path,
    md: Path,
    html: Path,
    tex: Path,
    *,
    caption: str,
    parts: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a table as CSV, at full precision, and for readers below its caption.

    For readers, numbers have three decimals; `x_std` is joined to `x` as "x ± x_std" (see
    `seeds.plus_minus`), and `x_low` and `x_high` as "x [x_low, x_high]"; columns that are empty
    throughout are left out.

    Parameters
    ----------
    table
        Any table; its index is not written.
    csv, md, html, tex
        Files to write: md is a GitHub table, html a page that holds the CSV, too, and tex is for
        the packages booktabs, graphicx and longtable.
    caption
        One line, above the table.
    parts
        What readers see instead of the table: tables by their titles.
    """
    write_csv(table, csv)
    shown = [_part(title, each) for title, each in (parts or {"": table}).items()]
    with replacing(md) as temporary:
        text = "\n".join([f"{caption}\n", *map(_markdown, shown)])
        temporary.write_text(text, encoding="utf-8")
    with replacing(tex) as temporary:
        text = "\n".join(_latex(part, caption=caption, label=tex.stem) for part in shown)
        temporary.write_text(text, encoding="utf-8")
    write_page(
        html,
        "table.html",
        caption=caption,
        parts=shown,
        csv_name=csv.name,
        csv_uri=data_uri(csv.read_bytes(), "text/csv"),
    )


class _Part(NamedTuple):
    """A table as readers see it; `numeric` tells which columns are numbers."""

    title: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]


def _part(title: str, table: pd.DataFrame) -> _Part:
    """Round, join and name columns as `save_table` describes."""
    table = table.reset_index(drop=True)
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
    text = text.loc[:, (text != "").any()]
    numeric = [pd.api.types.is_numeric_dtype(table[name]) for name in text.columns]
    return _Part(title, [*map(_heading, text.columns)], numeric, text.to_numpy().tolist())


def _markdown(part: _Part) -> str:
    """Format a table for GitHub."""
    lines = [
        part.columns,
        ["---:" if right else "---" for right in part.numeric],
        *[[cell.replace("|", "\\|") for cell in row] for row in part.rows],
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{part.title}\n\n{table}" if part.title else table


def _latex(part: _Part, *, caption: str, label: str) -> str:
    """Format a table for LaTeX: its long cells are broken, and a long table goes over pages."""
    text = pd.DataFrame(part.rows, columns=part.columns)
    alignment = [
        "r" if right else r"p{0.2\linewidth}" if longest > _WIDE else "l"
        for right, longest in zip(part.numeric, text.map(len).max(), strict=True)
    ]
    caption = re.sub(r"^Table \d+\. ", "", caption)  # LaTeX has numbers of its own
    caption = f"{part.title}. {caption}" if part.title else caption
    long = len(text) > _LONG
    place = {"environment": "longtable"} if long else {"position_float": "centering"}
    slug = f":{'-'.join(part.title.lower().split())}" if part.title else ""
    table = (
        text.map(_escape)
        .rename(columns=_escape)
        .style.hide(axis="index")
        .to_latex(
            column_format="".join(alignment),
            hrules=True,
            caption=_escape(caption),
            label=f"tab:{label}{slug}",
            **place,
        )
    )
    if long:
        return f"{{\\footnotesize\\setlength{{\\LTcapwidth}}{{\\linewidth}}\n{table}}}\n"
    table = table.replace(r"\begin{tabular}", _FIT + r"\begin{tabular}")
    return table.replace(r"\end{tabular}", r"\end{tabular}}")


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _heading(name: str) -> str:
    for part, heading in _NAMES.items():
        name = name.replace(part, heading)
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value).replace("\n", " ")
