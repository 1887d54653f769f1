"""Files of a crate are on the disk before the crate gets its name."""

import os
from pathlib import Path

from autotagging.tools import crate


def test_what_is_packed_is_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/split.csv").write_text("clip_id,subset\n")
    stored = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: stored.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    )
    crate._copy(["results/split.csv"], tmp_path / "crate")
    assert stored == [str(tmp_path / "crate/results/split.csv")]
