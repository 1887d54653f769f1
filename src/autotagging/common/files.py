"""Write files completely or not at all, and the same content as the same bytes."""

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
    """Yield a temporary path next to `path`; rename it on success, delete it on failure.

    The temporary name keeps the suffix, from which many writers take the file format.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, with Unix line ends."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a dictionary as indented JSON, in its own order, with a final line end."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a dictionary from JSON; raise UserError if the file is damaged."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); delete it and run again") from error


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz: the same arrays as the same bytes, each with a checksum."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read named arrays from .npz; no code from the file is run.

    Raises
    ------
    UserError
        The file is damaged, or contains anything other than arrays of numbers or text.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            loaded = dict(arrays)
    except _NOT_ARRAYS as error:
        raise UserError(
            f"{path}: damaged, or not an .npz file of plain arrays ({error}); create it again"
        ) from error
    for name, array in loaded.items():
        if not isinstance(array, np.ndarray):
            raise UserError(f"{path}: {name!r} is not an array; create it again")
    return loaded


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
