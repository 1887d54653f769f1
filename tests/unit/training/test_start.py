"""Training that starts from the weights of a stored model."""

import json
from pathlib import Path

import numpy as np
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.dataset.store import read_front_end
from autotagging.models.stored import load_model, save_model, weights_of
from autotagging.training.devices import ONE_DEVICE
from autotagging.training.start import Start, check_start, load_start
from networks import (
    FRONT_END,
    checkpoints_in,
    crnn_options,
    model_description,
    training_settings,
)

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

TAGS = ["a", "b"]
NO_DROPOUT = {"pool_dropout": 0.0, "output_dropout": 0.0}
PUBLISHED = {"input_norm": "time", "gru_reset_after": False, "gru_gates": "hard_sigmoid"}
TRAINED_ON = {"audio_sha256": "a" * 64, "split_sha256": "b" * 64}


def write_model(folder: Path, *, trained_on=TRAINED_ON, **options) -> Path:
    """Write a small network of two tags with weights that no initializer gives."""
    options = crnn_options(**NO_DROPOUT, **options)
    network = models.build("crnn", input_shape=(96, 94), n_tags=len(TAGS), **options)
    rng = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(weight + rng.uniform(0, 0.05, weight.shape))
    described = model_description("crnn", options, TAGS, trained_on=trained_on)
    save_model(folder / "model.json", folder / "weights.npz", described, weights_of(network))
    return folder


def examples(clips: slice):
    from autotagging.training.loop import Examples

    rng = np.random.default_rng(1)
    mel = rng.normal(-30, 20, (6, 96, 94)).astype(np.float16)
    labels = np.float32([[0, 1], [1, 0], [1, 1], [0, 0], [1, 0], [0, 1]])
    return Examples(np.arange(6)[clips], labels[clips], lambda ids: mel[ids])


def fit(start: Start, unfinished: Path, *, epochs: int, **options):
    """Train on four clips, in one step an epoch."""
    from autotagging.training.fitted import fit_network
    from autotagging.training.inputs import Inputs

    keras.utils.set_random_seed(0)
    return fit_network(
        "crnn",
        crnn_options(**{**NO_DROPOUT, **options}),
        Inputs(examples(slice(4)), examples(slice(4, 6)), shape=(96, 94)),
        training_settings(epochs=epochs, learning_rate=0.001),
        start=start,
        seed=0,
        threads=1,
        devices=ONE_DEVICE,
        checkpoints=checkpoints_in(unfinished),
    )


def test_training_begins_with_the_loss_of_the_weights_and_resumes_with_the_same_bytes(tmp_path):
    """With the options of published weights, whose layers aren't fused."""
    from autotagging.models.stored import build_network
    from autotagging.training.fused import fuse

    stored = load_start(write_model(tmp_path, **PUBLISHED))
    network, train = build_network(stored), examples(slice(4))
    assert fuse(network) is None
    scores = network(train.gather(train.clip_ids).astype(np.float32), training=True)
    expected = float(keras.losses.BinaryCrossentropy()(train.labels, scores))
    start = Start(stored, TAGS)
    whole = fit(start, tmp_path / "whole", epochs=2, **PUBLISHED)
    assert whole.history["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert whole.description["start_from"] == {"corpus": "demo", "layers": "all layers"}
    moved = np.abs(whole.arrays["tags/kernel"] - stored.arrays["tags/kernel"])
    assert 0 < moved.max() <= 0.0021  # two steps of Adam
    fit(start, tmp_path / "stopped", epochs=1, **PUBLISHED)
    resumed = fit(start, tmp_path / "stopped", epochs=2, **PUBLISHED)
    assert whole.history.equals(resumed.history)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, resumed.arrays[name], err_msg=name)


def test_gates_of_keras_1_are_fused_where_all_else_is_the_default():
    from autotagging.training.fused import fuse

    options = crnn_options(gru_reset_after=False, gru_gates="hard_sigmoid")
    network = models.build("crnn", input_shape=(96, 94), n_tags=2, **options)
    mel = np.random.default_rng(0).normal(-30, 20, (2, 96, 94)).astype(np.float32)
    np.testing.assert_allclose(fuse(network).score(mel), network(mel), atol=1e-5)


