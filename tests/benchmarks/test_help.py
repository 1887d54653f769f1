"""Every benchmark prints its help, without the libraries that it measures."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT

SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_help_is_printed_without_tensorflow(script, tmp_path):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", script, "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        cwd=tmp_path,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: {script.name} ")
    assert "| tensorflow\n" not in result.stderr
    assert not [*tmp_path.iterdir()]
