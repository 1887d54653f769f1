"""Step train as a command."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.models import MODELS, reads, table_model
from autotagging.steps import train as step
from autotagging.steps.train import TrainingData
from autotagging.training import fingerprint
from autotagging.training.fingerprint import code_of
from autotagging.training.settings import Machine
from commands import (
    autotagging,
    train,
    train_arguments,
)
from conftest import ROOT
from networks import training_settings
from source import modules_of_stage


def test_train_says_how_long_it_takes_and_describes_the_model(trained):
    folder, message = trained
    assert "2 clips, 393,794 parameters, " in message
    assert " for 2 epochs" in message
    model = json.loads((folder / "one/model.json").read_text())
    assert model["tags"] == ["a", "b"]
    assert model["split"] == "random 2/2/2"
    assert model["options"]["input_norm"] == "frequency"
    assert model["devices"] == "CPU, 2 threads"
    assert model["front_end"]["sample_rate"] == 12_000
    assert model["trained_on"] == {
        "audio_sha256": "f" * 64,
        "labels_sha256": hashlib.sha256((folder / "labels.csv").read_bytes()).hexdigest(),
        "split_sha256": hashlib.sha256((folder / "split.csv").read_bytes()).hexdigest(),
    }
    assert model["versions"]["numpy"] == np.__version__
    made_by = ["python", "keras", "numpy", "pandas", "scikit-learn", "tensorflow"]
    assert [*model["versions"]] == made_by
    assert json.loads((folder / "one/versions.json").read_text()) == model["versions"]
    assert pd.read_csv(folder / "one/history.csv").columns.tolist() == [
        "epoch",
        "loss",
        "val_loss",
        "auc",
        "val_auc",
    ]
    assert pd.read_csv(folder / "one/times.csv")["seconds"].gt(0).all()


def test_a_full_memory_is_named_with_what_helps(trained, tmp_path, monkeypatch):
    import tensorflow as tf

    from autotagging.cli import _make_app
    from autotagging.training import devices, loop

    def train_step(mel, labels):
        raise tf.errors.ResourceExhaustedError(None, None, "Out of memory\nin several lines")

    monkeypatch.setattr(devices, "prepare", lambda **settings: devices.ONE_DEVICE)
    monkeypatch.setattr(loop, "make_train_step", lambda *arguments: train_step)
    arguments = train_arguments(trained[0], "full")
    arguments[arguments.index("--unfinished") + 1] = tmp_path
    with pytest.raises(UserError, match="run again; or set a lower batch_size in train, or"):
        _make_app()([*map(str, arguments)], exit_on_error=False, print_error=False)


def test_an_option_that_no_model_json_holds_is_refused_before_anything_is_read(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(UserError, match=r"train\.crnn\.blocks is {'a': 1}; an option is a number"):
        step.train(
            model="crnn",
            seed=0,
            options=["blocks={a: 1}"],
            data=TrainingData(*[missing] * 5),
            settings=training_settings(),
            machine=None,
            files=None,
        )


OUTPUTS = ("weights.npz", "epochs.npz", "model.json", "history.csv")


def command(arguments):
    return [sys.executable, "-c", "from autotagging.cli import main; main()", *map(str, arguments)]


def assert_same_outputs(folder, name):
    for output in OUTPUTS:
        assert (folder / "one" / output).read_bytes() == (folder / name / output).read_bytes()


def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_bytes(trained):
    folder, _ = trained
    arguments = command(train_arguments(folder, "killed"))
    with subprocess.Popen(arguments, cwd=ROOT, text=True, stderr=subprocess.PIPE) as process:
        assert any(line.startswith("epoch 1/2  loss") for line in process.stderr)
        process.kill()
    assert not (folder / "killed").exists()
    assert "resuming in epoch 2, after step 0" in train(folder, "killed")
    assert_same_outputs(folder, "killed")


def test_lost_outputs_are_written_again_without_training_though_nothing_can_be_shown(trained):
    """Of a finished training, before its model was evaluated; the log can't be written, either."""
    folder, _ = trained
    kept = shutil.copytree(folder / "unfinished/one", folder / "unfinished/again")
    before = {path: path.stat().st_mtime_ns for path in kept.glob("*.npz")}
    (folder / "again/times.csv").mkdir(parents=True)
    with open("/dev/full", "wb") as full:
        arguments = command(train_arguments(folder, "again"))
        result = subprocess.run(arguments, cwd=ROOT, stdout=full, stderr=full)
    assert result.returncode == 0
    assert_same_outputs(folder, "again")
    assert {path: path.stat().st_mtime_ns for path in kept.glob("*.npz")} == before


