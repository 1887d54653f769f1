"""Write tables for programs (CSV) and for readers (Markdown, HTML)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotagging.files import replacing, write_csv
from autotagging.pages import data_uri, write_page
from autotagging.seeds import plus_minus


def save_table(
    table: pd.DataFrame,
    csv: Path,
    md: Path,
    html: Path,
    *,
    caption: str,
    leave_out: Sequence[str] = (),
) -> None:
    """Write a table as CSV, at full precision, and for readers below its caption.

    For readers, numbers have three decimals; `x_std` is joined to `x` as "x ± x_std" (see
    `seeds.plus_minus`); columns that are empty throughout are left out.

    Parameters
    ----------
    table
        Any table; its index is not written.
    csv, md, html
        Files to write: md is a GitHub table, html a page that holds the CSV, too.
    caption
        One line, above the table.
    leave_out
        Columns that only the CSV has.
    """
    write_csv(table, csv)
    shown = table.drop(columns=[*leave_out])
    with replacing(md) as temporary:
        temporary.write_text(f"{caption}\n\n{to_markdown(shown)}", encoding="utf-8")
    text, numeric = _as_text(shown)
    write_page(
        html,
        "table.html",
        caption=caption,
        columns=[name.replace("_", " ") for name in text.columns],
        numeric=numeric,
        rows=text.to_numpy().tolist(),
        csv_name=csv.name,
        csv_uri=data_uri(csv.read_bytes(), "text/csv"),
    )


def to_markdown(table: pd.DataFrame) -> str:
    """Format a table for GitHub, as `save_table` describes."""
    text, numeric = _as_text(table)
    lines = [
        [name.replace("_", " ") for name in text.columns],
        ["---:" if right else "---" for right in numeric],
        *[[cell.replace("|", "\\|") for cell in row] for row in text.to_numpy().tolist()],
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _as_text(table: pd.DataFrame) -> tuple[pd.DataFrame, list[bool]]:
    """Round and join columns as `save_table` describes; tell which of the rest are numbers."""
    text = pd.DataFrame({name: [_cell(value) for value in table[name]] for name in table.columns})
    for name in [name for name in text.columns if name.endswith("_std")]:
        del text[name]
        text[name.removesuffix("_std")] += table[name].map(plus_minus)
    text = text.loc[:, (text != "").any()]
    return text, [pd.api.types.is_numeric_dtype(table[name]) for name in text.columns]


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value).replace("\n", " ")
