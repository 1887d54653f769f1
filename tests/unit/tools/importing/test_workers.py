"""Jobs in several processes, of which one ends its process."""

from concurrent.futures.process import BrokenProcessPool

from autotagging.tools.importing.workers import run_jobs


def test_a_job_that_ends_its_process_is_only_its_own_failure():
    jobs = [("1 + 1",), ("__import__('os')._exit(3)",), ("2 + 2",), ("1 / 0",), ("3 + 3",)]
    outcomes = {number: (result, error) for number, result, error in run_jobs(eval, jobs, 2)}
    assert [outcomes[number] for number in (0, 2, 4)] == [(2, None), (4, None), (6, None)]
    assert isinstance(outcomes[1][1], BrokenProcessPool)
    assert isinstance(outcomes[3][1], ZeroDivisionError)
    assert len(outcomes) == 5
