import errno
import os
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.mel.shards import UnfinishedShard

MELS = np.random.default_rng(0).normal(-30, 10, (4, 3, 5)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "unfinished/shard-00.npy"


def begin(path, *, fingerprint="a"):
    return UnfinishedShard(path, shape=MELS.shape, fingerprint=fingerprint)


def add(file, *rows):
    for row in rows:
        file.append(MELS[row], seconds=29.124, status="ok")


def test_a_finished_shard_is_what_numpy_saves(path, tmp_path):
    file = begin(path)
    add(file, 0, 1)
    file.append(None, seconds=0.0, status="empty")
    add(file, 3)
    file.finish(tmp_path / "mel/shard-00.npy")
    expected = MELS.astype(np.float16)
    expected[2] = 0
    np.save(tmp_path / "expected.npy", expected)
    finished = (tmp_path / "mel/shard-00.npy").read_bytes()
    assert finished == (tmp_path / "expected.npy").read_bytes()
    assert [row.status for row in file.rows] == ["ok", "ok", "empty", "ok"]
    assert not list(path.parent.iterdir())


def test_rows_that_were_done_are_there_after_a_new_start(path):
    file = begin(path)
    add(file, 0, 1)
    file.close()
    again = begin(path)
    assert again.rows == file.rows
    assert len(again.rows) == 2


def test_another_fingerprint_begins_anew(path):
    file = begin(path)
    add(file, 0, 1)
    file.close()
    assert begin(path, fingerprint="b").rows == []


def test_what_is_damaged_is_done_again_and_what_came_before_is_kept(path):
    file = begin(path)
    add(file, 0, 1, 2)
    file.close()
    content = bytearray(path.read_bytes())
    content[128 + 30 + 4] ^= 1  # in row 1
    path.write_bytes(content)
    assert len(begin(path).rows) == 1


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_of_the_journal_that_was_cut_short_does_not_count(path, cut):
    file = begin(path)
    add(file, 0, 1, 2)
    file.close()
    journal = path.with_suffix(".journal")
    journal.write_bytes(journal.read_bytes()[:-cut])
    again = begin(path)
    assert len(again.rows) == 2
    add(again, 2)
    again.close()
    assert len(begin(path).rows) == 3


def test_two_processes_never_write_the_same_shard(path):
    file = begin(path)
    with pytest.raises(UserError, match=rf"shard-00\.npy: process {os.getpid()} on .* is at work"):
        begin(path)
    file.close()
    begin(path)


@pytest.mark.parametrize("suffix", [".npy", ".journal"])
def test_a_link_in_the_place_of_an_unfinished_file_is_not_followed(path, tmp_path, suffix):
    target = tmp_path / "target"
    target.write_text("not ours")
    path.parent.mkdir()
    path.with_suffix(suffix).symlink_to(target)
    with pytest.raises(UserError, match=rf"shard-00\{suffix}: a link, expected a file; delete it"):
        begin(path)
    assert target.read_text() == "not ours"
    path.with_suffix(suffix).unlink()
    begin(path)


def test_what_is_not_stored_gets_no_place(path, tmp_path, monkeypatch):
    """NFS says by fsync that a quota is exceeded, not before."""

    def refuse(descriptor):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    target = tmp_path / "mel/shard-00.npy"
    file = begin(path)
    add(file, 0, 1, 2, 3)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(UserError, match="Disk quota exceeded; the 4 of 4 clips"):
            file.finish(target)
    assert not target.exists()
    file.close()
    again = begin(path)
    assert len(again.rows) == 4
    again.finish(target)
    assert np.array_equal(np.load(target), MELS.astype(np.float16))


def test_a_place_on_another_file_system_gets_a_copy(path, tmp_path, monkeypatch):
    file = begin(path)
    add(file, 0, 1, 2, 3)
    rename = Path.replace

    def replace(self, target):
        if self == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    file.finish(tmp_path / "mel/shard-00.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "mel/shard-00.npy"), MELS.astype(np.float16))
    assert not list(path.parent.iterdir())


def test_a_kill_after_the_move_begins_anew(path, tmp_path, monkeypatch):
    file = begin(path)
    add(file, 0, 1, 2, 3)
    monkeypatch.setattr(Path, "unlink", lambda self: None)  # killed before the journal is deleted
    file.finish(tmp_path / "mel/shard-00.npy")
    file.close()
    assert begin(path).rows == []


def test_a_place_that_can_not_be_written_leaves_what_was_there(path, tmp_path):
    file = begin(path)
    add(file, 0, 1, 2, 3)
    (tmp_path / "mel").write_text("not a folder")
    with pytest.raises(FileExistsError):
        file.finish(tmp_path / "mel/shard-00.npy")
    file.close()
    assert len(begin(path).rows) == 4
