"""Write files whole or not at all, and the same bytes each time."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError

_NOT_ARRAYS = (OSError, ValueError, TypeError, EOFError, RuntimeError)
_NOT_ARRAYS += (zipfile.BadZipFile, zlib.error)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it on success, delete it on failure.

    The temporary name keeps the suffix, which many writers go by.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table, without its index, with Unix line ends."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a dictionary in its own order, indented, ending in a line end."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a dictionary; a damaged file is the user's to know about."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); delete it and run again") from error


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz: the same bytes each time, a checksum for each array."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read named arrays; never runs code from the file.

    Raises
    ------
    UserError
        The file is damaged, or holds anything but arrays of numbers or text.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            loaded = dict(arrays)
    except _NOT_ARRAYS as error:
        raise UserError(
            f"{path}: damaged, or not an .npz file of plain arrays ({error}); make it again"
        ) from error
    for name, array in loaded.items():
        if not isinstance(array, np.ndarray):
            raise UserError(f"{path}: {name!r} is no array; make it again")
    return loaded


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
