"""Convert a clip to a log-mel spectrogram, or give the reason why it can't be used (sec. II.B)."""

from dataclasses import dataclass

import numpy as np

from autotagging.corpus.audio import Corpus
from autotagging.corpus.containers import BadClipError
from autotagging.corpus.decoding import LAST_BIT, LOUDEST, Decoded, fit_length
from autotagging.dataset.store import USABLE
from autotagging.mel import spectrogram
from autotagging.mel.sizes import clip_samples, frame_count

STATUSES = {
    "ok": "up to the tolerance longer than the set length; the excess is cropped",
    "padded": "up to the tolerance shorter; padded with zeros at both ends",
    "cropped": "longer by more than the tolerance; the middle is used",
    "partly_decoded": "decoding ends with an error, at most the tolerance too early",
    "missing": "in the tables, but not in the corpus",
    "unreadable": "no permission, a read error, or not a regular file",
    "empty": "a file of zero bytes",
    "not_audio": "no audio format is recognised",
    "undecodable": "an audio format, but decoding fails, or ends too early with an error",
    "damaged_frames": "an MP3 with damaged frames that last longer than the tolerance",
    "too_short": "shorter by more than the tolerance, in the header as well",
    "wrong_length": "shorter by more than the tolerance, but not in the header: damaged",
    "too_long": "longer than `longest`",
    "non_finite": "NaN or infinite samples, or an infinite power",
    "silent": "RMS not above the last bit of 16-bit audio",
    "too_loud": "RMS more than 20 dB above full scale: not in the range -1 to 1",
}
"""Statuses of clips, with meanings. The first four have a spectrogram; the others are bad."""


@dataclass(frozen=True)
class MelSettings:
    """Settings of the spectrograms.

    Attributes
    ----------
    sample_rate
        Sample rate to which clips are resampled, in Hz.
    n_fft
        Window length, in samples.
    hop_length
        Hop length between frames, in samples.
    n_mels
        Number of mel bins.
    log_scale
        Scale of the levels: power_db, squared_power_db or log1p; see `spectrogram.log_mel`.
    seconds
        Length in seconds to which clips are cropped or zero-padded, half at each end.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    log_scale: spectrogram.LogScale
    seconds: float

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a spectrogram: (mel bins, frames)."""
        frames = frame_count(
            seconds=self.seconds, sample_rate=self.sample_rate, hop_length=self.hop_length
        )
        return self.n_mels, frames


@dataclass(frozen=True)
class Limits:
    """Limits on the length of a clip.

    Attributes
    ----------
    tolerance
        Seconds by which a clip may be longer or shorter and still count as ok or padded. Clips
        that are shorter by more are bad (too_short); clips that are longer by more are cropped.
    longest
        Length in seconds above which a clip is bad (too_long).
    """

    tolerance: float
    longest: float


@dataclass(frozen=True)
class FrontEnd:
    """The conversion of clips to spectrograms.

    Attributes
    ----------
    settings
        Settings of the spectrograms.
    limits
        Limits on the length of a clip.
    """

    settings: MelSettings
    limits: Limits

    def extract(self, corpus: Corpus, mp3_path: str) -> tuple[np.ndarray | None, float, str]:
        """Make the spectrogram of one clip.

        Returns
        -------
        spectrogram : float32, (n_mels, frames)
            None for a bad clip.
        seconds
            Decoded length, rounded to a millisecond; at most slightly above `longest`.
        status
            One of `STATUSES`.
        """
        try:
            clip = corpus.decode(mp3_path, longest=self.limits.longest)
        except BadClipError as error:
            return None, 0.0, str(error)
        seconds = round(len(clip.waveform) / clip.sample_rate, 3)
        status = self._judge(clip)
        if status not in USABLE:
            return None, seconds, status
        how = self.settings
        samples = clip_samples(seconds=how.seconds, sample_rate=how.sample_rate)
        mel = spectrogram.log_mel(
            fit_length(clip.resampled(how.sample_rate), samples),
            sample_rate=how.sample_rate,
            n_fft=how.n_fft,
            hop_length=how.hop_length,
            n_mels=how.n_mels,
            log_scale=how.log_scale,
        )
        if not np.isfinite(mel).all():  # samples so large that their power overflows
            return None, seconds, "non_finite"
        return mel, seconds, status

    def _judge(self, clip: Decoded) -> str:
        """Give the status of a decoded clip; its header only decides why a short clip is short."""
        if clip.power <= LAST_BIT**2:
            return "silent"
        if clip.power > LOUDEST**2:
            return "too_loud"
        seconds = len(clip.waveform) / clip.sample_rate
        if seconds > self.limits.longest:
            return "too_long"
        if clip.damaged_seconds > self.limits.tolerance:
            return "damaged_frames"
        if seconds < self.settings.seconds - self.limits.tolerance:
            return self._judge_short(clip)
        if not clip.whole:
            return "partly_decoded"
        if seconds > self.settings.seconds + self.limits.tolerance:
            return "cropped"
        return "ok" if seconds >= self.settings.seconds else "padded"

    def _judge_short(self, clip: Decoded) -> str:
        """Say why a clip is too short."""
        if not clip.whole:
            return "undecodable"
        promised = clip.announced / clip.sample_rate
        shortest = self.settings.seconds - self.limits.tolerance
        return "too_short" if promised < shortest else "wrong_length"
