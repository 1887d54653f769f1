import errno
import os
import sys

import pytest

from autotagging.common import progress
from autotagging.common.progress import native_log_hidden


def test_a_log_gets_a_line_every_ten_seconds(capsys, monkeypatch):
    clock = iter(range(0, 400, 4))  # an item takes 4 s
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    items = progress.progress(range(8), total=8, label="counted", note=lambda: "loss 0.1")
    assert list(items) == list(range(8))
    assert capsys.readouterr().err.splitlines() == [
        "counted 3/8  loss 0.1  0:00:20 to go",
        "counted 6/8  loss 0.1  0:00:08 to go",
    ]


def test_what_native_code_writes_is_hidden_unless_it_fails(capfd):
    with native_log_hidden():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""

    def fail():
        with native_log_hidden():
            os.write(2, b"the reason")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    sys.stderr.flush()
    assert "the reason" in capfd.readouterr().err


def test_what_native_code_writes_is_hidden_without_a_temporary_folder(capfd, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(progress.tempfile, "TemporaryFile", full)
    with native_log_hidden():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""
