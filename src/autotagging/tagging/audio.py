"""Decode a song of any length as a stream, and cut it into windows of a model's length.

The song is never in memory as a whole. Decoding, the mean of the channels and resampling are those
of the training clips (see `autotagging.corpus.decoding`).
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from autotagging.corpus.decoding import LAST_BIT, LOUDEST, fit_length, mixed_down
from autotagging.tagging.errors import AudioError
from autotagging.tagging.formats import FfmpegStream, other_format
from autotagging.tagging.streams import PipedStream, Stream, open_stream

TOLERANCE = 1.0
"""Seconds at the end of a song that need no window of their own."""

# libsndfile's SF_ERR_UNRECOGNISED_FORMAT, and SFE_BAD_FILE, if nothing in an .mp3 is like MP3
_UNRECOGNISED = (1, 7)
_BLOCK_SECONDS = 32.0  # longer than a clip, so that a clip's channels are mixed as in training
_BLOCK_SAMPLES = 1 << 22  # of all channels together: 16 MB
_READ_FRAMES = 1 << 16
_RATES = (100, 1_000_000)  # Hz


@dataclass(frozen=True)
class Window:
    """A part of a song.

    Attributes
    ----------
    start
        Where it begins in the song, in seconds; below 0 for a song that is padded.
    samples : float32, (samples,)
    """

    start: float
    samples: np.ndarray

    @property
    def silent(self) -> bool:
        """Tell whether there is nothing but silence, on which no model is trained."""
        return _power(self.samples) <= LAST_BIT**2


class Song:
    """A song being decoded: its blocks, or its windows, can be read once.

    Parameters
    ----------
    path
        The song, in any format that libsndfile reads, or FFmpeg, if the program `ffmpeg` is found.
    sample_rate
        Rate to which it is resampled, in Hz.

    Attributes
    ----------
    seconds
        Length of what has been decoded so far. libsndfile trusts the length in a header, except
        that of an MP3 or WAV which has none, or too short a one; see `streams`.
    warning
        Why only the beginning could be decoded, in a sentence; None if all was that the header
        says.
    """

    def __init__(self, path: Path, *, sample_rate: int):
        self.path = path
        self.sample_rate = sample_rate
        self.seconds = 0.0
        self.warning: str | None = None
        self._failure: str | None = None

    def blocks(self) -> Iterator[np.ndarray]:
        """Decode, average the channels and resample, up to the end or the first error.

        Yields
        ------
        block : float32, (samples,)
            At most 32 seconds; all blocks together are what soxr makes of the whole song.

        Raises
        ------
        AudioError
            The file can't be opened, or an error occurs before the first sample.
        """
        check_file(self.path)
        with open_audio(self.path) as file:
            rate = file.samplerate
            if not _RATES[0] <= rate <= _RATES[1]:
                raise AudioError("undecodable", f"the sample rate is {rate} Hz")
            resampler = soxr.ResampleStream(rate, self.sample_rate, 1, dtype="float32")
            frames = 0
            for mono in self._mono_blocks(file):
                frames += len(mono)
                self.seconds = frames / rate
                yield resampler.resample_chunk(mono) if rate != self.sample_rate else mono
            self._failure = self._failure or file.failure()
            if frames and rate != self.sample_rate:
                yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
        if self._failure:
            self.warning = f"decoding failed after {self.seconds:.1f} s: {self._failure}"
        if not frames:
            raise AudioError("undecodable" if self.warning else "empty", self.warning)

    def _mono_blocks(self, file: soundfile.SoundFile) -> Iterator[np.ndarray]:
        most = min(int(_BLOCK_SECONDS * file.samplerate), _BLOCK_SAMPLES // file.channels)
        block = np.empty((max(most, 1), file.channels), np.float32)
        filled, going_on = len(block), True
        while going_on and filled == len(block):
            filled = 0
            while going_on and filled < len(block):
                part = block[filled : filled + _READ_FRAMES]
                try:
                    count = len(file.read(out=part))
                except soundfile.LibsndfileError as error:
                    self._failure, count = _reason(error), 0
                filled += count
                going_on = count > 0
            if filled:
                mono = mixed_down(block[:filled])
                yield mono.copy() if file.channels == 1 else mono

    def windows(self, *, samples: int, hop: int) -> Iterator[Window]:
        """Cut the song into windows, the last of them flush with its end.

        A song that is shorter or longer than a window by at most `TOLERANCE` is one window: padded
        with zeros or cropped, half at each end, as training clips are. A shorter one is repeated:
        no clip of training is mostly silence. Of a longer one, at most as much at its end is in no
        window.

        Parameters
        ----------
        samples
            Length of a window.
        hop
            Samples from the beginning of a window to that of the next, from 1 to `samples`.

        Yields
        ------
        window

        Raises
        ------
        AudioError
            See `blocks`; or "undecodable" for an error before there is a whole window, "non_finite"
            or "too_loud".
        """
        rest = int(TOLERANCE * self.sample_rate)
        held, first, start = np.empty(0, np.float32), 0, 0  # samples, and their place in the song
        for block in self.blocks():
            held = np.concatenate([held, block])
            while first + len(held) > start + samples + rest:
                yield self.window(held[start - first :][:samples], start)
                start += hop
            kept = max(min(start, first + len(held) - samples) - first, 0)
            held, first = held[kept:], first + kept
        end = first + len(held)
        if self.warning and end < samples:
            raise AudioError("undecodable", self.warning)
        if end < samples - rest:
            yield self.window(np.resize(held, samples), 0)
        elif start == 0:
            yield self.window(fit_length(held, samples), (end - samples) // 2)
        elif end >= start + samples:
            yield self.window(held[start - first :][:samples], start)
        elif end > start - hop + samples + rest:
            yield self.window(held[-samples:], end - samples)

    def window(self, samples: np.ndarray, start: int) -> Window:
        """Make a window that begins with a sample of the song; see `windows` for the errors."""
        power = _power(samples)
        if not np.isfinite(power):
            raise AudioError("non_finite")
        if power > LOUDEST**2:
            raise AudioError("too_loud")
        return Window(start / self.sample_rate, samples)


def check_file(path: Path) -> os.stat_result:
    """Return a file's status; raise AudioError unless it has content that may be read."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise AudioError("missing") from None
    except OSError as error:
        raise AudioError("unreadable", error.strerror) from None
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("unreadable", "not a regular file")
    if status.st_size == 0:
        raise AudioError("empty", "a file of zero bytes")
    if not os.access(path, os.R_OK):
        raise AudioError("unreadable", "no permission to read it")
    return status


def open_audio(path: Path) -> Stream | PipedStream | FfmpegStream:
    """Open a file that `check_file` has accepted, by FFmpeg if libsndfile can't decode all of it.

    Raises
    ------
    AudioError
        "not_audio", "unsupported_format" or "undecodable".
    """
    try:
        file = open_stream(path)
        if isinstance(file, Stream) and file.failure() and file.format == "OGG":
            with suppress(AudioError):
                return FfmpegStream(path, file.format)
        return file
    except soundfile.LibsndfileError as error:
        if name := other_format(path):
            return FfmpegStream(path, name)
        if error.code in _UNRECOGNISED:  # nor is it for FFmpeg, which would follow a playlist
            raise AudioError("not_audio") from None
        with suppress(AudioError):
            return FfmpegStream(path, "a file")
        raise AudioError("undecodable", _reason(error)) from None


def _reason(error: soundfile.LibsndfileError) -> str:
    return error.error_string.strip().rstrip(".")


def _power(samples: np.ndarray) -> float:
    """Mean square; NaN or infinite if a sample is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.dot(samples, samples)) / len(samples)
