"""Read a table that a person made, and collect the lines that are faulty."""

import csv
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from autotagging.common.errors import UserError
from autotagging.corpus.delimited import BOM, OTHER_FORMATS, SEPARATORS
from autotagging.tools.importing.faults import Faults

PATH = "path"
GROUPS = ("track", "artist", "album", "title")
"""Columns that describe a song, all optional."""
LISTS = ("tags", "genre", "mood", "instrument", "vocal")
"""Columns that are taken for lists of tags; each but the first is a category."""
_KNOWN = (PATH, *GROUPS, *LISTS, "tag", "category")


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes
    ----------
    where
        Name of the table and number of the line, for messages.
    cells
        Text of each cell without white space around it, by column; all columns are there.
    """

    where: str
    cells: dict[str, str]


def read_rows(path: Path, faults: Faults) -> tuple[list[str], list[Row], set[str]]:
    """Read a table with a header, in UTF-8, separated by comma, TAB or semicolon.

    Fields may be in quotes; a field is on one line. Empty lines are skipped. The names of known
    columns, such as path and genre, may have capitals.

    Parameters
    ----------
    path
        Path of the table.
    faults
        Receives the lines that are not UTF-8, have a quote too many or too few, or another number
        of fields than the header. They are left out of the result.

    Returns
    -------
    columns
        Names of the columns.
    rows
        Lines below the header.
    torn
        Texts of the lines that are left out, split as well as they can be: perhaps paths.

    Raises
    ------
    UserError
        The file is no such table, its header has no column `path`, or a column is repeated or has
        no name.
    """
    content = path.read_bytes().removeprefix(BOM)
    for start, name in OTHER_FORMATS.items():
        if content.startswith(start):
            raise UserError(f"{path}, line 1: {name}; expected a table as text in UTF-8")
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    columns, separator = _header(path, lines[0])
    rows, torn = [], set()
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            cells = _fields(line, separator)
        except ValueError as error:
            faults.add(where, str(error))
            torn |= _torn(line, separator)
            continue
        if len(cells) != len(columns):
            between = SEPARATORS[separator]
            faults.add(
                where, f"{len(cells)} fields, expected {len(columns)} with a {between} between them"
            )
            torn |= {*cells, *_torn(line, separator)}
            continue
        rows.append(Row(where, dict(zip(columns, cells, strict=True))))
    return columns, rows, torn


def _header(path: Path, line: bytes) -> tuple[list[str], str]:
    """Split the header at the first separator that makes a column `path`."""
    for separator in (",", "\t", ";"):
        try:
            names = _fields(line, separator)
        except ValueError as error:
            raise UserError(f"{path}, line 1: {error}") from None
        columns = [column_name(name) for name in names]
        if PATH in columns:
            break
    else:
        raise UserError(
            f"{path}, line 1: no column 'path'; expected a table with a header, separated by "
            "comma, TAB or semicolon, in which the column path has the file of each song"
        )
    for name in columns:
        if not name:
            raise UserError(f"{path}, line 1: a column without a name; expected a name for each")
        if columns.count(name) > 1:
            raise UserError(f"{path}, line 1: column {name!r} appears twice; expected it once")
    return columns, separator


def column_name(name: str) -> str:
    """Name of a column as `read_rows` gives it: in NFC, known ones without capitals."""
    name = normalize("NFC", name.strip())
    small = name.casefold()
    return small if small in _KNOWN else name


def _fields(line: bytes, separator: str) -> list[str]:
    """Split a line; ValueError says what is wrong with it."""
    if b"\0" in line:
        raise ValueError("a NUL byte, expected text")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"byte 0x{line[error.start]:02x} is not UTF-8; save the table in UTF-8"
        ) from None
    try:
        fields = next(csv.reader([text], delimiter=separator, strict=True), [""])
    except csv.Error:
        raise ValueError("a quote too many or too few, or a field of several lines") from None
    return [normalize("NFC", field.strip()) for field in fields]


def _torn(line: bytes, separator: str) -> set[str]:
    """Split a damaged line at each separator."""
    fields = line.replace(b"\0", b"").decode(errors="replace").split(separator)
    return {normalize("NFC", field.strip().strip('"').strip()) for field in fields} - {""}
