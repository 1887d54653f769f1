"""Run jobs in several processes, so that one that hangs or crashes is only its own failure."""

import pickle
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.progress import progress
from autotagging.tagging.processes import Process, that_changed

JobOutcome = tuple[int, Any, Exception | None]
Run = Callable[[Callable, Sequence[tuple]], Iterator[JobOutcome]]
"""`run_jobs` with all but its first two arguments."""


class JobError(Exception):
    """A job that was stopped, or has ended its process; the text says which."""


def run_jobs(
    function: Callable, jobs: Sequence[tuple], *, workers: int, timeout: float
) -> Iterator[JobOutcome]:
    """Call a function once for each job, in other processes, which end with the iterator.

    Parameters
    ----------
    function
        Function at the top of a module.
    jobs
        Its arguments.
    workers
        Number of processes.
    timeout
        Seconds that a job may take; the process of one that takes longer is killed.

    Yields
    ------
    outcome
        Number of the job, its result, and None; or the number, None and the exception: JobError
        where the job has taken too long or ended its process. In the order in which they end.

    Raises
    ------
    UserError
        A process does not start.
    """
    todo = iter(enumerate(jobs))
    pool: list[_Worker] = []
    try:
        for _ in range(min(workers, len(jobs))):
            pool.append(_Worker(_work, function))
            pool[-1].give(*next(todo))
        while pool:
            for worker in that_changed(pool, timeout):
                outcome = worker.outcome(timeout)
                if outcome is None:
                    continue
                yield outcome
                following = next(todo, None)
                if following is None:
                    worker.stop()
                    pool.remove(worker)
                else:
                    worker.give(*following)
    finally:
        for worker in pool:
            worker.stop()


def results(
    run: Run,
    function: Callable,
    jobs: Sequence[tuple],
    label: str,
    expected: tuple[type[Exception], ...],
) -> list[Any]:
    """List the result of each job, in their order, or its error: a JobError or one expected.

    Parameters
    ----------
    run, function, jobs
        See `run_jobs`.
    label
        Name of the loop, for `progress`.
    expected
        Errors of the function that are no fault of the program; any other is raised.
    """
    found: list[Any] = [None] * len(jobs)
    with closing(run(function, jobs)) as running:
        for number, result, error in progress(running, total=len(jobs), label=label):
            if error is not None and not isinstance(error, (JobError, *expected)):
                raise error
            found[number] = result if error is None else error
    return found


class _Worker(Process):
    """A process for one job after another."""

    def give(self, number: int, job: tuple) -> None:
        """Give the process a job; start another one if it has ended."""
        if not self.is_alive():
            self.restart()
        self._number, self.heard = number, time.monotonic()
        with suppress(OSError):  # it has ended since, which `outcome` finds
            self.pipe.send(job)

    def outcome(self, timeout: float) -> JobOutcome | None:
        """Outcome of the job, which has ended or is stopped now; None if it begins."""
        try:
            received = self.pipe.recv() if self.pipe.poll() else None
            reason = f"not done after {timeout:g} s; stopped"
        except (EOFError, OSError):
            received, reason = None, "the decoder has crashed"
        if received is None:
            self.stop()
            if not self.ready:
                raise UserError("a process for the songs does not start; try fewer --workers")
            return self._number, None, JobError(reason)
        if not self.ready:
            self.ready, self.heard = True, time.monotonic()
            return None
        return self._number, *received


def _work(pipe: Connection, function: Callable) -> None:
    """Do the jobs that come through the pipe, until it is closed; runs in the process."""
    pipe.send("ready")
    while True:
        pipe.send(_result(function, pipe.recv()))


def _result(function: Callable, job: tuple) -> tuple[Any, Exception | None]:
    try:
        return function(*job), None
    except Exception as error:
        error.add_note(traceback.format_exc())
        try:
            return None, pickle.loads(pickle.dumps(error))
        except Exception:  # not every error can be sent
            return None, RuntimeError(f"{type(error).__name__}: {error}")
