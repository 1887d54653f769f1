"""Results of other versions: which they are, and what to type."""

import json

import pytest

from autotagging.common.versions import version_of
from autotagging.tools import _outdated


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Function that writes the versions of a result."""
    monkeypatch.chdir(tmp_path)

    def write(path, **versions):
        (tmp_path / "results" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / path).write_text(json.dumps(versions))

    return write


def test_results_of_the_versions_installed_are_not_named(write):
    write("split/versions.json", numpy=version_of("numpy"))
    assert _outdated.find_outdated() == []
    assert _outdated.warning() == ""


def test_results_of_other_versions_are_named_with_what_to_type(write):
    write("split/versions.json", numpy="1.26.4", pandas=version_of("pandas"))
    write("extract_mel/versions.json", soxr="0.5.1, 1.0.0")
    write("extract_mel/shard-00.json", soxr="0.5.1")
    write("train/crnn/seed-0/versions.json", numpy="1.26.4", tensorflow_rocm="2.14")
    for name in ("figure_2-figure", "tag_scores-figure", "tag_scores-table", "summary"):
        write(f"figures/versions/{name}.json", numpy="1.26.4")
    numpy, soxr = version_of("numpy"), version_of("soxr")
    found = _outdated.find_outdated()
    assert _outdated.describe(found) == (
        f"extract_mel, split, train/crnn/seed-0, figures: made by numpy 1.26.4, now {numpy}; "
        f"soxr 0.5.1, 1.0.0, now {soxr}; tensorflow_rocm 2.14, now not installed"
    )
    assert _outdated.remedy(found) == (
        "rm -r results/figures; snakemake --cores all --forcerun extract_mel_shard split "
        "results/train/crnn/seed-0/versions.json"
    )
    assert _outdated.remedy(found[-1:]) == "rm -r results/figures; snakemake --cores all"
    assert "`autotagging doctor` says what to type" in _outdated.warning()


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_damaged_file_stops_nothing(write, tmp_path, content):
    write("split/versions.json")
    (tmp_path / "results/split/versions.json").write_text(content)
    assert _outdated.warning() == ""


def test_results_without_versions_are_named_by_their_folder(write, tmp_path):
    """A step that runs per model, one that is new included, has a file in each folder."""
    for step in ("train", "mistakes"):
        write(f"{step}/crnn/seed-0/versions.json", numpy="1.26.4")
        write(f"{step}/lookup/seed-10/mistakes.csv")
        (tmp_path / f"results/{step}/fcn4").mkdir()
    (tmp_path / "results/evaluate/crnn").mkdir(parents=True)
    write("split/split.csv")
    assert _outdated.without_versions() == [
        "mistakes/lookup/seed-10",
        "split",
        "train/lookup/seed-10",
    ]
