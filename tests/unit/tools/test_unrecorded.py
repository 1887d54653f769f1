"""Results that Snakemake has no record of."""

import base64

import pytest

from autotagging.tools._unrecorded import find_unrecorded, warning

RESULTS = ("results/split/split.csv", "results/train/crnn/seed-0/model.json")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Working folder with two results, and no records."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    for name in RESULTS:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    return tmp_path


def add_record(project, name, folder="metadata", length=255):
    """Write a record as Snakemake does; a long name is cut into folders."""
    encoded = base64.urlsafe_b64encode(name.encode()).decode()
    parts = [encoded[i : i + length] for i in range(0, len(encoded), length)]
    path = project.joinpath(".snakemake", folder, *(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_without_results_there_is_nothing_to_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_unrecorded() == []
    assert warning() == ""


def test_results_without_a_record_are_counted(project):
    for name in (".DS_Store", ".partial-split.csv"):
        (project / "results/split" / name).touch()
    assert find_unrecorded() == [*RESULTS]
    assert warning().startswith(
        "warning: Snakemake has no record of what made 2 results, results/split/split.csv the "
        "first: it notices no change of their parameters or code. `autotagging restore` makes"
    )
    add_record(project, RESULTS[0])
    assert "what made 1 result, results/train/crnn/seed-0/model.json: it" in warning()


def test_a_stage_of_dvc_is_not_warned(project, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(project))
    assert find_unrecorded() == [*RESULTS]
    assert warning() == ""


def test_records_of_long_names_and_of_unfinished_jobs_count(project):
    add_record(project, RESULTS[0], length=10)
    add_record(project, RESULTS[1], folder="incomplete")
    assert find_unrecorded() == []
    assert warning() == ""
