"""The instruments sound as they should: pitch, spectrum, level."""

import numpy as np
import pytest

from autotagging.demo import effects, percussion
from autotagging.demo.instruments import INSTRUMENTS, Note, play
from autotagging.demo.synthesis import SAMPLE_RATE, midi_to_hz

A3 = 57.0


def spectrum(waveform):
    magnitudes = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 17))
    return np.fft.rfftfreq(1 << 17, 1.0 / SAMPLE_RATE), magnitudes


def energy(waveform, low, high):
    frequencies, magnitudes = spectrum(waveform)
    return np.sum(magnitudes[(frequencies >= low) & (frequencies < high)] ** 2)


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
