"""Read the clips of a corpus in MagnaTagATune's format (sec. II.A).

A corpus is a folder with annotations_final.csv, clip_info_final.csv and the audio: mp3.zip, its
parts mp3.zip.001, ..., or folders of mp3 files. Clips are read directly from the archive, and
never from outside the corpus.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.corpus.containers import ArchiveAudio, BadClipError, FolderAudio, archive_files
from autotagging.corpus.paths import ARCHIVE, CLIP_PATH, corpus_folder

_LONGEST = 600.0  # seconds, of a clip that is not limited otherwise
_MOST_BYTES_PER_SECOND = 192_000 * 2 * 4  # the largest format in use: 192 kHz, stereo, float32
_UNRECOGNISED_FORMAT = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT


@dataclass(frozen=True)
class Decoded:
    """A decoded audio file.

    Attributes
    ----------
    waveform : float32, (samples,)
        The mean of the channels, in the range -1 to 1.
    sample_rate
        Sample rate of the waveform, in Hz.
    announced
        Number of samples given in the file's header; in MP3 an estimate, often a little too high.
    power
        Mean square of the waveform.
    """

    waveform: np.ndarray
    sample_rate: int
    announced: int
    power: float

    def resampled(self, sample_rate: int) -> np.ndarray:
        """Resample with soxr in high quality, librosa's default: float32, (samples,)."""
        return soxr.resample(self.waveform, self.sample_rate, sample_rate, quality="HQ")


class Corpus:
    """The tables and clips of one corpus folder, opened by `open_corpus`."""

    def __init__(self, folder: Path):
        self.folder = folder
        if archives := archive_files(folder):
            self._audio = ArchiveAudio(archives)
        elif any(root := sub for sub in (folder, folder / "mp3") if any(sub.glob("[0-9a-f]/"))):
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

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes, and the SHA-256 of the archive or of all clips."""
        return self._audio.fingerprint()

    def encoded(self, mp3_path: str, *, longest: float = _LONGEST) -> bytes:
        """Read one clip's file without decoding it.

        Parameters
        ----------
        mp3_path, longest
            See `decode`, which also lists the errors that are raised before decoding.
        """
        if not CLIP_PATH.fullmatch(mp3_path):
            raise UserError(f"mp3_path {mp3_path!r} is not like 0/name.mp3; nothing was opened")
        encoded = self._audio.read(mp3_path, most_bytes=longest * _MOST_BYTES_PER_SECOND)
        if not encoded:
            raise BadClipError("empty")
        return encoded

    def decode(self, mp3_path: str, *, longest: float = _LONGEST) -> Decoded:
        """Decode one clip, up to the length in its header, and average its channels.

        Parameters
        ----------
        mp3_path
            The clip's path as in the annotations, such as "f/artist-album-01-title-0-29.mp3".
        longest
            Maximum length to decode, in seconds (plus one sample), which bounds the memory.

        Raises
        ------
        BadClipError
            "missing", "unreadable", "empty", "not_audio", "undecodable" or "non_finite"; and
            "too_long" for a file with more bytes than `longest` seconds in any common format.
        UserError
            The path is not of the form 0/name.mp3, or is a link that leaves the corpus.
        """
        encoded = self.encoded(mp3_path, longest=longest)
        try:
            with soundfile.SoundFile(io.BytesIO(encoded)) as file:
                rate, announced = file.samplerate, file.frames
                samples = file.read(int(longest * rate) + 1, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            unknown = error.code == _UNRECOGNISED_FORMAT
            raise BadClipError("not_audio" if unknown else "undecodable") from None
        if not len(samples):
            raise BadClipError("undecodable")
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
        power = float(np.dot(mono, mono)) / len(mono)  # NaN if any sample is NaN
        if not np.isfinite(power):
            raise BadClipError("non_finite")
        return Decoded(mono, rate, announced, power)

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


def open_corpus(path: Path) -> Corpus:
    """Open a corpus folder, or the corpus that results/download refers to.

    Raises
    ------
    UserError
        There is no audio, or the archive is damaged.
    """
    audio = path / "audio.json"
    return Corpus(corpus_folder(read_json(audio, corpus=str)["corpus"]) if audio.exists() else path)
