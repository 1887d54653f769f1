"""Read batches ahead of the loop that uses them, and measure how long the loop waits."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

# Several readers hide the latency of a disk; batches read ahead bridge its pauses.
_READERS = 4
_BATCHES_AHEAD = 8


class Waiting:
    """Time that a loop has waited for data, and its share of the time since creation.

    Attributes
    ----------
    seconds
        Seconds waited so far.
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
    """Yield the result of `gather` for each batch, in order; threads read a few batches ahead.

    Close it (`contextlib.closing`) to stop reading before the end. At most eight batches and the
    one in use are in memory.

    Parameters
    ----------
    gather
        Function that reads a batch, called in several threads at a time. Its exception is raised
        in place of the batch.
    batches
        Arguments of `gather`.
    waiting
        Counter of the time spent waiting for batches.
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
