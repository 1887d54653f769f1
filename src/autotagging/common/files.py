"""Write files completely or not at all, the same content as the same bytes, with checksums.

The folder of a step's results has SHA256SUMS, which `sha256sum -c SHA256SUMS` checks, too.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.locks import lock

if TYPE_CHECKING:  # Snakemake and most tools need no tables
    import pandas as pd

CHECKSUMS = "SHA256SUMS"
_LONGEST_NAME = 255  # bytes, on most file systems
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR
NOT_ARRAYS = (OSError, ValueError, TypeError, EOFError, RuntimeError, SyntaxError)
NOT_ARRAYS += (tokenize.TokenError, zipfile.BadZipFile, zlib.error)
"""What np.load raises for files that are damaged, or no arrays."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of an empty file next to `path`; rename it on success, delete it on failure.

    The temporary name has the suffix, from which many writers take the file format. The content
    is on the disk before it gets its name: a power failure leaves the old file or the new one. Of
    two processes that write the same file, the second waits for the first; without locks, each
    writes a temporary file of its own, which stays if the process is killed. An OSError names
    `path`; so does that of `check_regular`, which is raised before anything is written.
    """
    check_regular(path)
    common = _temporary(path)
    with naming(path, common):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _reserved(common, path) as temporary, naming(path, temporary):
            try:
                yield temporary
                flush(temporary)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        flush_folder(path.parent)


def check_regular(path: Path) -> None:
    """Raise an OSError that names a path if a folder, device or FIFO is there; follow links.

    A file that is renamed would take the place of a device, and a FIFO is waited for.
    """
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing is there, or what opens it says why it can't
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def _temporary(path: Path, token: str = "") -> Path:
    """Path next to another one, with a name that is not longer than a name may be."""
    name = f".partial-{token}{path.name}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
        suffix = path.suffix if len(os.fsencode(path.suffix)) < _LONGEST_NAME // 2 else ""
        name = f".partial-{token}{digest}{suffix}"
    return path.with_name(name)


@contextmanager
def _reserved(temporary: Path, path: Path) -> Iterator[Path]:
    """Make an empty file, which is locked within this context, and give its path.

    What a process that was killed has left there is deleted. A file that can't be locked may be
    another process's: it is left alone, and the empty file has a name that no other process uses.
    """
    while (opened := _open_temporary(temporary)) is not None:
        descriptor, is_new = opened
        try:
            if not lock(descriptor, str(path), wait=True, holder="another process"):
                if is_new:
                    temporary.unlink(missing_ok=True)
                break
            if not _is_at(descriptor, temporary):
                continue
            if is_new:
                yield temporary
                return
            temporary.unlink()  # a process that was killed has left it
        finally:
            os.close(descriptor)
    own = _temporary(path, f"{secrets.token_hex(8)}-")
    os.close(os.open(own, _NEW, 0o666))
    yield own


def _open_temporary(path: Path) -> tuple[int, bool] | None:
    """Open a file, and tell whether it is new; None if it is another user's and can't be opened."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        with suppress(FileExistsError):
            return os.open(path, _NEW, 0o666), True
        try:
            try:  # NFS locks no file that is only read
                descriptor = os.open(path, os.O_RDWR | flags)
            except PermissionError:
                descriptor = os.open(path, os.O_RDONLY | flags)
            return descriptor, False
        except FileNotFoundError:  # it is gone by now
            continue
        except PermissionError:
            return None
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            path.unlink(missing_ok=True)  # a link


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file still has a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


@contextmanager
def naming(path: Path, *others: Path) -> Iterator[None]:
    """Name a file in each OSError that names none, or one of the others."""
    try:
        yield
    except OSError as error:
        if error.filename is None or Path(error.filename) in others:
            error.filename = str(path)
        raise


