"""What the tools say when DVC or Snakemake fails."""

import subprocess

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _engines

SNAKEMAKE = """\
Using workflow specific profile profiles/default for setting default command line arguments.
WorkflowError in file "/project/workflow/rules/common.smk", line 255:
params.yaml: corpus: nowhere is not a folder
  File "/project/workflow/rules/download.smk", line 20, in <module>
  File "/project/workflow/rules/common.smk", line 255, in own_corpus
"""
FAULTY_RULE = """\
SyntaxError in file "/project/workflow/rules/split.smk", line 23:
Expected name or colon after rule or checkpoint keyword.:
None
"""


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (SNAKEMAKE, "params.yaml: corpus: nowhere is not a folder"),
        (FAULTY_RULE, '"/project/workflow/rules/split.smk", line 23: Expected name or colon after'),
        ("Collecting\nERROR: failed to commit - no output\n\n", "ERROR: failed to commit"),
        ("", "see above"),
    ],
    ids=["snakemake", "a faulty rule", "dvc", "nothing"],
)
def test_the_reason_is_told_and_no_place_in_the_code(monkeypatch, printed, reason):
    result = subprocess.CompletedProcess([], 1, stdout="", stderr=printed)
    monkeypatch.setattr(_engines.subprocess, "run", lambda *_, **__: result)
    with pytest.raises(UserError, match=f"^`snakemake --summary` failed: {reason}"):
        _engines.run("snakemake", "--summary", capture=True)
