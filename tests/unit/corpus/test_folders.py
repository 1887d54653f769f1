"""The folder of a corpus is replaced by a whole one, or stays."""

import errno
import os
from pathlib import Path

import pytest

from autotagging.corpus.folders import remove_unfinished, unfinished


@pytest.fixture(params=["mine", "mine [2nd]", "replaced"])
def folder(tmp_path, request):
    (tmp_path / request.param).mkdir()
    (tmp_path / request.param / "old").touch()
    return tmp_path / request.param


def names(folder):
    return [path.name for path in folder.iterdir()]


def replace(folder):
    with unfinished(folder) as scratch:
        (scratch / "new").touch()


def fail(monkeypatch, folder, error, *, times):
    """Let the folder not get its name, as often as told."""
    rename = Path.rename
    left = [error] * times

    def fail_first(path, target):
        if target == folder and left:
            raise left.pop()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_first)


def test_the_new_folder_replaces_the_old_one(folder):
    replace(folder)
    assert names(folder) == ["new"]
    assert names(folder.parent) == [folder.name]


@pytest.mark.parametrize("error", [OSError(errno.EDQUOT, "full"), KeyboardInterrupt()])
def test_a_folder_that_can_not_be_replaced_stays(folder, monkeypatch, error):
    fail(monkeypatch, folder, error, times=1)
    with pytest.raises(type(error)):
        replace(folder)
    assert names(folder) == ["old"]
    assert names(folder.parent) == [folder.name]


def test_a_folder_that_can_not_even_be_put_back_is_put_back_later(folder, monkeypatch):
    fail(monkeypatch, folder, OSError(errno.EIO, "disk"), times=2)
    with pytest.raises(OSError, match="disk"):
        replace(folder)
    assert not folder.exists()
    remove_unfinished(folder)
    assert names(folder) == ["old"]
    assert names(folder.parent) == [folder.name]


def test_a_process_that_is_killed_loses_no_folder(folder, monkeypatch):
    if not (process := os.fork()):
        rename = Path.rename
        monkeypatch.setattr(
            Path, "rename", lambda path, to: os._exit(9) if to == folder else rename(path, to)
        )
        try:
            replace(folder)
        finally:  # never back into pytest
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    assert not folder.exists()
    remove_unfinished(folder)
    assert names(folder) == ["old"]
    assert names(folder.parent) == [folder.name]
