"""The networks against the layers, sizes and parameters of their sources."""

import re

import numpy as np
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.models.stored import trainable_parameters
from networks import network_options

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training


def build(name, n_tags=50, **changes):
    return models.build(name, n_tags=n_tags, **network_options(name, **changes))


def shapes(model):
    return {layer.name: layer.output.shape[1:] for layer in model.layers}


@pytest.mark.parametrize(
    ("name", "changes", "count"),
    [
        ("fcn4", {}, 17_365_938),
        ("fcn4", {"input_norm": "frequency"}, 17_365_938 + 192),
        ("fcn4", {"width": 1 / 4}, 1_106_706),
        ("fcn4", {"width": 1 / 8}, 283_810),
        ("conv1d", {"input_norm": "none"}, 57_182),
        ("conv1d", {}, 57_182 + 192),
        ("conv1d", {"input_norm": "channel", "input_shape": (96, 187)}, 66_784),
        # The source's count less normalizations without effect, and a redundant scale and offset.
        ("musicnn", {}, 787_159 - 2 * 128 - 2),
        # Shorter filters for the same time.
        (
            "musicnn",
            {"input_shape": (96, 141), "temporal_frames": 96},
            787_159 - 2 * 128 - 2 - 51 * (128 + 64 + 32 - 96 - 48 - 24),
        ),
        ("short_chunk", {}, 12_104_244),
        ("short_chunk", {"input_shape": (128, 231)}, 12_104_244),
        ("short_chunk", {"residual": False}, 3_687_348),
        ("short_chunk", {"filters": 32}, 765_108),
        ("short_chunk", {"filters": 16}, 194_164),
    ],
)
def test_trainable_parameters(name, changes, count):
    assert trainable_parameters(build(name, **changes)) == count


def test_fcn4_reduces_a_clip_to_one_position():
    found = shapes(build("fcn4"))
    assert found["pool_1"] == (48, 341, 128)
    assert found["pool_2"] == (12, 68, 384)
    assert found["pool_3"] == (4, 8, 768)
    assert found["pool_4"] == (1, 1, 2048)
    assert found["flat"] == (2048,)


def test_conv1d_convolves_without_padding_and_drops_incomplete_pools():
    found = shapes(build("conv1d"))
    assert found["sequence"] == (141, 96)
    assert found["conv_1"] == (134, 32)
    assert found["pool_1"] == (33, 32)
    assert found["conv_2"] == (26, 32)
    assert found["pool_2"] == (6, 32)


def test_musicnn_keeps_the_time_of_its_window():
    found = shapes(build("musicnn"))
    assert found["timbral_1"] == (96 - 67 + 1, 187, 204)
    assert found["timbral_2"] == (96 - 38 + 1, 187, 204)
    assert {found[f"temporal_{number}"] for number in (1, 2, 3)} == {(96, 187, 51)}
    assert found["front_end"] == (187, 2 * 204 + 3 * 51)
    assert found["features"] == (187, 561 + 3 * 64)
    assert found["pooled"] == (2 * 753,)


def test_a_small_musicnn_has_an_eighth_of_the_filters_rounded_down():
    found = shapes(build("musicnn", width=0.125, middle_filters=16, hidden_units=64))
    assert found["timbral_1"][-1] == 25
    assert found["temporal_1"][-1] == 6
    assert found["features"] == (187, 2 * 25 + 3 * 6 + 3 * 16)
    assert found["hidden"] == (64,)


@pytest.mark.parametrize(("residual", "last"), [(True, "relu"), (False, "pool")])
def test_short_chunk_halves_its_window_seven_times(residual, last):
    found = shapes(build("short_chunk", residual=residual, filters=2))
    sizes = [found[f"{last}_{number}"] for number in range(1, 8)]
    assert sizes == [
        (48, 87, 2),
        (24, 44, 2),
        (12, 22, 4),
        (6, 11, 4),
        (3, 6, 4),
        (2, 3, 4),
        (1, 2, 8),
    ]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("fcn4", {"input_shape": (80, 1366)}, "not 80 x 1366"),
        ("fcn4", {"input_shape": (192, 1366)}, "not 192 x 1366"),
        ("fcn4", {"input_shape": (96, 2560)}, "not 96 x 2560"),
        ("conv1d", {"input_shape": (96, 50)}, "conv1d takes 51 frames or more, not 50"),
        ("musicnn", {"input_shape": (2, 187)}, "3 mel bins and temporal_frames = 4 or more, not 2"),
        ("short_chunk", {"width": 0.5}, "has no option 'width'"),
    ],
)
def test_what_can_not_be_built_is_said(name, changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        build(name, **changes)


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("fcn4", (96, 1280)), ("conv1d", (1, 51)), ("musicnn", (3, 1)), ("short_chunk", (1, 1))],
)
def test_the_smallest_input_is_scored(name, smallest):
    small = {"fcn4": {"width": 0.01}, "musicnn": {"width": 0.01}, "short_chunk": {"filters": 1}}
    network = build(name, n_tags=3, input_shape=smallest, **small.get(name, {}))
    scores = network(np.full((1, *smallest), -30, np.float32)).numpy()
    assert scores.shape == (1, 3)
    assert np.isfinite(scores).all()