@pytest.mark.parametrize("tags", [["a", "b", "c"], ["b", "a"]], ids=["more", "another order"])
def test_of_a_model_with_other_tags_all_layers_but_the_last_are_taken(tmp_path, capsys, tags):
    stored = load_start(write_model(tmp_path) / "model.json")
    network = models.build("crnn", input_shape=(96, 94), n_tags=len(tags), **crnn_options())
    own = network.get_layer("tags").get_weights()
    start = Start(stored, tags)
    start.set_weights(network)
    for name, array in weights_of(network).items():
        if not name.startswith("tags/"):
            np.testing.assert_array_equal(array, stored.arrays[name], err_msg=name)
    for array, expected in zip(network.get_layer("tags").get_weights(), own, strict=True):
        np.testing.assert_array_equal(array, expected)
    assert start.describe()["layers"] == "all layers but the last"
    assert capsys.readouterr().err == (
        f"starting from the weights of {tmp_path}/model.json: all layers but the last, 'tags', "
        f"because its 2 tags are not the {len(tags)} of this corpus\n"
    )


def test_weights_of_other_shapes_are_refused(tmp_path):
    start = Start(load_start(write_model(tmp_path)), ["a"])
    network = models.build("crnn", input_shape=(97, 94), n_tags=1, **crnn_options())
    with pytest.raises(UserError, match=r"model\.json: stored weight 'input_norm/gamma' is \(96,"):
        start.set_weights(network)


def write_front_end(folder: Path, **changes) -> Path:
    path = folder / "front_end.json"
    path.write_text(json.dumps({**FRONT_END, **changes}))
    assert read_front_end(path)
    return path


def check(folder: Path, *, front_end=None, trained_on=None, **options):
    check_start(
        load_start(folder),
        model="crnn",
        options=crnn_options(**options),
        front_end=write_front_end(folder, **(front_end or {})),
        trained_on={"audio_sha256": "c" * 64, "split_sha256": "d" * 64, **(trained_on or {})},
    )


def test_options_of_training_may_differ_and_an_old_model_has_sigmoids(tmp_path):
    stored = load_model(write_model(tmp_path) / "model.json")
    options = {k: v for k, v in stored.description["options"].items() if k != "gru_gates"}
    paths = tmp_path / "model.json", tmp_path / "weights.npz"
    save_model(*paths, {**stored.description, "options": options}, stored.arrays)
    check(tmp_path, pool_dropout=0.5, output_dropout=0.5, batch_norm_momentum=0.5)
    check(tmp_path, trained_on=TRAINED_ON)
    with pytest.raises(UserError, match="gru_gates is sigmoid, but hard_sigmoid in this training"):
        check(tmp_path, gru_gates="hard_sigmoid")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"padding_side": "end"}, "padding_side is both, but end in this training"),
        ({"padding_value": -1.0}, r"set train\.crnn\.padding_value to 0\.0, or train\.crnn\.start"),
        ({"front_end": {"log_scale": "log1p"}}, "log_scale is log1p, but .* on power_db"),
        ({"trained_on": {"audio_sha256": "a" * 64}}, "by another split, so it may know the test"),
    ],
)
def test_a_model_that_does_not_fit_the_training_is_refused(tmp_path, changes, message):
    write_model(tmp_path)
    with pytest.raises(UserError, match=message):
        check(tmp_path, **changes)


def test_a_model_that_a_model_started_from_must_not_know_the_test_clips_either(tmp_path):
    """However many trainings lie between."""
    other = {"audio_sha256": "e" * 64, "split_sha256": "f" * 64}
    of_start = {f"start_start_{name}": checksum for name, checksum in TRAINED_ON.items()}
    between = {f"start_{name}": checksum for name, checksum in other.items()}
    write_model(tmp_path, trained_on={**other, **between, **of_start})
    check(tmp_path, trained_on=TRAINED_ON)
    with pytest.raises(UserError, match="by another split, so it may know the test"):
        check(tmp_path, trained_on={"audio_sha256": "a" * 64})


@pytest.mark.parametrize("model", ["fcn4", "lookup", "statistics"])
def test_a_model_without_training_options_has_no_start(model):
    with pytest.raises(UserError, match=f"model '{model}' can't start from the weights of another"):
        models.training_options(model)
