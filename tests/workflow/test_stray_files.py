"""What editors leave in the folders of the code reruns nothing."""

import pytest

STRAY = [f"src/autotagging/training/{name}" for name in (".loop.py.swp", "loop.py~", ".DS_Store")]


@pytest.mark.xdist_group("tiny_run")
def test_files_of_editors_rerun_nothing(finished_copy):
    project = finished_copy()
    for path in STRAY:
        (project.folder / path).write_text("of an editor")
    assert project.jobs("snakemake -n") == set()
    for tool in ("git", "dvc"):
        assert project.run(f"{tool} check-ignore {' '.join(STRAY)}").split() == STRAY
