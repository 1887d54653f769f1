"""One clip to its log-mel spectrogram, or the reason why not (sec. II.B)."""

from dataclasses import dataclass

import numpy as np

from autotagging.corpus.audio import Corpus, Decoded
from autotagging.corpus.containers import BadClipError
from autotagging.dataset.store import USABLE
from autotagging.mel import spectrogram

STATUSES = {
    "ok": "within the tolerance of the wanted length, and no shorter; cropped by what is over",
    "padded": "shorter by no more than the tolerance: zeros at both ends",
    "cropped": "longer by more than the tolerance: its middle is taken",
    "missing": "in the tables, but not in the corpus",
    "unreadable": "no permission, a read error, or not a file at all",
    "empty": "a file of zero bytes",
    "not_audio": "no audio format is recognised in it",
    "undecodable": "an audio format, but the decoder gives up",
    "too_short": "shorter by more than the tolerance, or read no further as its header ends there",
    "wrong_length": "too short although its header promises enough: damaged on the way",
    "too_long": "longer than `longest`",
    "non_finite": "NaN or infinite samples, or such as have an infinite power",
    "silent": "no louder in the mean than the last bit of 16: nothing can be heard in it",
}
"""What may become of a clip. The first three have a spectrogram, the others are bad."""

_LAST_BIT = 2.0**-15


@dataclass(frozen=True)
class Settings:
    """What every spectrogram is made with.

    Attributes
    ----------
    sample_rate
        Samples per second, in Hz.
    n_fft
        Window length, in samples.
    hop_length
        Distance of the frames, in samples.
    n_mels
        Number of mel bins.
    log_scale
        power_db, squared_power_db or log1p; see `spectrogram.log_mel`.
    seconds
        Length to which clips are cropped or zero-padded, half at each end.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    log_scale: str
    seconds: float

    @property
    def shape(self) -> tuple[int, int]:
        """Mel bins and frames of a spectrogram."""
        frames = spectrogram.frame_count(
            seconds=self.seconds, sample_rate=self.sample_rate, hop_length=self.hop_length
        )
        return self.n_mels, frames


@dataclass(frozen=True)
class Limits:
    """Lengths that a clip may have.

    Attributes
    ----------
    tolerance
        Seconds by which a clip may be longer or shorter and still count as ok or padded. Clips
        that are shorter by more are too_short, which is bad; those that are longer are cropped.
    longest
        Seconds above which a clip is too_long, which is bad.
    """

    tolerance: float
    longest: float


@dataclass(frozen=True)
class FrontEnd:
    """What every clip is put through.

    Attributes
    ----------
    settings
        How its spectrogram is made.
    limits
        How long it may be.
    """

    settings: Settings
    limits: Limits

    def extract(self, corpus: Corpus, mp3_path: str) -> tuple[np.ndarray | None, float, str]:
        """Make the spectrogram of one clip.

        Returns
        -------
        spectrogram : float32, (n_mels, frames)
            None for a bad clip.
        seconds
            Decoded, rounded to a millisecond; at most a little over `longest`.
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
        samples = spectrogram.clip_samples(seconds=how.seconds, sample_rate=how.sample_rate)
        mel = spectrogram.log_mel(
            spectrogram.fit_length(clip.resampled(how.sample_rate), samples),
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
        """Judge a clip by what was decoded of it; the header only tells how it came to be short."""
        if clip.power <= _LAST_BIT**2:
            return "silent"
        seconds = len(clip.waveform) / clip.sample_rate
        if seconds > self.limits.longest:
            return "too_long"
        shortest = self.settings.seconds - self.limits.tolerance
        if seconds < shortest:
            promised = clip.announced / clip.sample_rate
            return "too_short" if promised < shortest else "wrong_length"
        if seconds > self.settings.seconds + self.limits.tolerance:
            return "cropped"
        return "ok" if seconds >= self.settings.seconds else "padded"
