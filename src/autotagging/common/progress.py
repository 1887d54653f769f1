"""What a command shows, which never stops it: a bar on a terminal, plain lines in a log."""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TypeVar

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10

Item = TypeVar("Item")


def progress(
    iterable: Iterable[Item], *, total: int, label: str, note: Callable[[], str] = str
) -> Iterator[Item]:
    """Yield the items and report the progress on standard error.

    Parameters
    ----------
    iterable
        Items to yield.
    total
        Number of items.
    label
        Name of the loop, for instance "Synthesising clips".
    note
        Function that returns further text to report.

    Yields
    ------
    item
        The items of `iterable`, unchanged.
    """
    if sys.stderr.isatty():
        with tqdm(iterable, total=total, desc=label, leave=False) as bar:
            for item in bar:
                yield item
                bar.set_postfix_str(note(), refresh=False)
        return
    start = last = time.monotonic()
    for done, item in enumerate(iterable, start=1):
        yield item
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            to_go = duration((now - start) / done * (total - done))
            parts = [f"{label} {done}/{total}", note(), f"{to_go} to go"]
            print("  ".join(filter(None, parts)), file=sys.stderr, flush=True)


def print_line(text: str) -> None:
    """Print a line on standard error, above the bar if one is shown."""
    tqdm.write(text, file=sys.stderr)


def duration(seconds: float) -> str:
    """Write a duration as hours:minutes:seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


@contextmanager
def native_log_hidden() -> Iterator[None]:
    """Hide what native code writes to file descriptor 2, unless an exception is raised.

    TensorFlow's libraries log there while they load, at any log level.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with _temporary_file() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(stderr, 2)
            hidden.seek(0)
            sys.stderr.write(hidden.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # no folder for temporary files, or its disk is full
        return open(os.devnull, "w+b")


def show_without_failing() -> None:
    """Replace both streams by ones that go on when they can't be written.

    A terminal may be closed, a pipe's reader may end, and the disk of a log may be full. A closed
    descriptor is opened on the null device, so that no file of the work gets its number.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            os.set_inheritable(opened, True)
    sys.stdout = _stream(1, sys.stdout)
    sys.stderr = _stream(2, sys.stderr)


class _Shown(io.FileIO):
    """A descriptor on which failed writing counts as done."""

    def write(self, content) -> int:
        with suppress(OSError):
            if (written := super().write(content)) is not None:
                return written
        return len(content)


def _stream(descriptor: int, replaced: io.TextIOBase | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Shown(descriptor, "w", closefd=False)),
        encoding=replaced.encoding if replaced else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
