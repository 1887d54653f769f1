"""The instruments of the demo corpus: how each plays a list of notes.

An instrument is a tone (a function of pitch, length and generator), and an effect on the whole
part, such as an amplifier or a filter sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autotagging.demo import effects, synthesis
from autotagging.demo.synthesis import SAMPLE_RATE, midi_to_hz
from autotagging.demo.voice import Singer, vocal_spectrum


class Note(NamedTuple):
    """A note: start and length in seconds, MIDI pitch, velocity from 0 to 1."""

    start: float
    seconds: float
    pitch: float
    velocity: float


Tone = Callable[[float, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Instrument:
    """The sound of an instrument.

    Attributes
    ----------
    tone
        Function from a frequency in Hz, seconds and a generator to a waveform.
    ring
        Seconds that every note rings, regardless of its written length; 0 for tones held as
        long as written. A ringing tone is computed once per pitch.
    release
        Seconds that a held note lasts beyond its written end.
    transpose
        Semitones between the written and the sounding pitch: a man sings an octave lower.
    finish
        Function that applies an effect to the waveform of the whole part, given a generator.
    """

    tone: Tone
    ring: float = 0.0
    release: float = 0.1
    transpose: int = 0
    finish: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None


def _plucked(decay: float, brightness: float, position: float) -> Tone:
    def tone(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
        return synthesis.plucked_string(
            frequency, seconds, rng=rng, decay=decay, brightness=brightness, position=position
        )

    return tone


def _harpsichord(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Two choirs of strings, the second an octave higher, and the click of the jack."""
    tone = synthesis.plucked_string(
        frequency, seconds, rng=rng, decay=2.2, brightness=0.97, position=0.09
    )
    octave = synthesis.plucked_string(
        2.0 * frequency, seconds, rng=rng, decay=1.6, brightness=0.97, position=0.11
    )
    tone += 0.6 * octave
    click = round(0.012 * SAMPLE_RATE)
    tone[:click] += 0.4 * rng.standard_normal(click)
    return tone


