"""Processes for work that may hang or crash: each has a time limit, and ends with what it started.

The work ignores Ctrl-C, which is for the process that started it, and ends when that one has ended.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from autotagging.common.errors import UserError

TO_START = 300.0
"""Seconds in which a process has to load its modules and what it needs."""

_LONGEST_TIMEOUT = 86_400.0  # seconds; the system waits for at most 24 days at a time
_TO_END = 10.0  # seconds to wait for a process that was killed
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


def check_timeout(timeout: float) -> None:
    """Raise UserError unless the seconds of the flag --timeout are above 0, and at most a day."""
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise UserError(
            f"--timeout {timeout:g}: expected more than 0 seconds, and at most "
            f"{_LONGEST_TIMEOUT:,.0f}, a day"
        )


class Process:
    """A process with a pipe.

    Parameters
    ----------
    target
        Function at the top of a module, which the process calls. It returns, or the end of the pipe
        is an error, when the process is no longer needed.
    arguments
        Its arguments, after the other end of the pipe.

    Attributes
    ----------
    pipe
        Connection to the process.
    ready
        Whether the process has loaded what it needs: to be set.
    heard
        Time, of time.monotonic, at which it was last heard of: to be set.

    Raises
    ------
    UserError
        No process can be started.
    """

    def __init__(self, target: Callable[..., None], *arguments: Any):
        self._target = target
        self._arguments = arguments
        self._start()

    def _start(self) -> None:
        self.ready, self.heard, self._started = False, time.monotonic(), False
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_run, args=(self._target, theirs, *self._arguments), daemon=True
        )
        kept = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            self.process.start()
            self._started = True
        except OSError as error:
            raise UserError(f"no process can be started: {error.strerror}") from error
        finally:
            theirs.close()
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def is_alive(self) -> bool:
        """Whether it was neither stopped nor has ended."""
        return self._started and self.process.is_alive()

    def deadline(self, timeout: float) -> float:
        """Time, of time.monotonic, at which the process has taken too long."""
        return self.heard + (timeout if self.ready else TO_START)

    def stop(self) -> None:
        """End the process, and those that it has started, such as a decoder."""
        if self._started:
            _end_group(self.process.pid)
            self.process.kill()
            self.process.join(_TO_END)
            self._started = False
        self.pipe.close()

    def restart(self) -> None:
        """End the process, and start another one."""
        self.stop()
        self._start()


T = TypeVar("T", bound=Process)


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


def _run(target: Callable[..., None], pipe: Connection, *arguments: Any) -> None:
    """Call the function of a `Process`; runs in the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # what it starts is ended with it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the process above has closed the pipe, or ended
        target(pipe, *arguments)


def _end_with_parent() -> None:
    connection.wait([parent_process().sentinel])
    _end_group(os.getpid())
    os._exit(1)


def _end_group(leader: int) -> None:
    """Kill a process that leads a group, and those that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # ended, or leads no group yet
            os.killpg(leader, signal.SIGKILL)