def test_the_next_start_waits_for_a_training_that_outlived_its_parent_and_takes_its_result(trained):
    """What the first one shows has no reader from then on, which does not stop it, either."""
    folder, _ = trained
    child = command(train_arguments(folder, "orphan"))
    parent = [sys.executable, "-c", f"import subprocess; subprocess.run({child})"]
    with subprocess.Popen(parent, cwd=ROOT, stderr=subprocess.PIPE) as process:
        while not (folder / "unfinished/orphan.lock").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    message = train(folder, "orphan")
    assert f"training in {folder}/unfinished/orphan: waiting for process" in message
    assert "all epochs are in the checkpoint: no training\n" in message
    assert "epoch 2/2" not in message
    assert_same_outputs(folder, "orphan")
    assert not (folder / "unfinished/orphan.lock").exists()


def test_two_trainings_are_the_same_bytes_whatever_the_test_labels_are(trained, tmp_path):
    """The other has every test label turned round; only the labels' fingerprint may differ."""
    folder, _ = trained
    labels, split = (pd.read_csv(folder / name) for name in ("labels.csv", "split.csv"))
    test = split["subset"] == "test"
    labels.loc[test, ["a", "b"]] = 1 - labels.loc[test, ["a", "b"]]
    other = shutil.copytree(folder, tmp_path / "other")
    labels.to_csv(other / "labels.csv", index=False)
    train(other, "turned")
    for name in ("weights.npz", "epochs.npz", "history.csv"):
        assert (other / "turned" / name).read_bytes() == (folder / "one" / name).read_bytes()
    before, after = (
        json.loads((path / "model.json").read_text()) for path in (folder / "one", other / "turned")
    )
    assert before["trained_on"].pop("labels_sha256") != after["trained_on"].pop("labels_sha256")
    assert before == after


def test_a_training_starts_from_a_stored_model_and_from_no_checkpoint_of_another(trained):
    """The weights at the start are part of what a checkpoint belongs to."""
    folder, _ = trained
    shutil.copytree(folder / "unfinished/one", folder / "unfinished/more")
    arguments = train_arguments(folder, "more")
    arguments[arguments.index("--epochs") + 1] = 1
    message = autotagging(*arguments, "--start-from", folder / "one")
    assert f"starting from the weights of {folder}/one/model.json: all layers\n" in message
    assert (
        "checkpoint of another training (parameters, data, code, libraries or precision; CPU"
        in message
    )
    before, after = (
        json.loads((folder / name / "model.json").read_text()) for name in ("one", "more")
    )
    assert after["start_from"] == {"corpus": "noise", "layers": "all layers"}
    assert after["trained_on"].pop("start_weights_sha256") == before["weights_sha256"]
    of_start = {f"start_{name}": checksum for name, checksum in before["trained_on"].items()}
    assert after["trained_on"] == before["trained_on"] | of_start
    assert after["options"] == before["options"]


def test_a_model_of_tables_has_no_start(trained):
    arguments = train_arguments(trained[0], "never")
    arguments[arguments.index("--model") + 1] = "lookup"
    message = autotagging(*arguments, "--start-from", trained[0] / "one", code=2)
    assert message == "autotagging: model 'lookup' can't start from the weights of another model\n"


def test_an_audio_json_without_a_fingerprint_stops_before_training(trained):
    folder, _ = trained
    before = (folder / "audio.json").read_text()
    (folder / "audio.json").write_text("{}")
    message = train(folder, "never", code=2)
    (folder / "audio.json").write_text(before)
    assert message == (
        f"autotagging: {folder}/audio.json: no entry 'sha256'; delete it and run again\n"
    )


