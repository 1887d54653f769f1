"""What is read back is what was written; anything else is refused before it can do anything."""

import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, save_arrays, sha256
from autotagging.models.lookup import fit_lookup
from autotagging.models.stored import (
    build_network,
    load_epochs,
    load_model,
    save_model,
    stack_epochs,
    weights_of,
)
from networks import FRONT_END, crnn_options, model_description

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

OPTIONS = crnn_options()


@pytest.fixture(scope="module")
def network():
    """A CRNN whose weights and moving statistics are not those of any other."""
    network = models.build("crnn", input_shape=(96, 94), n_tags=2, **OPTIONS)
    rng = np.random.default_rng(0)
    network.set_weights([rng.uniform(0.05, 0.15, each.shape) for each in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def written(network, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    described = model_description("crnn", OPTIONS, ["a", "b"])
    save_model(folder / "model.json", folder / "weights.npz", described, weights_of(network))
    return folder


@pytest.fixture
def folder(written, tmp_path) -> Path:
    """A copy of a model, to be spoilt."""
    return shutil.copytree(written, tmp_path / "model")


class Spy:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def change(folder: Path, **entries) -> Path:
    """Write other entries into model.json, or none of a name where its value is `...`."""
    path = folder / "model.json"
    content = {**json.loads(path.read_text()), **entries}
    path.write_text(json.dumps({name: x for name, x in content.items() if x is not ...}))
    return path


def put(folder: Path, weights: bytes) -> Path:
    """Write other weights, with their checksum: someone meant it."""
    (folder / "weights.npz").write_bytes(weights)
    return change(folder, weights_sha256=sha256(folder / "weights.npz"))


def put_arrays(folder: Path, changes: dict) -> Path:
    arrays = {**load_arrays(folder / "weights.npz"), **changes}
    save_arrays(folder / "weights.npz", {k: v for k, v in arrays.items() if v is not None})
    return put(folder, (folder / "weights.npz").read_bytes())


def refusal(path: Path) -> str:
    """The one line with which a file is refused, from reading to building."""
    with pytest.raises(UserError) as caught:
        build_network(load_model(path))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path.parent))
    return message


def test_what_is_read_back_scores_as_what_was_written(network, written):
    mel = np.random.default_rng(0).normal(-30, 20, (2, 96, 94)).astype(np.float32)
    stored = load_model(written / "model.json")
    assert stored.description["tags"] == ["a", "b"]
    np.testing.assert_array_equal(build_network(stored)(mel), network(mel))


def test_the_path_of_a_model_may_be_text(written):
    assert load_model(str(written / "model.json")).path == written / "model.json"


def make_h5(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(3)


def make_pickle(path):
    path.write_bytes(pickle.dumps(Spy(path.with_name("ran"))))


def make_lambda(path):
    layers = [keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)]
    keras.Sequential(layers).save(path.with_suffix(".keras"))
    path.with_suffix(".keras").replace(path)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("model.h5", make_h5),
        ("model.hdf5", make_h5),
        ("model.keras", make_lambda),
        ("model.pkl", make_pickle),
        ("model.pickle", make_pickle),
        ("model.pt", make_pickle),
        ("saved_model", Path.mkdir),
    ],
)
def test_other_kinds_of_model_files_are_refused_unopened(folder, name, make):
    make(folder / name)
    message = refusal(folder / name)
    assert "expected a model.json of this project with weights.npz next to it" in message
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("make", [make_h5, make_pickle, make_lambda])
def test_other_kinds_are_refused_under_our_names_too(folder, make):
    make(folder / "other")
    shutil.copy(folder / "other", folder / "model.json")
    assert "model.json: not valid JSON" in refusal(folder / "model.json")


def object_arrays(folder):
    buffer = io.BytesIO()
    np.savez(buffer, kernel=np.array([Spy(folder / "ran")], dtype=object))
    return buffer.getvalue()


def one_array(folder):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def not_an_array(folder):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("kernel.npy", "import os")
    return buffer.getvalue()


def of(make):
    def content(folder):
        make(folder / "other")
        return (folder / "other").read_bytes()

    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (object_arrays, "not an .npz file of plain arrays"),
        (of(make_pickle), "not an .npz file of plain arrays"),
        (of(make_h5), "not an .npz file of plain arrays"),
        (one_array, "not an .npz file of plain arrays"),
        (not_an_array, "is not an array"),
        (of(make_lambda), "is not an array"),
    ],
)
def test_weights_that_are_more_or_less_than_arrays_are_refused(folder, content, message):
    assert message in refusal(put(folder, content(folder)))
    assert not (folder / "ran").exists()


BIAS = "tags/bias"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({BIAS: None}, r"'tags/bias' is missing, the model's is (2,) float32"),
        ({"new": np.zeros(2)}, "'new' is (2,) float64, the model's is missing"),
        ({BIAS: np.zeros(3, np.float32)}, "'tags/bias' is (3,) float32, the model's is (2,)"),
        ({BIAS: np.zeros(2)}, "'tags/bias' is (2,) float64, the model's is (2,) float32"),
        ({BIAS: np.array(["0", "1"])}, "'tags/bias' is (2,) <U1, the model's is (2,) float32"),
        ({BIAS: np.array([0, np.nan], np.float32)}, "'tags/bias' has values that are not finite"),
    ],
)
def test_weights_of_another_model_are_refused(folder, changes, message):
    assert message in refusal(put_arrays(folder, changes))


