"""The front end of an exported model: waveform to log-mel spectrogram, with NumPy alone.

The same as `autotagging.mel.spectrogram`, whose filters and window come from librosa; here both are
read from the bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotagging.mel.sizes import clip_samples

LOG_SCALES = ("power_db", "squared_power_db", "log1p")
_BLOCK = 228  # frames; their arrays fit in the processor's cache
_DB = np.float32(10 / np.log(10))


@dataclass(frozen=True)
class LightFrontEnd:
    """The conversion of a window of a song to the spectrogram that a model reads.

    Attributes
    ----------
    settings
        The entry `front_end` of the model: sample_rate, hop_length, seconds, log_scale, power_floor
        and more.
    filters : float32, (n_mels, 1 + n_fft // 2)
        Mel filters.
    window : float32, (n_fft,)
    """

    settings: Mapping[str, Any]
    filters: np.ndarray
    window: np.ndarray

    def log_mel(self, waveform: np.ndarray) -> np.ndarray:
        """Compute the log-mel spectrogram; it is not rounded to the 16 bits of a stored one.

        Parameters
        ----------
        waveform : float32, (samples,)

        Returns
        -------
        mel : float32, (n_mels, 1 + samples // hop_length)
            In the unit of log_scale, see `autotagging.mel.spectrogram.log_mel`.

        Raises
        ------
        ValueError
            There is no such log_scale.
        """
        if self.settings["log_scale"] not in LOG_SCALES:
            known = ", ".join(LOG_SCALES)
            raise ValueError(
                f"log_scale is {self.settings['log_scale']!r}; expected one of {known}"
            )
        n_fft, hop = len(self.window), self.settings["hop_length"]
        padded = np.pad(np.asarray(waveform, np.float32), n_fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
        mel = np.empty((len(self.filters), len(frames)), np.float32)
        for start in range(0, len(frames), _BLOCK):
            spectrum = np.fft.rfft(frames[start : start + _BLOCK] * self.window)
            power = np.square(spectrum.real)
            power += np.square(spectrum.imag)
            mel[:, start : start + _BLOCK] = self.filters @ power.astype(np.float32, copy=False).T
        return self._scaled(mel)

    def _scaled(self, mel: np.ndarray) -> np.ndarray:
        """Convert power to the logarithmic scale, in place."""
        scale = self.settings["log_scale"]
        if scale == "log1p":
            return np.log1p(mel, out=mel)
        if scale == "squared_power_db":
            np.square(mel, out=mel)
        np.maximum(mel, self.settings.get("power_floor", 1e-10), out=mel)
        np.log(mel, out=mel)
        mel *= _DB
        if scale == "squared_power_db":
            np.maximum(mel, mel.max() - 80, out=mel)
        return mel


def window_samples(settings: Mapping[str, Any]) -> int:
    """Count the samples of a window of a song, rounded down."""
    return clip_samples(seconds=settings["seconds"], sample_rate=settings["sample_rate"])


def librosas_filters(settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Compute the filters and the window that a bundle stores; imports librosa."""
    import librosa

    window = librosa.filters.get_window(settings["window"], settings["n_fft"], fftbins=True)
    filters = librosa.filters.mel(
        sr=settings["sample_rate"],
        n_fft=settings["n_fft"],
        n_mels=settings["n_mels"],
        fmin=settings["f_min"],
        fmax=settings["f_max"],
        htk=settings["mel_scale"] == "htk",
        norm=settings["mel_norm"],
    )
    return {"filters": filters.astype(np.float32), "window": window.astype(np.float32)}
