"""Read batches ahead of the loop that uses them, and see how long it waits all the same."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

# Several at a time, for a disk that is slow to answer; some in store, for one that stalls.
_READERS = 4
_BATCHES_AHEAD = 8


class Waiting:
    """How long a loop has waited for data, and its share of all the time since this was made.

    Attributes
    ----------
    seconds
        Waited so far.
    """

    def __init__(self):
        self._started = time.perf_counter()
        self.seconds = 0.0

    def __str__(self) -> str:
        """Write the share, for instance "waiting 0.4 %"."""
        return f"waiting {100 * self.seconds / (time.perf_counter() - self._started):.1f} %"


def prefetched(
    gather: Callable[[Any], np.ndarray], batches: Sequence, waiting: Waiting
) -> Iterator[np.ndarray]:
    """Yield what `gather` reads of each batch, in order, reading a few batches ahead in threads.

    Close it (`contextlib.closing`) to stop reading before the end. No more than eight batches and
    the one in use are in memory.

    Parameters
    ----------
    gather
        Called in several threads at a time. What it raises comes out in place of its batch.
    batches
        Its arguments.
    waiting
        Counts how long the batches kept their user waiting.
    """
    to_read = iter(batches)
    readers = ThreadPoolExecutor(_READERS)
    try:
        ahead = deque(readers.submit(gather, batch) for batch in islice(to_read, _BATCHES_AHEAD))
        while ahead:
            started = time.perf_counter()
            arrays = ahead.popleft().result()
            waiting.seconds += time.perf_counter() - started
            ahead.extend(readers.submit(gather, batch) for batch in islice(to_read, 1))
            yield arrays
    finally:
        readers.shutdown(cancel_futures=True)
