"""A network of a user's own: what its layers may be, and what is said of those that don't fit."""

import numpy as np
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.models.stored import (
    build_network,
    check_options,
    load_model,
    save_model,
    weights_of,
)
from networks import checkpoints_in, model_description, training_settings

keras = pytest.importorskip("keras")
layers = keras.layers

pytestmark = pytest.mark.training


def unnamed(*, input_shape, n_tags, hidden=(4,), l2=0.0, precision="float32"):
    """Dense layers without names."""
    inputs = x = keras.Input(input_shape)
    x = layers.GlobalAveragePooling1D()(x)
    for units in hidden:
        x = layers.Dense(units, kernel_regularizer=keras.regularizers.L2(l2))(x)
    return keras.Model(inputs, layers.Dense(n_tags, activation="sigmoid")(x))


def with_state(*, input_shape, n_tags, precision="float32"):
    """A layer with two outputs, of which one is used."""
    inputs = keras.Input(input_shape)
    outputs, _ = layers.GRU(3, return_state=True, name="gru")(inputs)
    return keras.Model(inputs, layers.Dense(n_tags, activation="sigmoid", name="tags")(outputs))


def without_bias(*, input_shape, n_tags, precision="float32"):
    """The sigmoids are a layer of their own."""
    inputs = keras.Input(input_shape)
    x = layers.Dense(n_tags, name="tags")(layers.GlobalAveragePooling1D()(inputs))
    return keras.Model(inputs, layers.Activation("sigmoid", name="sigmoid")(x))


def with_attention(*, input_shape, n_tags, precision="float32"):
    """The operations of attention are not counted."""
    inputs = keras.Input(input_shape)
    x = layers.MultiHeadAttention(1, 2, name="attention")(inputs, inputs)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(n_tags, activation="sigmoid", name="tags")(x))


def with_twins(*, input_shape, n_tags, precision="float32"):
    """Two nested networks whose layers have the same name."""
    x = inputs = keras.Input(input_shape)
    for _ in range(2):
        inside = keras.Input(x.shape[1:])
        x = keras.Model(inside, layers.Dense(5, name="projection")(inside))(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(n_tags, activation="sigmoid", name="tags")(x))


@pytest.fixture
def own(monkeypatch):
    """Let one of these functions build the model conv1d."""

    def register(builder):
        monkeypatch.setattr(models, "_builder", lambda name: builder)

    return register


def write(folder, *, options, tags=("a", "b")):
    """Write a model with weights of all values; return its model.json and its scores."""
    network = models.build("conv1d", input_shape=(6, 4), n_tags=len(tags), **options)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=weight.shape) for weight in network.weights])
    described = model_description("conv1d", options, tags, input_shape=[6, 4])
    path = folder / "model.json"
    save_model(path, folder / "weights.npz", described, weights_of(network))
    return path, network(np.ones((1, 6, 4)))


def test_layers_without_names_are_known_by_their_order_and_options_may_be_lists(own, tmp_path):
    """Keras gives them other numbers each time; the first two have the same shape."""
    own(unnamed)
    path, scores = write(tmp_path, options={"hidden": [4, 4, 3], "l2": 0.1})
    for _ in range(2):
        network = build_network(load_model(path))
        np.testing.assert_allclose(network(np.ones((1, 6, 4))), scores, rtol=1e-6)


def test_a_training_starts_from_weights_of_layers_without_names(own, tmp_path):
    from autotagging.training.start import Start

    own(unnamed)
    stored = load_model(write(tmp_path, options={"hidden": [4]})[0])
    network = models.build("conv1d", input_shape=(6, 4), n_tags=3, hidden=[4])
    own_bias = network.layers[-1].bias.numpy()
    Start(stored, ["a", "b", "c"]).set_weights(network)
    expected = [*stored.arrays.values()][:2]
    for weight, array in zip(network.weights, expected, strict=False):
        np.testing.assert_array_equal(weight, array)
    np.testing.assert_array_equal(network.layers[-1].bias, own_bias)


