import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.features import clip_windows


def clip(frames, bins=2):
    """Clip whose frames are numbered in the first bin."""
    return np.tile(np.arange(frames, dtype=np.float32)[:, None], bins)


def test_a_clip_of_29_s_has_nine_whole_windows_of_3_s():
    cut = clip_windows.whole_windows(clip(1366), 141)
    assert cut.shape == (9, 141, 2)
    assert cut[:, 0, 0].tolist() == [141 * window for window in range(9)]
    assert cut[-1, -1, 0] == 1268


def test_a_clip_that_is_shorter_than_a_window_is_repeated():
    cut = clip_windows.whole_windows(clip(3), 7)
    assert cut[..., 1].tolist() == [[0, 1, 2, 0, 1, 2, 0]]
    assert clip_windows.overlapping_windows(clip(3), 5, hop=2)[..., 0].tolist() == [[0, 1, 2, 0, 1]]


def test_a_clip_that_is_long_enough_is_not_repeated():
    whole = clip(7)
    assert clip_windows.repeated(whole, 7) is whole


def test_overlapping_windows_begin_every_hop():
    cut = clip_windows.overlapping_windows(clip(1366), 16, hop=8)
    assert cut.shape == (169, 16, 2)  # the last begins at 1344, since 1352 + 16 > 1366
    assert cut[:, 0, 0].tolist() == list(range(0, 1345, 8))
    np.testing.assert_array_equal(cut[5, :, 1], np.arange(40, 56))


@pytest.mark.parametrize(
    ("step", "lengths"),
    [(1, {141}), (2, {70, 71}), (4, {35, 36}), (8, {17, 18}), (16, {8, 9}), (32, {4, 5})],
)
def test_windows_of_a_level_are_at_the_same_times(step, lengths):
    times = np.arange(0, 1366, step)
    cuts = clip_windows.cuts(times, 141, n_windows=9)
    assert set(np.diff(cuts)) == lengths
    for window in range(9):
        inside = times[cuts[window] : cuts[window + 1]]
        assert window * 141 <= inside[0] < window * 141 + step
        assert (window + 1) * 141 - step <= inside[-1] < (window + 1) * 141


def test_windows_shorter_than_a_step_are_refused():
    with pytest.raises(UserError, match="windows of 141 frames are too short for a level with 5"):
        clip_windows.cuts(np.arange(0, 1366, 300), 141, n_windows=9)


def test_windows_never_go_backwards():
    with pytest.raises(ValueError, match="hop is -8 frames; expected at least 1"):
        clip_windows.overlapping_windows(clip(141), 16, hop=-8)
