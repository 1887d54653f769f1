"""What the tools say when DVC or Snakemake fails."""

import subprocess

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _engines


def test_what_the_engine_said_is_shown(monkeypatch, capsys):
    said = "Collecting\nERROR: failed to commit - no output\n"
    result = subprocess.CompletedProcess([], 1, stdout="", stderr=said)
    monkeypatch.setattr(_engines.subprocess, "run", lambda *_, **__: result)
    with pytest.raises(UserError, match=r"^`snakemake --summary` failed: see above$"):
        _engines.run("snakemake", "--summary", capture=True)
    assert capsys.readouterr().err == said
