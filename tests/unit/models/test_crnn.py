"""The CRNN against Table 2 of the paper, and against stock Keras layers."""

import numpy as np
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from networks import crnn_options, stock_crnn

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.training

OPTIONS = crnn_options(padded_frames=1440)


def build(n_tags=50, **changes):
    return models.build("crnn", input_shape=(96, 1366), n_tags=n_tags, **{**OPTIONS, **changes})


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.fixture(scope="module")
def crnn():
    keras.utils.set_random_seed(0)
    return build()


def test_shapes_are_those_of_table_2(crnn):
    shapes = {layer.name: layer.output.shape[1:] for layer in crnn.layers}
    assert shapes["pad"] == (96, 1440, 1)
    assert shapes["pool_1"] == (48, 720, 64)
    assert shapes["pool_2"] == (16, 240, 128)
    assert shapes["pool_3"] == (4, 60, 128)
    assert shapes["pool_4"] == (1, 15, 128)
    assert shapes["sequence"] == (15, 128)
    assert shapes["gru_1"] == (15, 32)
    assert shapes["gru_2"] == (32,)
    assert shapes["tags"] == (50,)


@pytest.mark.parametrize(
    ("input_norm", "reset_after", "count"),
    [
        ("frequency", True, 394_290),
        ("none", True, 394_098),
        ("none", False, 393_906),
        ("frequency", False, 394_098),
        ("time", True, 394_098 + 2880),
    ],
)
def test_trainable_parameters(input_norm, reset_after, count):
    model = build(input_norm=input_norm, gru_reset_after=reset_after)
    assert trainable(model) == count
    norms = [layer for layer in model.layers if layer.name == "input_norm"]
    assert len(norms) == (input_norm != "none")


def test_padding_is_37_frames_of_zeros_at_each_end():
    model = build(input_norm="none")
    padded = keras.Model(model.input, model.get_layer("pad").output)
    frames = padded(np.ones((1, 96, 1366), np.float32)).numpy()[0, 0, :, 0]
    assert np.flatnonzero(frames).tolist() == list(range(37, 37 + 1366))


