"""Read a table that others wrote strictly: any fault is an error that names the line.

A valid table needs only a few counts and pandas' fast parser; lines are checked one by one only
if a count is wrong.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from unicodedata import normalize

import pandas as pd
from pandas.api.types import union_categoricals

from autotagging.common.errors import UserError

SEPARATORS = {"\t": "TAB", ",": "comma", ";": "semicolon"}
"""Characters between fields, and their names."""
_LINES_AT_A_TIME = 50_000
BOM = b"\xef\xbb\xbf"
OTHER_FORMATS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a gzip file without .gz at the end of its name",
}
"""Formats that begin with these bytes."""
_QUOTED = re.compile(rb'"[^"]*"')


def read_delimited(
    path: Path,
    *,
    required: Iterable[str],
    unique: Iterable[str] | None = None,
    separators: Iterable[str] = ("\t",),
    by_hand: bool = False,
) -> pd.DataFrame:
    """Read a table as text: UTF-8, with a header, and optional quotes around fields.

    Every line ends in CRLF or LF. A byte order mark of UTF-8 is skipped. No field contains a line
    end, or a TAB between TABs.

    Parameters
    ----------
    path
        Path of the table, gzipped if its name ends in .gz.
    required
        Columns that must exist, in any order.
    unique
        Columns whose values rarely repeat; the others are returned as categories, which take at
        most an eighth of the memory. None: all.
    separators
        Characters that may separate the fields; the first with which the header has the required
        columns is used, or else the first.
    by_hand
        Whether a person may have typed the table: blanks around names and values are removed, lines
        may also end in CR, the last needs no end, empty lines may follow it, and columns may lack a
        name. Otherwise a file without a final line end is incomplete.

    Returns
    -------
    table : (lines - 1, columns) of str or categories
        Row r is line r + 2 of the file.

    Raises
    ------
    UserError
        The file is not such a table, a column is repeated or missing, or there is no row.
    """
    content = table_bytes(path).removeprefix(BOM)
    if not content.strip():
        raise UserError(f"{path}, line 1: the file is empty; expected a header")
    if by_hand:
        lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        content = lines.rstrip(b"\n") + b"\n"
    _check_characters(path, content)
    found = _split_header(content, separators, by_hand)
    separator = next((s for s in found if set(required) <= set(found[s])), next(iter(found)))
    _check_fields(path, content, separator)
    _check_quotes(path, content, separator)
    columns = found[separator]
    _check_columns(path, [name for name in columns if name or not by_hand], required, found)
    if content.count(b"\n") == 1:
        raise UserError(f"{path}, line 2: no data; expected lines below the header")
    table = _parse(content, columns, separator, columns if unique is None else set(unique))
    return table.apply(lambda column: column.str.strip()) if by_hand else table


def _parse(
    content: bytes, columns: list[str], separator: str, as_text: Iterable[str]
) -> pd.DataFrame:
    """Parse the lines below the header, in blocks; columns not in `as_text` as categories."""
    repeating = [i for i, name in enumerate(columns) if name not in as_text]
    # Not dtype="category" here, which reads 01 as 1.
    blocks = pd.read_csv(
        io.BytesIO(content),
        sep=separator,
        header=None,
        skiprows=1,
        dtype=str,
        na_filter=False,
        skip_blank_lines=False,
        chunksize=_LINES_AT_A_TIME,
    )
    parts = [block.astype(dict.fromkeys(repeating, "category")) for block in blocks]
    table = {
        name: union_categoricals([part[i] for part in parts])
        if i in repeating
        else pd.concat([part[i] for part in parts])
        for i, name in enumerate(columns)
    }
    return pd.DataFrame(table)


def table_bytes(path: Path) -> bytes:
    """Content of a table, decompressed if it is gzipped.

    Raises
    ------
    UserError
        The gzip file is damaged.
    """
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path}: damaged gzip file ({error}); download it again") from error


def _check_characters(path: Path, content: bytes) -> None:
    """Raise UserError unless the content is whole lines of UTF-8."""
    for start, name in OTHER_FORMATS.items():
        if content.startswith(start):
            raise UserError(f"{path}, line 1: {name}; expected a table as text in UTF-8")
    for number, line in enumerate(_lines(content), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8; "
                "expected a table in UTF-8"
            ) from error
    if (nul := content.find(b"\0")) >= 0:
        raise UserError(f"{path}, line {_line_at(content, nul)}: a NUL byte; expected text")
    if content.count(b"\r") != content.count(b"\r\n"):
        lone = re.search(rb"\r(?!\n)", content).start()
        raise UserError(
            f"{path}, line {_line_at(content, lone)}: a carriage return inside the line; "
            "expected lines that end in CRLF or LF"
        )
    if not content.endswith(b"\n"):
        raise UserError(
            f"{path}, line {_line_at(content, len(content))}: the file ends inside this line; "
            "expected a line end; download it again"
        )


def _line_at(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def _lines(content: bytes) -> Iterator[bytes]:
    """Yield the lines one by one; a list of all lines would double the memory."""
    return (line.removesuffix(b"\n") for line in io.BytesIO(content))


def _split_header(content: bytes, separators: Iterable[str], by_hand: bool) -> dict[str, list[str]]:
    """Split the header at each separator, in NFC; a name may be too long for the module csv."""
    header = next(_lines(content)).decode().removesuffix("\r")
    found = {}
    for separator in separators:
        try:
            names = next(csv.reader([header], delimiter=separator), [""])
        except csv.Error:
            names = [header]
        names = [normalize("NFC", name) for name in names]
        found[separator] = [name.strip() for name in names] if by_hand else names
    return found


def _check_fields(path: Path, content: bytes, separator: str) -> None:
    expected = _fields(next(_lines(content)), separator)
    for number, line in enumerate(_lines(content), start=1):
        if (fields := _fields(line, separator)) != expected:
            raise UserError(
                f"{path}, line {number}: {fields} fields; expected {expected} with a "
                f"{SEPARATORS[separator]} between them, as in the header"
            )


def _fields(line: bytes, separator: str) -> int:
    if separator != "\t" and b'"' in line:
        line = _QUOTED.sub(b"", line)
    return line.count(separator.encode()) + 1


def _check_quotes(path: Path, content: bytes, separator: str) -> None:
    mark = separator.encode()
    quotes, lines, marks = (content.count(each) for each in (b'"', b"\n", mark))
    all_quoted = (
        quotes == 2 * (marks + lines)
        and content.count(b'"%s"' % mark) == marks
        and all(
            line.startswith(b'"') and line.rstrip(b"\r").endswith(b'"') for line in _lines(content)
        )
    )
    if not quotes or all_quoted:
        return
    # A field is quoted, with quotes inside it doubled, or has no quotes.
    inside = b'[^"\t]' if separator == "\t" else b'[^"]'
    field = b'(?:"(?:%s|"")*"|[^"%s]*)' % (inside, mark)
    good = re.compile(b"%s(?:%s%s)*" % (field, mark, field))
    for number, line in enumerate(_lines(content), start=1):
        if not good.fullmatch(line.removesuffix(b"\r")):
            raise UserError(
                f"{path}, line {number}: a quote too many or too few; "
                "expected every field in quotes, and quotes inside a field doubled"
            )


def _check_columns(
    path: Path, columns: list[str], required: Iterable[str], separators: Mapping[str, object]
) -> None:
    for name in columns:
        if not name.strip():
            raise UserError(f"{path}, line 1: a column without a name; expected a name for each")
        if columns.count(name) > 1:
            raise UserError(f"{path}, line 1: column {name!r} appears twice; expected it once")
    for name in required:
        if name not in columns:
            separated = "- or ".join(SEPARATORS[each] for each in separators)
            raise UserError(
                f"{path}, line 1: no column {name!r}; expected a {separated}-separated table "
                "with it"
            )
