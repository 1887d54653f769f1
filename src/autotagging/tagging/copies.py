"""Copies next to the user's files, which are finished, and then take their place.

A copy is written as the open file that was created, never by its name, which another user of the
folder may have made a link to some other file.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from autotagging.common.files import flush_folder
from autotagging.tagging.journal import started_copies
from autotagging.tagging.outcomes import RefusedError

_COPY = re.compile(r"\.autotagging-[0-9a-f]{16}(\.[^/]*)?")
_LONGEST_SUFFIX = 10  # characters of a suffix that the name of a copy has as well


def remove_copies(journal: Path) -> None:
    """Remove copies of files that stopped processes have left."""
    for copy in started_copies(journal):
        if _COPY.fullmatch(copy.name):
            with suppress(OSError, ValueError):  # a ValueError for what no name can be
                copy.unlink()


@contextmanager
def copy_next_to(
    target: Path, journal: Path, announce: Callable[[str], None] = lambda _: None
) -> Iterator[BinaryIO]:
    """Make an empty file next to another, and remove it at the end if it was not renamed.

    Its name is known from the file and the journal, which one process at a time works on.
    """
    token = hashlib.sha256(os.fsencode(f"{journal.resolve()}\0{target}")).hexdigest()[:16]
    suffix = target.suffix if len(os.fsencode(target.suffix)) <= _LONGEST_SUFFIX else ""
    copy = target.with_name(f".autotagging-{token}{suffix}")
    announce(str(copy))
    copy.unlink(missing_ok=True)
    try:
        with open(copy, "x+b", opener=_for_no_one_else) as file:
            yield file
    finally:
        copy.unlink(missing_ok=True)


def _for_no_one_else(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def finish(
    copy: BinaryIO, target: Path, before: os.stat_result, times: tuple[int, int] | None
) -> None:
    """Give a copy owner, permissions, extended attributes and times, and bring it to the disk.

    What the system does not allow is left out; without `times`, they are those of now.
    """
    copy.flush()
    file = copy.fileno()
    for owner, group in ((-1, before.st_gid), (before.st_uid, -1)):
        with suppress(OSError):
            os.fchown(file, owner, group)
    with suppress(OSError):
        for name in os.listxattr(target) if hasattr(os, "listxattr") else ():
            with suppress(OSError):
                os.setxattr(file, name, os.getxattr(target, name))
    with suppress(OSError):
        os.fchmod(file, stat.S_IMODE(before.st_mode))
    if times:
        os.utime(file, ns=times)
    os.fsync(file)


def put_in_place(copy: BinaryIO, target: Path, before: os.stat_result) -> None:
    """Put a copy in the place of a file, if both are still the same."""
    path = Path(copy.name)
    if not os.path.samestat(os.fstat(copy.fileno()), path.lstat()):
        raise RefusedError("changed", "its copy was replaced by another file meanwhile")
    now = target.stat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
    ):
        raise RefusedError("changed", "it was changed meanwhile")
    path.replace(target)
    flush_folder(target.parent)
