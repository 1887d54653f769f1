"""Jobs in several processes, of which one ends its process, and one never ends."""

import time
from multiprocessing import active_children

import pytest

from autotagging.tools.importing.workers import JobError, results, run_jobs


def test_a_job_that_ends_its_process_or_hangs_is_only_its_own_failure():
    before = {*active_children()}  # of other tests
    hang = "__import__('time').sleep(99)"
    jobs = [("1 + 1",), ("__import__('os')._exit(3)",), ("2 + 2",), ("1 / 0",), (hang,), ("3 + 3",)]
    outcomes = {
        n: (result, error) for n, result, error in run_jobs(eval, jobs, workers=2, timeout=3)
    }
    assert [outcomes[number] for number in (0, 2, 5)] == [(2, None), (4, None), (6, None)]
    assert isinstance(outcomes[1][1], JobError)
    assert str(outcomes[1][1]) == "the decoder has crashed"
    assert isinstance(outcomes[3][1], ZeroDivisionError)
    assert isinstance(outcomes[4][1], JobError)
    assert str(outcomes[4][1]) == "not done after 3 s; stopped"
    assert len(outcomes) == 6
    assert {*active_children()} <= before


def test_a_job_that_hangs_is_ended_with_the_program_that_it_started(tmp_path):
    alive = tmp_path / "alive"
    decoder = f"while sleep 0.1; do touch {alive}; done"
    job = f"__import__('subprocess').run(['sh', '-c', '{decoder}'])"
    ((_, _, error),) = run_jobs(eval, [(job,)], workers=1, timeout=3)
    assert str(error) == "not done after 3 s; stopped"
    assert alive.exists()
    alive.unlink()
    time.sleep(0.5)
    assert not alive.exists()


def test_an_error_ends_the_processes():
    before = {*active_children()}

    def run(function, jobs):
        return run_jobs(function, jobs, workers=1, timeout=60)

    with pytest.raises(ZeroDivisionError):
        results(run, eval, [("1 / 0",), ("1",)], "Jobs", (KeyError,))
    assert {*active_children()} <= before
