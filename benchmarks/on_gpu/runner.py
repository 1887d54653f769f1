"""Measure rows, each in a process of its own, within a given time.

Results are written after every row, so that a run that is stopped loses only the row under way.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from on_gpu.rows import Row

_BENCHMARKS = Path(__file__).parents[1]
_SHARE_FOR_TIMING = 0.3  # of the time that is left, if preparing takes so long
_PAUSE = 0.05  # seconds between looks at what a process has written
_TRACE = re.compile(r"^\s*(@\s|\*\*\*|$)")


class Worker:
    """A process that measures a row; it waits before it times anything.

    Parameters
    ----------
    row
        To measure.
    python
        Interpreter.
    size
        "full" or "tiny".
    folder
        For shards and checkpoints.
    """

    def __init__(self, row: Row, python: str, size: str, folder: Path):
        paths = [str(_BENCHMARKS), os.environ.get("PYTHONPATH", "")]
        number, out = tempfile.mkstemp(suffix=".jsonl", dir=folder)
        os.close(number)
        self.row, self._out, self._started = row, Path(out), time.monotonic()
        self._reason: str | None = None
        self._log = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", "on_gpu.worker", row.framework],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            },
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        task = {"kind": row.kind, "options": row.options, "size": size}
        self._tell(json.dumps(task | {"folder": str(folder), "out": out}))

    def _tell(self, line: str) -> None:
        with suppress(OSError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def wait_until_prepared(self, deadline: float) -> None:
        """Wait until the row has nothing left to do but to be timed, or has ended.

        At the deadline, a row that would disturb the timing of others is stopped.
        """
        while self._process.poll() is None and not any("prepared" in m for m in self._lines()):
            if time.monotonic() > deadline:
                if self.row.prepares:
                    self._reason = "stopped: not prepared in time"
                    self.stop()
                return
            time.sleep(_PAUSE)

    def finish(self, deadline: float) -> dict[str, Any]:
        """Have the row timed, and end the process.

        Returns
        -------
        result
            status ("done" or "failed"), reason, seconds and measurements.
        """
        self._tell("go")
        try:
            self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._reason = self._reason or "stopped: no time left"
        finally:
            self.stop()
        measured = [m for m in self._lines() if "prepared" not in m]
        reason = self._reason or next((_failure(m) for m in measured if "error" in m), None)
        if reason is None and self._process.returncode != 0:
            reason = f"ended with {self._process.returncode}: {self._why()}"
        return {
            "status": "failed" if reason else "done",
            "reason": reason,
            "seconds": round(time.monotonic() - self._started, 1),
            "measurements": [m for m in measured if set(m) != {"error"}],
        }

    def _lines(self) -> list[dict]:
        lines = self._out.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _why(self) -> str:
        """Give the last line that is not of a stack trace."""
        self._log.seek(0)
        lines = [line for line in self._log.read().splitlines() if not _TRACE.match(line)]
        return (lines or ["no message"])[-1].strip()[:300]

    def stop(self) -> None:
        """End the process and those it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _failure(measurement: dict) -> str:
    batch = measurement.get("batch")
    return f"batch of {batch}: {measurement['error']}" if batch else measurement["error"]


def measure_all(
    rows: Sequence[Row],
    size: str,
    *,
    seconds: float,
    together: int,
    out: Path,
    interpreters: dict[str, str],
    known: Sequence[dict] = (),
) -> list[dict]:
    """Measure rows in their order; name those for which no time is left.

    Rows of one stage are prepared side by side, then timed one after another.

    Parameters
    ----------
    rows
        To measure.
    size
        "full" or "tiny".
    seconds
        For all of them.
    together
        Rows that are prepared side by side, at most; each needs memory of the GPU.
    out
        Output: all results as JSON, after every row.
    interpreters
        By framework.
    known
        Results of an earlier run, which are kept; their rows are not measured again.
    """
    deadline = time.monotonic() + seconds
    results = {result["key"]: result for result in known if result["status"] == "done"}
    to_do = [row for row in rows if row.key not in results]

    def in_order() -> list[dict]:
        keys = dict.fromkeys([*(row.key for row in rows), *results])
        return [results[key] for key in keys if key in results]

    def keep(row: Row, result: dict[str, Any]) -> None:
        results[row.key] = {"key": row.key, **asdict(row), "measurements": [], **result}
        took = f"{result['seconds']} s" if "seconds" in result else ""
        said = ", ".join(filter(None, [result["status"], took, result["reason"]]))
        print(f"{row.key}: {said}", file=sys.stderr, flush=True)
        _write(out, size, in_order())

    with tempfile.TemporaryDirectory() as folder:
        for _, stage in groupby(to_do, key=lambda row: row.stage):
            for side_by_side in batched(stage, together):
                workers = []
                for row in side_by_side:
                    if deadline - time.monotonic() < row.expected_seconds:
                        keep(row, {"status": "left out", "reason": "no time left"})
                        continue
                    try:
                        python = interpreters[row.framework]
                        workers.append(Worker(row, python, size, Path(folder)))
                    except OSError as error:
                        keep(row, {"status": "failed", "reason": str(error)})
                try:
                    left = deadline - time.monotonic()
                    for worker in workers:
                        worker.wait_until_prepared(deadline - _SHARE_FOR_TIMING * left)
                    for worker in workers:
                        keep(worker.row, worker.finish(deadline))
                finally:
                    for worker in workers:
                        worker.stop()
    return in_order()


def batched(rows: Iterable[Row], n: int) -> Iterator[list[Row]]:
    """Cut into lists of n rows; `itertools` has it from Python 3.12 on."""
    rows = iter(rows)
    while some := list(islice(rows, n)):
        yield some


def _write(out: Path, size: str, results: list[dict]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part")
    temporary.write_text(
        json.dumps({"size": size, "rows": results}, indent=1) + "\n", encoding="utf-8"
    )
    temporary.replace(out)
