"""Locks between processes; a lock ends with the process that holds it, however that ends."""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autotagging.common.errors import UserError


@contextmanager
def locked(path: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock within this context.

    Where no lock can be had (some network file systems, a read-only folder), go on without; who
    would wait says so on standard error.

    Parameters
    ----------
    path
        File of the lock, which names its holder; deleted at the end.
    what
        Work that only one process may do, for messages.
    wait
        Whether to wait for the process that holds the lock, after a line on standard error.

    Raises
    ------
    UserError
        Another process holds the lock, and `wait` is false.
    """
    descriptor = _acquire(path, what, wait=wait)
    if descriptor is None:
        if wait:
            text = f"{what}: no lock can be had here; let no other process do the same at this time"
            print(text, file=sys.stderr, flush=True)
        yield
        return
    try:
        with suppress(OSError):  # only messages need it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _name_of_this_process().encode(), 0)
        yield
    finally:
        try:
            with suppress(OSError):
                path.unlink()
        finally:
            os.close(descriptor)


def lock(descriptor: int, what: str, *, wait: bool, holder: str | None = None) -> bool:
    """Lock an open file until it is closed; see `locked`. By default, the file names its holder.

    Returns
    -------
    has_lock
        False where there are no locks, as on some network file systems; on others, a file must be
        open for writing.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = holder or _read(descriptor) or "another process"
        if not wait:
            raise UserError(f"{what}: {holder} is at work on it; wait for it, or stop it") from None
        print(f"{what}: waiting for {holder}, which is at work on it", file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _acquire(path: Path, what: str, *, wait: bool) -> int | None:
    """Open and lock the file; None if that is impossible here."""
    while (opened := _open(path)) is not None:
        descriptor, writable = opened
        try:
            has_lock = lock(descriptor, what, wait=wait)
        except BaseException:
            os.close(descriptor)
            raise
        with suppress(FileNotFoundError):
            if has_lock and os.path.samestat(os.fstat(descriptor), os.lstat(path)):
                return descriptor
        unused = writable and not os.fstat(descriptor).st_size  # a holder writes its name
        os.close(descriptor)
        if not has_lock:
            if unused:
                with suppress(OSError):
                    path.unlink()
            return None
        # the holder before deleted the file that is locked here
    return None


def _name_of_this_process() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} (to stop it: kill {os.getpid()})"


def _open(path: Path) -> tuple[int, bool] | None:
    """Open the file, and tell whether for writing."""
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):  # the second: a file of another user
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            return opened, flags != os.O_RDONLY
    return None


def _read(descriptor: int) -> str:
    with suppress(OSError):
        return os.pread(descriptor, 200, 0).decode(errors="replace")
    return ""
