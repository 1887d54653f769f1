"""Results in the place of those that their job wrote."""

import base64
import json
import time
from pathlib import Path

import pytest

from autotagging.tools._replaced import find_replaced, note_all, note_written, warning

FOLDER = "results/train/crnn/seed-0"


@pytest.fixture
def checksums(tmp_path, monkeypatch):
    """SHA256SUMS of a result that was written in an hour which Snakemake has a record of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    path = tmp_path / FOLDER / "SHA256SUMS"
    path.parent.mkdir(parents=True)
    path.write_text("of the job", encoding="utf-8")
    write_record(tmp_path, ended=time.time() + 1800)
    return path


def write_record(project, *, ended):
    name = base64.urlsafe_b64encode(f"{FOLDER}/SHA256SUMS".encode()).decode()
    record = project / ".snakemake/metadata" / name
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"starttime": ended - 3600, "endtime": ended}), encoding="utf-8")


def note():
    note_written([Path(FOLDER, "SHA256SUMS")])


def test_what_the_job_wrote_is_not_replaced(checksums):
    assert find_replaced() == []  # there is no note
    note()
    assert find_replaced() == []
    assert warning() == ""


def test_another_result_is_named_until_it_is_noted(checksums, monkeypatch):
    note()
    checksums.write_text("of other parameters", encoding="utf-8")
    assert find_replaced() == [FOLDER]
    assert warning().startswith(f"warning: {FOLDER}: not what Snakemake's job wrote there")
    assert f"`rm -r {FOLDER}`" in warning()
    monkeypatch.setenv("DVC_ROOT", str(checksums.parent))
    assert warning() == ""
    monkeypatch.delenv("DVC_ROOT")
    note_all(["results/train/crnn/seed-1", "results/evaluate"])
    assert find_replaced() == [FOLDER]
    note_all([FOLDER])
    assert find_replaced() == []


def test_a_note_of_another_job_and_a_damaged_one_do_not_count(checksums, tmp_path):
    note()
    checksums.write_text("of a job that could write no note", encoding="utf-8")
    write_record(tmp_path, ended=time.time() + 7200)
    assert find_replaced() == []
    write_record(tmp_path, ended=time.time() + 1800)
    assert find_replaced() == [FOLDER]
    write_record(tmp_path, ended=1e300)
    assert find_replaced() == []
    write_record(tmp_path, ended=time.time() + 1800)
    (tmp_path / ".snakemake/written" / FOLDER / "SHA256SUMS").write_bytes(b"\xff")
    assert find_replaced() == []


def test_a_note_that_can_not_be_written_is_no_error(checksums, tmp_path):
    (tmp_path / ".snakemake/written").write_text("in its place", encoding="utf-8")
    note()
    assert find_replaced() == []
