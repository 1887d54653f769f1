"""Decode the file of a clip with libsndfile, as far as possible (sec. II.B)."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from autotagging.corpus.containers import BadClipError
from autotagging.corpus.mpeg import damaged_seconds, from_first_frame

_UNRECOGNISED_FORMAT = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT
LAST_BIT = 2.0**-15
"""RMS up to which a clip is silent: the last bit of 16-bit audio."""
LOUDEST = 10.0
"""RMS of no mix. 16-bit integers that are stored as floating-point numbers are louder: by 90 dB."""
_CANCELLED = 1e-3
"""Power of the channels' mean below which they cancel, relative to the loudest one: -30 dB."""


@dataclass(frozen=True)
class Decoded:
    """A decoded audio file.

    Attributes
    ----------
    waveform : float32, (samples,)
        The mean of the channels; the loudest channel alone where they cancel each other. In the
        range -1 to 1, except that lossy and floating-point formats may exceed it.
    sample_rate
        Sample rate of the waveform, in Hz.
    announced
        Number of samples given in the file's header; in MP3 an estimate, often a little too high.
    power
        Mean square of the waveform.
    whole
        Whether decoding came to the end of the file (or of what was wanted) without an error.
    damaged_seconds
        Duration of the damaged frames of an MP3, see `mpeg.damaged_seconds`; else 0.
    """

    waveform: np.ndarray
    sample_rate: int
    announced: int
    power: float
    whole: bool = True
    damaged_seconds: float = 0.0

    def resampled(self, sample_rate: int) -> np.ndarray:
        """Resample with soxr in high quality, librosa's default: float32, (samples,)."""
        return soxr.resample(self.waveform, self.sample_rate, sample_rate, quality="HQ")


def most_bytes(longest: float) -> float:
    """Bytes that a clip of `longest` seconds takes in the largest format in use, and decoded."""
    return longest * 192_000 * 2 * 4  # 192 kHz, stereo, float32


def decode_audio(encoded: bytes, *, longest: float) -> Decoded:
    """Decode the file of a clip, up to the length in its header or the first error.

    Parameters
    ----------
    encoded
        Bytes of the file, in any format that libsndfile reads.
    longest
        Maximum length to decode, in seconds (plus one sample).

    Raises
    ------
    BadClipError
        "not_audio", "undecodable" (from the beginning), "too_long" (more than `most_bytes`), or
        "non_finite".
    """
    try:
        with quiet(), _open(_with_data_size(encoded)) as file:
            rate, announced, subtype = file.samplerate, file.frames, file.subtype
            samples, whole = _read(file, longest)
    except soundfile.LibsndfileError as error:
        unknown = error.code == _UNRECOGNISED_FORMAT
        raise BadClipError("not_audio" if unknown else "undecodable") from None
    if not len(samples):
        raise BadClipError("undecodable")
    with np.errstate(over="ignore", invalid="ignore"):
        mono = mixed_down(samples)
        power = float(np.dot(mono, mono)) / len(mono)  # NaN if any sample is NaN
    if not np.isfinite(power):
        raise BadClipError("non_finite")
    damaged = damaged_seconds(encoded) if subtype == "MPEG_LAYER_III" else 0.0
    return Decoded(mono, rate, announced, power, whole, damaged)


def _open(encoded: bytes) -> soundfile.SoundFile:
    """Open a file in memory, if need be without what is between its ID3v2 tag and its audio."""
    try:
        return soundfile.SoundFile(_Encoded(encoded))
    except soundfile.LibsndfileError:
        audio = from_first_frame(encoded)
        if len(audio) == len(encoded):
            raise
        return soundfile.SoundFile(_Encoded(audio))


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what libraries write to standard error: mpg123 has a line for each fault of a clip."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Encoded(io.BytesIO):
    """A file in memory that stays where it is if libsndfile wants to go to before its beginning.

    In damaged files it does, and an exception in its callback would be printed with its traceback.
    """

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def _read(file: soundfile.SoundFile, longest: float) -> tuple[np.ndarray, bool]:
    """Decode a file up to the first error.

    Returns
    -------
    samples : float32, (samples, channels)
        At most `longest` seconds, plus one sample.
    whole
        Whether there was no error.
    """
    length = min(file.frames, int(longest * file.samplerate) + 1)
    if 4 * file.channels * (length - 1) > most_bytes(longest):
        raise BadClipError("too_long")
    # After an error, libsndfile does not say how much it has written.
    samples = np.full((max(length, 0), file.channels), np.nan, np.float32)
    try:
        return file.read(out=samples, always_2d=True), True
    except soundfile.LibsndfileError:
        written = np.flatnonzero(~np.isnan(samples[:, 0]))
        return samples[: written[-1] + 1 if len(written) else 0], False


def mixed_down(samples: np.ndarray) -> np.ndarray:
    """Average the channels, float32, (samples,); take the loudest where they cancel each other.

    Of one channel, the result is a view.
    """
    channels = samples.shape[1]
    if channels == 1:
        return samples[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        if channels == 2:  # ten times as fast as a mean
            mono = samples[:, 0] + samples[:, 1]
            mono *= np.float32(0.5)
        else:
            mono = samples.mean(axis=1)
        flat = samples.reshape(-1)
        if np.dot(mono, mono) < _CANCELLED * np.dot(flat, flat):  # not less than that of a channel
            powers = np.einsum("ij,ij->j", samples, samples)
            if np.dot(mono, mono) < _CANCELLED * powers.max():
                return np.ascontiguousarray(samples[:, powers.argmax()])
    return mono


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Crop or zero-pad a waveform equally at both ends, to (samples,)."""
    surplus = len(waveform) - samples
    if surplus >= 0:
        return waveform[surplus // 2 : surplus // 2 + samples]
    return np.pad(waveform, (-surplus // 2, -surplus - -surplus // 2))


def _with_data_size(encoded: bytes) -> bytes:
    """Let the data of a WAV whose writer could not enter their size reach to the end.

    libsndfile does so for all other impossible sizes, but takes 0 for no data.
    """
    if (size := unknown_data_size(encoded)) is None:
        return encoded
    return encoded[:size] + b"\xff\xff\xff\xff" + encoded[size + 4 :]


def unknown_data_size(encoded: bytes) -> int | None:
    """Position of the size of a WAV's data if that is 0; None of any other file."""
    if encoded[:4] != b"RIFF" or encoded[8:12] != b"WAVE":
        return None
    start = 12
    while chunk := encoded[start : start + 8]:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return None if size else start + 4
        start += 8 + size + size % 2
    return None
