import os
import sys

import pytest

from autotagging import progress
from autotagging.progress import native_log_hidden


def test_a_log_gets_a_line_every_ten_seconds(capsys, monkeypatch):
    clock = iter(range(0, 400, 4))  # 4 s from one look to the next
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    items = progress.progress(range(12), total=12, label="Counting")
    assert list(items) == list(range(12))
    assert capsys.readouterr().err.splitlines() == [
        "Counting: 3 of 12",
        "Counting: 6 of 12",
        "Counting: 9 of 12",
        "Counting: 12 of 12",
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