def test_an_option_of_a_model_of_tables_is_checked_too():
    assert table_model("lookup", pseudo_count=1.0).fits({}, n_tags=1) is False
    with pytest.raises(UserError, match="model 'lookup' has no option 'psuedo'"):
        table_model("lookup", psuedo=1.0)


def test_an_input_that_is_not_given_is_found_before_the_training(trained):
    folder, _ = trained
    arguments = train_arguments(folder, "never")
    place = arguments.index("--front-end")
    del arguments[place : place + 2]
    message = autotagging(*arguments, code=2, without="tensorflow")
    assert message == "autotagging: model 'crnn' needs --front-end\n"


def test_features_are_not_fitted_by_several_processes(trained):
    arguments = train_arguments(trained[0], "never")
    for flag, value in (("--model", "statistics"), ("--devices", "multi_worker")):
        arguments[arguments.index(flag) + 1] = value
    start = arguments.index("--options") + 1
    arguments[start : arguments.index("--threads")] = ["strength=0.01"]
    message = autotagging(*arguments, code=2, without="tensorflow")
    assert "model 'statistics' is fitted by one process; set train.devices to auto" in message


@pytest.mark.parametrize("model", MODELS)
def test_a_checkpoint_is_of_the_code_that_the_stage_lists(model):
    of_features = {*(ROOT / "src/autotagging").glob("features/*.py")}
    listed = modules_of_stage("train", model=model)
    assert listed - (of_features if reads(model) != "features" else set()) == {*code_of(model)}


def key_of_checkpoints(folder, *, tags=None, replicas=1, devices="CPU", **changes):
    """Key of the checkpoints of a training, with changes of the job, its settings or machine."""
    machine = Machine(1, "auto", False, 1.0, 10, folder)
    job = {"model": "crnn", "seed": 0, "options": {"input_norm": "none"}, "start": None}
    job |= {"trained_on": {"labels_sha256": "a"}, "settings": training_settings()}
    data = TrainingData(**dict.fromkeys(TrainingData.__annotations__, folder / "summary.csv"))
    job |= {"data": data, "machine": machine}
    for part in ("settings", "machine"):
        own = {name: changes.pop(name) for name in vars(job[part]).keys() & changes}
        job[part] = dataclasses.replace(job[part], **own)
    job = step._Job(**job | changes)
    named = SimpleNamespace(replicas=replicas, describe=lambda threads: devices)
    start = tags and SimpleNamespace(stored=SimpleNamespace(description={"tags": tags}))
    return step._checkpoints(job, job.settings, named, start).key


@pytest.mark.parametrize(
    "change",
    [
        {"model": "conv1d"},
        {"seed": 1},
        {"options": {"input_norm": "frequency"}},
        {"trained_on": {"labels_sha256": "b"}},
        {"learning_rate": 0.1},
        {"precision": "float16"},
        {"xla": True},
        {"replicas": 2},
        {"devices": "GPU"},
        {"tags": ["a"]},
        "mel",
        "code",
        "libraries",
    ],
    ids=str,
)
def test_a_checkpoint_is_of_no_other_training(tmp_path, monkeypatch, change):
    """Data, settings, options, code, libraries and devices are parts of its name."""
    mel, code, libraries = (tmp_path / name for name in ("summary.csv", "code.py", "libraries"))
    for path in (mel, code, libraries):
        path.write_text("before")
    monkeypatch.setattr(fingerprint, "code_of", lambda model: [code])
    monkeypatch.setattr(fingerprint, "versions", lambda *names: libraries.read_text())
    before = key_of_checkpoints(tmp_path)
    assert key_of_checkpoints(tmp_path, cache=2.0, checkpoint_minutes=1) == before
    if isinstance(change, str):
        {"mel": mel, "code": code, "libraries": libraries}[change].write_text("after")
        change = {}
    assert key_of_checkpoints(tmp_path, **change) != before
