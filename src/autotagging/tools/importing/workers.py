"""Run jobs in several processes, so that one that ends its process is only its own failure."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

Outcome = tuple[int, Any, Exception | None]


def run_jobs(function: Callable, jobs: Sequence[tuple], workers: int) -> Iterator[Outcome]:
    """Call a function once for each job, in other processes.

    Parameters
    ----------
    function
        Function at the top of a module.
    jobs
        Its arguments.
    workers
        Number of processes.

    Yields
    ------
    outcome
        Number of the job, its result, and None; or the number, None and the exception:
        BrokenProcessPool where the job has ended its process. In the order in which they end.
    """
    waiting = dict(enumerate(jobs))
    while waiting:
        for number, future in _run_together(function, waiting, workers):
            del waiting[number]
            yield _outcome(number, future)
        # A process has ended with a job that is still waiting, one of the first.
        for number in list(waiting)[: 2 * workers]:
            alone = {number: waiting.pop(number)}
            done = [_outcome(*each) for each in _run_together(function, alone, 1)]
            yield from done or [(number, None, BrokenProcessPool("the decoder has crashed"))]


def _run_together(
    function: Callable, jobs: Mapping[int, tuple], workers: int
) -> Iterator[tuple[int, Future]]:
    """Yield the jobs that end, each with its future, until all have, or a process has ended."""
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), get_context("spawn"), _end_with, (os.getpid(),)
    )
    try:
        numbers = {pool.submit(function, *job): number for number, job in jobs.items()}
        for future in as_completed(numbers):
            if not isinstance(future.exception(), BrokenProcessPool):
                yield numbers[future], future
    finally:
        pool.shutdown(cancel_futures=True)


def _outcome(number: int, future: Future) -> Outcome:
    error = future.exception()
    return number, None if error else future.result(), error


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it, which may be killed or interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