def test_numbers_that_a_person_gave_are_names(own, tmp_path):
    """Other layers of a class are not taken for each other, though their shapes are the same."""

    def numbered(first):
        def build(*, input_shape, n_tags, precision="float32"):
            inputs = x = keras.Input(input_shape)
            for number in (first, first + 1):
                x = layers.Dense(4, name=f"hidden_{number}")(x)
            x = layers.GlobalAveragePooling1D()(x)
            return keras.Model(inputs, layers.Dense(n_tags, activation="sigmoid", name="tags")(x))

        return build

    own(numbered(2))
    path, _ = write(tmp_path, options={})
    own(numbered(1))
    with pytest.raises(UserError, match="stored weight 'hidden_1/kernel' is missing"):
        build_network(load_model(path))


def test_weights_of_other_layers_are_no_weights_of_layers_without_names(own, tmp_path):
    own(unnamed)
    path, _ = write(tmp_path, options={})
    own(with_state)
    with pytest.raises(UserError, match="stored weight 'gru/gru_cell/kernel' is missing"):
        build_network(load_model(path))


def test_two_weights_of_the_same_name_are_refused(own):
    own(with_twins)
    with pytest.raises(UserError, match="two weights are named 'projection/kernel'; rename a lay"):
        models.build("conv1d", input_shape=(6, 4), n_tags=2)


@pytest.mark.parametrize("value", [{"a": 1}, [[1, {"a": 1}]], [1, [2, ["x", None]]], 0.5, None])
def test_options_that_no_description_holds_are_refused_before_the_training(value):
    if "{" not in repr(value):
        check_options("conv1d", {"depth": 1, "filters": value})
        return
    with pytest.raises(UserError, match=r"^train\.conv1d\.filters is .*; an option is a number,"):
        check_options("conv1d", {"depth": 1, "filters": value})


def test_nothing_is_written_of_a_description_that_could_not_be_read(own, tmp_path):
    own(unnamed)
    with pytest.raises(UserError, match=r"model\.json: tags: .*non-unique elements; not written"):
        write(tmp_path, options={"hidden": [4]}, tags=("a", "a"))
    assert not [*tmp_path.iterdir()]


def fit(folder, **settings):
    from autotagging.training.devices import ONE_DEVICE
    from autotagging.training.fitted import fit_network
    from autotagging.training.inputs import Inputs
    from autotagging.training.loop import Examples

    mel, labels = np.zeros((4, 6, 4), np.float32), np.float32([[0, 1], [1, 0]] * 2)
    examples = Examples(np.arange(4), labels, lambda clips: mel[clips])
    return fit_network(
        "conv1d",
        {},
        Inputs(examples, examples, shape=(6, 4), windows=2),
        training_settings(epochs=1, **settings),
        seed=0,
        threads=1,
        devices=ONE_DEVICE,
        checkpoints=checkpoints_in(folder),
    )


def test_a_layer_with_two_outputs_is_described_by_the_first(own, tmp_path):
    own(with_state)
    described = fit(tmp_path).description
    shapes = {row["name"]: row["output_shape"] for row in described["architecture"]}
    assert (shapes["gru"], shapes["tags"]) == ([3], [2])
    assert described["multiply_adds"] == 2 * (6 * 3 * 3 * (4 + 3) + 3 * 2)  # in two windows


def test_operations_that_are_not_known_are_not_counted_as_none(own, tmp_path):
    own(with_attention)
    assert fit(tmp_path).description["multiply_adds"] is None


def test_a_network_is_described_before_it_is_trained(own, tmp_path, monkeypatch):
    from autotagging.training import costs

    def fail(network):
        raise UserError("no description")

    own(unnamed)
    monkeypatch.setattr(costs, "multiply_adds", fail)
    with pytest.raises(UserError, match="no description"):
        fit(tmp_path / "unfinished")
    assert not (tmp_path / "unfinished").exists()


def test_without_a_bias_at_the_end_the_prior_is_refused(own, tmp_path):
    own(without_bias)
    with pytest.raises(
        UserError, match=r"'sigmoid' \(Activation\), .*; set train\.conv1d\.training\.output_bias"
    ):
        fit(tmp_path, output_bias="prior")
    assert len(fit(tmp_path, output_bias="zero").history) == 1
