from functools import partial

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.common.progress import progress
from autotagging.features.rbm import RBMSettings, hidden, train_rbm

SIDE = 6
ROWS, COLUMNS = np.repeat(np.eye(SIDE), SIDE, axis=1), np.tile(np.eye(SIDE), SIDE)
BARS = np.concatenate([ROWS, COLUMNS])
"""Images of one horizontal or one vertical bar: (bars, pixels)."""


def bars(count, share=1 / SIDE, seed=0):
    """Images of some bars: which bars each has, and its pixels, 0 or 1."""
    present = np.random.default_rng(seed).random((count, len(BARS))) < share
    return present, (present @ BARS > 0).astype(np.float32)


def standardised(data):
    return ((data - data.mean(axis=0)) / data.std(axis=0)).astype(np.float32)


def binary(**changes):
    settings = {
        "kind": "gaussian_binary",
        "n_hidden": 16,
        "epochs": 80,
        "learning_rate": 0.02,
        "min_learning_rate": 0.01,
        "sparsity_target": 0.15,
    }
    return RBMSettings(**settings | changes)


def relu(kind, **changes):
    settings = {
        "kind": kind,
        "n_hidden": 32,
        "epochs": 60,
        "learning_rate": 0.03,
        "min_learning_rate": 0.01,
    }
    return RBMSettings(**settings | changes)


def activations(data, rbm, settings):
    return hidden(data, rbm.weights, rbm.hidden_bias, settings.kind)


@pytest.fixture(scope="module")
def learnt():
    """A Gaussian-binary RBM of images of bars with noise."""
    present, images = bars(5000)
    images += 0.1 * np.random.default_rng(1).standard_normal(images.shape)
    data = standardised(images)
    return present, data, train_rbm(data, binary(), seed=0)


def test_hidden_units_find_the_bars(learnt):
    present, data, rbm = learnt
    units = activations(data, rbm, binary())
    correlations = np.corrcoef(present.T, units.T)[: len(BARS), len(BARS) :]
    assert correlations.max(axis=1).min() > 0.9


def test_the_reconstruction_error_falls_far_below_the_variance(learnt):
    _, data, rbm = learnt
    variance = (data**2).sum(axis=1).mean()  # 36 pixels
    assert variance == pytest.approx(36, rel=1e-3)
    assert rbm.errors[0] > 0.8 * variance
    assert rbm.errors[-1] < 0.25 * variance


def test_the_mean_activation_approaches_the_target(learnt):
    _, data, rbm = learnt
    assert rbm.activations[0] > 0.2  # units start at 0.5
    assert rbm.activations[-1] == pytest.approx(0.15, abs=0.02)
    assert activations(data, rbm, binary()).mean() == pytest.approx(rbm.activations[-1], abs=0.01)


def test_every_unit_is_active_on_some_rows(learnt):
    _, data, rbm = learnt
    assert activations(data, rbm, binary()).max(axis=0).min() > 0.5


def test_the_sparsity_target_moves_the_activation(learnt):
    _, data, _ = learnt
    rbm = train_rbm(data, binary(sparsity_target=0.02), seed=0)
    assert 0.01 < rbm.activations[-1] < 0.04


def test_relu_units_reconstruct_values_from_0_to_1():
    _, images = bars(4000)
    data = 0.1 + 0.8 * images
    settings = relu("sigmoid_relu")
    rbm = train_rbm(data, settings, seed=0)
    variance = data.var(axis=0).sum()
    assert rbm.errors[-1] < 0.25 * variance
    units = activations(data, rbm, settings)
    rebuilt = 1 / (1 + np.exp(-(units @ rbm.weights.T + rbm.visible_bias)))
    assert ((data - rebuilt) ** 2).sum(axis=1).mean() < 0.2 * variance


def test_relu_units_reconstruct_relu_units():
    present, _ = bars(4000)
    data = (present * np.random.default_rng(1).uniform(0.5, 2, present.shape)) @ BARS
    settings = relu("relu_relu", learning_rate=0.003, min_learning_rate=0.001)
    rbm = train_rbm(data.astype(np.float32), settings, seed=0)
    units = activations(data, rbm, settings)
    assert units.min() == 0
    assert units.max() > 0.5
    rebuilt = np.maximum(units @ rbm.weights.T + rbm.visible_bias, 0)
    assert ((data - rebuilt) ** 2).sum(axis=1).mean() < 0.2 * data.var(axis=0).sum()


def test_hidden_activations_by_hand():
    weights, bias = np.array([[1.0, -1.0]], np.float32), np.array([0.0, np.log(3)], np.float32)
    rows = np.array([[0.0], [100.0], [-100.0]])
    assert hidden(rows, weights, bias, "gaussian_binary") == pytest.approx(
        np.array([[0.5, 0.75], [1, 0], [0, 1]]), abs=1e-6
    )
    rectified = hidden(rows, weights, bias, "sigmoid_relu")
    assert rectified == pytest.approx(
        np.array([[0, np.log(3)], [100, 0], [0, 100 + np.log(3)]]), abs=1e-4
    )
    assert rectified.dtype == np.float32


@pytest.mark.parametrize("kind", ["gaussian_binary", "sigmoid_relu", "relu_relu"])
def test_the_same_seed_gives_the_same_bits(kind):
    _, data = bars(250)
    settings = relu(kind, epochs=4, sparsity_target=0.1)
    first, again, other = (train_rbm(data, settings, seed) for seed in (0, 0, 1))
    for name, values in first._asdict().items():
        assert values.dtype == np.float32
        assert np.array_equal(values, getattr(again, name)), name
    assert not np.array_equal(first.weights, other.weights)


