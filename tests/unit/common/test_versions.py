"""Versions that are written with results."""

import json
import sys

import numpy as np

from autotagging.common.versions import join_versions, version_of, versions, write_versions


def test_versions_are_those_installed():
    found = versions("numpy", "librosa", "no-such-package")
    assert [*found] == ["python", "librosa", "no-such-package", "numpy"]
    assert found["numpy"] == np.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:2]))
    assert found["no-such-package"] == "not installed"
    assert version_of("libsndfile")[0].isdigit()


def test_the_same_versions_are_the_same_bytes(tmp_path):
    write_versions(tmp_path / "a.json", "numpy", "pandas")
    write_versions(tmp_path / "b.json", "pandas", "numpy")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_parts_of_several_versions_have_all_of_them(tmp_path):
    for name, soxr in (("a", "1.0.0"), ("b", "0.5.1"), ("c", "1.0.0")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"python": "3.11", "soxr": soxr}))
    parts = [tmp_path / f"{name}.json" for name in "abc"]
    join_versions(parts, tmp_path / "versions.json")
    joined = json.loads((tmp_path / "versions.json").read_text())
    assert joined == {"python": "3.11", "soxr": "0.5.1, 1.0.0"}
    join_versions(parts[::2], tmp_path / "versions.json")
    assert json.loads((tmp_path / "versions.json").read_text())["soxr"] == "1.0.0"
