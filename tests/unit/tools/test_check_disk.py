"""What the check of the disks of `autotagging doctor` counts, and for which disk."""

import os
import shutil
from types import SimpleNamespace

import pytest

from autotagging.common.errors import UserError
from autotagging.common.params import read_params
from autotagging.corpus.remote import MAGNATAGATUNE, read_data_set
from autotagging.tools.checks import disk
from conftest import ROOT

SPECTROGRAM = 2 * 96 * 1366  # bytes


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Parameters of the project in the working folder, which has no corpus and no results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOTAGGING_CORPORA", raising=False)
    (tmp_path / "workflow").mkdir()
    shutil.copytree(ROOT / "workflow/resources", tmp_path / "workflow/resources")
    return read_params(ROOT / "params.yaml") | {"models": ["crnn"]}


@pytest.fixture
def free(monkeypatch):
    """Function that sets the free bytes of the disk, or of each of two disks, by folder."""

    def set_free(project, corpora=None):
        def usage(path):
            return SimpleNamespace(free=corpora if "elsewhere" in path.parts else project)

        monkeypatch.setattr(disk.shutil, "disk_usage", usage)
        if corpora is not None:
            monkeypatch.setattr(disk, "_disk_of", lambda path: "elsewhere" in path.parts)

    return set_free


def write_corpus(folder, clips):
    folder.mkdir(parents=True)
    rows = [f'"{clip}"\t"1"\t"0/{clip}.mp3"\r\n' for clip in range(clips)]
    (folder / "annotations_final.csv").write_text("".join(["clip_id\trock\tmp3_path\r\n", *rows]))


def test_the_clips_of_a_folder_are_counted(params, free, tmp_path):
    write_corpus(tmp_path / "full", 25_863)
    free(2.1e9)
    check = disk.check_disk(params | {"corpus": str(tmp_path / "full")})
    assert check.text == "2.1 GB free, 14.6 are needed"  # twice 6.78, and 1
    assert check.fix.startswith("free space, or use another disk")
    tables_only = params | {"corpus": str(tmp_path / "full"), "models": ["lookup"]}
    assert disk.check_disk(tables_only) == ("disk", "2.1 GB free", "")


def test_a_corpus_without_a_table_is_named(params, tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no annotations_final\.csv"):
        disk.check_disk(params | {"corpus": "nowhere"})


def test_what_is_there_is_not_needed_again(params, free, tmp_path):
    write_corpus(tmp_path / "corpora/mine", 10_000)
    free(0)
    mine = params | {"corpus": "mine"}
    assert disk.check_disk(mine).text == "0.0 GB free, 6.2 are needed"
    for place, clips in (("results", 4_000), ("unfinished", 1_000)):
        (tmp_path / place / "extract_mel").mkdir(parents=True)
        with (tmp_path / place / "extract_mel/shard-00.npy").open("wb") as file:
            file.truncate(clips * SPECTROGRAM)
    assert disk.check_disk(mine).text == "0.0 GB free, 4.9 are needed"  # half, and the copy of all
    with (tmp_path / "results/extract_mel/shard-01.npy").open("wb") as file:
        file.truncate(5_000 * SPECTROGRAM)
    assert disk.check_disk(mine).text == "0.0 GB free, 1.0 are needed"


def test_complete_parts_need_no_more_space(params, free, tmp_path, monkeypatch):
    """They are read as they are, and not joined."""
    folder = tmp_path / "elsewhere/magnatagatune"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(folder.parent))
    data_set = read_data_set(MAGNATAGATUNE)
    for file in (*data_set.tables, *data_set.parts):
        (folder / file.name).touch()
        os.truncate(folder / file.name, file.bytes)
    free(15e9, 1e6)
    assert disk.check_disk(params | {"corpus": "magnatagatune"}).fix == ""


def test_audio_is_counted_on_the_disk_of_the_corpora(params, free, tmp_path, monkeypatch):
    """MagnaTagATune: 3.0 GB, and 1.1 GB of a part that is there twice while it is joined."""
    official = params | {"corpus": "magnatagatune"}
    free(5e9)
    assert disk.check_disk(official).text == "5.0 GB free, 18.7 are needed"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(elsewhere))
    free(15e9, 4e9)
    check = disk.check_disk(official)
    assert check.text == f"15.0 GB free; {elsewhere}: 4.0 GB free, 4.1 are needed"
    assert "AUTOTAGGING_CORPORA" in check.fix
    free(15e9, 4.2e9)
    assert disk.check_disk(official) == (
        "disk",
        f"15.0 GB free; {elsewhere}: 4.2 GB free",
        "",
    )


@pytest.mark.parametrize(
    ("name", "needed"), [("mp3.zip.001", "3.0"), ("damaged-mp3.zip.001", "4.1"), ("mp3.zip", "")]
)
def test_what_is_downloaded_already_is_not_needed_again(
    params, free, tmp_path, monkeypatch, name, needed
):
    folder = tmp_path / "elsewhere/magnatagatune"
    folder.mkdir(parents=True)
    with (folder / name).open("wb") as file:
        file.truncate(1_100_000_000)
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(folder.parent))
    free(15e9, 0)
    check = disk.check_disk(params | {"corpus": "magnatagatune"})
    corpora = f"; {folder}: 0.0 GB free, {needed} are needed" if needed else ""
    assert check.text == f"15.0 GB free{corpora}"


def test_a_large_demo_corpus_is_counted(params, free):
    free(0)
    assert disk.check_disk(params).text == "0.0 GB free, 1.3 are needed"
    large = params | {"demo": {**params["demo"], "clips": 10_000}}
    assert disk.check_disk(large).text == "0.0 GB free, 7.4 are needed"