def _sitar(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Bright string that touches a flat bridge: the buzz sweeps down through the partials."""
    tone = synthesis.plucked_string(
        frequency, seconds, rng=rng, decay=4.0, brightness=0.93, position=0.06
    )
    sweep = 1200.0 + 4500.0 * np.exp(-np.arange(len(tone)) / (0.25 * SAMPLE_RATE))
    buzz = effects.swept_lowpass(np.tanh(4.0 * tone), sweep, quality=4.0)
    return 0.5 * tone + buzz


def _piano(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    return synthesis.struck_string(frequency, seconds, hardness=rng.uniform(0.35, 0.6))


def _bell(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    return synthesis.fm_tone(frequency, seconds, ratio=3.5, index=1.6, decay=0.9)


def _gong(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    ratio = rng.uniform(1.1, 2.9)
    return synthesis.fm_tone(frequency, seconds, ratio=ratio, index=9.0, decay=1.2)


def _zap(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Gliding ring-modulated noise and tone, unlike any real instrument."""
    samples = round(seconds * SAMPLE_RATE)
    times = np.arange(samples) / SAMPLE_RATE
    glide = frequency * 2.0 ** (rng.uniform(-3.0, 3.0) * times / seconds)
    carrier = np.sin(2.0 * np.pi * np.cumsum(glide) / SAMPLE_RATE)
    wobble = np.sign(np.sin(2.0 * np.pi * rng.uniform(6.0, 18.0) * times))
    tone = carrier * (1.0 + wobble) + 0.4 * carrier * rng.standard_normal(samples)
    return tone * synthesis.envelope(samples, attack=0.01, release=0.05)


# The resonances of the bodies: air, wood and bridge (centre in Hz, bandwidth in Hz, gain).
VIOLIN_BODY = ((280, 90, 0.6), (470, 120, 1.0), (950, 500, 0.5), (2700, 1500, 0.9))
CELLO_BODY = ((105, 40, 0.7), (190, 60, 1.0), (420, 200, 0.8), (1100, 700, 0.35))


def _bowed(body: tuple[tuple[float, float, float], ...], attack: float, cents: float) -> Tone:
    def gain(frequencies: np.ndarray) -> np.ndarray:
        return (0.12 + synthesis.resonances(frequencies, body)) / frequencies

    def tone(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
        samples = round(seconds * SAMPLE_RATE)
        pitch = synthesis.vibrato(frequency, samples, rng=rng, rate=5.8, cents=cents, glide=-40.0)
        string = synthesis.harmonic_tone(pitch, gain, spread=0.02)
        string /= effects.rms(string) + 1e-12
        string += 0.05 * synthesis.band_noise(samples, 800.0, 6000.0, rng=rng)
        return string * synthesis.envelope(samples, attack=attack, release=0.09)

    return tone


def _ensemble(
    source: Callable[[np.ndarray], np.ndarray], cents: float, attack: float, release: float
) -> Tone:
    def tone(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
        players = synthesis.ensemble_tone(frequency, seconds, source, rng=rng, cents=cents)
        return players * synthesis.envelope(len(players), attack=attack, release=release)

    return tone


def _string_section(frequencies: np.ndarray) -> np.ndarray:
    return (0.25 + synthesis.resonances(frequencies, VIOLIN_BODY)) / frequencies


def _brass_section(frequencies: np.ndarray) -> np.ndarray:
    return np.exp(-frequencies / 900.0) * (frequencies / 300.0) ** 0.3


def _soft_pad(frequencies: np.ndarray) -> np.ndarray:
    return np.exp(-frequencies / 350.0)


def _saw(frequencies: np.ndarray) -> np.ndarray:
    return 1.0 / frequencies


def _flute(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Few partials, a noisy onset, breath noise around the tone, and tremolo."""
    samples = round(seconds * SAMPLE_RATE)
    pitch = synthesis.vibrato(frequency, samples, rng=rng, rate=5.0, cents=14.0, glide=-30.0)

    def gain(frequencies: np.ndarray) -> np.ndarray:
        return np.exp(-0.95 * (frequencies / frequency - 1.0))

    tone = synthesis.harmonic_tone(pitch, gain)
    tone /= effects.rms(tone) + 1e-12
    times = np.arange(samples) / SAMPLE_RATE
    tone *= 1.0 + 0.25 * np.sin(2.0 * np.pi * 5.0 * times)
    breath = synthesis.band_noise(samples, 0.9 * frequency, 5500.0, rng=rng)
    tone += breath * (0.10 + 0.5 * np.exp(-times / 0.03))
    return tone * synthesis.envelope(samples, attack=0.05, release=0.08)


def _organ(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Three ranks of pipes: 8', 4' and 2'."""
    samples = round(seconds * SAMPLE_RATE)
    ranks = sum(
        level
        * synthesis.harmonic_tone(
            synthesis.vibrato(octave * frequency, samples, rng=rng, cents=0.0),
            lambda f, base=octave * frequency: (base / f) ** 1.6,
        )
        for octave, level in ((1.0, 1.0), (2.0, 0.6), (4.0, 0.3))
    )
    return ranks * synthesis.envelope(samples, attack=0.04, release=0.08)


def _amplified(drive: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda part, rng: effects.distort(part, drive=drive)


def _filter_sweep(
    low: float, high: float, cycle: float, quality: float
) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Sweep a resonant filter between two frequencies in Hz, with a period of `cycle` seconds."""

    def finish(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        times = np.arange(len(part)) / SAMPLE_RATE
        sweep = 0.5 + 0.5 * np.sin(2.0 * np.pi * (times / cycle + rng.random()))
        return effects.swept_lowpass(part, low * (high / low) ** sweep, quality=quality)

    return finish


def _acid(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    samples = round(seconds * SAMPLE_RATE)
    return synthesis.harmonic_tone(np.full(samples, frequency), _saw) * frequency


def _dubbed(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return effects.echo(part, seconds=rng.uniform(0.3, 0.5), feedback=0.5)


INSTRUMENTS: dict[str, Instrument] = {
    "guitar": Instrument(_plucked(2.6, 0.62, 0.2), ring=2.0),
    "steel guitar": Instrument(_plucked(2.2, 0.85, 0.12), ring=1.6),
    "banjo": Instrument(_plucked(0.7, 0.85, 0.07), ring=0.7),
    "electric guitar": Instrument(_plucked(3.5, 0.8, 0.15), release=0.05, finish=_amplified(2.5)),
    "metal guitar": Instrument(_plucked(4.5, 0.9, 0.1), release=0.02, finish=_amplified(9.0)),
    "bass guitar": Instrument(_plucked(2.5, 0.45, 0.18), release=0.05),
    "double bass": Instrument(_plucked(1.4, 0.25, 0.25), ring=0.9),
    "harp": Instrument(_plucked(4.5, 0.35, 0.4), ring=2.5),
    "harpsichord": Instrument(_harpsichord, ring=1.1),
    "sitar": Instrument(_sitar, ring=1.8),
    "tambura": Instrument(_sitar, ring=4.0),
    "piano": Instrument(_piano, ring=2.2),
    "bells": Instrument(_bell, ring=2.5),
    "gong": Instrument(_gong, ring=3.0),
    "zap": Instrument(_zap),
    "violin": Instrument(_bowed(VIOLIN_BODY, 0.05, 28.0)),
    "cello": Instrument(_bowed(CELLO_BODY, 0.07, 20.0)),
    "string section": Instrument(_ensemble(_string_section, 14.0, 0.15, 0.2), release=0.2),
    "brass section": Instrument(_ensemble(_brass_section, 8.0, 0.07, 0.1)),
    "flute": Instrument(_flute, transpose=12),
    "organ": Instrument(_organ),
    "woman": Instrument(Singer("aeio", 1.17, 25.0)),
    "man": Instrument(Singer("aeiou", 1.0, 20.0), transpose=-12),
    "soprano": Instrument(Singer("aoe", 1.2, 85.0, ring=0.7, consonants=0.15)),
    "tenor": Instrument(Singer("aoe", 1.0, 75.0, ring=0.7, consonants=0.15), transpose=-12),
    "choir": Instrument(_ensemble(vocal_spectrum("a", tract=1.1), 22.0, 0.18, 0.25), release=0.25),
    "monks": Instrument(_ensemble(vocal_spectrum("o", tract=0.95), 13.0, 0.12, 0.15), release=0.15),
    "pad": Instrument(_ensemble(_soft_pad, 16.0, 1.2, 1.5), release=1.5),
    "saw pad": Instrument(
        _ensemble(_saw, 12.0, 0.3, 0.5), release=0.4, finish=_filter_sweep(250.0, 2500.0, 11.0, 2.5)
    ),
    "supersaw": Instrument(
        _ensemble(_saw, 11.0, 0.005, 0.04),
        ring=0.35,
        finish=_filter_sweep(700.0, 6500.0, 15.0, 1.2),
    ),
    "acid synth": Instrument(_acid, release=0.02, finish=_filter_sweep(250.0, 3000.0, 7.0, 7.0)),
    "sub bass": Instrument(_acid, release=0.05, finish=_filter_sweep(120.0, 450.0, 1.7, 3.0)),
    "stab": Instrument(_ensemble(_saw, 9.0, 0.004, 0.05), ring=0.2, finish=_dubbed),
}


def play(
    notes: list[Note], instrument: Instrument, *, samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Waveform of a part.

    Parameters
    ----------
    notes
        Notes of the part, in any order; sound beyond the end is cut.
    instrument
        Instrument of the part.
    samples
        Length of the part in samples.
    rng
        Generator of the differences between notes.

    Returns
    -------
    waveform
        (samples,)
    """
    part = np.zeros(samples)
    rung: dict[float, np.ndarray] = {}
    for note in notes:
        frequency = midi_to_hz(note.pitch + instrument.transpose)
        if instrument.ring:
            if note.pitch not in rung:
                rung[note.pitch] = instrument.tone(frequency, instrument.ring, rng)
            tone = rung[note.pitch]
        else:
            seconds = max(note.seconds, 0.06) + instrument.release
            tone = instrument.tone(frequency, seconds, rng)
        start = round(note.start * SAMPLE_RATE)
        if 0 <= start < samples:
            heard = tone[: samples - start]
            part[start : start + len(heard)] += note.velocity * heard
    return instrument.finish(part, rng) if instrument.finish else part
