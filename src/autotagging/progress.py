"""Progress of long work: a bar on a terminal, plain lines in a log."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

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
    tenths = 0
    for done, item in enumerate(iterable, start=1):
        yield item
        if done * 10 // max(total, 1) > tenths:
            tenths = done * 10 // total
            print(f"{label}: {done} of {total}", file=sys.stderr, flush=True)
