"""Processes that work for this one: waiting for several, each with a time limit; their end."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Protocol, TypeVar


class Timed(Protocol):
    """A process with a pipe, and the time of time.monotonic at which it was last heard of."""

    pipe: Connection
    heard: float

    def deadline(self, timeout: float) -> float:
        """Time, of time.monotonic, at which the process has taken too long."""
        ...


T = TypeVar("T", bound=Timed)


def that_changed(pool: Sequence[T], timeout: float) -> list[T]:
    """Wait for a message, the end of a process, or a time-out; list the processes concerned."""
    before = time.monotonic()
    patience = max(min(worker.deadline(timeout) for worker in pool) - before, 0.0)
    changed = {*connection.wait([worker.pipe for worker in pool], patience)}
    now = time.monotonic()
    if (stopped := now - before - patience) > 1:  # this process was, and so were the others
        for worker in pool:
            worker.heard += stopped
    return [w for w in pool if w.pipe in changed or w.deadline(timeout) <= now]


def serve_parent() -> None:
    """Make this process one that only the process above ends, with all that it has started.

    Ctrl-C is for the process above. When that has ended, however it did, this one ends, too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # for `end_group`
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    connection.wait([parent_process().sentinel])
    end_group(os.getpid())
    os._exit(1)


def end_group(leader: int) -> None:
    """Kill a process that leads a group, and those that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # ended, or leads no group yet
            os.killpg(leader, signal.SIGKILL)
