"""The drum kit of the demo corpus: one function per drum, and the patterns of the styles."""

import numpy as np

from autotagging.demo.synthesis import SAMPLE_RATE, band_noise, modes

# Sixteen steps per bar: `X` accent, `x` stroke, `.` rest.
PATTERNS = {
    "four_on_the_floor": {
        "kick": "X...X...X...X...",
        "open_hat": "..X...X...X...X.",
        "hat": "x.x.x.x.x.x.x.x.",
        "clap": "....X.......X...",
    },
    "techno": {
        "kick": "X...X...X...X..x",
        "hat": "xxXxxxXxxxXxxxXx",
        "clap": "....x.......x..x",
    },
    "rock": {
        "kick": "X.......X.X.....",
        "snare": "....X.......X...",
        "hat": "X.x.X.x.X.x.X.x.",
    },
    "double_kick": {
        "kick": "XxxxXxxxXxxxXxxx",
        "snare": "....X.......X...",
        "crash": "X...............",
        "hat": "X...X...X...X...",
    },
    "ballad": {
        "kick": "X.......x.......",
        "snare": "....x.......x...",
        "hat": "x...x...x...x...",
    },
    "swing": {
        "ride": "X...X.x.X...X.x.",
        "hat": "....x.......x...",
        "brush": "x...x...x...x...",
    },
    "train": {
        "kick": "X.......X.......",
        "brush": "x.x.X.x.x.x.X.xx",
    },
    "dub": {
        "kick": "X.........x.....",
        "snare": "........X.......",
        "hat": "..x...x...x..xx.",
    },
    "tabla": {
        "tabla_low": "X.....x.X..x....",
        "tabla_high": "..X.x..X..X.x.xx",
    },
}


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def kick(*, rng: np.random.Generator) -> np.ndarray:
    """Bass drum, (samples,): a sine that falls from about 250 Hz to 50 Hz, and the beater."""
    times = _times(0.35)
    pitch = rng.uniform(46.0, 58.0) + rng.uniform(150.0, 250.0) * np.exp(-times / 0.025)
    body = np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) * np.exp(-times / 0.11)
    return body + 0.3 * rng.standard_normal(len(times)) * np.exp(-times / 0.003)


def snare(*, rng: np.random.Generator) -> np.ndarray:
    """Snare drum, (samples,): two modes of the skin and the rattle of the wires."""
    times = _times(0.3)
    skin = modes(np.array([185.0, 330.0]), np.array([0.06, 0.04]), np.array([0.7, 0.4]), 0.3)
    return skin + 0.5 * band_noise(len(times), 1200.0, 7200.0, rng=rng) * np.exp(-times / 0.07)


def _cymbal(seconds: float, low: float, decay: float, rng: np.random.Generator) -> np.ndarray:
    times = _times(seconds)
    partials = rng.uniform(low, 7400.0, 60)
    metal = modes(partials, np.full(60, decay), rng.uniform(0.02, 0.12, 60), seconds)
    return metal + 0.2 * band_noise(len(times), low, 7600.0, rng=rng) * np.exp(-times / decay)


def hat(*, rng: np.random.Generator) -> np.ndarray:
    """Hi-hat while closed, (samples,)."""
    return _cymbal(0.08, 5000.0, 0.02, rng)


def open_hat(*, rng: np.random.Generator) -> np.ndarray:
    """Hi-hat while open, (samples,)."""
    return _cymbal(0.3, 4500.0, 0.09, rng)


def ride(*, rng: np.random.Generator) -> np.ndarray:
    """Ride cymbal, (samples,)."""
    return _cymbal(0.8, 3000.0, 0.28, rng)


def crash(*, rng: np.random.Generator) -> np.ndarray:
    """Crash cymbal, (samples,)."""
    return 1.5 * _cymbal(1.5, 1800.0, 0.5, rng)


def brush(*, rng: np.random.Generator) -> np.ndarray:
    """Brush on a snare drum, (samples,)."""
    times = _times(0.16)
    swell = np.exp(-(((times - 0.04) / 0.045) ** 2))
    return 0.35 * band_noise(len(times), 1500.0, 6500.0, rng=rng) * swell


def clap(*, rng: np.random.Generator) -> np.ndarray:
    """Hand clap, (samples,): four bursts close together."""
    times = _times(0.22)
    bursts = sum(
        np.where(times >= start, np.exp(-(times - start) / decay), 0.0)
        for start, decay in ((0.0, 0.005), (0.011, 0.005), (0.022, 0.005), (0.033, 0.05))
    )
    return 0.5 * band_noise(len(times), 900.0, 3200.0, rng=rng) * bursts


def tabla_low(*, rng: np.random.Generator) -> np.ndarray:
    """Left tabla drum, (samples,): a low skin whose pitch the palm raises."""
    times = _times(0.5)
    pitch = rng.uniform(75.0, 90.0) * (1.0 + 0.35 * (1.0 - np.exp(-times / 0.12)))
    body = np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) * np.exp(-times / 0.16)
    return body + 0.2 * rng.standard_normal(len(times)) * np.exp(-times / 0.004)


def tabla_high(*, rng: np.random.Generator) -> np.ndarray:
    """Right tabla drum, (samples,): a loaded skin with nearly harmonic modes (Raman 1934)."""
    frequencies = rng.uniform(280.0, 310.0) * np.array([1.0, 2.0, 3.01, 4.02, 5.04])
    ring = modes(frequencies, np.array([0.2, 0.25, 0.2, 0.12, 0.1]), 0.6 / np.arange(1, 6), 0.4)
    return ring + 0.2 * rng.standard_normal(len(ring)) * np.exp(-_times(0.4) / 0.003)


DRUMS = {
    "kick": kick,
    "snare": snare,
    "hat": hat,
    "open_hat": open_hat,
    "ride": ride,
    "crash": crash,
    "brush": brush,
    "clap": clap,
    "tabla_low": tabla_low,
    "tabla_high": tabla_high,
}
