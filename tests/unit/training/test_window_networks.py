"""A network of windows: every window is an example, a clip's score is their mean."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.training

from autotagging.training import step  # noqa: E402
from autotagging.training.optimizer import make_optimizer  # noqa: E402

CLIPS, WINDOWS, SIZE, TAGS = 4, 3, 6, 2
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(CLIPS, WINDOWS, SIZE)).astype(np.float32)
LABELS = RNG.integers(0, 2, (CLIPS, TAGS)).astype(np.float32)


def build():
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(TAGS, activation="sigmoid")
    return keras.Sequential([keras.Input((SIZE,)), dense])


def one_step(model, inputs, labels):
    loss, scores = step.make_train_step(model, make_optimizer(model, 0.1))(inputs, labels)
    return float(loss), scores.numpy(), model.get_weights()


def test_a_step_is_that_of_the_windows_as_examples():
    loss, scores, weights = one_step(build(), INPUTS, LABELS)
    flat = INPUTS.reshape(-1, SIZE)
    expected_loss, of_windows, expected = one_step(build(), flat, np.repeat(LABELS, WINDOWS, 0))
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    mean = of_windows.reshape(CLIPS, WINDOWS, TAGS).mean(axis=1)
    np.testing.assert_allclose(scores, mean, rtol=1e-6)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [2, 3])
def test_the_score_of_a_clip_is_the_mean_of_its_windows(batch_size):
    model = build()
    score = step.make_scorer(model)
    found = score(np.arange(CLIPS), lambda ids: INPUTS[ids], batch_size=batch_size)
    expected = model(INPUTS.reshape(-1, SIZE)).numpy().reshape(CLIPS, WINDOWS, TAGS).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