@pytest.mark.parametrize(
    ("kind", "value", "slope", "mean", "variance"),
    [
        ("gaussian_binary", 0.0, 1, 0.5, 0.25),  # a fair coin
        ("sigmoid_relu", 0.5, 1 / 4, 1 / np.sqrt(4 * np.pi), 1 / 4 - 1 / (4 * np.pi)),
    ],
)
def test_the_reconstruction_is_that_of_sampled_units(kind, value, slope, mean, variance):
    """Untrained units: a coin, or a rectified normal variable of variance sigmoid(0)."""
    data = np.full((20_000, 10), value, np.float32)
    settings = relu(kind, epochs=1, learning_rate=0, min_learning_rate=0)
    rbm = train_rbm(data, settings, seed=0)
    spread, offset = (rbm.weights**2).sum(), (rbm.weights.sum(axis=1) ** 2).sum()
    expected = slope**2 * (variance * spread + mean**2 * offset)
    assert rbm.errors[0] == pytest.approx(expected, rel=0.05)


def test_the_learning_rate_decays_to_its_minimum():
    _, data = bars(100)
    without = {"momentum": 0, "final_momentum": 0, "learning_rate_decay": 0}
    one, stopped, going = (
        train_rbm(data, binary(epochs=epochs, min_learning_rate=minimum, **without), seed=0)
        for epochs, minimum in ((1, 0), (3, 0), (3, 0.01))
    )
    assert np.array_equal(one.weights, stopped.weights)
    assert not np.array_equal(one.weights, going.weights)


def test_few_rows_are_trained_for_more_epochs():
    _, data = bars(183)  # two batches per epoch
    assert len(train_rbm(data, binary(epochs=3), seed=0).errors) == 3
    assert len(train_rbm(data, binary(epochs=3, min_updates=50), seed=0).errors) == 25


def test_weights_decay_and_biases_do_not():
    """One update; the gradient of the weight cost is the only difference."""
    _, data = bars(100)
    kept, decayed = (
        train_rbm(data, binary(epochs=1, learning_rate=0.5, weight_cost=cost), seed=0)
        for cost in (0.0, 0.1)
    )
    start = train_rbm(data, binary(epochs=1, learning_rate=0, min_learning_rate=0), seed=0)
    assert kept.weights - decayed.weights == pytest.approx(0.05 * start.weights, abs=1e-6)
    assert np.array_equal(kept.hidden_bias, decayed.hidden_bias)
    assert np.array_equal(kept.visible_bias, decayed.visible_bias)


def test_the_first_update_by_hand():
    """Of a row of zeros: the hidden units start at 0.5, the target is 0.1."""
    settings = binary(epochs=1, learning_rate=0.5, weight_cost=0, sparsity_target=0.1)
    rbm = train_rbm(np.zeros((1, 3), np.float32), settings, seed=0)
    # Minus 3 times the rate times 0.4, and almost no change by the reconstruction.
    assert rbm.hidden_bias == pytest.approx(-0.6, abs=0.01)
    assert rbm.activations == pytest.approx([0.5])
    assert rbm.errors[0] < 0.1


@pytest.mark.parametrize("kind", ["gaussian_binary", "sigmoid_relu", "relu_relu"])
def test_constant_dimensions_and_half_precision_give_finite_units(kind):
    _, data = bars(300)
    data[:, ::2] = 0
    settings = relu(kind, epochs=20, sparsity_target=0.1)
    rbm = train_rbm(data.astype(np.float16), settings, seed=0)
    assert np.isfinite(activations(data, rbm, settings)).all()


def test_a_bar_of_progress_goes_through_the_epochs():
    _, data = bars(100)
    rbm = train_rbm(data, binary(epochs=3), 0, progress=partial(progress, label="RBM"))
    assert len(rbm.errors) == 3


@pytest.mark.parametrize(
    ("data", "rate", "message"),
    [
        (100 * np.ones((200, 5)), 1e6, r"\(relu_relu\) diverged in epoch \d+ of 10"),
        (np.full((200, 5), np.nan), 0.01, "diverged in epoch 1 of 10"),
        (np.zeros((0, 5)), 0.01, "no rows"),
    ],
)
def test_training_that_gives_no_finite_rbm_is_refused(data, rate, message):
    settings = relu("relu_relu", epochs=10, learning_rate=rate)
    with pytest.raises(UserError, match=message):
        train_rbm(data.astype(np.float32), settings, seed=0)


@pytest.mark.parametrize("kind", ["gaussian_binary", "relu_relu"])
def test_a_training_that_was_stopped_goes_on_with_the_same_bits(kind):
    """Stopped in the 101st epoch of 120, with 50 epochs kept, or 100."""
    data = standardised(bars(50)[1]).clip(0)
    settings = binary(kind=kind, epochs=120)
    expected = train_rbm(data, settings, seed=0)
    kept = {}

    def keep(name, compute):
        if name not in kept:
            if name == "epoch-120" and len(kept) == 2:
                raise KeyboardInterrupt
            kept[name] = compute()
        return kept[name]

    with pytest.raises(KeyboardInterrupt):
        train_rbm(data, settings, seed=0, keep=keep)
    assert list(kept) == ["epoch-50", "epoch-100"]
    for lost in (None, "epoch-100"):
        kept.pop(lost, None)
        shown = []
        bar = partial(progress, label="RBM")

        def counted(epochs, bar=bar, shown=shown, **options):
            for epoch in bar(epochs, **options):
                shown.append(epoch)
                yield epoch

        found = train_rbm(data, settings, 0, counted, lambda name, run: kept.get(name) or run())
        assert shown == list(range(120))
        for one, other in zip(found, expected, strict=True):
            assert one.tobytes() == other.tobytes()
