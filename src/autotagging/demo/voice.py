"""The singing voice of the demo corpus: a glottal source filtered by the vocal tract."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autotagging.demo.effects import rms
from autotagging.demo.synthesis import (
    SAMPLE_RATE,
    band_noise,
    envelope,
    harmonic_tone,
    resonances,
    vibrato,
)

# Vowels as (centre in Hz, bandwidth in Hz, gain) of a man's formants (Peterson and Barney 1952);
# a woman's are about a sixth higher.
VOWELS = {
    "a": ((730, 90, 1.0), (1090, 110, 0.63), (2440, 170, 0.25), (3400, 250, 0.12)),
    "e": ((530, 70, 1.0), (1840, 110, 0.45), (2480, 170, 0.28), (3500, 250, 0.12)),
    "i": ((280, 60, 1.0), (2250, 110, 0.32), (2890, 170, 0.25), (3500, 250, 0.12)),
    "o": ((570, 80, 1.0), (840, 90, 0.55), (2410, 170, 0.10), (3300, 250, 0.05)),
    "u": ((320, 60, 1.0), (800, 90, 0.25), (2240, 170, 0.05), (3300, 250, 0.02)),
}


def vocal_spectrum(
    vowel: str, *, tract: float, ring: float = 0.0
) -> Callable[[np.ndarray], np.ndarray]:
    """Spectral envelope of a sung vowel.

    Parameters
    ----------
    vowel
        A key of `VOWELS`.
    tract
        Factor of the formants' frequencies: 1 for a man, about 1.17 for a woman.
    ring
        Gain of the singer's formant near 3 kHz, typical of opera singers (Sundberg 1974).

    Returns
    -------
    gain
        Maps frequencies in Hz to amplitudes.
    """
    formants = tuple((tract * f, tract * width, level) for f, width, level in VOWELS[vowel])
    formants += ((2900.0 * tract, 350.0, ring),)

    def gain(frequencies: np.ndarray) -> np.ndarray:
        # The glottal flow falls by 12 dB an octave, radiation from the lips lifts it by 6.
        return resonances(frequencies, formants) / (1.0 + frequencies / 250.0)

    return gain


def sung(
    frequency: np.ndarray,
    vowel: str,
    *,
    rng: np.random.Generator,
    tract: float = 1.0,
    ring: float = 0.0,
    breath: float = 0.02,
) -> np.ndarray:
    """Sing a vowel.

    Parameters
    ----------
    frequency
        (samples,) pitch in Hz.
    vowel, tract, ring
        See `vocal_spectrum`.
    rng
        Generator of the breath noise.
    breath
        Level of the breath noise relative to the tone.

    Returns
    -------
    waveform
        (samples,) with an RMS near 1
    """
    tone = harmonic_tone(frequency, vocal_spectrum(vowel, tract=tract, ring=ring), spread=0.05)
    tone /= rms(tone) + 1e-12
    return tone + breath * band_noise(len(frequency), 1500.0, 6500.0, rng=rng)


@dataclass(frozen=True)
class Singer:
    """A voice.

    Attributes
    ----------
    vowels
        Keys of `VOWELS` that it sings.
    tract, ring, breath
        See `sung`.
    cents
        Depth of the vibrato to either side, in cents.
    consonants
        Share of syllables that begin with a consonant, 0 to 1.
    """

    vowels: str
    tract: float
    cents: float
    ring: float = 0.0
    breath: float = 0.02
    consonants: float = 0.6

    def __call__(self, frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
        """Sing a syllable: perhaps a consonant, then two vowels that glide into each other."""
        samples = round(seconds * SAMPLE_RATE)
        pitch = vibrato(
            frequency, samples, rng=rng, rate=5.6, cents=self.cents, glide=rng.uniform(-150, 50)
        )
        first, second = (
            sung(
                pitch,
                self.vowels[index],
                rng=rng,
                tract=self.tract,
                ring=self.ring,
                breath=self.breath,
            )
            for index in rng.integers(0, len(self.vowels), 2)
        )
        glide = np.linspace(0.0, 1.0, samples) ** 2
        syllable = (1.0 - glide) * first + glide * second
        syllable *= envelope(samples, attack=0.04, release=0.08)
        if rng.random() < self.consonants:
            hiss = min(samples, round(rng.uniform(0.03, 0.09) * SAMPLE_RATE))
            noise = band_noise(hiss, 3500.0, 7000.0, rng=rng)
            syllable[:hiss] += 0.5 * noise * np.hanning(hiss)
        return syllable
