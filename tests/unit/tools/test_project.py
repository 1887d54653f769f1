"""Commands that need the project say so when they are typed in another folder."""

from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tools.crate import crate
from autotagging.tools.provenance import provenance
from autotagging.tools.record import record
from autotagging.tools.restore import restore
from autotagging.tools.rule_graph import rule_graph
from autotagging.tools.sweep import sweep
from autotagging.tools.verify import verify


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (crate, {"out": Path("crate")}),
        (lambda: provenance(Path("results/split/split.csv")), {}),
        (record, {}),
        (restore, {}),
        (rule_graph, {"out": Path("graph.svg")}),
        (sweep, {"parameter": "train.learning_rate", "out": Path("sweep")}),
        (verify, {"cache": True}),
    ],
    ids=["crate", "provenance", "record", "restore", "rule_graph", "sweep", "verify"],
)
@pytest.mark.parametrize("file", ["dvc.lock", "Snakefile"])
def test_elsewhere_the_folder_is_asked_for(tmp_path, monkeypatch, command, flags, file):
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text("stages: {}")
    with pytest.raises(UserError) as error:
        command(**flags)
    assert str(error.value) == f"{tmp_path} is not the folder of the project; cd to that folder"
    assert [path.name for path in tmp_path.iterdir()] == [file]
