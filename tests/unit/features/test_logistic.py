import numpy as np
import pytest
from scipy.special import expit
from threadpoolctl import threadpool_limits

from autotagging.features.logistic import fit_logistic


@pytest.fixture(scope="module")
def examples():
    """Ninety clips with five features, and three tags with weights that are known."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((90, 5)).astype(np.float32)
    weights = rng.standard_normal((5, 3))
    labels = (rng.random((90, 3)) < expit(features @ weights - 1)).astype(np.float32)
    return features, labels


def test_one_binary_feature_has_the_weight_that_was_worked_out_by_hand():
    """With x = 1 for half of the clips and -1 for the others, p = 3/4 and 1/4, and strength s.

    The mean loss is -3/4 log p - 1/4 log(1 - p) with p = 1 / (1 + exp(-w)), plus s w^2 / 2; at its
    minimum p = 3/4 - s w. For w = ln 2, p is 2/3, and s = (1/12) / ln 2.
    """
    features = np.array([[1], [1], [1], [1], [-1], [-1], [-1], [-1]], np.float32)
    labels = np.array([[1], [1], [1], [0], [0], [0], [0], [1]], np.float32)
    kernel, bias = fit_logistic(features, labels, strength=1 / (12 * np.log(2)))
    assert kernel.item() == pytest.approx(np.log(2), rel=1e-3)
    assert bias.item() == pytest.approx(0, abs=1e-3)


def test_the_gradient_of_mean_loss_and_penalty_is_zero(examples):
    features, labels = examples
    kernel, bias = fit_logistic(features, labels, strength=0.1)
    errors = expit(features @ kernel + bias) - labels
    np.testing.assert_allclose(features.T @ errors / 90 + 0.1 * kernel, 0, atol=1e-3)
    np.testing.assert_allclose(errors.mean(axis=0), 0, atol=1e-3)  # the bias has no penalty


def test_each_clip_twice_is_the_same_regression(examples):
    features, labels = examples
    once = fit_logistic(features, labels, strength=0.1)
    twice = fit_logistic(np.tile(features, (2, 1)), np.tile(labels, (2, 1)), strength=0.1)
    for one, other in zip(once, twice, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_a_tag_of_all_clips_or_of_none_has_its_smoothed_log_odds(examples):
    features, labels = examples
    labels = np.stack([np.zeros(90), labels[:, 0], np.ones(90)], axis=1)
    kernel, bias = fit_logistic(features, labels, strength=0.1)
    assert not kernel[:, [0, 2]].any()
    assert kernel[:, 1].all()
    assert bias[[0, 2]].tolist() == pytest.approx([-np.log(181), np.log(181)])


def test_tags_do_not_affect_each_other(examples):
    features, labels = examples
    kernel, bias = fit_logistic(features, labels, strength=0.1)
    alone = fit_logistic(features, labels[:, 1:2], strength=0.1)
    np.testing.assert_array_equal(alone[0][:, 0], kernel[:, 1])
    assert alone[1].item() == bias[1]


def test_the_same_bytes_twice_and_with_two_threads(examples):
    features, labels = examples
    fits = []
    for threads in (1, 1, 2):
        with threadpool_limits(threads, user_api="blas"):
            fits.append(fit_logistic(features, labels, strength=0.01))
    for kernel, bias in fits:
        assert kernel.dtype == bias.dtype == np.float32
        assert kernel.tobytes() == fits[0][0].tobytes()
        assert bias.tobytes() == fits[0][1].tobytes()


def test_features_of_half_precision_and_many_more_than_clips_are_fitted():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((16, 192)).astype(np.float16)
    labels = np.eye(16, 4, dtype=np.float32)
    kernel, bias = fit_logistic(features, labels, strength=0.01)
    scores = features.astype(np.float32) @ kernel + bias
    for tag in range(4):
        assert scores[tag, tag] > np.delete(scores[:, tag], tag).max()
