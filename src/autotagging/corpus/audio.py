"""Read the clips of a corpus in MagnaTagATune's format (sec. II.A).

A corpus is a folder with annotations_final.csv, clip_info_final.csv and the audio: mp3.zip, its
parts mp3.zip.001, ..., or folders of mp3 files. Clips are read directly from the archive, and
never from outside the corpus.
"""

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.corpus.containers import ArchiveAudio, BadClipError, FolderAudio
from autotagging.corpus.mpeg import damaged_seconds
from autotagging.corpus.paths import (
    ARCHIVE,
    CLIP_PATH,
    archive_files,
    clip_folder,
    corpus_folder,
)

_LONGEST = 600.0  # seconds, of a clip that is not limited otherwise
_MOST_BYTES_PER_SECOND = 192_000 * 2 * 4  # the largest format in use: 192 kHz, stereo, float32
_UNRECOGNISED_FORMAT = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT
_CANCELLED = 1e-3  # of the power of the loudest channel: 30 dB less is left


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


class Corpus:
    """The tables and clips of one corpus folder, opened by `open_corpus`."""

    def __init__(self, folder: Path):
        self.folder = folder
        if archives := archive_files(folder):
            self._audio = ArchiveAudio(archives)
        elif root := clip_folder(folder):
            self._audio = FolderAudio(root, corpus=folder)
        else:
            raise UserError(
                f"{folder}: no audio; expected {ARCHIVE}, its parts {ARCHIVE}.001, ..., "
                "or folders 0 to f of mp3 files"
            )

    def sizes(self) -> dict[str, int]:
        """Size of each existing clip in bytes, by mp3_path."""
        return self._audio.sizes()

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing. No other clip is looked up."""
        return self._audio.size(mp3_path)

    def crc32(self, mp3_path: str) -> int | None:
        """CRC-32 of one clip's file; None if it is missing. The first call may read all clips."""
        return self._audio.crc32(mp3_path)

    def first_name(self) -> str | None:
        """Name of the first file, whether or not it is a clip; None if there is none."""
        return self._audio.first_name()

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes, and the SHA-256 of the archive or of all clips."""
        return self._audio.fingerprint()

    def encoded(
        self, mp3_path: str, *, longest: float = _LONGEST, crc32: int | None = None
    ) -> bytes:
        """Read one clip's file without decoding it.

        Parameters
        ----------
        mp3_path, longest, crc32
            See `decode`, which also lists the errors that are raised before decoding.
        """
        if not CLIP_PATH.fullmatch(mp3_path):
            raise UserError(f"mp3_path {mp3_path!r} is not like 0/name.mp3; nothing was opened")
        encoded = self._audio.read(mp3_path, most_bytes=longest * _MOST_BYTES_PER_SECOND)
        if crc32 is not None and zlib.crc32(encoded) != crc32:
            raise UserError(
                f"{self.folder}: {mp3_path} has changed since the download; run `snakemake --cores "
                "all --forcerun download`"
            )
        if not encoded:
            raise BadClipError("empty")
        return encoded

    def decode(
        self, mp3_path: str, *, longest: float = _LONGEST, crc32: int | None = None
    ) -> Decoded:
        """Decode one clip, up to the length in its header, and average its channels.

        Parameters
        ----------
        mp3_path
            The clip's path as in the annotations, such as "f/artist-album-01-title-0-29.mp3".
        longest
            Maximum length to decode, in seconds (plus one sample), which bounds the memory.
        crc32
            CRC-32 that the clip's file must have; None: any.

        Raises
        ------
        BadClipError
            "missing", "unreadable", "empty", "not_audio", "undecodable" (from the beginning) or
            "non_finite"; and "too_long" for more bytes, encoded or decoded, than `longest` seconds
            take in any common format.
        UserError
            The path is not of the form 0/name.mp3, or is a link that leaves the corpus, or the file
            has another checksum.
        """
        encoded = self.encoded(mp3_path, longest=longest, crc32=crc32)
        try:
            with soundfile.SoundFile(io.BytesIO(_with_data_size(encoded))) as file:
                rate, announced, subtype = file.samplerate, file.frames, file.subtype
                samples, whole = _read(file, longest)
        except soundfile.LibsndfileError as error:
            unknown = error.code == _UNRECOGNISED_FORMAT
            raise BadClipError("not_audio" if unknown else "undecodable") from None
        if not len(samples):
            raise BadClipError("undecodable")
        with np.errstate(over="ignore"):
            mono = _mono(samples)
            power = float(np.dot(mono, mono)) / len(mono)  # NaN if any sample is NaN
        if not np.isfinite(power):
            raise BadClipError("non_finite")
        damaged = damaged_seconds(encoded) if subtype == "MPEG_LAYER_III" else 0.0
        return Decoded(mono, rate, announced, power, whole, damaged)

    def waveform(self, mp3_path: str, *, sample_rate: int) -> np.ndarray:
        """Decode one clip, up to 10 minutes, and resample it.

        Parameters
        ----------
        mp3_path
            See `decode`, which also lists the errors.
        sample_rate
            Sample rate of the result, in Hz.

        Returns
        -------
        waveform : float32, (samples,)
            In the range -1 to 1, with the decoded length: lengths in headers are not trusted.
        """
        return self.decode(mp3_path).resampled(sample_rate)


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
    if 4 * file.channels * (length - 1) > longest * _MOST_BYTES_PER_SECOND:
        raise BadClipError("too_long")
    # After an error, libsndfile does not say how much it has written.
    samples = np.full((max(length, 0), file.channels), np.nan, np.float32)
    try:
        return file.read(out=samples, always_2d=True), True
    except soundfile.LibsndfileError:
        written = np.flatnonzero(~np.isnan(samples[:, 0]))
        return samples[: written[-1] + 1 if len(written) else 0], False


def _mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels; take the loudest one where they cancel each other."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    mono = samples.mean(axis=1)
    powers = np.einsum("ij,ij->j", samples, samples)
    if np.dot(mono, mono) < _CANCELLED * powers.max():
        return np.ascontiguousarray(samples[:, powers.argmax()])
    return mono


def _with_data_size(encoded: bytes) -> bytes:
    """Let the data of a WAV whose writer could not enter their size reach to the end.

    libsndfile does so for all other impossible sizes, but takes 0 for no data.
    """
    if encoded[:4] != b"RIFF" or encoded[8:12] != b"WAVE":
        return encoded
    start = 12
    while chunk := encoded[start : start + 8]:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            unknown = encoded[: start + 4] + b"\xff\xff\xff\xff" + encoded[start + 8 :]
            return encoded if size else unknown
        start += 8 + size + size % 2
    return encoded


def open_corpus(path: Path) -> Corpus:
    """Open a corpus folder, or the corpus that results/download refers to.

    Raises
    ------
    UserError
        There is no audio, or the archive is damaged.
    """
    audio = path / "audio.json"
    return Corpus(corpus_folder(read_json(audio)["corpus"]) if audio.exists() else path)
