import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.features import pyramid
from autotagging.features.compression import log_power, power


@pytest.fixture(scope="module")
def clip():
    """Noise of 0 to 5, (frames, bins)."""
    return np.random.default_rng(0).uniform(0, 5, (1366, 96)).astype(np.float32)


def lengths(levels):
    return [len(level.values) for level in levels]


@pytest.mark.parametrize("build", [pyramid.gaussian, pyramid.laplacian])
def test_every_level_has_half_the_frames(build, clip):
    levels = build(clip, 6)
    assert lengths(levels) == [1366, 683, 342, 171, 86, 43]
    assert lengths(build(clip[:141], 6)) == [141, 71, 36, 18, 9, 5]
    for number, level in enumerate(levels):
        assert level.values.dtype == np.float32
        assert level.values.shape[1] == 96
        assert level.times.tolist() == [2**number * frame for frame in range(len(level.values))]


def test_a_click_is_smoothed_by_the_binomial_kernel():
    click = np.zeros((16, 1), np.float32)
    click[8] = 16
    assert pyramid.gaussian(click, 2)[1].values[:, 0].tolist() == [0, 0, 0, 1, 6, 1, 0, 0]
    odd = np.roll(click, -1, axis=0)
    assert pyramid.gaussian(odd, 2)[1].values[:, 0].tolist() == [0, 0, 0, 4, 4, 0, 0, 0]


def test_edges_are_repeated():
    ramp = np.arange(5, dtype=np.float32)[:, None]
    # (0 + 4 x 0 + 6 x 0 + 4 x 1 + 2) / 16; the middle of a ramp; (2 + 4 x 3 + 11 x 4) / 16
    assert pyramid.gaussian(ramp, 2)[1].values[:, 0].tolist() == [0.375, 2, 3.625]


def test_upsampling_is_by_the_same_kernel():
    level = np.array([[0], [8], [0]], np.float32)
    assert pyramid.upsampled(level, 6)[:, 0].tolist() == [1, 4, 6, 4, 1, 0]
    assert pyramid.upsampled(level, 5)[:, 0].tolist() == [1, 4, 6, 4, 1]


def test_a_steady_tone_is_in_the_last_level_of_a_laplacian_pyramid_alone():
    levels = pyramid.laplacian(np.full((1366, 2), 3, np.float32), 6)
    assert [np.unique(level.values).tolist() for level in levels] == [[0]] * 5 + [[3]]


@pytest.mark.parametrize("frames", [1366, 141, 3])
def test_the_levels_of_a_laplacian_pyramid_sum_to_the_clip(frames, clip):
    clip = clip[:frames]
    total = 0
    for number, level in enumerate(pyramid.laplacian(clip, 6)):
        values = level.values
        for finer in range(number - 1, -1, -1):
            values = pyramid.upsampled(values, -(-frames // 2**finer))
        total = total + values
    np.testing.assert_allclose(total, clip, atol=1e-5)


def test_frequency_is_not_smoothed():
    one_bin = np.zeros((64, 3), np.float32)
    one_bin[:, 1] = 1
    for build in (pyramid.gaussian, pyramid.laplacian, pyramid.multiresolution):
        for level in build(one_bin, 3):
            assert not level.values[:, [0, 2]].any()


def test_longer_windows_average_power_at_the_same_hop(clip):
    levels = pyramid.multiresolution(clip, 6)
    assert lengths(levels) == [1366, 1365, 1363, 1359, 1351, 1335]
    assert levels[5].values.dtype == np.float32
    np.testing.assert_allclose(levels[3].values[100], clip[100:108].mean(axis=0), rtol=1e-5)
    assert levels[3].times[100] == 103.5
    assert levels[0].times[100] == 100


def test_power_is_compressed_before_a_pyramid_and_after_averaging(clip):
    def level(representation):
        return pyramid.multiscale(clip, representation=representation, n_levels=2)[1].values

    np.testing.assert_array_equal(level("gaussian"), pyramid.gaussian(log_power(clip), 2)[1].values)
    np.testing.assert_array_equal(
        level("laplacian"), pyramid.laplacian(log_power(clip), 2)[1].values
    )
    np.testing.assert_array_equal(
        level("multiresolution"), log_power(pyramid.multiresolution(clip, 2)[1].values)
    )


@pytest.mark.parametrize("representation", ["laplacian", "gaussian", "multiresolution"])
def test_silence_is_nothing_on_every_level(representation):
    silence = power(np.full((96, 141), -100, np.float32))
    levels = pyramid.multiscale(silence, representation=representation, n_levels=6)
    assert max(np.abs(level.values).max() for level in levels) < 1e-5


def test_averages_longer_than_the_clip_are_refused(clip):
    with pytest.raises(UserError, match="level 9 averages 256 frames, but a clip has 141"):
        pyramid.multiresolution(clip[:141], 9)


@pytest.mark.parametrize("representation", ["laplacian", "gaussian", "multiresolution"])
def test_no_levels_are_refused(clip, representation):
    with pytest.raises(ValueError, match="n_levels is 0; expected at least 1"):
        pyramid.multiscale(clip, representation=representation, n_levels=0)
