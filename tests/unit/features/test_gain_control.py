import numpy as np
import pytest

from autotagging.features.compression import amplitude
from autotagging.features.gain_control import FLOOR, gain_controlled, peak_hold
from autotagging.mel.spectrogram import log_mel

HALF_A_SECOND = 0.5 * 12_000 / 256


@pytest.fixture(scope="module")
def noise():
    """Stored spectrogram of 3 s of noise, 10 dB below full scale."""
    waveform = 0.3 * np.random.default_rng(0).standard_normal(36_000, np.float32)
    return log_mel(waveform, sample_rate=12_000, n_fft=512, hop_length=256, n_mels=96)


def test_20_db_more_change_the_output_by_less_than_5_percent(noise):
    quiet, loud = (gain_controlled(amplitude(noise + gain)) for gain in (0, 20))
    change = np.abs(loud / quiet - 1)
    assert change[5:].max() < 0.05
    assert change.max() > 0.001  # the floor is there


def test_a_step_in_level_is_gone_once_the_envelope_has_followed(noise):
    step = noise.copy()
    step[:, 70:] -= 20
    controlled = gain_controlled(amplitude(step))
    just_after, late = controlled[72:80].mean(), controlled[130:].mean()
    assert just_after < 0.1
    assert late > 0.2


def test_an_envelope_rises_at_once_and_falls_by_e_in_half_a_second():
    click = np.zeros((100, 2))
    click[10, 0] = 3
    click[40, 0] = 5
    envelope = peak_hold(click, release_frames=HALF_A_SECOND)
    assert not envelope[:10].any()
    assert envelope[10, 0] == pytest.approx(3)
    assert envelope[39, 0] == pytest.approx(3 * np.exp(-29 / HALF_A_SECOND))
    assert envelope[40, 0] == pytest.approx(5)
    assert envelope[99, 0] == pytest.approx(5 * np.exp(-59 / HALF_A_SECOND))
    assert not envelope[:, 1].any()


def test_peaks_are_held_as_frame_by_frame():
    bands = np.random.default_rng(0).exponential(size=(1366, 10))
    envelope, previous = peak_hold(bands, release_frames=HALF_A_SECOND), 0
    for band, found in zip(bands, envelope, strict=True):
        previous = np.maximum(np.exp(-1 / HALF_A_SECOND) * previous, band)
        np.testing.assert_allclose(found, previous, rtol=1e-9)


def test_a_steady_spectrum_without_slope_becomes_a_constant_slightly_below_a_half():
    """The source's broad bands have area 2 in Hz."""
    controlled = gain_controlled(np.full((50, 96), 2, np.float32))
    np.testing.assert_allclose(controlled, 2.0002 / (2 * 2.0002 + FLOOR), rtol=1e-6)


def test_loud_noise_is_as_large_as_in_the_source(noise):
    assert gain_controlled(amplitude(noise))[20:].mean() == pytest.approx(0.46, abs=0.05)


def test_a_register_is_controlled_by_its_own_bands():
    amplitudes = np.ones((50, 96), np.float32)
    amplitudes[:, :30] = 100
    controlled = gain_controlled(amplitudes)
    np.testing.assert_allclose(controlled[:, [5, 90]], 0.5, atol=0.02)


@pytest.mark.parametrize("level", [-100, -2000])
def test_silence_is_next_to_nothing(level):
    controlled = gain_controlled(amplitude(np.full((96, 141), level, np.float32)))
    assert controlled.dtype == np.float32
    assert controlled.min() >= 0
    assert controlled.max() < 1e-3


def test_gaps_in_a_clip_are_finite(noise):
    gap = noise.copy()
    gap[:, 40:80] = -2000
    controlled = gain_controlled(amplitude(gap))
    assert np.isfinite(controlled).all()
    assert 0 < controlled[40:80].max() < 0.01
