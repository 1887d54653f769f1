"""Effects of the demo corpus: filters, distortion, echo, room and level (16 kHz waveforms)."""

import numpy as np
from scipy import signal

from autotagging.demo.synthesis import SAMPLE_RATE


def rms(waveform: np.ndarray) -> float:
    """Root mean square of a waveform."""
    return float(np.sqrt(np.mean(np.square(waveform))))


def to_level(waveform: np.ndarray, level: float) -> np.ndarray:
    """Scale a waveform to an RMS of `level` dB re full scale; silence stays silent."""
    return waveform * (10.0 ** (level / 20.0) / max(rms(waveform), 1e-9))


def swept_lowpass(waveform: np.ndarray, cutoff: np.ndarray, *, quality: float) -> np.ndarray:
    """Resonant low-pass filter with a moving cutoff, as in an analogue synthesizer.

    Parameters
    ----------
    waveform
        (samples,)
    cutoff
        (samples,) in Hz; used at intervals of 32 ms.
    quality
        Resonance: 0.7 is flat, 8 has a sharp peak.

    Returns
    -------
    waveform
        (samples,)
    """
    block = 512
    filtered = np.empty_like(waveform)
    state = np.zeros(2)
    for start in range(0, len(waveform), block):
        angle = 2.0 * np.pi * min(cutoff[start], 0.45 * SAMPLE_RATE) / SAMPLE_RATE
        alpha, cosine = np.sin(angle) / (2.0 * quality), np.cos(angle)
        # Bristow-Johnson's cookbook low-pass.
        numerator = np.array([0.5, 1.0, 0.5]) * (1.0 - cosine) / (1.0 + alpha)
        denominator = np.array([1.0 + alpha, -2.0 * cosine, 1.0 - alpha]) / (1.0 + alpha)
        chunk = slice(start, start + block)
        filtered[chunk], state = signal.lfilter(numerator, denominator, waveform[chunk], zi=state)
    return filtered


def distort(waveform: np.ndarray, *, drive: float) -> np.ndarray:
    """Overdriven amplifier and loudspeaker: clip at `drive` times the RMS, band-limit."""
    clipped = np.tanh(drive * waveform / max(rms(waveform), 1e-9))
    cabinet = signal.butter(2, (90.0, 4800.0), "bandpass", fs=SAMPLE_RATE, output="sos")
    return signal.sosfilt(cabinet, clipped)


def echo(waveform: np.ndarray, *, seconds: float, feedback: float) -> np.ndarray:
    """Repeat the waveform every `seconds`, each time `feedback` times as strong."""
    wet = waveform.copy()
    shift = round(seconds * SAMPLE_RATE)
    for start in range(shift, len(wet), shift):
        span = min(shift, len(wet) - start)
        wet[start : start + span] += feedback * wet[start - shift : start - shift + span]
    return wet


def room(
    waveform: np.ndarray, *, seconds: float, mix: float, rng: np.random.Generator
) -> np.ndarray:
    """Add the reverberation of a room.

    Parameters
    ----------
    waveform
        (samples,)
    seconds
        Reverberation time (60 dB).
    mix
        Energy of the reverberation relative to the direct sound.
    rng
        Generator of the room's response.

    Returns
    -------
    waveform
        (samples,)
    """
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(times)) * 10.0 ** (-3.0 * times / seconds)
    # Air and walls absorb high frequencies.
    response = signal.lfilter([0.45], [1.0, -0.55], response)
    response *= np.sqrt(mix / np.sum(response**2))
    response[: round(0.008 * SAMPLE_RATE)] = 0.0
    return waveform + signal.oaconvolve(waveform, response)[: len(waveform)]


def limit(waveform: np.ndarray) -> np.ndarray:
    """Compress peaks above half of full scale to below full scale; leave the rest unchanged."""
    excess = np.abs(waveform) - 0.5
    bent = 0.5 + 0.48 * np.tanh(np.maximum(excess, 0.0) / 0.48)
    return np.where(excess > 0.0, np.sign(waveform) * bent, waveform)