def test_fcn4_scores_as_keras_layers_in_the_order_of_its_source():
    """Convolution, batch norm, ReLU, pooling by Keras' own layers; the same weights."""
    ours = build("fcn4", n_tags=3, width=1 / 64, input_shape=(96, 1280))
    x = inputs = keras.Input((96, 1280))
    x = keras.layers.Reshape((96, 1280, 1))(x)
    for filters, pool in ((2, (2, 4)), (6, (4, 5)), (12, (3, 8)), (32, (4, 8))):
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.MaxPooling2D(pool)(keras.layers.ReLU()(x))
    x = keras.layers.Dense(3, activation="sigmoid")(keras.layers.Flatten()(x))
    stock = keras.Model(inputs, x)
    rng = np.random.default_rng(0)
    weights = [rng.uniform(-0.1, 0.15, weight.shape) for weight in ours.get_weights()]
    weights = [abs(weight) + 0.1 if weight.ndim == 1 else weight for weight in weights]
    ours.set_weights(weights)
    stock.set_weights(weights)
    mel = rng.normal(-3, 2, (2, 96, 1280)).astype(np.float32)
    expected = stock(mel).numpy()
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(ours(mel), expected, rtol=1e-4, atol=1e-5)


def test_levels_are_compressed_as_in_the_sources():
    from autotagging.models.layers import log_compressed

    inputs = keras.Input((1,))
    compress = keras.Model(inputs, log_compressed(inputs))
    decibels = np.array([[-100], [-40], [0], [30], [128]], np.float32)
    expected = np.log1p(1e4 * 10 ** (decibels.astype(float) / 10))
    np.testing.assert_allclose(compress(decibels), expected, rtol=1e-5)


def test_a_penalty_is_the_sum_of_squares_of_all_kernels():
    for name, small in (
        ("conv1d", {}),
        ("musicnn", {"width": 0.05, "input_shape": (96, 20)}),
        ("short_chunk", {"filters": 2}),
    ):
        network = build(name, **small, l2=0.5)
        kernels = [each for each in network.trainable_weights if each.name == "kernel"]
        expected = 0.5 * sum(float(np.sum(np.square(kernel.numpy()))) for kernel in kernels)
        assert sum(float(loss) for loss in network.losses) == pytest.approx(expected, rel=1e-5)
        assert build(name, **small, l2=0).losses == []


def test_sixteen_bits_are_for_convolutions_only():
    """Weights, normalizations of the input and scores are float32."""
    for name in ("conv1d", "fcn4", "musicnn", "short_chunk"):
        small = {"fcn4": {"width": 0.02}, "musicnn": {"width": 0.05}, "short_chunk": {"filters": 4}}
        network = build(name, precision="mixed_bfloat16", **small.get(name, {}))
        computed = {layer.name: layer.compute_dtype for layer in network.layers}
        convolutions = [
            layer.name
            for layer in network.layers
            if isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D)
        ]
        assert {computed[layer] for layer in convolutions} == {"bfloat16"}
        assert computed["tags"] == computed.get("input_norm", "float32") == "float32"
        assert {weight.dtype for weight in network.weights} <= {"float32", "uint32"}
        scores = network(np.zeros((1, *network.input_shape[1:]), np.float32))
        assert np.isfinite(scores).all()


def test_no_two_dropout_layers_of_a_seeded_perceptron_drop_the_same_units():
    from autotagging.models.layers import multilayer_perceptron

    inputs = keras.Input((4,))
    outputs = multilayer_perceptron(inputs, 2, hidden=[8, 8, 8], dropout_rate=0.5, seed=3)
    layers = keras.Model(inputs, outputs).layers
    seeds = [each.get_config()["seed"] for each in layers if each.name.startswith("dropout")]
    assert seeds == [3, 4, 5]
