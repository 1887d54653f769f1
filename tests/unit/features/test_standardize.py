import numpy as np
import pytest

from autotagging.features.standardize import MeanAndDeviation, standardized


def moments(*blocks):
    accumulated = MeanAndDeviation()
    for block in blocks:
        accumulated.add(np.asarray(block))
    return accumulated


def test_mean_and_deviation_of_three_rows_in_two_blocks():
    found = moments([[1, 10], [4, 10]], np.empty((0, 2)), [[4, 16]])
    assert found.mean.tolist() == pytest.approx([3, 12])
    assert found.deviation.tolist() == pytest.approx([2**0.5, 8**0.5])


def test_blocks_do_not_matter_even_far_from_zero():
    rows = 1e4 + np.random.default_rng(0).standard_normal((1000, 4))
    whole = moments(rows)
    split = moments(*np.array_split(rows, [1, 17, 500]))
    np.testing.assert_allclose(split.mean, rows.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(split.deviation, rows.std(axis=0), rtol=1e-9)
    np.testing.assert_allclose(split.deviation, whole.deviation, rtol=1e-9)


@pytest.mark.parametrize("value", [0, 0.1, -1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_becomes_0(value, dtype):
    rows = np.full((107, 1), value, dtype)
    found = moments(rows[:50], rows[50:])
    assert found.deviation.tolist() == [0]
    assert not standardized(rows + 1, mean=found.mean, deviation=found.deviation).any()


def test_a_feature_that_varies_by_rounding_is_constant():
    rows = np.float32(0.3) * (1 + np.float32(6e-8) * np.arange(3))[:, None]
    assert len(np.unique(rows)) > 1
    assert moments(rows).deviation.tolist() == [0]


def test_features_are_standardized_and_clipped():
    rows = np.array([[1, 10], [3, 10], [102, 10], [-99, 11]], np.float32)
    found = standardized(rows, mean=np.array([1, 10]), deviation=np.array([2, 0.5]))
    assert found.tolist() == [[0, 0], [1, 0], [5, 0], [-5, 2]]
    assert found.dtype == np.float32
    assert standardized(rows, mean=np.ones(2), deviation=np.ones(2), limit=50.0).max() == 50


def test_no_rows_have_no_mean():
    with pytest.raises(ValueError, match="no rows"):
        _ = MeanAndDeviation().mean
