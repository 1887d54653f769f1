"""benchmarks/evaluate.py at a small size: all of its tables are printed."""

import importlib
import sys

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow


def test_all_tables_are_printed(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("evaluate")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--clips", "120", "--trials", "1"])
    monkeypatch.setattr(module, "RESAMPLES", 20)
    module.main()
    times, coverage = capsys.readouterr().out.split("| drawn |")
    coverage, few = coverage.split("| holds |")
    few, clear = few.split("| clear differences |")
    assert len([line for line in few.splitlines() if line.startswith("| 0.")]) == 4
    assert "| whole evaluation, without scoring |" in times
    rows = [line.split(" | ") for line in coverage.splitlines() if line.startswith("| roc_auc")]
    units = ["clips", "clips", "tracks", "clips", "tracks", "artists"]
    assert [row[1] for row in rows] == [unit for unit in units for _ in ("each tag", "mean")]
    assert all(0 <= float(row[2]) <= 1 for row in rows)
    assert all(line.endswith(("| 0 % |", "| 100 % |")) for line in clear.splitlines()[2:])
    assert clear.count("%") == 7
