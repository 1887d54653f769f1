"""Read the tables that steps write for each other, with the types they were written with."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.files import read_written

_NULLABLE = (float, "Int64")


def read_table(
    path: Path,
    types: Mapping[str, Any],
    *,
    required: Iterable[str] | None = None,
    others: Any = None,
    key: str | None = None,
) -> pd.DataFrame:
    """Read a CSV table of an earlier step.

    Text stays text: a tag may be named NA, nan or 007. Only a number may be missing, as an empty
    cell, where its type is float or "Int64".

    Parameters
    ----------
    path
        Path of the table. If the SHA256SUMS next to it lists it, it is checked.
    types
        Types of columns: str, int, float, "Int64".
    required
        Columns that must exist; None: all of `types`.
    others
        Type of all other columns; None: they are left out.
    key
        Column whose values don't repeat; it becomes the index.

    Raises
    ------
    UserError
        The table was cut or changed, is no table, lacks a column, or a cell has another type.
    """
    try:
        content = read_written(path)
        columns = _columns(content)
    except (ValueError, csv.Error) as error:
        raise _fault(path, f"no whole table ({error})") from error
    required = types if required is None else required
    if missing := [name for name in required if name not in columns]:
        raise _fault(path, f"no column {missing[0]!r}")
    wanted = {name: types.get(name, others) for name in columns}
    wanted = {name: kind for name, kind in wanted.items() if kind is not None}
    try:
        table = pd.read_csv(
            io.BytesIO(content),
            dtype=wanted,
            usecols=[*wanted],
            keep_default_na=False,
            na_values={name: [""] for name, kind in wanted.items() if kind in _NULLABLE},
            skip_blank_lines=False,
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise _fault(path, f"a cell of another type ({error})") from error
    if key is None:
        return table
    if (repeated := table[key].duplicated()).any():
        raise _fault(path, f"{key} {table.loc[repeated, key].iloc[0]} appears twice")
    return table.set_index(key)


def _fault(path: Path, what: str) -> UserError:
    return UserError(f"{path}: {what}; delete it and run again")


def _columns(content: bytes) -> list[str]:
    """Give the names of the columns; raise ValueError unless all lines are whole."""
    if not content.endswith(b"\n"):
        raise ValueError("the last line has no end")
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    rows = csv.reader(lines, strict=True)
    columns = next(rows)
    if len({*columns}) < len(columns):
        raise ValueError("two columns of the same name")
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"line {rows.line_num}: {len(row)} cells, expected {len(columns)}")
    return columns
