"""Standard output and standard error: what is only shown never stops the work."""

import io
import os
import sys
from contextlib import suppress


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