@pytest.mark.parametrize(
    ("side", "start"), [("both", 2), ("end", 0), ("start", 5)], ids=["both", "end", "start"]
)
@pytest.mark.parametrize("value", [0.0, -100.0, 1.5])
@pytest.mark.parametrize("input_norm", ["none", "frequency", "time"])
def test_five_frames_of_padding_lie_where_they_should(side, start, value, input_norm):
    """91 frames of -30 in 96; before training a normalization only divides by sqrt(1.001)."""
    options = {"padded_frames": 96, "padding_side": side, "padding_value": value}
    options |= {"input_norm": input_norm}
    model = models.build("crnn", input_shape=(96, 91), n_tags=2, **{**OPTIONS, **options})
    padded = keras.Model(model.input, model.get_layer("conv_1").input)
    expected = np.full((96, 96), value, np.float32)
    expected[:, start : start + 91] = -30 / (1.001**0.5 if input_norm == "frequency" else 1)
    expected /= 1.001**0.5 if input_norm == "time" else 1
    found = padded(np.full((1, 96, 91), -30, np.float32)).numpy()[0, :, :, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_padding_with_zeros_needs_no_layer_more(crnn):
    names = [layer.name for layer in crnn.layers][:5]
    assert names == ["log_mel", "input_norm", "channel", "pad", "conv_1"]


def test_scores_are_those_of_stock_keras_layers_in_the_papers_order(crnn):
    """Convolution, batch norm, ELU, pooling by Keras' own layers; the same weights."""
    rng = np.random.default_rng(0)
    stock = stock_crnn(frames=1366, padding=37, n_tags=50)
    weights = [rng.uniform(0.05, 0.1, weight.shape) for weight in crnn.get_weights()]
    stock.set_weights(weights)
    ours = build()
    ours.set_weights(weights)
    mel = rng.normal(-30, 20, (2, 96, 1366)).astype(np.float32)
    np.testing.assert_allclose(ours(mel), stock(mel), rtol=1e-4, atol=1e-5)


def gradients(model, images, loss_of):
    """Gradients of the loss, a function of the model's output: of all weights and of the input."""
    images = tf.constant(images)
    variables = [*(variable.value for variable in model.trainable_variables), images]
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = loss_of(model(images, training=True))
    return tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def test_the_gradient_is_that_of_stock_keras_layers():
    """As a whole: where two values of a pooling window tie but for rounding, single ones differ."""
    rng = np.random.default_rng(0)
    stock = stock_crnn(frames=170, padding=11, n_tags=50)
    options = {**OPTIONS, "padded_frames": 192, "pool_dropout": 0.0, "output_dropout": 0.0}
    ours = models.build("crnn", input_shape=(96, 170), n_tags=50, **options)
    ours.set_weights(stock.get_weights())
    mel = rng.normal(-30, 20, (8, 96, 170)).astype(np.float32)
    labels = (rng.random((8, 50)) < 0.1).astype(np.float32)
    cross_entropy = keras.losses.BinaryCrossentropy()
    found, expected = (
        np.concatenate([np.ravel(gradient) for gradient in of_all])
        for of_all in (
            gradients(model, mel, lambda scores: cross_entropy(labels, scores))
            for model in (ours, stock)
        )
    )
    assert np.linalg.norm(found - expected) < 0.01 * np.linalg.norm(expected)


@pytest.mark.parametrize("channels", [1, 5])
def test_gradients_of_a_convolution_and_its_norm_are_those_of_keras(channels):
    """Of the input, the kernel, gamma and beta; that of the bias is zero but for rounding."""
    from autotagging.models.layers import ConvolutionBeforeNorm, FusedBatchNormalization

    def make(convolution, norm):
        inputs = keras.Input((12, 20, channels))
        return keras.Model(inputs, norm()(convolution(6, 3, padding="same")(inputs)))

    rng = np.random.default_rng(0)
    stock = make(keras.layers.Conv2D, keras.layers.BatchNormalization)
    ours = make(ConvolutionBeforeNorm, FusedBatchNormalization)
    weights = [rng.normal(1, 0.5, weight.shape) for weight in stock.get_weights()[:-1]]
    weights.append(np.ones(6))  # the moving variance
    stock.set_weights(weights)
    ours.set_weights(weights)
    images = rng.normal(0, 1, (4, 12, 20, channels)).astype(np.float32)
    upstream = rng.normal(0, 1, (4, 12, 20, 6)).astype(np.float32)
    found, expected = (
        gradients(model, images, lambda outputs: tf.reduce_sum(upstream * outputs))
        for model in (ours, stock)
    )
    names = [*(variable.name for variable in ours.trainable_variables), "input"]
    for name, one, other in zip(names, found, expected, strict=True):
        if name == "bias":
            assert not np.any(one)
            assert np.abs(other).max() < 1e-3
        else:
            assert np.abs(one - other).max() < 1e-4 * np.abs(other).max(), name


def test_fused_batch_norm_in_training_is_keras_own():
    from autotagging.models.layers import FusedBatchNormalization

    images = np.random.default_rng(0).normal(3, 2, (4, 8, 10, 5)).astype(np.float32)
    fused, stock = (
        FusedBatchNormalization(momentum=0.9),
        keras.layers.BatchNormalization(momentum=0.9),
    )
    np.testing.assert_allclose(
        fused(images, training=True), stock(images, training=True), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(fused.moving_mean, stock.moving_mean, rtol=1e-4)
    # The fused operation's variance is the sample's: n / (n - 1) with n = 4 * 8 * 10.
    expected = 0.9 + (np.asarray(stock.moving_variance) - 0.9) * 320 / 319
    np.testing.assert_allclose(fused.moving_variance, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "shape", "changes", "message"),
    [
        ("cnn", (96, 1366), {}, "unknown model 'cnn'; the models are .*crnn"),
        ("crnn", (80, 1366), {}, "not 80 x 1366"),
        ("crnn", (192, 1366), {}, "not 192 x 1366"),
        ("crnn", (96, 1500), {}, "not 96 x 1500"),
        ("crnn", (96, 1366), {"dropout": 0.5}, "has no option 'dropout'"),
    ],
)
def test_what_can_not_be_built_is_said(name, shape, changes, message):
    with pytest.raises(UserError, match=message):
        models.build(name, input_shape=shape, n_tags=50, **{**OPTIONS, **changes})
