from importlib.metadata import version

import librosa
import numpy as np
import pytest
import soundfile

from autotagging.corpus.audio import open_corpus
from autotagging.corpus.decoding import fit_length
from autotagging.demo import corpus as demo
from autotagging.demo.catalogue import catalogue
from autotagging.mel import spectrogram as mel
from autotagging.mel.sizes import clip_samples, frame_count

PAPER = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}


def test_the_papers_numbers_give_96_by_1366():
    samples = clip_samples(seconds=29.12, sample_rate=12_000)
    assert samples == 349_440
    spectrogram = mel.log_mel(np.zeros(samples, np.float32), **PAPER)
    assert spectrogram.shape == (96, 1366)
    assert frame_count(seconds=29.12, sample_rate=12_000, hop_length=256) == 1366


def test_a_product_of_floats_below_a_whole_number_loses_no_sample():
    assert 9.28 * 12_000 < 111_360
    assert clip_samples(seconds=9.28, sample_rate=12_000) == 111_360
    assert frame_count(seconds=9.28, sample_rate=12_000, hop_length=256) == 436


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
    fitted = fit_length(np.arange(length, dtype=np.float32), 4)
    if length == 3:
        assert sorted(fitted.tolist()) == sorted([0, 0, 1, 2])
        assert len(fitted) == 4
    else:
        assert fitted.tolist() == expected


def test_padding_is_even():
    fitted = fit_length(np.ones(4, np.float32), 8)
    assert fitted.tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_the_real_clip_is_as_the_paper_has_it(magnatagatune):
    corpus = open_corpus(magnatagatune)
    waveform = corpus.waveform(next(iter(corpus.sizes())), sample_rate=12_000)
    assert len(waveform) == 349_488
    spectrogram = mel.log_mel(fit_length(waveform, 349_440), **PAPER)
    assert spectrogram.shape == (96, 1366)
    assert spectrogram.max() == pytest.approx(18.2, abs=0.1)


def librosas(waveform):
    """Log-mel spectrogram as librosa makes it."""
    power = librosa.feature.melspectrogram(
        y=waveform, sr=12_000, n_fft=512, hop_length=256, n_mels=96
    )
    return librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None)


def assert_agree(found, reference):
    """Within 0.01 dB wherever the reference is above -80 dB."""
    loud = reference > -80
    assert loud.mean() > 0.5
    assert np.abs(found - reference)[loud].max() < 0.01


def test_noise_at_any_level_is_as_librosa_has_it():
    noise = np.random.default_rng(0).standard_normal(349_440, np.float32)
    for gain in (1, 1e-2, 1e-4):
        assert_agree(mel.log_mel(gain * noise, **PAPER), librosas(gain * noise))


@pytest.mark.parametrize("n_fft", [510, 1024])
def test_other_windows_are_as_librosa_has_them(n_fft):
    noise = np.random.default_rng(0).standard_normal(50_000, np.float32)
    settings = {"n_fft": n_fft, "hop_length": 100, "n_mels": 40}
    power = librosa.feature.melspectrogram(y=noise, sr=8_000, **settings)
    found = mel.log_mel(noise, sample_rate=8_000, **settings)
    assert_agree(found, librosa.power_to_db(power, top_db=None))


def test_a_demo_clip_is_as_librosa_has_it(tmp_path):
    clip = next(clip for clip in catalogue(20, seed=0) if clip.annotated)
    (tmp_path / "0").mkdir()
    (tmp_path / "0/clip.mp3").write_bytes(demo.make_clip(clip, seed=0)[0])
    assert_whole_path_agrees(tmp_path, "0/clip.mp3")


def assert_whole_path_agrees(folder, clip):
    """From the file to decibels, compared with librosa's own loading and spectrogram."""
    waveform = open_corpus(folder).waveform(clip, sample_rate=12_000)
    (path,) = folder.rglob(clip)
    reference, _ = librosa.load(path, sr=12_000)
    assert_agree(mel.log_mel(waveform, **PAPER), librosas(reference))


def test_the_real_clip_is_as_librosa_has_it(magnatagatune):
    (clip,) = open_corpus(magnatagatune).sizes()
    assert_whole_path_agrees(magnatagatune, clip)


