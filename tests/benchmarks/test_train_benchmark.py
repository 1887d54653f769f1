"""benchmarks/train.py: what its rows are compared with, without a measurement."""

import importlib

import numpy as np
import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def train(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("train")


def test_each_row_is_compared_with_stock_keras_in_its_precision(train):
    stock = {train.stock_row(name) for name in train.ROWS}
    assert stock == {name for name in train.ROWS if name.startswith("stock Keras")}
    assert train.stock_row("PyTorch, channels last") == "stock Keras"
    both = "stock Keras, scoring, mixed_bfloat16"
    assert train.stock_row("this, scoring, mixed_bfloat16") == both


def test_a_row_that_is_left_out_costs_no_other(train, capsys):
    taken = {"stock Keras": (4, 8), "this, float32": (2, 4), "this, mixed_bfloat16": (1, 2)}
    fastest = {name: np.array(times, float) for name, times in taken.items()}
    fastest[train.FLOOR] = np.array([1.5, 3])
    memory = dict.fromkeys(fastest, 1.0)
    train.print_table(fastest, memory, train.Setting("crnn", 1.0, 32, 2))
    rows = capsys.readouterr().out.splitlines()
    assert "| this, float32 | 2.00 | 4.00 | 16.0 | 2.00 | 2.00 | 0.75 | 1.0 |" in rows
    assert "| this, mixed_bfloat16 | 1.00 | 2.00 | 32.0 | - | - | 1.50 | 1.0 |" in rows
