"""benchmarks/scaling.py on a tiny corpus: every command line that it builds runs."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT, write_table

pytestmark = pytest.mark.slow


@pytest.fixture
def scaling(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.chdir(ROOT)
    module = importlib.import_module("scaling")
    monkeypatch.setattr(module, "WRITTEN_CLIPS", 40)
    return module


@pytest.fixture
def tables(tmp_path):
    """Tables of sixteen clips of eight artists, one clip per folder of MagnaTagATune."""
    paths = [f"{digit}/clip-{digit}-0-29.mp3" for digit in "0123456789abcdef"]
    clips = {"clip_id": range(16), "mp3_path": paths}
    info = {"track_number": 1, "title": "t", "artist": [f"artist {n // 2}" for n in range(16)]}
    info |= {"album": [f"album {n}" for n in range(16)], "url": [f"u/{n}" for n in range(16)]}
    info |= {"segmentStart": 0, "segmentEnd": 29, "original_url": "o"}
    groups = yaml.safe_load((ROOT / "workflow/resources/tags.yaml").read_text())["synonyms"]
    names = [name for synonyms in groups.values() for name in synonyms]
    labels = np.random.default_rng(0).integers(0, 2, (16, len(names)))
    tags = dict(zip(names, labels.T, strict=True))
    write_table(tmp_path / "annotations_final.csv", pd.DataFrame(clips | tags))
    write_table(tmp_path / "clip_info_final.csv", pd.DataFrame(clips | info))
    return tmp_path


def test_every_step_runs_on_a_tiny_corpus(scaling, tables, tmp_path):
    corpus, results = tmp_path / "corpus", tmp_path / scaling.RESULTS
    scaling.make_corpus(tables, corpus, 70)
    scaling.make_shards(corpus, results / "extract_mel", 2)
    scaling.make_written_shard(results / "written")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    made = set()
    for _, words, folder in scaling.steps(corpus, params):
        found = scaling.run(words, folder=tmp_path)
        assert found["seconds"] > 0
        assert found["cpu"] > 0
        assert found["bytes"] > 10e6  # a Python process
        outputs = scaling.files_in(tmp_path, folder)
        assert all(path.stat().st_size > 0 for path in outputs)
        made |= {path.name for path in outputs}
    assert made >= {"groups.csv", "labels.csv", "split.csv", "model.json", "metrics.json"}
    assert len(pd.read_csv(results / "split/split.csv")) == 70
