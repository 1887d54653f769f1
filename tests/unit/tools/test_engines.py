"""What the tools say when DVC or Snakemake fails."""

import subprocess

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _engines

SNAKEMAKE = """\
Using workflow specific profile profiles/default for setting default command line arguments.
WorkflowError in file "/project/workflow/rules/common.smk", line 255:
params.yaml: corpus: nowhere is not a folder
params.yaml: split.seed: 'a' is not of type 'integer'
  File "/project/workflow/rules/download.smk", line 20, in <module>
  File "/project/workflow/rules/common.smk", line 255, in own_corpus
"""
FAULTY_RULE = """\
SyntaxError in file "/project/workflow/rules/split.smk", line 23:
Expected name or colon after rule or checkpoint keyword.:
None
"""
FAULTY_CODE = """\
SyntaxError in file "/project/src/autotagging/mel/sizes.py", line 4:
invalid syntax:
def clip_samples(() -> int:

  File "/project/workflow/rules/common.smk", line 26, in <module>
"""
FAULTY_FUNCTION = """\
InputFunctionException in rule train in file "/project/workflow/rules/train.smk", line 1:
Error:
  NameError: name 'mel' is not defined
Wildcards:
  model=crnn
Traceback:
  File "/project/workflow/rules/common.smk", line 209, in own_settings (rule train, line 1)
"""


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (
            SNAKEMAKE,
            "params.yaml: corpus: nowhere is not a folder; params.yaml: split.seed: 'a' is not of",
        ),
        (FAULTY_RULE, '"/project/workflow/rules/split.smk", line 23: Expected name or colon after'),
        (FAULTY_CODE, '"/project/src/autotagging/mel/sizes.py", line 4: invalid syntax: def clip_'),
        (
            FAULTY_FUNCTION,
            "\"/project/workflow/rules/train.smk\", line 1: NameError: name 'mel' is",
        ),
        ("Collecting\nERROR: failed to commit - no output\n\n", "ERROR: failed to commit"),
        ("", "see above"),
    ],
    ids=["snakemake", "a faulty rule", "code", "a function", "dvc", "nothing"],
)
def test_the_reason_is_told_and_no_place_in_the_code(monkeypatch, printed, reason):
    result = subprocess.CompletedProcess([], 1, stdout="", stderr=printed)
    monkeypatch.setattr(_engines.subprocess, "run", lambda *_, **__: result)
    with pytest.raises(UserError, match=f"^`snakemake --summary` failed: {reason}"):
        _engines.run("snakemake", "--summary", capture=True)
