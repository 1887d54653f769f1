import numpy as np
import pytest

from autotagging.features.compression import amplitude
from autotagging.features.gain_control import gain_controlled
from autotagging.features.patches import all_patches, novelty, onset_starts
from autotagging.mel.spectrogram import log_mel


def test_patches_of_a_click_train_start_at_the_clicks():
    rng = np.random.default_rng(0)
    waveform = 1e-4 * rng.standard_normal(60_000, np.float32)
    frames = np.arange(20, 230, 47) + rng.integers(-10, 10, 5)  # one in each segment of 47
    waveform[frames * 256] += 1
    mel = log_mel(waveform, sample_rate=12_000, n_fft=512, hop_length=256, n_mels=96)
    starts = onset_starts(novelty(gain_controlled(amplitude(mel))))
    assert len(starts) == 5
    assert np.abs(starts - frames).max() <= 1


def test_novelty_is_the_mean_rise():
    controlled = np.array([[0.99, 0.99], [0, 9.99], [0, 0.99], [0.09, 0.99]], np.float32)
    # log10(1 + 100 x): 2, 2; 0, 3; 0, 2; 1, 2.
    np.testing.assert_allclose(novelty(controlled), [0, 0.5, 0, 0.5], rtol=1e-5)


def test_the_greatest_novelty_of_each_segment_is_chosen():
    curve = np.zeros(40)
    curve[[3, 7, 15, 29]] = 1, 2, 1, 5
    assert onset_starts(curve, segment_frames=10).tolist() == [7, 15, 29, 30]


def test_a_patch_ends_within_the_clip():
    curve = np.zeros(20)
    curve[[11, 13, 19]] = 1, 2, 3
    assert onset_starts(curve, segment_frames=10).tolist() == [0, 10 + 1]
    assert onset_starts(curve, segment_frames=20).tolist() == [11]
    assert onset_starts(curve, segment_frames=20, patch_frames=7).tolist() == [13]
    assert onset_starts(curve[:7]).tolist() == []


def test_a_clip_of_29_s_has_a_patch_per_second():
    curve = np.random.default_rng(0).random(1366)
    starts = onset_starts(curve)
    assert (starts // 47).tolist() == list(range(29))  # none fits into the last three frames


def test_further_patches_are_at_the_next_peaks_and_not_next_to_the_first():
    curve = np.zeros(30)
    curve[[4, 5, 6, 15, 20]] = 3, 9, 8, 2, 1
    assert onset_starts(curve, segment_frames=30, per_segment=3).tolist() == [5, 15, 20]


def test_silence_has_patches_at_the_first_frames():
    silence = np.zeros(60)
    assert onset_starts(silence).tolist() == [0, 47]
    assert onset_starts(silence, per_segment=3).tolist() == [0, 1, 2, 47, 48, 49]


def test_novelty_of_silence_is_nothing():
    mel = np.full((96, 141), -100, np.float32)
    curve = novelty(gain_controlled(amplitude(mel)))
    assert curve.shape == (141,)
    assert not curve.any()


def test_a_patch_has_its_first_frame_first():
    clip = np.arange(1366 * 96, dtype=np.float32).reshape(1366, 96)
    patches = all_patches(clip)
    assert patches.shape == (1359, 768)
    assert np.shares_memory(patches, clip)
    np.testing.assert_array_equal(patches[1000], clip[1000:1008].reshape(-1))


def test_patches_of_an_array_in_another_order_are_the_same():
    clip = np.random.default_rng(0).random((20, 5))
    np.testing.assert_array_equal(all_patches(np.asfortranarray(clip)), all_patches(clip))


@pytest.mark.parametrize("per_segment", [1, 2, 5])
def test_each_segment_has_as_many_patches_as_asked_for(per_segment):
    curve = np.random.default_rng(0).random(47 * 4 + 7)
    starts = onset_starts(curve, per_segment=per_segment)
    assert np.bincount(starts // 47).tolist() == [per_segment] * 4
