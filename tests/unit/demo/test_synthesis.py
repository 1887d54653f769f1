"""The instruments sound as they should: pitch, decay, spectrum, level."""

import numpy as np
import pytest

from autotagging.demo import effects, percussion, synthesis
from autotagging.demo.instruments import INSTRUMENTS, Note, play
from autotagging.demo.synthesis import SAMPLE_RATE, midi_to_hz
from autotagging.demo.voice import sung

A3 = 57.0


def spectrum(waveform):
    magnitudes = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 17))
    return np.fft.rfftfreq(1 << 17, 1.0 / SAMPLE_RATE), magnitudes


def energy(waveform, low, high):
    frequencies, magnitudes = spectrum(waveform)
    return np.sum(magnitudes[(frequencies >= low) & (frequencies < high)] ** 2)


def test_midi_to_hz():
    assert midi_to_hz(69) == 440.0
    assert midi_to_hz(57) == pytest.approx(220.0)


@pytest.mark.parametrize(
    "name",
    [
        "guitar",
        "steel guitar",
        "banjo",
        "harp",
        "harpsichord",
        "sitar",
        "piano",
        "violin",
        "cello",
        "string section",
        "organ",
        "woman",
        "choir",
        "monks",
        "acid synth",
    ],
)
def test_note_has_its_fundamental(name):
    instrument = INSTRUMENTS[name]
    tone = instrument.tone(midi_to_hz(A3), 1.5, np.random.default_rng(0))
    frequencies, magnitudes = spectrum(tone)
    near = (frequencies > 180) & (frequencies < 260)
    assert frequencies[near][magnitudes[near].argmax()] == pytest.approx(220.0, abs=4.0)
    # A harmonic tone has nothing half-way to the octave: this fails for noise.
    between = energy(tone, 300, 360)
    assert energy(tone, 190, 250) > 10 * between


@pytest.mark.parametrize("frequency", [110.0, 220.0, 659.3])
def test_plucked_string_is_in_tune(frequency):
    tone = synthesis.plucked_string(frequency, 1.5, rng=np.random.default_rng(0))
    frequencies, magnitudes = spectrum(tone)
    near = np.abs(frequencies / frequency - 1.0) < 0.1
    # Within 5 cents; a period wrong by one sample is off by 12 cents or more.
    assert frequencies[near][magnitudes[near].argmax()] == pytest.approx(frequency, rel=0.003)


def test_a_man_and_a_flute_transpose():
    rng = np.random.default_rng(0)
    for name, expected in (("man", 110.0), ("tenor", 110.0), ("flute", 440.0)):
        part = play(
            [Note(0.0, 1.4, A3, 1.0)], INSTRUMENTS[name], samples=int(1.5 * SAMPLE_RATE), rng=rng
        )
        frequencies, magnitudes = spectrum(part)
        near = (frequencies > 0.8 * expected) & (frequencies < 1.2 * expected)
        assert frequencies[near][magnitudes[near].argmax()] == pytest.approx(expected, rel=0.02)
        assert energy(part, 0.85 * expected, 1.15 * expected) > 10 * energy(
            part, 0.6 * expected, 0.8 * expected
        )


@pytest.mark.parametrize("name", ["guitar", "harp", "harpsichord", "sitar", "piano", "bells"])
def test_plucked_and_struck_strings_decay_and_bowed_ones_do_not(name):
    def fall(instrument):
        tone = INSTRUMENTS[instrument].tone(220.0, 1.6, np.random.default_rng(0))
        early, late = tone[1600:4800], tone[-8000:-4800]
        return 20 * np.log10(effects.rms(early) / effects.rms(late))

    assert fall(name) > 6.0
    assert fall("violin") < 3.0


def test_a_brighter_string_has_more_treble():
    dull, bright = (
        synthesis.plucked_string(220.0, 1.0, rng=np.random.default_rng(0), brightness=b)
        for b in (0.3, 0.95)
    )
    share = [energy(tone, 2000, 8000) / energy(tone, 0, 8000) for tone in (dull, bright)]
    assert share[1] > 10 * share[0]


