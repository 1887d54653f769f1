"""benchmarks/gpu.py at toy size on the CPU: it runs, and names what it could not measure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

pytest.importorskip("tensorflow")


def measure(out: Path, *options: str) -> tuple[dict, str]:
    finished = subprocess.run(
        [sys.executable, ROOT / "benchmarks/gpu.py", "--tiny", "--out", out, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        text=True,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return json.loads(out.read_text()), finished.stdout


@pytest.mark.slow
def test_a_row_is_measured_and_what_fails_is_named(tmp_path):
    chosen = ["--only", "project step, float32", "torch", "training", "--together", "3"]
    found, printed = measure(tmp_path / "gpu.json", *chosen, "--torch-python", "no-such-python")
    step, torch, training = found["rows"]
    timed = [measured for measured in step["measurements"] if "batch" in measured]
    assert [measured["batch"] for measured in timed] == [2, 3]
    for measured in timed:
        assert 0 < measured["fastest_s"] <= measured["median_s"]
        assert measured["clips_per_s"] == pytest.approx(
            measured["batch"] / measured["median_s"], rel=1e-6
        )
    assert (step["status"], torch["status"]) == ("done", "failed")
    assert "no-such-python" in torch["reason"]
    assert training["status"] == "done", training["reason"]
    # Two epochs of 24 clips in batches of 8, each step once.
    (losses,) = (row["losses"] for row in training["measurements"] if "losses" in row)
    assert len(losses) == 6
    assert "| this | float32 | 2 |" in printed
    assert f"| {torch['key']} | failed |" in printed


def test_rows_for_which_no_time_is_left_are_named_and_measured_later(tmp_path):
    out = tmp_path / "gpu.json"
    found, printed = measure(out, "--seconds", "0")
    assert {row["status"] for row in found["rows"]} == {"left out"}
    assert printed.count("| left out | no time left |") == len(found["rows"])
    out.write_text(json.dumps({"rows": [row | {"status": "done"} for row in found["rows"]]}))
    found, printed = measure(out, "--seconds", "0", "--go-on")
    assert {row["status"] for row in found["rows"]} == {"done"}
    assert "left out" not in printed


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from on_gpu import findings, floor, sizes

    return {"findings": findings, "floor": floor, "sizes": sizes}


def test_the_least_work_of_a_step_is_that_of_the_papers_table(on_gpu):
    """Multiply-adds forward: 79.6, 2548.0, 566.2 and 35.4 million; the outputs 13.8 million."""
    count, size = on_gpu["floor"], on_gpu["sizes"].FULL
    assert [row["multiply_adds"] for row in count.blocks(size)] == [
        96 * 1440 * 9 * 64,
        48 * 720 * 9 * 64 * 128,
        16 * 240 * 9 * 128 * 128,
        4 * 60 * 9 * 128 * 128,
    ]
    assert count.operations(size) == pytest.approx(19.2e9, rel=1e-2)
    limits = {"rates": {"float32": 1e12}, "bandwidth": 1e12}
    floor = count.floor_seconds(size, "float32", 10, **limits)
    assert floor["floor"] == floor["computing"] == pytest.approx(0.192, rel=1e-2)
    assert floor["moving"] == pytest.approx(10 * 4 * 96.2e6 / 1e12, rel=1e-2)


def test_ratios_compare_the_same_precision_and_batch(on_gpu):
    def row(kind, options, *measured):
        steps = [
            {"batch": batch, "median_s": batch / rate, "clips_per_s": rate, "peak_bytes": None}
            for batch, rate in measured
        ]
        return {"kind": kind, "options": options, "measurements": steps}

    plain = {"path": "project", "xla": True, "deterministic": True}
    results = [
        row("project step", {"precision": "tf32", **plain}, (32, 300.0), (512, 800.0)),
        row("project step", {"precision": "float32", **plain}, (32, 50.0)),
        row("keras step", {"precision": "tf32", "xla": False}, (32, 200.0), (512, 400.0)),
    ]
    found = on_gpu["findings"].steps(results, on_gpu["sizes"].FULL)
    ratios = {
        (step["precision"], step["batch"]): step["of_keras"]
        for step in found
        if step["name"] == "this"
    }
    assert ratios == {("tf32", 32): 1.5, ("tf32", 512): 2.0, ("float32", 32): None}


def test_trainings_agree_if_their_bytes_do(on_gpu):
    results = [
        {"kind": "run", "options": {"mode": mode}, "measurements": [{"digest": digest}]}
        for mode, digest in (("whole", "a"), ("again", "a"), ("resume", "b"))
    ]
    answers = [*on_gpu["findings"].agreement(results).values()]
    assert answers == ["yes", "no"]
    assert [*on_gpu["findings"].agreement(results[:2]).values()] == ["yes", None]
