import numpy as np
import pytest

from autotagging import mel
from autotagging.corpus import open_corpus

PAPER = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}


def test_the_papers_numbers_give_96_by_1366():
    samples = mel.clip_samples(seconds=29.12, sample_rate=12_000)
    assert samples == 349_440
    spectrogram = mel.log_mel(np.zeros(samples, np.float32), **PAPER)
    assert spectrogram.shape == (96, 1366)
    assert mel.frame_count(seconds=29.12, sample_rate=12_000, hop_length=256) == 1366


def test_silence_is_the_floor():
    assert mel.log_mel(np.zeros(5120, np.float32), **PAPER).max() == pytest.approx(-100)


def test_ten_times_the_amplitude_is_20_db_more():
    noise = np.random.default_rng(0).standard_normal(12_000).astype(np.float32)
    difference = mel.log_mel(10 * noise, **PAPER) - mel.log_mel(noise, **PAPER)
    np.testing.assert_allclose(difference, 20, atol=1e-3)


def test_a_tone_is_in_the_bin_of_its_frequency():
    time = np.arange(12_000) / 12_000
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    strongest = mel.log_mel(tone, **PAPER).mean(axis=1).argmax()
    # On the Slaney scale 1000 Hz is 15 mel, 6000 Hz 41.05; 96 bins have 97 steps.
    assert strongest == pytest.approx(15 / (41.05 / 97) - 1, abs=1)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(6, [1, 2, 3, 4]), (7, [1, 2, 3, 4]), (4, [0, 1, 2, 3]), (3, [0, 0, 1, 2])],
)
def test_cropping_and_padding_are_central(length, expected):
    fitted = mel.fit_length(np.arange(length, dtype=np.float32), 4)
    if length == 3:
        assert sorted(fitted.tolist()) == sorted([0, 0, 1, 2])
        assert len(fitted) == 4
    else:
        assert fitted.tolist() == expected


def test_padding_is_even():
    fitted = mel.fit_length(np.ones(4, np.float32), 8)
    assert fitted.tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_the_real_clip_is_as_the_paper_has_it(magnatagatune):
    corpus = open_corpus(magnatagatune)
    waveform = corpus.waveform(next(iter(corpus.sizes())), sample_rate=12_000)
    assert len(waveform) == 349_488
    spectrogram = mel.log_mel(mel.fit_length(waveform, 349_440), **PAPER)
    assert spectrogram.shape == (96, 1366)
    assert spectrogram.max() == pytest.approx(18.2, abs=0.1)
