"""The front end: waveform to log-mel spectrogram (sec. II.B, Table 1)."""

import librosa
import numpy as np


def log_mel(
    waveform: np.ndarray, *, sample_rate: int, n_fft: int, hop_length: int, n_mels: int
) -> np.ndarray:
    """Log-mel spectrogram in dB: 10 log10 of the power, with 1.0 as reference.

    Frames are centred, the signal padded with zeros on both sides; the mel scale is librosa's
    default (Slaney). Powers below 1e-10 count as 1e-10, so the floor is -100 dB.

    Parameters
    ----------
    waveform : float32, (samples,)
    sample_rate
        In Hz.
    n_fft, hop_length
        Window length and distance of the frames, in samples.
    n_mels
        Number of mel bins.

    Returns
    -------
    mel : float32, (n_mels, 1 + samples // hop_length)
        In dB.
    """
    power = librosa.feature.melspectrogram(
        y=waveform, sr=sample_rate, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels, power=2.0
    )
    return librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None).astype(np.float32)


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Crop or zero-pad a waveform at both ends alike, to (samples,)."""
    surplus = len(waveform) - samples
    if surplus >= 0:
        return waveform[surplus // 2 : surplus // 2 + samples]
    return np.pad(waveform, (-surplus // 2, -surplus - -surplus // 2))


def clip_samples(*, seconds: float, sample_rate: int) -> int:
    """Count the samples every clip is cropped or padded to, rounded down: 349,440 in the paper."""
    return int(seconds * sample_rate)


def frame_count(*, seconds: float, sample_rate: int, hop_length: int) -> int:
    """Count the frames of a clip's spectrogram: 1366 in the paper."""
    return 1 + clip_samples(seconds=seconds, sample_rate=sample_rate) // hop_length
