"""The fused blocks against the layers that they stand for, and those against float64."""

import numpy as np
import pytest

from autotagging import models
from networks import crnn_options, stock_crnn

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.training

from autotagging.models.layers import FusedBatchNormalization  # noqa: E402
from autotagging.training import fused, passes, step  # noqa: E402
from autotagging.training.blocks import find_blocks  # noqa: E402
from autotagging.training.devices import Devices  # noqa: E402
from autotagging.training.optimizer import make_optimizer  # noqa: E402

FRAMES, PADDED, CLIPS, TAGS = 170, 192, 2, 10
CHAIN = (17, 86)
OPTIONS = crnn_options(padded_frames=PADDED, pool_dropout=0.0, output_dropout=0.0)


def build(precision="float32", **changes):
    """The CRNN with weights of all signs, as training might leave them."""
    keras.utils.set_random_seed(0)
    options = {**OPTIONS, **changes}
    model = models.build(
        "crnn", input_shape=(96, FRAMES), n_tags=TAGS, precision=precision, **options
    )
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith("norm_"):
            signs = rng.choice([-1, 1], layer.gamma.shape)
            layer.gamma.assign(rng.uniform(0.5, 1.5, signs.shape) * signs)
            layer.beta.assign(rng.normal(0, 0.3, layer.beta.shape))
    return model


def build_chain(
    *,
    dtype="float32",
    compression=None,
    input_norm=True,
    block_norm=True,
    activation="ReLU",
    dropout=0.0,
    pooling_first=True,
):
    """Three blocks, like those of FCN-4: rows and columns are left over from the pooling."""
    keras.utils.set_random_seed(0)
    layers, rng, options = keras.layers, np.random.default_rng(0), {"dtype": dtype}
    Norm = FusedBatchNormalization if dtype == "float32" else layers.BatchNormalization
    x = inputs = keras.Input(CHAIN, **options)
    if compression:
        x = layers.Activation(compression, **options)(x)
    if input_norm:
        x = layers.BatchNormalization(axis=1, momentum=0.9, **options)(x)
    x = layers.Reshape((*CHAIN, 1), **options)(x)
    # (17, 86, 1) -> (8, 21, 6) -> (2, 4, 8) -> (1, 1, 10)
    for filters, pool in ((6, (2, 4)), (8, (3, 5)), (10, (2, 3))):
        x = layers.Conv2D(filters, 3, padding="same", **options)(x)
        if block_norm:
            x = Norm(momentum=0.9, **options)(x)
        pooling = layers.MaxPooling2D(pool, **options)
        function = getattr(layers, activation)(**options)
        for layer in (pooling, function) if pooling_first else (function, pooling):
            x = layer(x)
        x = layers.Dropout(dropout, **options)(x)
    x = layers.Dense(TAGS, activation="sigmoid", **options)(layers.Flatten(**options)(x))
    model = keras.Model(inputs, x, name="chain")
    for weight in model.trainable_variables:
        if weight.name in ("bias", "beta", "gamma"):
            weight.assign(rng.normal(weight.name == "gamma", 0.5, weight.shape))
    return model


def make_batch(seed, shape=(96, FRAMES)):
    rng = np.random.default_rng(seed)
    mel = rng.normal(-30, 20, (CLIPS, *shape)).astype(np.float32)
    return mel, (rng.random((CLIPS, TAGS)) < 0.2).astype(np.float32)


@pytest.fixture(scope="module")
def batch():
    return make_batch(0)


def gradients(model, call, batch, dtype=tf.float32):
    """Give the gradient of the loss, by name of the weight."""
    mel, labels = (tf.constant(array, dtype) for array in batch)
    weights = {weight.path.removeprefix("crnn/"): weight for weight in model.trainable_variables}

    @tf.function(autograph=False)
    def compute():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(labels, call(mel)))
        variables = [weight.value for weight in weights.values()]
        none = tf.UnconnectedGradients.ZERO
        return tape.gradient(loss, variables, unconnected_gradients=none)

    found = compute()
    return dict(zip(weights, (gradient.numpy() for gradient in found), strict=True))


