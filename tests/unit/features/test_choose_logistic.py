"""The strength of the penalty is chosen by the validation clips."""

import numpy as np
import pytest

from autotagging.features.logistic import choose_logistic, cross_entropy

STRENGTHS = (10.0, 0.1, 0.001)


def examples(n, *, signal):
    rng = np.random.default_rng(n)
    features = rng.standard_normal((n, 5))
    chance = 1 / (1 + np.exp(-signal * features[:, :2]))
    return features, (rng.random((n, 2)) < chance).astype(np.float32)


def choose(train, validation, scale=1.0, shift=0.0):
    return choose_logistic(
        train[0] * scale + shift,
        train[1],
        validation[0] * scale + shift,
        validation[1],
        strengths=STRENGTHS,
    )


@pytest.mark.parametrize(("signal", "strength"), [(0.0, 10.0), (4.0, 0.001)])
def test_the_validation_clips_choose_the_penalty(signal, strength):
    """Labels at random call for the strongest one, nearly certain labels for the weakest."""
    fitted = choose(examples(200, signal=signal), examples(2000, signal=signal))
    assert fitted.strength == strength


def test_the_regressions_do_not_depend_on_the_features_units():
    train, validation = examples(200, signal=1.0), examples(100, signal=1.0)
    plain = choose(train, validation)
    scale, shift = np.array([1, 100, 0.01, 1, 0]), np.array([0, 5, -3, 0, 7])
    scaled = choose(train, validation, scale, shift)
    assert scaled.strength == plain.strength
    np.testing.assert_array_equal(scaled.kernel[4], 0)
    logits = [
        rows[:, :4] @ fitted.kernel[:4] + (rows[:, 4:] @ fitted.kernel[4:] + fitted.bias)
        for rows, fitted in (
            (validation[0] * [1, 1, 1, 1, 0], plain),
            (validation[0] * scale + shift, scaled),
        )
    ]
    # The fifth feature, a constant in the second fit, has a weight near 0 in the first.
    assert np.corrcoef(logits[0].ravel(), logits[1].ravel())[0, 1] > 0.98


def test_cross_entropy_of_known_logits():
    logits = np.array([[0.0, np.log(3)]])
    # -ln(1/2) and -ln(1/4).
    assert cross_entropy(logits, np.array([[1, 0]])) == pytest.approx(np.log(8) / 2)