def test_piano_partials_are_stretched():
    tone = synthesis.struck_string(220.0, 2.0)
    frequencies, magnitudes = spectrum(tone)
    near = (frequencies > 2100) & (frequencies < 2350)
    tenth = frequencies[near][magnitudes[near].argmax()]
    # 10 f sqrt(1 + 100 B) with B = 1.5e-4 is 2216.4 Hz; a harmonic tone would have 2200 Hz.
    assert tenth == pytest.approx(2216.4, abs=4.0)


@pytest.mark.parametrize(
    ("vowel", "formant"), [("a", 730), ("e", 530), ("i", 280), ("o", 570), ("u", 320)]
)
def test_sung_vowel_peaks_at_its_first_formant(vowel, formant):
    tone = sung(np.full(SAMPLE_RATE, 100.0), vowel, rng=np.random.default_rng(0))
    bands = {low: energy(tone, low - 60, low + 60) for low in range(200, 1000, 10)}
    assert max(bands, key=bands.get) == pytest.approx(formant, abs=100)


def test_opera_singer_has_vibrato_and_the_singers_formant():
    opera, pop = (
        INSTRUMENTS[name].tone(220.0, 2.0, np.random.default_rng(3)) for name in ("tenor", "man")
    )
    share = [energy(tone, 2500, 3400) / energy(tone, 100, 1200) for tone in (opera, pop)]
    assert share[0] > 3 * share[1]
    rng = np.random.default_rng(0)
    pitch = synthesis.vibrato(220.0, 2 * SAMPLE_RATE, rng=rng, cents=75.0)[SAMPLE_RATE:]
    assert 1200 * np.log2(pitch.max() / pitch.min()) == pytest.approx(150.0, abs=2.0)


def test_drums_lie_where_they_should():
    rng = np.random.default_rng(0)
    kick, hat, snare = (percussion.DRUMS[name](rng=rng) for name in ("kick", "hat", "snare"))
    assert energy(kick, 30, 250) > 10 * energy(kick, 1000, 8000)
    assert energy(hat, 4000, 8000) > 100 * energy(hat, 0, 1000)
    assert energy(snare, 100, 500) > 0.01 * energy(snare, 1000, 8000) > 0.0


def test_patterns_have_sixteen_steps_and_known_drums():
    for pattern in percussion.PATTERNS.values():
        assert set(pattern) <= set(percussion.DRUMS)
        assert {len(steps) for steps in pattern.values()} == {16}


def test_effects():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(SAMPLE_RATE)
    assert effects.rms(effects.to_level(noise, -20.0)) == pytest.approx(0.1)
    assert np.all(effects.to_level(np.zeros(10), -20.0) == 0.0)
    dull = effects.swept_lowpass(noise, np.full(SAMPLE_RATE, 500.0), quality=0.7)
    assert energy(dull, 0, 400) > 0.5 * energy(noise, 0, 400)
    assert energy(dull, 4000, 8000) < 1e-3 * energy(noise, 4000, 8000)
    click = np.zeros(SAMPLE_RATE)
    click[0] = 1.0
    wet = effects.room(click, seconds=0.5, mix=0.2, rng=rng)
    assert np.sum(wet[1:] ** 2) == pytest.approx(0.2, rel=0.2)
    assert effects.rms(wet[6400:]) < 0.05 * effects.rms(wet[160:1600])
    echoes = effects.echo(click, seconds=0.25, feedback=0.5)
    assert echoes[[0, 4000, 8000]].tolist() == [1.0, 0.5, 0.25]
    loud = effects.limit(5.0 * noise)
    assert np.abs(loud).max() < 1.0
    assert np.array_equal(effects.limit(0.05 * noise), 0.05 * noise)