def flush(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Wait until the names of new files are on the disk; some network file systems can't do it."""
    with suppress(OSError):
        flush(folder)


def print_data(lines: Iterable[str]) -> None:
    """Write data to standard output, in UTF-8; names of files that are not text keep their bytes.

    Unlike what `print` shows, data that can't be written are an error. A reader that ends early,
    such as `head`, is none.

    Raises
    ------
    OSError
        They can't be written, for instance because the disk is full.
    """
    sys.stdout.flush()
    with (
        suppress(BrokenPipeError),
        naming(Path("standard output")),
        open(1, "wb", closefd=False) as stream,
    ):
        stream.writelines(line.encode(errors="surrogateescape") for line in lines)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(path: Path, files: Iterable[Path]) -> None:
    """Write the SHA-256 of the files that are next to `path`, in the format of `sha256sum`."""
    near = sorted(file for file in files if file.parent == path.parent and file != path)
    with replacing(path) as temporary:
        lines = [f"{sha256(file)}  {file.name}\n" for file in near]
        temporary.write_text("".join(lines), encoding="utf-8")


def read_written(path: Path) -> bytes:
    """Read a file that a step wrote.

    Raises
    ------
    UserError
        The SHA256SUMS next to it lists the file with another checksum: it was cut or changed.
    """
    check_written(path)
    return path.read_bytes()


def check_written(path: Path) -> None:
    """Compare a file with the SHA256SUMS next to it, if that lists it; see `read_written`."""
    checksums = path.with_name(CHECKSUMS)
    expected = read_checksums(checksums).get(path.name) if checksums.exists() else None
    if expected and path.exists() and sha256(path) != expected:
        raise UserError(
            f"{path}: not as its step wrote it ({CHECKSUMS}): cut or changed since; "
            "delete it and run again"
        )


def read_checksums(path: Path) -> dict[str, str]:
    """Read SHA256SUMS: the hexadecimal SHA-256 of each file, by name.

    Raises
    ------
    UserError
        The file is damaged.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    if not all(re.fullmatch(r"[0-9a-f]{64}  .+\n", line) for line in lines):
        raise UserError(f"{path}: cut or changed; delete it and run again")
    return {line[66:-1]: line[:64] for line in lines}


def write_csv(table: "pd.DataFrame", path: Path) -> None:
    """Write a table without its index, with Unix line ends."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a dictionary as indented JSON, in its own order, with a final line end."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path, **types: Any) -> dict[str, Any]:
    """Read a dictionary from JSON.

    Parameters
    ----------
    path
        File to read.
    types
        Types of the entries that must exist; a dictionary of types for the entries of an entry.

    Raises
    ------
    UserError
        The file is damaged, or lacks an entry, or one has another type.
    """
    try:
        content = json.loads(read_written(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON ({error}); delete it and run again") from error
    check_entries(content, path, types)
    return content


def check_entries(content: Any, place: Path | str, types: Mapping[str, Any]) -> None:
    """Raise UserError unless a dictionary, found at `place`, has entries of these types."""
    if not isinstance(content, dict):
        raise UserError(f"{place}: not a dictionary; delete it and run again")
    for name, expected in types.items():
        if name not in content:
            raise UserError(f"{place}: no entry {name!r}; delete it and run again")
        if isinstance(expected, Mapping):
            check_entries(content[name], f"{place}: {name}", expected)
        elif not isinstance(content[name], expected):
            found = type(content[name]).__name__
            raise UserError(f"{place}: entry {name!r} is of type {found}; delete it and run again")


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz: the same arrays as the same bytes, each with a checksum."""
    with replacing(path) as temporary:
        write_arrays(temporary, arrays)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write .npz as `numpy.savez` does, but arrays below 2 GB as the same bytes with every Python.

    Savez marks each array as a larger one, which Python 3.11.4 and later write in another way.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in ((name, np.asanyarray(values)) for name, values in arrays.items()):
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3  # that of Unix, everywhere
            entry.file_size = array.nbytes  # only tells whether it is a larger one
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read named arrays from .npz; no code from the file is run.

    Raises
    ------
    UserError
        The file is damaged, not as its step wrote it, or contains anything other than arrays of
        numbers or text.
    """
    check_written(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            loaded = dict(arrays)
    except NOT_ARRAYS as error:
        raise UserError(
            f"{path}: damaged, or not an .npz file of plain arrays ({error}); create it again"
        ) from error
    for name, array in loaded.items():
        if not isinstance(array, np.ndarray):
            raise UserError(f"{path}: {name!r} is not an array; create it again")
    return loaded
