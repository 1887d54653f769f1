import numpy as np
import pytest

from autotagging.features import compression


def decibels(*levels):
    return np.array([levels], np.float32)


def test_decibels_are_undone_once():
    mel = decibels(-20, 0, 10, 20)
    np.testing.assert_allclose(compression.power(mel)[:, 0], [0.01, 1, 10, 100], rtol=1e-5)
    np.testing.assert_allclose(compression.amplitude(mel)[:, 0], [0.1, 1, 10**0.5, 10], rtol=1e-5)


@pytest.mark.parametrize("undo", [compression.power, compression.amplitude])
def test_frames_of_a_time_major_copy_are_next_to_each_other(undo):
    mel = np.asfortranarray(np.zeros((96, 10), np.float16))
    undone = undo(mel)
    assert undone.shape == (10, 96)
    assert undone.dtype == np.float32
    assert undone.flags.c_contiguous


def test_power_is_compressed_by_a_natural_logarithm():
    found = compression.log_power(np.array([0, 1e-4, 1], np.float32))
    np.testing.assert_allclose(found, [0, np.log(2), np.log(10_001)], rtol=1e-6)


def test_amplitude_is_compressed_by_a_logarithm_to_base_ten():
    amplitude = np.array([0, 0.1, 0.9, 9.99], np.float32)
    found = compression.log_amplitude(amplitude)
    np.testing.assert_allclose(found, [0, np.log10(2), 1, np.log10(100.9)], rtol=1e-6)
    assert compression.log_amplitude(amplitude, factor=100.0)[3] == pytest.approx(3)
    assert found.dtype == np.float32


@pytest.mark.parametrize("level", [-100, -2000])
def test_silence_is_next_to_nothing(level):
    mel = decibels(level)
    assert compression.log_power(compression.power(mel)).item() == pytest.approx(0, abs=1e-5)
    assert compression.log_amplitude(compression.amplitude(mel)).item() == pytest.approx(
        0, abs=1e-4
    )
