"""What tests of processes wait for."""

import time
from collections.abc import Callable


def within(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until a condition holds; tell whether it does."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
