"""Logger plugin of Snakemake: a line when a step starts, and a line when it ends.

The log of a step that fails is printed. Dry runs and the plan are printed as by Snakemake itself,
whose log in .snakemake/log also has the reason and the shell command of each step. The default
profile selects this plugin.
"""

import os
import sys
import time
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# What Snakemake prints around every job, and about itself.
_LEFT_OUT = {
    LogEvent.JOB_STARTED,
    LogEvent.PROGRESS,
    LogEvent.RESOURCES_INFO,
    LogEvent.SHELLCMD,
    LogEvent.WORKFLOW_STARTED,
}
_LOG_LINES = 40
_LEFT_OUT_TEXTS = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "RuleException:\nCalledProcessError",
    "Select jobs to execute",
    "Using shell:",
    "Using workflow specific profile",
)


class LogHandler(LogHandlerBase):
    """Prints to standard error."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start to count."""
        self._jobs: dict[int, tuple[str, float]] = {}
        self._finished = self._total = 0

    def emit(self, record: LogRecord) -> None:
        """Print a record, or nothing; a closed terminal is no error."""
        text = self._text(record)
        if text:
            try:
                print(text, file=sys.stderr, flush=True)
            except OSError:
                # A new stream, without what the old one keeps and would fail to write at the end.
                flags = {"encoding": "utf-8", "errors": "backslashreplace", "closefd": False}
                sys.stderr = os.fdopen(2, "w", **flags)

    def _text(self, record: LogRecord) -> str:
        event = getattr(record, "event", None)
        left_out = event in _LEFT_OUT or str(record.msg).startswith(_LEFT_OUT_TEXTS)
        if event == LogEvent.JOB_ERROR:
            return self._failure(record)
        if self.common_settings.dryrun or (record.levelno >= WARNING and not left_out):
            return self.format(record)
        if event == LogEvent.RUN_INFO:
            self._total = getattr(record, "stats", {}).get("total", 0)
        if event == LogEvent.JOB_INFO:
            return self._start(record)
        if event == LogEvent.JOB_FINISHED:
            return self._end(record)
        return "" if left_out else self.format(record)

    def _start(self, record: LogRecord) -> str:
        if not record.rule_msg:  # a target, which does nothing
            return ""
        what = record.rule_msg.removesuffix(".")
        self._jobs[record.jobid] = what, time.monotonic()
        return f"{_clock()}  start  {what}"

    def _end(self, record: LogRecord) -> str:
        self._finished += 1
        if record.job_id not in self._jobs:
            all_done = self._finished == self._total
            return f"{_clock()}  done   all {self._total} jobs" if all_done else ""
        what, start = self._jobs.pop(record.job_id)
        seconds = round(time.monotonic() - start)
        return f"{_clock()}  done   {what} ({seconds} s; {self._finished} of {self._total})"

    def _failure(self, record: LogRecord) -> str:
        """Name a step that failed, and give the end of its log."""
        what, _ = self._jobs.pop(record.jobid, (record.rule_name, 0))
        logs = [Path(path) for path in record.log if Path(path).suffix == ".log"]
        texts = [
            path.read_text(encoding="utf-8", errors="replace") for path in logs if path.exists()
        ]
        lines = "".join(texts).splitlines()[-_LOG_LINES:]
        where = f", {', '.join(map(str, logs))}:" if logs else ""
        return "\n".join([f"{_clock()}  FAILED {what}{where}", *(f"    {line}" for line in lines)])


def _clock() -> str:
    return time.strftime("%H:%M:%S")
