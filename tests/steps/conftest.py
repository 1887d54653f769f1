"""What the tests of several commands need: a small corpus downloaded, a model trained on noise."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from autotagging.mel.spectrogram import describe_front_end
from commands import autotagging, download, train, train_lookup
from conftest import write_shards


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "tags.yaml"
    content = {"synonyms": {"beat": ["beat", "beats"]}, "categories": {"instrument": ["flute"]}}
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def downloaded(small_corpus, tmp_path):
    out = tmp_path / "download"
    download(small_corpus, out)
    return out


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder with six clips of noise, their labels and split, and a model trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 10, (6, 96, 235)).astype(np.float16)
    write_shards(folder, dict(enumerate(mel)))
    write_tables(folder, "a", "b")
    settings = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    settings |= {"seconds": 5.0, "log_scale": "power_db"}
    (folder / "front_end.json").write_text(json.dumps(describe_front_end(**settings)))
    return folder, train(folder, "one")


@pytest.fixture
def lookup(tmp_path):
    """A folder with six clips of the tags NA and 007, and an audio-blind model."""
    write_tables(tmp_path, "NA", "007")
    train_lookup(tmp_path)
    return tmp_path


def write_tables(folder, *names):
    """Write the tables of the earlier steps for six clips and two tags."""
    (folder / "audio.json").write_text(json.dumps({"title": "noise", "sha256": "f" * 64}))
    labels = {"clip_id": range(6), "mp3_path": "x"}
    labels |= dict(zip(names, ([0, 1] * 3, [1, 1, 0] * 2), strict=True))
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    (folder / "tag_settings.json").write_text('{"synonyms": "merge"}')
    (folder / "split_settings.json").write_text('{"scheme": "random"}')
    tags = {"tag": names, "category": ["mood", "genre"]}
    pd.DataFrame(tags).to_csv(folder / "tags.csv", index=False)
    groups = {"clip_id": range(6), "track": [*"uvwxyz"], "album": "x/y", "artist": "x"}
    pd.DataFrame(groups).to_csv(folder / "groups.csv", index=False)
    subsets = ["train", "train", "validation", "validation", "test", "test"]
    pd.DataFrame({"clip_id": range(6), "mp3_path": "x", "subset": subsets}).to_csv(
        folder / "split.csv", index=False
    )


@pytest.fixture(scope="session")
def exported(trained):
    """The folder of `autotagging export`, and what it printed."""
    folder, _ = trained
    out = folder / "exported"
    return out, autotagging("export", "--model-json", folder / "one/model.json", "--out", out)
