"""Read a TAB-separated table strictly: any fault is an error that names the line.

A valid table needs only a few counts and pandas' fast parser; lines are checked one by one only
if a count is wrong.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
from pandas.api.types import union_categoricals

from autotagging.common.errors import UserError

_LINES_AT_A_TIME = 50_000
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# A field is quoted, with quotes inside it doubled, or has no quotes.
_LINE = re.compile(rb'(?:"(?:[^"\t]|"")*"|[^"\t]*)(?:\t(?:"(?:[^"\t]|"")*"|[^"\t]*))*')


def read_tsv(
    path: Path, *, required: Iterable[str], unique: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read a table as text: UTF-8, with a header, TABs between fields, and optional quotes.

    Every line ends in CRLF or LF; a file without a final line end is incomplete. A byte order
    mark of UTF-8 is skipped. A field contains neither TAB nor line end.

    Parameters
    ----------
    path
        Path of the table, gzipped if its name ends in .gz.
    required
        Columns that must exist, in any order.
    unique
        Columns whose values rarely repeat; the others are returned as categories, which take at
        most an eighth of the memory. None: all.

    Returns
    -------
    table : (lines - 1, columns) of str or categories
        Row r is line r + 2 of the file.

    Raises
    ------
    UserError
        The file is not such a table, a column is repeated or missing, or there is no row.
    """
    content = _read_bytes(path).removeprefix(_BOM)
    _check_characters(path, content)
    _check_fields(path, content)
    _check_quotes(path, content)
    plain = {"sep": "\t", "header": None, "na_filter": False}
    columns = pd.read_csv(io.BytesIO(content), nrows=1, dtype=str, **plain).iloc[0].tolist()
    _check_columns(path, columns, required)
    if content.count(b"\n") == 1:
        raise UserError(f"{path}, line 2: no data; expected lines below the header")
    as_text = set(columns if unique is None else unique)
    repeating = [i for i, name in enumerate(columns) if name not in as_text]
    # Not dtype="category" here, which reads 01 as 1.
    blocks = pd.read_csv(
        io.BytesIO(content), skiprows=1, dtype=str, chunksize=_LINES_AT_A_TIME, **plain
    )
    parts = [block.astype(dict.fromkeys(repeating, "category")) for block in blocks]
    table = {
        name: union_categoricals([part[i] for part in parts])
        if i in repeating
        else pd.concat([part[i] for part in parts])
        for i, name in enumerate(columns)
    }
    return pd.DataFrame(table)


def _read_bytes(path: Path) -> bytes:
    if path.suffix != ".gz":
        content = path.read_bytes()
    else:
        try:
            content = gzip.decompress(path.read_bytes())
        except (EOFError, OSError, zlib.error) as error:
            raise UserError(f"{path}: damaged gzip file ({error}); download it again") from error
    if not content:
        raise UserError(f"{path}, line 1: the file is empty; expected a header")
    return content


def _check_characters(path: Path, content: bytes) -> None:
    """Raise UserError unless the content is whole lines of UTF-8."""
    if content.startswith(_UTF16):
        raise UserError(f"{path}, line 1: UTF-16; expected UTF-8")
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


def _check_fields(path: Path, content: bytes) -> None:
    expected = next(_lines(content)).count(b"\t") + 1
    for number, line in enumerate(_lines(content), start=1):
        fields = line.count(b"\t") + 1
        if fields != expected:
            raise UserError(
                f"{path}, line {number}: {fields} fields; expected {expected} with a TAB between "
                "them, as in the header"
            )


def _check_quotes(path: Path, content: bytes) -> None:
    quotes, lines, tabs = (content.count(mark) for mark in (b'"', b"\n", b"\t"))
    all_quoted = (
        quotes == 2 * (tabs + lines)
        and content.count(b'"\t"') == tabs
        and all(
            line.startswith(b'"') and line.rstrip(b"\r").endswith(b'"') for line in _lines(content)
        )
    )
    if not quotes or all_quoted:
        return
    for number, line in enumerate(_lines(content), start=1):
        if not _LINE.fullmatch(line.removesuffix(b"\r")):
            raise UserError(
                f"{path}, line {number}: a quote too many or too few; "
                "expected every field in quotes, and quotes inside a field doubled"
            )


def _check_columns(path: Path, columns: list[str], required: Iterable[str]) -> None:
    for name in columns:
        if not name:
            raise UserError(f"{path}, line 1: a column without a name; expected a name for each")
        if columns.count(name) > 1:
            raise UserError(f"{path}, line 1: column {name!r} appears twice; expected it once")
    for name in required:
        if name not in columns:
            raise UserError(
                f"{path}, line 1: no column {name!r}; expected a TAB-separated table with it"
            )
