"""One clip to its log-mel spectrogram, or the reason why not (sec. II.B)."""

from dataclasses import dataclass

import numpy as np

from autotagging.corpus.audio import BadClipError, Corpus, Decoded
from autotagging.dataset.store import USABLE
from autotagging.mel import spectrogram as mel

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
class FrontEnd:
    """What every clip is put through; the meaning of each number is that of `extract_mel_shard`."""

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    seconds: float
    tolerance: float
    longest: float
    log_scale: str

    @property
    def shape(self) -> tuple[int, int]:
        """Mel bins and frames of a spectrogram."""
        frames = mel.frame_count(
            seconds=self.seconds, sample_rate=self.sample_rate, hop_length=self.hop_length
        )
        return self.n_mels, frames

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
            clip = corpus.decode(mp3_path, longest=self.longest)
        except BadClipError as error:
            return None, 0.0, str(error)
        seconds = round(len(clip.waveform) / clip.sample_rate, 3)
        status = self._judge(clip)
        if status not in USABLE:
            return None, seconds, status
        samples = mel.clip_samples(seconds=self.seconds, sample_rate=self.sample_rate)
        spectrogram = mel.log_mel(
            mel.fit_length(clip.resampled(self.sample_rate), samples),
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            log_scale=self.log_scale,
        )
        if not np.isfinite(spectrogram).all():  # samples so large that their power overflows
            return None, seconds, "non_finite"
        return spectrogram, seconds, status

    def _judge(self, clip: Decoded) -> str:
        """Judge a clip by what was decoded of it; the header only tells how it came to be short."""
        if clip.power <= _LAST_BIT**2:
            return "silent"
        seconds = len(clip.waveform) / clip.sample_rate
        if seconds > self.longest:
            return "too_long"
        if seconds < self.seconds - self.tolerance:
            promised = clip.announced / clip.sample_rate
            return "too_short" if promised < self.seconds - self.tolerance else "wrong_length"
        if seconds > self.seconds + self.tolerance:
            return "cropped"
        return "ok" if seconds >= self.seconds else "padded"