def build_exact(model):
    """Stock Keras layers in float64, in the order of the paper, with a model's weights."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        exact = stock_crnn(frames=FRAMES, padding=(PADDED - FRAMES) // 2, n_tags=TAGS)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    exact.set_weights(model.get_weights())
    return exact


def check_gradients(model, exact, shape):
    """Compare on one of three batches: of two values equal up to rounding, either may win."""
    weights, worst = model.get_weights(), []
    for seed in (4, 3, 1):
        batch = make_batch(seed, shape)
        model.set_weights(weights)
        found = gradients(model, fused.fuse(model).train, batch)
        expected = gradients(exact, lambda mel: exact(mel, training=True), batch, tf.float64)
        differences = {}
        for (name, gradient), right in zip(found.items(), expected.values(), strict=True):
            if np.abs(right).max() < 1e-12:  # of a bias before batch normalization
                assert not gradient.any(), name
            else:
                differences[name] = np.abs(gradient - right).max() / np.abs(right).max()
        worst.append(max(differences.items(), key=lambda item: item[1]))
        if worst[-1][1] < 1e-4:
            return
    pytest.fail(f"largest relative differences: {worst}")


@pytest.mark.parametrize("sums", ["of a CPU", "of a GPU"])
def test_gradients_are_those_of_stock_keras_layers(sums, monkeypatch):
    monkeypatch.setattr(passes, "on_gpu", lambda: sums == "of a GPU")
    model = build()
    check_gradients(model, build_exact(model), (96, FRAMES))


CHAINS = {
    "of FCN-4": {},
    "with ELU": {"activation": "ELU"},
    "without input norm": {"input_norm": False, "compression": "softsign"},
    "without block norm": {"block_norm": False, "compression": "softsign"},
}


@pytest.mark.parametrize("kind", [*CHAINS, "of FCN-4 on a GPU"])
def test_gradients_of_other_blocks_are_those_of_stock_keras_layers(kind, monkeypatch):
    monkeypatch.setattr(passes, "on_gpu", lambda: "GPU" in kind)
    changes = CHAINS.get(kind, {})
    model = build_chain(**changes)
    exact = build_chain(**changes, dtype="float64", pooling_first=False)
    exact.set_weights(model.get_weights())
    check_gradients(model, exact, CHAIN)


@pytest.mark.parametrize("changes", CHAINS.values(), ids=CHAINS)
def test_scores_of_other_blocks_are_those_of_the_layers(changes):
    """Also if the pooling comes after the activation."""
    plain, model = build_chain(**changes), build_chain(**changes, pooling_first=False)
    network, mel = fused.fuse(model), tf.constant(make_batch(0, CHAIN)[0])
    np.testing.assert_allclose(network.train(mel), plain(mel, training=True), atol=1e-5)
    for weight, expected in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5, err_msg=weight.path)
    np.testing.assert_allclose(network.score(mel), plain(mel, training=False), atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [{}, {"input_norm": "none", "padding_side": "end", "padding_value": -100.0}],
    ids=["default", "padded with silence"],
)
def test_scores_and_moving_statistics_are_those_of_the_layers(batch, changes):
    plain, model = build(**changes), build(**changes)
    network = fused.fuse(model)
    np.testing.assert_allclose(
        network.train(tf.constant(batch[0])), plain(batch[0], training=True), atol=1e-5
    )
    for weight, expected in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5, err_msg=weight.path)
    np.testing.assert_allclose(
        network.score(tf.constant(batch[0])), plain(batch[0], training=False), atol=1e-5
    )


def test_gradients_with_another_padding(batch):
    """Those of the layers in float32, all weights together: ties of a window may fall elsewhere."""
    changes = {"padding_side": "start", "padding_value": 2.0}
    plain, model = build(**changes), build(**changes)
    expected = gradients(plain, lambda mel: plain(mel, training=True), batch)
    found = gradients(model, fused.fuse(model).train, batch)
    found, expected = (np.concatenate([a.ravel() for a in of.values()]) for of in (found, expected))
    assert np.linalg.norm(found - expected) < 0.01 * np.linalg.norm(expected)


def test_bfloat16_follows_float32(batch):
    one, other = build(), build(precision="mixed_bfloat16")
    expected = gradients(one, fused.fuse(one).train, batch)
    found = gradients(other, fused.fuse(other).train, batch)
    kernels = [name for name in expected if name.endswith("kernel")]
    found, expected = (
        np.concatenate([of[name].ravel() for name in kernels]) for of in (found, expected)
    )
    assert found @ expected > 0.97 * np.linalg.norm(found) * np.linalg.norm(expected)
    assert all(weight.dtype == "float32" for weight in other.weights)


def test_dropout_is_a_function_of_seed_and_step(batch):
    mel = tf.constant(batch[0])
    model, again = build(pool_dropout=0.5), build(pool_dropout=0.5)
    steps, same = (
        [fused.fuse(each).train(mel).numpy() for _ in range(2)] for each in (model, again)
    )
    np.testing.assert_array_equal(steps, same)
    assert np.abs(steps[0] - steps[1]).max() > 1e-3


def test_dropout_drops_its_share_and_scales_the_rest():
    pooled = tf.ones((10, 10, 20, 50))
    bits = passes.random_bits(tf.constant([1, 2]), pooled.shape)
    one, zero = tf.ones(50), tf.zeros(50)
    output = passes.activate(pooled, one, zero, bits, round(0.1 * 65536), "elu").numpy()
    assert np.mean(output == 0) == pytest.approx(0.1, abs=0.005)
    np.testing.assert_allclose(output[output != 0], 1 / 0.9, rtol=1e-5)


@pytest.mark.parametrize("activation", ["elu", "relu"])
def test_what_is_dropped_or_not_positive_gets_its_gradient(activation):
    """Dropout of a half doubles the gradient of the rest; ReLU's is zero below zero."""
    pooled = tf.random.stateless_normal((4, 3, 5, 8), (1, 2))
    bits = passes.random_bits(tf.constant([1, 2]), pooled.shape)
    one, zero, half = tf.ones(8), tf.zeros(8), 32768
    kept = passes.activate(tf.ones_like(pooled), one, zero, bits, half, activation).numpy()
    assert set(np.unique(kept)) == {0.0, 2.0}
    with tf.GradientTape() as tape:
        tape.watch(pooled)
        expected = kept * getattr(tf.nn, activation)(pooled)
    of_output = tf.random.stateless_normal(pooled.shape, (3, 4))
    of_pooled = tape.gradient(expected, pooled, of_output)
    output = passes.activate(pooled, one, zero, bits, half, activation)
    np.testing.assert_allclose(output, expected, atol=1e-6)
    total, product = passes.gradient_sums(output, of_output, pooled, half, activation)
    np.testing.assert_allclose(total, tf.reduce_sum(of_pooled, [0, 1, 2]), atol=1e-4)
    np.testing.assert_allclose(product, tf.reduce_sum(of_pooled * pooled, [0, 1, 2]), atol=1e-4)


