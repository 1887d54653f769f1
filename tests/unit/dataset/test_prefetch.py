"""Batches come in order, a bounded number ahead, from several readers, with their errors."""

import threading
import time
from contextlib import closing

import pytest

from autotagging.dataset import prefetch
from autotagging.dataset.prefetch import Waiting, prefetched


class Reads:
    """A reader that records what it reads."""

    def __init__(self):
        self.batches = []

    def __call__(self, batch):
        self.batches.append(batch)
        return batch

    def settled(self, at_least):
        """Wait until no more batches are read, and return their number."""
        deadline = time.monotonic() + 10
        while len(self.batches) < at_least and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return len(self.batches)


def test_batches_come_in_order_whichever_is_read_first():
    def gather(batch):
        time.sleep(0.01 * (batch % 3 == 0))
        return batch

    assert list(prefetched(gather, range(20), Waiting())) == list(range(20))
    assert list(prefetched(gather, [], Waiting())) == []


def test_eight_batches_are_read_ahead_and_no_more():
    reads = Reads()
    with closing(prefetched(reads, range(100), Waiting())) as batches:
        assert next(batches) == 0
        assert reads.settled(at_least=9) == 9
        assert next(batches) == 1
        assert reads.settled(at_least=10) == 10


def test_four_batches_are_read_at_a_time():
    together = threading.Barrier(4)

    def gather(batch):
        together.wait(timeout=10)
        return batch

    assert list(prefetched(gather, range(8), Waiting())) == list(range(8))


def test_an_error_comes_in_place_of_its_batch():
    def gather(batch):
        if batch == 3:
            raise OSError("disk gone")
        return batch

    batches = prefetched(gather, range(20), Waiting())
    assert [next(batches) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="disk gone"):
        next(batches)
    assert list(batches) == []


def test_nothing_is_read_once_the_user_has_stopped():
    threads = threading.active_count()
    reads = Reads()
    with closing(prefetched(reads, range(100), Waiting())) as batches:
        next(batches)
    assert threading.active_count() <= threads  # one of another test may have ended
    assert reads.settled(at_least=1) <= 9


def test_waiting_is_given_as_a_share_of_all_the_time(monkeypatch):
    clock = iter([1000.0, 1250.0])
    monkeypatch.setattr(prefetch.time, "perf_counter", lambda: next(clock))
    waiting = Waiting()
    waiting.seconds += 1
    assert str(waiting) == "waiting 0.4 %"
