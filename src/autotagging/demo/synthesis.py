"""Sound sources of the demo corpus, as functions from parameters to waveforms.

Struck and plucked strings, sustained tones and ensembles of any spectrum, FM and noise, all at
16 kHz. Amplitudes are relative; the level is set in the mix.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import fft, signal

SAMPLE_RATE = 16_000
NYQUIST_MARGIN = 0.47 * SAMPLE_RATE
TABLE_SIZE = 8192


def midi_to_hz(pitch: float) -> float:
    """Frequency in Hz of a MIDI pitch (69 is 440 Hz)."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def envelope(samples: int, *, attack: float, release: float) -> np.ndarray:
    """Rise from 0 to 1 and fall back to 0, (samples,); `attack` and `release` in seconds."""
    shape = np.ones(samples)
    for seconds, ends in ((attack, shape), (release, shape[::-1])):
        slope = ends[: math.ceil(seconds * SAMPLE_RATE)]
        slope *= np.sin(0.5 * np.pi * np.arange(len(slope)) / (seconds * SAMPLE_RATE))
    return shape


def modes(
    frequencies: np.ndarray, decays: np.ndarray, amplitudes: np.ndarray, seconds: float
) -> np.ndarray:
    """Sum of exponentially decaying sinusoids, as in a struck string, bar or skin.

    Parameters
    ----------
    frequencies, decays, amplitudes
        (modes,): frequencies in Hz, time constants in seconds, and relative amplitudes.
    seconds
        Length of the tone.

    Returns
    -------
    waveform
        (samples,)
    """
    samples = round(seconds * SAMPLE_RATE)
    heard = frequencies < NYQUIST_MARGIN
    poles = (-1.0 / decays[heard] + 2j * np.pi * frequencies[heard]) / SAMPLE_RATE
    # exp(pole * (row * width + column)) factorises, so the whole sum is one matrix product.
    width = 256
    rows = np.exp(np.outer(np.arange(-(-samples // width)) * width, poles))
    columns = np.exp(np.outer(poles, np.arange(width)))
    return ((rows * amplitudes[heard]) @ columns).imag.ravel()[:samples]


def struck_string(frequency: float, seconds: float, *, hardness: float = 0.5) -> np.ndarray:
    """Piano tone: three detuned stiff strings, struck at an eighth of their length.

    Parameters
    ----------
    frequency
        Fundamental in Hz.
    seconds
        Length of the tone.
    hardness
        Hardness of the hammer, 0 to 1; a harder hammer gives a brighter tone.

    Returns
    -------
    waveform
        (samples,)
    """
    orders = np.arange(1, max(2, int(NYQUIST_MARGIN / frequency)))
    stiffness = 1.5e-4 * (frequency / 220.0) ** 1.5
    partials = frequency * orders * np.sqrt(1.0 + stiffness * orders**2)
    cutoff = 500.0 + 3500.0 * hardness
    gains = np.abs(np.sin(np.pi * orders / 8.0)) / orders / (1.0 + (partials / cutoff) ** 2)
    decays = 1.6 * (220.0 / frequency) ** 0.5 / (1.0 + 0.0012 * partials)
    strings = [partials * 2.0 ** (cents / 1200.0) for cents in (-0.7, 0.0, 0.9)]
    tone = modes(np.concatenate(strings), np.tile(decays, 3), np.tile(gains, 3), seconds)
    return tone * envelope(len(tone), attack=0.002, release=0.05)


def plucked_string(
    frequency: float,
    seconds: float,
    *,
    rng: np.random.Generator,
    decay: float = 3.0,
    brightness: float = 0.5,
    position: float = 0.2,
) -> np.ndarray:
    """Plucked string by the Karplus-Strong algorithm, in tune (Jaffe and Smith 1983).

    Parameters
    ----------
    frequency
        Fundamental in Hz, 30 to 4000.
    seconds
        Length of the tone.
    rng
        Generator of the string's initial shape.
    decay
        Seconds until the fundamental has fallen by about 60 dB.
    brightness
        Brightness, 0 to 1: sets how slowly high partials decay, and their initial level.
    position
        Position of the plucking point, as a fraction of the string's length.

    Returns
    -------
    waveform
        (samples,)
    """
    samples = round(seconds * SAMPLE_RATE)
    period = SAMPLE_RATE / frequency
    whole, fraction = int(period - 1.0), (period - 1.0) % 1.0
    side = 0.25 * (1.0 - brightness)
    # A symmetric smoothing filter delays by one sample, the interpolation by `fraction`.
    loop = np.convolve([side, 1.0 - 2.0 * side, side], [1.0 - fraction, fraction])
    feedback = np.zeros(whole + 4)
    feedback[0] = 1.0
    feedback[whole:] -= 10.0 ** (-3.0 / (decay * frequency)) * loop
    burst = np.zeros(samples)
    length = min(samples, round(period))
    burst[:length] = rng.uniform(-1.0, 1.0, length)
    burst[:length] -= burst[:length].mean()
    softness = 0.85 * (1.0 - brightness)
    burst = signal.lfilter([1.0 - softness], [1.0, -softness], burst)
    shift = max(1, round(position * period))
    burst[shift:] -= 0.9 * burst[:-shift].copy()
    tone = signal.lfilter([1.0], feedback, burst)
    return tone * envelope(samples, attack=0.001, release=0.04)


def resonances(
    frequencies: np.ndarray, formants: tuple[tuple[float, float, float], ...]
) -> np.ndarray:
    """Gain of parallel resonators, each (centre in Hz, bandwidth in Hz, gain); (frequencies,)."""
    gains = [
        gain / np.sqrt(1.0 + ((frequencies - centre) / (0.5 * width)) ** 2)
        for centre, width, gain in formants
    ]
    return np.sum(gains, axis=0)


def harmonic_tone(
    frequency: np.ndarray, gain: Callable[[np.ndarray], np.ndarray], *, spread: float = 0.0
) -> np.ndarray:
    """Sustained tone with a gliding or vibrating pitch and a given spectral envelope.

    Parameters
    ----------
    frequency
        (samples,) in Hz, one value per sample.
    gain
        Function from frequencies in Hz to amplitudes: the spectrum of the source times that of
        the body or the vocal tract.
    spread
        Phase of the partials in radians times their squared order: 0 is a pulse.

    Returns
    -------
    waveform
        (samples,)
    """
    count = max(1, int(NYQUIST_MARGIN / frequency.max()))
    orders = np.arange(1, count + 1)
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=complex)
    spectrum[1 : count + 1] = gain(orders * frequency.mean()) * np.exp(1j * spread * orders**2)
    table = fft.irfft(spectrum) * TABLE_SIZE
    phase = np.cumsum(frequency) * (TABLE_SIZE / SAMPLE_RATE)
    return table[phase.astype(np.int64) % TABLE_SIZE]


def vibrato(
    frequency: float,
    samples: int,
    *,
    rng: np.random.Generator,
    rate: float = 5.5,
    cents: float = 20.0,
    glide: float = 0.0,
) -> np.ndarray:
    """Pitch of a played or sung note, (samples,) in Hz.

    Parameters
    ----------
    frequency
        Final pitch of the note, in Hz.
    samples
        Length in samples.
    rng
        Generator of the vibrato's phase and the player's inaccuracy (about 4 cents).
    rate, cents
        Rate of the vibrato in cycles per second, and depth to either side in cents.
    glide
        Initial deviation from the final pitch, in cents, which decays within 80 ms.

    Returns
    -------
    frequency
        (samples,)
    """
    times = np.arange(samples) / SAMPLE_RATE
    depth = cents * np.clip((times - 0.08) / 0.25, 0.0, 1.0)
    wave = np.sin(2.0 * np.pi * (rate * times + rng.random()))
    offset = depth * wave + glide * np.exp(-times / 0.03) + rng.normal(0.0, 4.0)
    return frequency * 2.0 ** (offset / 1200.0)


def band_noise(
    samples: int, low: float, high: float, *, rng: np.random.Generator, order: int = 2
) -> np.ndarray:
    """White noise between `low` and `high` Hz, (samples,), with an RMS near 1."""
    sections = signal.butter(order, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
    noise = signal.sosfilt(sections, rng.standard_normal(samples))
    return noise / np.sqrt((high - low) / (0.5 * SAMPLE_RATE))


def ensemble_tone(
    frequency: float,
    seconds: float,
    gain: Callable[[np.ndarray], np.ndarray],
    *,
    rng: np.random.Generator,
    cents: float = 15.0,
) -> np.ndarray:
    """Many players or singers in unison: every partial is a narrow band of noise (PADsynth).

    Parameters
    ----------
    frequency
        Common pitch in Hz.
    seconds
        Length of the tone.
    gain
        Function from frequencies in Hz to amplitudes.
    rng
        Generator of the phases, which determine the beating between players.
    cents
        Standard deviation of the players' pitches.

    Returns
    -------
    waveform
        (samples,) with an RMS near 1
    """
    samples = round(seconds * SAMPLE_RATE)
    size = fft.next_fast_len(samples, real=True)
    step = SAMPLE_RATE / size
    power = np.zeros(size // 2 + 1)
    for partial in frequency * np.arange(1, int(NYQUIST_MARGIN / frequency) + 1):
        sigma = max(partial * cents * np.log(2.0) / 1200.0, step)
        first, last = int((partial - 4 * sigma) / step), int((partial + 4 * sigma) / step) + 2
        bins = np.arange(max(first, 1), min(last, len(power)))
        bell = np.exp(-0.5 * ((bins * step - partial) / sigma) ** 2)
        power[bins] += bell * gain(np.array([partial]))[0] / np.sqrt(sigma)
    tone = fft.irfft(power * np.exp(2j * np.pi * rng.random(len(power))), size)[:samples]
    return tone / (np.sqrt(np.mean(tone**2)) + 1e-12)


def fm_tone(
    frequency: float, seconds: float, *, ratio: float, index: float, decay: float
) -> np.ndarray:
    """FM tone of one modulator whose index decays with the tone (Chowning 1973).

    Parameters
    ----------
    frequency
        Frequency of the carrier, in Hz.
    seconds
        Length of the tone.
    ratio
        Ratio of modulator to carrier frequency: an integer for harmonic tones, else bell-like.
    index
        Modulation index at the start.
    decay
        Time constant of the decay, in seconds.

    Returns
    -------
    waveform
        (samples,)
    """
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    fading = np.exp(-times / decay)
    modulator = index * fading * np.sin(2.0 * np.pi * frequency * ratio * times)
    tone = fading * np.sin(2.0 * np.pi * frequency * times + modulator)
    return tone * envelope(len(tone), attack=0.004, release=0.05)