# Of the real clip: mean and greatest level of the mel bins 0, 16, 32, 48, 64, 80, 95, in dB.
GOLDEN_VERSIONS = {"librosa": "0.11.0", "soxr": "1.1.0", "libsndfile": "1.2.2"}
GOLDEN_MEAN = [-21.465, -13.548, -17.008, -18.811, -19.183, -28.965, -47.052]
GOLDEN_MAX = [-2.834, 7.24, 6.895, 2.053, 3.6, -8.993, -20.151]


def test_the_real_clip_is_what_it_was(magnatagatune):
    corpus = open_corpus(magnatagatune)
    (clip,) = corpus.sizes()
    waveform = fit_length(corpus.waveform(clip, sample_rate=12_000), 349_440)
    bands = mel.log_mel(waveform, **PAPER)[[0, 16, 32, 48, 64, 80, 95]]
    here = {name: version(name) for name in ("librosa", "soxr")}
    here["libsndfile"] = soundfile.__libsndfile_version__
    message = f"stored with {GOLDEN_VERSIONS}, these are {here}"
    assert bands.mean(axis=1).tolist() == pytest.approx(GOLDEN_MEAN, abs=0.01), message
    assert bands.max(axis=1).tolist() == pytest.approx(GOLDEN_MAX, abs=0.01), message


def test_a_loud_tone_in_faint_noise_is_as_librosa_has_it_down_to_90_db_below_the_tone():
    rng = np.random.default_rng(0)
    time = np.arange(120_000) / 12_000
    for frequency, noise in ((200, 1e-5), (1000, 3e-5), (1007.3, 0)):
        tone = np.sin(2 * np.pi * frequency * time) + noise * rng.standard_normal(len(time))
        tone = tone.astype(np.float32)
        found, reference = mel.log_mel(tone, **PAPER), librosas(tone)
        near = (reference > -80) & (reference > reference.max(axis=0) - 90)
        assert np.abs(found - reference)[near].max() < 0.01
        assert np.abs(found - reference)[reference > -80].max() < 0.1


def test_the_squared_power_has_twice_the_decibels_and_ends_40_db_below_the_peak():
    rng = np.random.default_rng(0)
    waveform = rng.standard_normal(60_000, np.float32) * np.geomspace(1, 1e-3, 60_000)
    waveform = waveform.astype(np.float32)
    power, squared = (
        mel.log_mel(waveform, **PAPER, log_scale=scale)
        for scale in ("power_db", "squared_power_db")
    )
    upper = power > power.max() - 40
    assert 0.2 < upper.mean() < 0.8
    np.testing.assert_allclose(squared[upper], 2 * power[upper], atol=1e-3)
    np.testing.assert_allclose(squared[~upper], squared.max() - 80, atol=1e-3)


def test_log1p_of_silence_is_zero_and_of_power_it_is_the_logarithm():
    assert not mel.log_mel(np.zeros(5120, np.float32), **PAPER, log_scale="log1p").any()
    noise = np.random.default_rng(0).standard_normal(12_000, np.float32)
    decibels, scaled = mel.log_mel(noise, **PAPER), mel.log_mel(noise, **PAPER, log_scale="log1p")
    np.testing.assert_allclose(np.expm1(scaled), 10 ** (decibels / 10), rtol=1e-4)


def test_the_front_end_is_described_whole():
    front_end = mel.describe_front_end(**PAPER, seconds=29.12, log_scale="power_db")
    assert front_end["frames"] == 1366
    assert front_end["f_max"] == 6_000
    assert front_end["window"] == "hann"


@pytest.mark.parametrize("log_scale", ["log", "squared_power", "Log1p"])
def test_a_scale_that_there_is_not_is_refused(log_scale):
    with pytest.raises(ValueError, match=f"log_scale is '{log_scale}'; expected one of power_db, "):
        mel.log_mel(np.zeros(5120, np.float32), **PAPER, log_scale=log_scale)


@pytest.mark.parametrize("waveform", [np.zeros(5120, np.int16), np.zeros((512, 512), np.float32)])
def test_a_waveform_of_whole_numbers_or_two_channels_is_refused(waveform):
    with pytest.raises(ValueError, match=f"waveform is {waveform.dtype} of shape .*expected float"):
        mel.log_mel(waveform, **PAPER)
