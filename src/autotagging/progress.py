"""Progress of long work: a bar on a terminal, plain lines in a log."""

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10

Item = TypeVar("Item")


def progress(iterable: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """Pass the items on and report how many have gone by, on standard error.

    Parameters
    ----------
    iterable
        What to go through.
    total
        How many items there are.
    label
        What the work is, for instance ``"Synthesising clips"``.

    Yields
    ------
    item
        The items of `iterable`, unchanged.
    """
    if sys.stderr.isatty():
        yield from tqdm(iterable, total=total, desc=label)
        return
    last = time.monotonic()
    for done, item in enumerate(iterable, start=1):
        yield item
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{label}: {done} of {total}", file=sys.stderr, flush=True)


@contextmanager
def native_log_hidden() -> Iterator[None]:
    """Hide what native code writes to file descriptor 2, unless an exception comes out.

    TensorFlow's libraries log there as they load, whatever log level is set.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
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