def test_the_first_of_equal_values_in_a_window_gets_the_gradient():
    images = np.zeros((1, 2, 4, 1), np.float32)
    images[0, 1, 2:] = 3.0
    assert passes.winner(tf.constant(images), (2, 2)).numpy()[0, 0, :, 0].tolist() == [0, 2]


def test_what_lies_beyond_the_last_window_never_wins():
    """It has only the gradient of the normalization: here, 10 for each element and 1 times it."""
    images = tf.constant([[0.0, 5, 2, 9], [3, 4, 1, 8], [7, 7, 7, 7]])[None, :, :, None]
    winners = passes.winner(images, (2, 3))
    assert winners.numpy().ravel().tolist() == [1]
    output = of_output = tf.constant([[[[100.0]]]])
    factors = tf.constant([[1.0], [10], [1]])
    found = passes.convolution_gradient(
        images, winners, output, of_output, tuple(factors), (2, 3), 0, "relu"
    )
    expected = [[10, 115, 12, 19], [13, 14, 11, 18], [17, 17, 17, 17]]
    np.testing.assert_array_equal(found[0, :, :, 0], expected)


def test_a_norm_of_the_frames_is_left_to_the_layers():
    assert fused.fuse(build(input_norm="time")) is None


class Doubled(keras.layers.Conv2D):
    """A convolution of a user's own, with another function."""

    def call(self, inputs):
        return 2 * super().call(inputs)


class Shifted(keras.layers.Layer):
    """A layer without variables that does something in training alone."""

    def call(self, inputs, training=False):
        return inputs + 1 if training else inputs


class OnRows(keras.layers.Rescaling):
    """A layer of a user's own that is no rescaling of the whole spectrogram."""

    def call(self, inputs):
        return inputs * tf.range(8.0)[:, None, None]


def small(head=(), convolution=None, norm=None, pooling=None, activation=None, dropout=None):
    """A network of one block, with some of its layers or their settings changed."""
    layers = keras.layers
    inputs = x = keras.Input((8, 8))
    for layer in (*head, layers.Reshape((8, 8, 1))):
        x = layer(x)
    options = {"filters": 2, "kernel_size": 3, "padding": "same"}
    if not isinstance(convolution, keras.Layer):
        convolution = layers.Conv2D(**{**options, **(convolution or {})})
    x = layers.BatchNormalization(**(norm or {}))(convolution(x))
    x = layers.MaxPooling2D(**{"pool_size": 2, **(pooling or {})})(x)
    x = (dropout or layers.Dropout(0.1))((activation or layers.ELU())(x))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


