import librosa
import numpy as np
import pytest

from autotagging.features.cepstrum import mfcc


def test_mfccs_are_librosas():
    mel = np.random.default_rng(0).uniform(-100, 20, (96, 1366)).astype(np.float32)
    found = mfcc(mel)
    assert found.shape == (1366, 20)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, librosa.feature.mfcc(S=mel, n_mfcc=20).T, atol=1e-3)


def test_silence_has_a_zeroth_coefficient_alone():
    found = mfcc(np.full((96, 141), -100, np.float32), n_coefficients=5)
    np.testing.assert_allclose(found[:, 0], -100 * 96**0.5, rtol=1e-6)
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-3)


def test_fewer_than_one_coefficient_is_refused():
    with pytest.raises(ValueError, match="n_coefficients is -1; expected at least 1"):
        mfcc(np.zeros((96, 141), np.float32), n_coefficients=-1)
