"""Work that is killed at any change to a file, and run again, ends as if it had not been killed."""

import itertools
import os

import numpy as np
import pandas as pd
import pytest

from autotagging import demo
from autotagging.common.files import save_arrays, sha256, write_csv, write_json
from autotagging.mel.front_end import Limits, MelSettings
from autotagging.steps.download import Demo, _make_demo
from autotagging.steps.extract_mel_shard import extract_mel_shard
from autotagging.training.checkpoints import discard, only_training
from autotagging.training.run import Run
from networks import checkpoints_in

CHANGES = ("replace", "rename", "unlink", "rmdir", "mkdir", "fsync", "pwrite", "ftruncate")


class Killed(BaseException):
    """Ends the work; all later changes raise it, too, since a killed process makes none."""


def kill_at(change, patch):
    """Let the process make `change` changes, counted from 0, and no more."""
    made = itertools.count()

    def guarded(original):
        def call(*arguments, **options):
            if next(made) >= change:
                raise Killed
            return original(*arguments, **options)

        return call

    for name in CHANGES:
        patch.setattr(os, name, guarded(getattr(os, name)))


def contents(folder):
    return {
        path.relative_to(folder): path.is_file() and read(path, folder)
        for path in folder.rglob("*")
    }


def read(path, folder):
    return path.read_bytes().replace(str(folder).encode(), b"FOLDER")


def assert_survives(work, tmp_path, monkeypatch, *, at_least):
    """Kill the work at each of its changes; `at_least` that many, so that none goes unseen."""
    work(tmp_path / "undisturbed")
    expected = contents(tmp_path / "undisturbed")
    for change in itertools.count():
        folder = tmp_path / str(change)
        with monkeypatch.context() as patch:
            kill_at(change, patch)
            try:
                work(folder)
            except Killed:
                ended = False
            else:
                ended = True
        work(folder)
        assert contents(folder) == expected, f"killed at change {change}"
        if ended:
            break
    assert change >= at_least


def test_files_between_steps(tmp_path, monkeypatch):
    def work(folder):
        write_csv(pd.DataFrame({"a": [1, 2]}), folder / "table.csv")
        write_json({"a": 1}, folder / "new/description.json")
        save_arrays(folder / "arrays.npz", {"a": np.arange(3)})

    assert_survives(work, tmp_path, monkeypatch, at_least=6)


def test_the_demo_corpus(tmp_path, monkeypatch):
    """An older corpus is there, which is replaced."""

    def made(clip, *, seed, silent):
        return (b"" if silent else b"mp3 of %d" % clip.clip_id), frozenset({"rock"})

    monkeypatch.setattr(demo.corpus, "make_clip", made)

    def work(folder):
        if not folder.exists():
            (folder / "demo").mkdir(parents=True)
            (folder / "demo/demo.json").write_text("{}")
            (folder / "demo/of the older one").touch()
        _make_demo(folder / "demo", Demo(demo_clips=20, demo_seed=0), threads=1)

    assert_survives(work, tmp_path, monkeypatch, at_least=15)


# The lock's generator may be collected only after the kill, and then raises Killed, unseen.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_extraction_of_a_shard(downloaded, tmp_path, monkeypatch):
    settings = MelSettings(
        sample_rate=12_000,
        n_fft=512,
        hop_length=256,
        n_mels=96,
        seconds=29.12,
        log_scale="power_db",
    )

    def work(folder):
        extract_mel_shard(
            download=downloaded,
            shard=0,
            shards=2,
            settings=settings,
            limits=Limits(tolerance=1.0, longest=60),
            unfinished=folder / "unfinished/shard-00.npy",
            spectrograms=folder / "shard-00.npy",
            clips=folder / "shard-00.csv",
            versions=folder / "shard-00.json",
        )

    assert_survives(work, tmp_path, monkeypatch, at_least=8)


class Variable:
    """A variable of a model, which a test can do without TensorFlow."""

    shape = (3,)

    def __init__(self):
        self.value = np.zeros(3)

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value = value


def test_a_training_up_to_its_evaluation(tmp_path, monkeypatch):
    """Three epochs of two batches, with a checkpoint after each batch."""
    rng = np.random.default_rng(0)
    gradients, losses = rng.normal(size=(3, 2, 3)), [3.0, 1.0, 2.0]

    def work(folder):
        checkpoints = checkpoints_in(folder / "unfinished", keep_epochs="all", minutes=0)
        with only_training(folder / "unfinished"):
            run = Run([variable := Variable()], (4, 2), checkpoints)
            run.resume()
            while run.epoch <= 3:
                while run.batches < 2:
                    number = run.batches
                    variable.assign(0.5 * variable.value + gradients[run.epoch - 1, number])
                    batch = np.array([2 * number, 2 * number + 1])
                    run.end_batch(batch, losses[run.epoch - 1], np.full((2, 2), number))
                row, loss = {"loss": run.loss_sum}, losses[run.epoch - 1]
                run.end_epoch(row, {}, value=loss, weights=[variable.value.copy()])
            epochs = {
                str(epoch): weights[0] for epoch, weights in checkpoints.load_epochs(3).items()
            }
            save_arrays(folder / "epochs.npz", epochs)
            write_json({"rows": run.rows, "best": run.best_epoch}, folder / "model.json")
            save_arrays(folder / "weights.npz", {"0": run.best_weights[0]})
            checkpoints.finish(sha256(folder / "weights.npz"))
        discard(folder / "unfinished", weights_sha256=sha256(folder / "weights.npz"))

    assert_survives(work, tmp_path, monkeypatch, at_least=40)
