"""Mel-frequency cepstral coefficients of a stored spectrogram."""

import numpy as np
import scipy.fft


def mfcc(mel: np.ndarray, *, n_coefficients: int = 20) -> np.ndarray:
    """Compute MFCCs as librosa does: the orthonormal DCT-II of the decibels over the mel bins.

    Parameters
    ----------
    mel : float32, (mel bins, frames)
        Log-mel spectrogram of one clip, in dB.
    n_coefficients
        Number of coefficients, the zeroth included; at most as many as mel bins are given.

    Returns
    -------
    coefficients : float32, (frames, n_coefficients)

    Raises
    ------
    ValueError
        The number of coefficients is below 1.
    """
    if n_coefficients < 1:
        raise ValueError(f"n_coefficients is {n_coefficients}; expected at least 1")
    levels = np.ascontiguousarray(np.transpose(mel), dtype=np.float32)
    return np.ascontiguousarray(scipy.fft.dct(levels, type=2, norm="ortho")[:, :n_coefficients])
