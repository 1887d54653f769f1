import numpy as np
import pytest

from autotagging.features import pooling
from autotagging.features.pyramid import multiscale


def test_the_six_statistics_of_four_frames():
    # Mean 3; centred -3, -1, -1, 5: squares 9, 1, 1, 25; cubes -27, -1, -1, 125.
    window = np.array([[[0, 1], [2, 1], [2, 1], [8, 1]]], np.float32)
    (found,) = pooling.statistics(window).reshape(1, 6, 2)
    assert found[:, 0].tolist() == [3, 9, 8, 0, 24, (81 + 1 + 1 + 625) / 4]
    assert found[:, 1].tolist() == [1, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0, 0.1, -99.9999, 1e-30])
def test_a_constant_varies_by_exactly_nothing(value, dtype):
    (found,) = pooling.statistics(np.full((1, 107, 1), value, dtype))
    assert found.tolist() == [np.float32(value), 0, np.float32(value), np.float32(value), 0, 0]


def test_each_window_has_its_own_statistics():
    windows = np.random.default_rng(0).standard_normal((12, 108, 90)).astype(np.float32)
    together = pooling.statistics(windows)
    assert together.shape == (12, 540)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together[7:8], pooling.statistics(windows[7:8]))


def test_a_short_last_segment_has_a_maximum():
    values = np.array([[1, 9], [5, 2], [3, 3], [4, 1], [-7, -2]], np.float32)
    assert pooling.segment_maxima(values, 2).tolist() == [[5, 9], [4, 3], [-7, -2]]
    assert pooling.segment_maxima(values, 47).tolist() == [[5, 9]]


@pytest.mark.parametrize("representation", ["gaussian", "multiresolution"])
def test_a_loud_moment_is_in_the_same_window_on_every_level(representation):
    power = np.full((1366, 1), 1e-6, np.float32)
    power[4 * 141 + 70] = 1
    levels = multiscale(power, representation=representation, n_levels=6)
    maxima = pooling.level_maxima(levels, window_frames=141)
    assert maxima.shape == (9, 6)
    assert maxima.argmax(axis=0).tolist() == [4] * 6


def test_levels_may_have_dimensions_of_their_own():
    levels = multiscale(np.ones((141, 4), np.float32), representation="gaussian", n_levels=2)
    encoded = [levels[0]._replace(values=np.arange(141)[:, None]), levels[1]]
    maxima = pooling.level_maxima(encoded, window_frames=70)
    assert maxima[:, 0].tolist() == [69, 139]  # the frame that remains is left out
    np.testing.assert_allclose(maxima[:, 1:], np.log(10_001), rtol=1e-6)


def test_a_clip_shorter_than_a_window_has_to_be_repeated_first():
    levels = multiscale(np.ones((140, 4), np.float32), representation="gaussian", n_levels=2)
    with pytest.raises(ValueError, match="shorter than a window of 141"):
        pooling.level_maxima(levels, window_frames=141)