def test_a_model_whose_weights_are_not_finite_is_not_written(folder, tmp_path):
    described = json.loads((folder / "model.json").read_text())
    arrays = {BIAS: np.array([0, np.inf], np.float32)}
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="'tags/bias' has values that are not finite; not written"):
        save_model(out / "model.json", out / "weights.npz", described, arrays)
    assert not [*out.iterdir()]


def test_weights_that_were_not_written_with_the_model_are_refused(folder):
    before = change(folder).read_text()
    put_arrays(folder, {BIAS: np.ones(2, np.float32)})
    (folder / "model.json").write_text(before)
    assert "weights.npz: not the weights of" in refusal(folder / "model.json")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"weights_sha256": ...}, "'weights_sha256' is a required property"),
        ({"tags": ...}, "'tags' is a required property"),
        ({"trained_on": ...}, "'trained_on' is a required property"),
        ({"front_end": ...}, "'front_end' is a required property"),
        ({"front_end": {**FRONT_END, "log_scale": ["x"]}}, "front_end.log_scale: ['x'] is not"),
        ({"corpus": 3}, "corpus: 3 is not of type 'string'"),
        ({"split": None}, "split: None is not of type 'string'"),
        ({"model": "os"}, "model: 'os' is not one of ['"),
        ({"model": ["crnn"]}, "model: ['crnn'] is not one of"),
        ({"options": {**OPTIONS, "pool_dropout": {"class_name": "Lambda"}}}, "pool_dropout: {'cl"),
        ({"options": {**OPTIONS, "depth": 5}}, "has no option 'depth'"),
        ({"options": {**OPTIONS, "padded_frames": "many"}}, "not supported between"),
        ({"options": {**OPTIONS, "padding_side": "top"}}, "padding_side is 'top'; expected one of"),
        ({"options": {**OPTIONS, "padding_value": "x"}}, "bad operand type for unary -"),
        ({"options": {**OPTIONS, "pool_dropout": 7}}, "rate"),
        ({"tags": ["a", "a"]}, "tags: ['a', 'a'] has non-unique elements"),
        ({"tags": ["a", "b", "c"]}, "the model's is (32, 3) float32"),
        ({"input_shape": [96, -1]}, "input_shape.1: -1 is less than the minimum of 1"),
        ({"versions": "x" * 10_000}, "versions: ..."),
    ],
)
def test_a_description_that_lacks_or_bends_something_is_refused(folder, entries, message):
    refused = refusal(change(folder, **entries))
    assert message in refused
    assert len(refused) < 600


@pytest.mark.parametrize("content", ["", '{"model": "cr', "[]", '"crnn"', "\x00\x01"])
def test_a_description_that_is_none_is_refused(folder, content):
    (folder / "model.json").write_text(content)
    assert "model.json: " in refusal(folder / "model.json")


def test_counts_of_other_tags_are_refused(tmp_path):
    labels = pd.DataFrame({"a": [1, 0], "b": [0, 1]}, index=[1, 2])
    groups = pd.DataFrame({"track": ["x", "y"], "album": "z", "artist": "w"}, index=[1, 2])
    described = model_description("lookup", {"pseudo_count": 1.0}, ["a", "b"])
    paths = tmp_path / "model.json", tmp_path / "weights.npz"
    arrays = fit_lookup(labels, groups)
    save_model(*paths, described, arrays)
    assert set(load_model(paths[0]).arrays) == set(arrays)
    assert "is not a network" in refusal(paths[0])
    save_model(*paths, {**described, "tags": ["a", "b", "c"]}, arrays)
    assert "not the arrays of" in refusal(paths[0])
    save_model(*paths, described, {"prior": arrays["prior"]})
    assert "not the arrays of" in refusal(paths[0])


def test_the_weights_after_epochs_are_read_back_by_epoch(folder):
    epochs = {2: [np.zeros(3), np.ones((2, 1))], 5: [np.ones(3), np.zeros((2, 1))]}
    save_arrays(folder / "epochs.npz", stack_epochs(epochs, ["a/bias", "a/kernel"]))
    stored = load_model(change(folder, epochs_sha256=sha256(folder / "epochs.npz")))
    found = load_epochs(stored)
    assert [*found] == [2, 5]
    assert found[5]["a/bias"].tolist() == [1, 1, 1]
    assert found[2]["a/kernel"].tolist() == [[1], [1]]


def test_a_model_without_epochs_has_none(folder):
    save_arrays(folder / "epochs.npz", stack_epochs({}, ["prior"]))
    stored = load_model(change(folder, epochs_sha256=sha256(folder / "epochs.npz")))
    assert load_epochs(stored) == {}


@pytest.mark.parametrize("content", [b"PK", None])
def test_epochs_that_were_not_written_with_the_model_are_refused(folder, content):
    stored = load_model(change(folder, epochs_sha256="0" * 64))
    if content:
        (folder / "epochs.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"epochs\.npz: not the epochs of .*; train again"):
        load_epochs(stored)
