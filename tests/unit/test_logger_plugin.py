"""What a person sees while the workflow runs."""

import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_steps import LogHandler


class Settings:
    def __init__(self):
        self.dryrun = False


@pytest.fixture
def handler():
    made = LogHandler(Settings(), None)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def send(handler, message, level=logging.INFO, **fields):
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    vars(record).update(fields)
    handler.emit(record)


def run_of_one_step(handler):
    send(handler, "Building DAG of jobs...")
    send(handler, "Job stats:\ntotal 2", event=LogEvent.RUN_INFO, stats={"total": 2})
    send(handler, "Select jobs to execute...")
    send(handler, "Execute 1 jobs...", event=LogEvent.JOB_STARTED)
    send(handler, "", event=LogEvent.JOB_INFO, jobid=7, rule_msg="Split the clips.", rule_name="s")
    send(handler, "autotagging split", event=LogEvent.SHELLCMD)
    send(handler, "Finished jobid: 7", event=LogEvent.JOB_FINISHED, job_id=7)
    send(handler, "", event=LogEvent.PROGRESS, done=1, total=2)
    send(handler, "", event=LogEvent.JOB_INFO, jobid=0, rule_msg=None, rule_name="all")
    send(handler, "Finished jobid: 0", event=LogEvent.JOB_FINISHED, job_id=0)


def test_a_step_is_a_line_when_it_starts_and_one_when_it_ends(handler, capsys):
    run_of_one_step(handler)
    plan, total, start, done, end = capsys.readouterr().err.splitlines()
    assert (plan, total) == ("Job stats:", "total 2")
    assert start[8:] == "  start  Split the clips"
    assert done[8:] == "  done   Split the clips (0 s; 1 of 2)"
    assert end[8:] == "  done   all 2 jobs"


def test_a_step_that_fails_shows_its_log(handler, capsys, tmp_path):
    log = tmp_path / "split.log"
    log.write_text("240 clips\nautotagging: no clip has an artist\n", encoding="utf-8")
    send(handler, "", event=LogEvent.JOB_INFO, jobid=7, rule_msg="Split the clips.", rule_name="s")
    capsys.readouterr()
    send(handler, "RuleException:\nCalledProcessError in file ...", logging.ERROR)
    failed = {"event": LogEvent.JOB_ERROR, "jobid": 7, "rule_name": "split"}
    send(handler, "", logging.ERROR, **failed, log=[str(log), str(tmp_path / "times.csv")])
    first, *text = capsys.readouterr().err.splitlines()
    assert first[8:] == f"  FAILED Split the clips, {log}:"
    assert text == ["    240 clips", "    autotagging: no clip has an artist"]


def test_other_messages_are_printed_as_snakemake_does(handler, capsys):
    send(handler, "Exiting because a job execution failed", logging.ERROR)
    send(handler, "Nothing to be done")
    assert capsys.readouterr().err == "Exiting because a job execution failed\nNothing to be done\n"


def test_a_dry_run_is_printed_in_full(handler, capsys):
    handler.common_settings.dryrun = True
    run_of_one_step(handler)
    assert "autotagging split" in capsys.readouterr().err


def test_a_closed_terminal_is_no_error(handler, monkeypatch):
    class Closed:
        def write(self, text):
            raise OSError(5, "Input/output error")

        def flush(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stderr", Closed())
    run_of_one_step(handler)