@pytest.mark.parametrize(
    "changes",
    [
        {"convolution": {"activation": "relu"}},
        {"convolution": {"kernel_size": (3, 5)}},
        {"convolution": {"strides": 2}},
        {"convolution": {"dilation_rate": 2}},
        {"convolution": {"trainable": False}},
        {"convolution": {"activity_regularizer": "l2"}},
        {"convolution": {"dtype": "mixed_bfloat16"}},
        {"convolution": {"dtype": "bfloat16"}},
        {"convolution": Doubled(2, 3, padding="same")},
        {"norm": {"renorm": True}},
        {"norm": {"scale": False}},
        {"pooling": {"strides": 1}},
        {"pooling": {"pool_size": 3, "padding": "same"}},
        {"activation": keras.layers.ELU(alpha=0.5)},
        {"activation": keras.layers.ELU(activity_regularizer="l1")},
        {"activation": keras.layers.ReLU(max_value=6)},
        {"activation": keras.layers.LeakyReLU()},
        {"dropout": keras.layers.Dropout(0.1, noise_shape=(None, 1, 1, 2))},
        {"head": [keras.layers.BatchNormalization(axis=1), OnRows(1.0), keras.layers.Flatten()]},
        {"head": [keras.layers.BatchNormalization(axis=1), keras.layers.Rescaling([1.0] * 8)]},
        {"head": [keras.layers.Masking(), keras.layers.BatchNormalization(axis=1)]},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*does not support masking")
def test_other_blocks_are_left_to_the_layers(changes):
    assert fused.fuse(small()) is not None
    assert fused.fuse(small(**changes)) is None


def test_penalties_and_constraints_of_weights_are_followed():
    """Two filters of ones have a sum of squares of 18; the constraint makes it 2 after a step."""
    options = {"kernel_regularizer": keras.regularizers.L2(1.0), "kernel_initializer": "ones"}
    options |= {"kernel_constraint": keras.constraints.UnitNorm([0, 1, 2])}
    model = small(convolution=options)
    assert float(step.penalty(model)) == 18
    assert fused.fuse(model) is not None
    optimizer = make_optimizer(model, 0.001)
    labels = np.ones((CLIPS, 3), np.float32)
    step.make_train_step(model, optimizer)(make_batch(0, (8, 8))[0], labels)
    kernel = model.layers[2].kernel.numpy()
    np.testing.assert_allclose((kernel**2).sum((0, 1, 2)), [1, 1], rtol=1e-5)
    assert float(step.penalty(model)) == pytest.approx(2, rel=1e-5)


def test_another_dropout_is_called_as_it_is():
    """After the last block; it drops whole channels, and between blocks nothing is fused."""
    model = small(dropout=keras.layers.SpatialDropout2D(0.5))
    _, blocks = find_blocks(model)
    assert [block.dropout for block in blocks] == [None]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_layers_before_the_blocks_are_called_in_training_or_not(training, kind):
    """A Sequential lists no layer of its inputs; its first layer is not left out."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    first = [Shifted(), layers.BatchNormalization(axis=1, epsilon=100.0), layers.Reshape((8, 8, 1))]
    block = [layers.Conv2D(2, 3, padding="same"), layers.MaxPooling2D(2), layers.ReLU()]
    model = keras.Sequential([keras.Input((8, 8)), *first, *block, layers.Flatten()])
    if kind == "functional":
        model = keras.models.clone_model(keras.Model(model.inputs, model.outputs))
    mel = tf.constant(make_batch(0, (8, 8))[0])
    network, expected = fused.fuse(model), model(mel, training=training)
    found = network.train(mel) if training else network.score(mel)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture
def on_gpu(monkeypatch):
    """Have the step be made as for a GPU, and run on the CPU."""
    for module in (passes, step):
        monkeypatch.setattr(module, "on_gpu", lambda: True)


def take_steps(precision="float32", *, steps=1):
    """Train on one batch; return the last loss, and all variables."""
    model = build(precision)
    optimizer = make_optimizer(model, 0.001)
    train_step = step.make_train_step(model, optimizer)
    loss = [float(train_step(*make_batch(4))[0]) for _ in range(steps)][-1]
    return loss, [variable.numpy() for variable in (*model.variables, *optimizer.variables)]


def test_a_gpus_step_does_the_same(request):
    loss, expected = take_steps()
    request.getfixturevalue("on_gpu")
    found_loss, found = take_steps()
    assert found_loss == pytest.approx(loss, rel=1e-5)
    moments = slice(-2 * 29, None)  # Adam's, of gradients; weights move by 0.001 whatever these are
    for a, b in zip(found[moments], expected[moments], strict=True):
        assert np.linalg.norm(a - b) <= 1e-3 * np.linalg.norm(b) + 1e-9


@pytest.mark.parametrize(("xla", "fuses"), [(True, True), (False, True), (True, False)])
def test_xla_compiles_groups_of_operations_of_fused_networks_on_a_gpu(
    request, monkeypatch, xla, fuses
):
    chosen = []
    monkeypatch.setattr(tf.config.optimizer, "set_jit", chosen.append)
    model = build()
    if not fuses:
        monkeypatch.setattr(step, "fuse", lambda model: None)

    def make():
        step.make_train_step(model, make_optimizer(model, 0.001), Devices("1 GPU", xla=xla))

    make()
    assert chosen == []
    request.getfixturevalue("on_gpu")
    make()
    assert chosen == ["autoclustering" if xla and fuses else False]
