"""Measure rows one after another, each in a process of its own, within a given time.

Results are written after every row, so that a run that is stopped loses only the row under way.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from on_gpu.rows import Row

_BENCHMARKS = Path(__file__).parents[1]
_LONGEST = 3.0  # times what a row is expected to take, and then it is stopped
_CORES_TO_SPARE = 8  # with so many, the next process starts while one measures


class Worker:
    """A process that has been started, and imports what its row needs.

    Parameters
    ----------
    row
        To measure.
    python
        Interpreter.
    """

    def __init__(self, row: Row, python: str):
        paths = [str(_BENCHMARKS), os.environ.get("PYTHONPATH", "")]
        self._log = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", "on_gpu.worker", row.framework],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        self.row = row

    def measure(self, size: str, folder: Path, *, longest: float) -> dict[str, Any]:
        """Have the row measured; stop it after so many seconds.

        Returns
        -------
        result
            status ("done" or "failed"), reason, seconds and measurements.
        """
        started = time.monotonic()
        out = folder / "measurements.jsonl"
        out.unlink(missing_ok=True)
        task = {"kind": self.row.kind, "options": self.row.options, "size": size}
        task |= {"folder": str(folder), "out": str(out)}
        reason = None
        try:
            self._process.communicate(json.dumps(task) + "\n", timeout=longest)
        except subprocess.TimeoutExpired:
            reason = f"stopped after {longest:.0f} s"
        finally:
            self.stop()
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
        measured = [json.loads(line) for line in lines if line.endswith("}")]
        reason = reason or next((_failure(m) for m in measured if "error" in m), None)
        if reason is None and self._process.returncode != 0:
            reason = f"ended with {self._process.returncode}: {self._last_line()}"
        return {
            "status": "failed" if reason else "done",
            "reason": reason,
            "seconds": round(time.monotonic() - started, 1),
            "measurements": [m for m in measured if set(m) != {"error"}],
        }

    def _last_line(self) -> str:
        self._log.seek(0)
        return (self._log.read().strip().splitlines() or ["no message"])[-1][:300]

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
    out: Path,
    interpreters: dict[str, str],
    known: Sequence[dict] = (),
) -> list[dict]:
    """Measure rows in their order; name those for which no time is left.

    Parameters
    ----------
    rows
        To measure.
    size
        "full" or "tiny".
    seconds
        For all of them.
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
    ahead: dict[str, Worker] = {}

    def start(row: Row) -> Worker:
        return ahead.pop(row.key, None) or Worker(row, interpreters[row.framework])

    def measure(row: Row, following: Row | None, folder: Path) -> dict[str, Any]:
        left = deadline - time.monotonic()
        if left < row.expected_seconds:
            return {"status": "left out", "reason": "no time left", "measurements": []}
        try:
            current = start(row)
        except OSError as error:
            return {"status": "failed", "reason": str(error), "measurements": []}
        if following and (os.cpu_count() or 1) >= _CORES_TO_SPARE:
            with suppress(OSError):  # comes again when it is its turn
                ahead[following.key] = start(following)
        longest = left if size == "tiny" else min(left, _LONGEST * row.expected_seconds)
        return current.measure(size, folder, longest=longest)

    with tempfile.TemporaryDirectory() as folder:
        for row, following in pairwise([*to_do, None]):
            result = measure(row, following, Path(folder))
            results[row.key] = {"key": row.key, **asdict(row), **result}
            took = f"{result['seconds']} s" if "seconds" in result else ""
            said = ", ".join(filter(None, [result["status"], took, result["reason"]]))
            print(f"{row.key}: {said}", file=sys.stderr, flush=True)
            _write(out, size, [*results.values()])
        for unused in ahead.values():
            unused.stop()
    return [*results.values()]


def _write(out: Path, size: str, results: list[dict]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part")
    temporary.write_text(
        json.dumps({"size": size, "rows": results}, indent=1) + "\n", encoding="utf-8"
    )
    temporary.replace(out)
