"""Undo the decibels of a stored spectrogram, once, and compress power or amplitude.

Stored spectrograms are mel-major, (mel bins, frames). Features are computed on time-major copies,
(frames, bins): the frames of a patch are then next to each other in memory.
"""

import numpy as np

_POWER_OF_DB = np.float32(np.log(10) / 10)
_AMPLITUDE_OF_DB = np.float32(np.log(10) / 20)


def power(mel: np.ndarray) -> np.ndarray:
    """Convert decibels to power, 10^(dB / 10).

    Parameters
    ----------
    mel : float32, (mel bins, frames)
        Log-mel spectrogram of one clip, in dB of power.

    Returns
    -------
    power : float32, (frames, mel bins)
        0 where the level is too low for float32, which is below -450 dB.
    """
    return np.exp(_time_major(mel) * _POWER_OF_DB)


def amplitude(mel: np.ndarray) -> np.ndarray:
    """Convert decibels to amplitude, the square root of the power: 10^(dB / 20).

    Parameters
    ----------
    mel : float32, (mel bins, frames)
        Log-mel spectrogram of one clip, in dB of power.

    Returns
    -------
    amplitude : float32, (frames, mel bins)
    """
    return np.exp(_time_major(mel) * _AMPLITUDE_OF_DB)


def _time_major(mel: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.transpose(mel), dtype=np.float32)


def log_power(power: np.ndarray) -> np.ndarray:
    """Compress power to ln(1 + 10,000 power), as Dieleman's code of 2014 does.

    Silence is 0. In decibels the loudness of a clip would be most of the variance.

    Parameters
    ----------
    power : float32, any shape
        At least 0.

    Returns
    -------
    compressed : float32, same shape
    """
    return np.log1p(np.float32(1e4) * power)


def log_amplitude(amplitude: np.ndarray, *, factor: float = 10.0) -> np.ndarray:
    """Compress amplitude to log10(1 + factor x amplitude), after Nam, Herrera and Lee (2015).

    Parameters
    ----------
    amplitude : float32, any shape
        At least 0.
    factor
        10 for patches, 100 for the novelty.

    Returns
    -------
    compressed : float32, same shape
    """
    return np.log1p(np.float32(factor) * amplitude) * np.float32(1 / np.log(10))
