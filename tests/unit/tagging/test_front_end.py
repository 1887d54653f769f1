import numpy as np
import pytest

from autotagging.mel.spectrogram import describe_front_end, log_mel
from autotagging.tagging.front_end import LightFrontEnd, librosas_filters, window_samples

NUMBERS = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}


def test_a_window_has_as_many_samples_as_a_clip():
    assert window_samples({"seconds": 9.28, "sample_rate": 12_000}) == 111_360


@pytest.mark.parametrize("log_scale", ["power_db", "squared_power_db", "log1p"])
@pytest.mark.parametrize("samples", [349_440, 1000, 1])
def test_spectrograms_are_those_of_the_pipeline(log_scale, samples):
    settings = describe_front_end(**NUMBERS, seconds=29.12, log_scale=log_scale)
    front_end = LightFrontEnd(settings, **librosas_filters(settings))
    assert window_samples(settings) == 349_440
    rng = np.random.default_rng(0)
    waveform = (0.1 * rng.standard_normal(samples)).astype(np.float32)
    waveform[samples // 2 :] *= 1e-3
    mel = front_end.log_mel(waveform)
    assert mel.dtype == np.float32
    np.testing.assert_allclose(
        mel, log_mel(waveform, **NUMBERS, log_scale=log_scale), rtol=0, atol=2e-3
    )


def test_silence_is_at_the_floor():
    settings = describe_front_end(**NUMBERS, seconds=29.12, log_scale="power_db")
    mel = LightFrontEnd(settings, **librosas_filters(settings)).log_mel(np.zeros(5120, np.float32))
    np.testing.assert_allclose(mel, np.full((96, 21), -100.0), rtol=1e-6)


def test_a_scale_that_there_is_not_is_refused():
    settings = describe_front_end(**NUMBERS, seconds=29.12, log_scale="power_db")
    front_end = LightFrontEnd({**settings, "log_scale": "log"}, **librosas_filters(settings))
    with pytest.raises(ValueError, match="log_scale is 'log'; expected one of power_db, "):
        front_end.log_mel(np.zeros(5120, np.float32))
