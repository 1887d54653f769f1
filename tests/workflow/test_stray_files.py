"""What editors leave in the folders of the code reruns nothing."""

import pytest

pytestmark = pytest.mark.xdist_group("tiny_run")


@pytest.mark.parametrize("name", [".loop.py.swp", "loop.py~", ".DS_Store"])
def test_a_file_of_an_editor_reruns_nothing(finished_copy, name):
    project = finished_copy()
    stray = f"src/autotagging/training/{name}"
    (project.folder / stray).write_text("of an editor")
    assert project.jobs("snakemake -n") == set()
    assert stray in project.run(f"dvc check-ignore {stray}")
    assert project.run("git status --porcelain -- src") == ""
