"""benchmarks/lookup.py on the official tables: what the audio-blind baseline reaches."""

import importlib
import sys

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow


def test_without_audio_the_papers_loss_and_accuracy_are_reached(monkeypatch, capsys, magnatagatune):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("lookup")
    monkeypatch.setattr(module, "_limits", lambda *_: (0, 0))
    monkeypatch.setattr(sys, "argv", ["lookup.py", str(magnatagatune), "--seeds", "2"])
    module.main()
    _, averages, over_seeds = capsys.readouterr().out.split("\n\n")
    assert "| random | 0.868 | 0.915 | 0.932 | 0.154 | 94.80% |" in averages
    assert "| artist | 0.500 | 0.727 | 0.740 | 0.189 | 94.75% |" in averages
    assert "| seeds 0 to 1 |" in over_seeds
    assert "| min | 0.8685 |" in over_seeds
