"""A model on features as a command that is killed."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from autotagging.mel.spectrogram import describe_front_end
from commands import evaluate, train_arguments
from conftest import ROOT, write_shards

CLIPS, FRAMES = 72, 150
SUBSETS = ["train"] * 40 + ["validation"] * 16 + ["test"] * 16
OPTIONS = ["representation=laplacian", "n_levels=2", "n_means=8", "sample_frames=1000"]
OPTIONS += ["retain=0.9", "epsilon=0.0001", "iterations=3", "pool_frames=40", "hidden=16"]
OPTIONS += ["dropout=0.5"]


def spectrograms():
    """Noise, louder where a clip has the first tag."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (CLIPS, 2))
    mel = rng.normal(-40, 10, (CLIPS, 96, FRAMES)) + 15 * labels[:, :1, None]
    return mel.astype(np.float16), labels


def write_inputs(folder, mel, labels):
    write_shards(folder, dict(enumerate(mel)))
    clips = {"clip_id": range(CLIPS), "mp3_path": "x"}
    pd.DataFrame({**clips, "a": labels[:, 0], "b": labels[:, 1]}).to_csv(
        folder / "labels.csv", index=False
    )
    pd.DataFrame({**clips, "subset": SUBSETS}).to_csv(folder / "split.csv", index=False)
    groups = {"clip_id": range(CLIPS), "track": range(CLIPS), "album": "x", "artist": "x"}
    pd.DataFrame(groups).to_csv(folder / "groups.csv", index=False)
    pd.DataFrame({"tag": ["a", "b"], "category": ["mood", "genre"]}).to_csv(
        folder / "tags.csv", index=False
    )
    (folder / "audio.json").write_text(json.dumps({"title": "noise", "sha256": "f" * 64}))
    (folder / "tag_settings.json").write_text('{"synonyms": "merge"}')
    (folder / "split_settings.json").write_text('{"scheme": "random"}')
    settings = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    settings |= {"seconds": 3.19, "log_scale": "power_db"}
    (folder / "front_end.json").write_text(json.dumps(describe_front_end(**settings)))


def command(folder, name, *, threads=2):
    arguments = train_arguments(folder, name)
    for flag, *values in (("--model", "multiscale"), ("--threads", threads), ("--batch-size", 8)):
        arguments[arguments.index(flag) + 1] = values[0]
    start = arguments.index("--options") + 1
    arguments[start : arguments.index("--threads")] = OPTIONS
    return [sys.executable, "-c", "from autotagging.cli import main; main()", *map(str, arguments)]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with a model that was trained without an interruption."""
    folder = tmp_path_factory.mktemp("features")
    write_inputs(folder, *spectrograms())
    subprocess.run(command(folder, "whole"), cwd=ROOT, check=True)
    return folder


def test_a_fit_that_is_killed_goes_on_and_ends_with_the_same_bytes(fitted):
    """Killed in the features of all clips, and after an epoch."""
    for written in ("features-clips-*", "checkpoint-*"):
        with subprocess.Popen(command(fitted, "killed"), cwd=ROOT, stderr=subprocess.PIPE) as run:
            while not [*(fitted / "unfinished/killed").glob(written)]:
                assert run.poll() is None
            run.kill()
        assert not (fitted / "killed").exists()
    subprocess.run(command(fitted, "killed"), cwd=ROOT, check=True)
    for name in ("weights.npz", "epochs.npz", "history.csv", "model.json"):
        assert (fitted / "killed" / name).read_bytes() == (fitted / "whole" / name).read_bytes()
    evaluate(fitted, "whole")
