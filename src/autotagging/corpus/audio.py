"""Read the clips of a corpus in MagnaTagATune's format (sec. II.A).

A corpus is a folder with annotations_final.csv, clip_info_final.csv and the audio: mp3.zip, its
parts mp3.zip.001, ..., or folders of mp3 files. Clips are read straight out of the archive, and
never from outside the corpus.
"""

import hashlib
import io
import lzma
import os
import stat
import zipfile
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from autotagging.common.errors import UserError
from autotagging.common.files import read_json, sha256
from autotagging.corpus.paths import ARCHIVE, CLIP_PATH, corpus_folder

_MOST_BYTES_PER_SECOND = 192_000 * 2 * 4  # the largest format in use: 192 kHz, stereo, float32
# The last three: a compression that Python lacks, a password, a name that is no text.
_DAMAGED_ENTRY = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)
_DAMAGED_ENTRY += (NotImplementedError, RuntimeError, ValueError)
_UNRECOGNISED_FORMAT = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT


class BadClipError(Exception):
    """A clip that can't be used; its text is one of `extraction.STATUSES`."""


@dataclass(frozen=True)
class Decoded:
    """What came out of an audio file.

    Attributes
    ----------
    waveform : float32, (samples,)
        The mean of the channels, in the range -1 to 1.
    sample_rate
        Of the waveform, in Hz.
    announced
        Samples that the file's header promises; in MP3 an estimate, and often a little more.
    power
        Mean square of the waveform.
    """

    waveform: np.ndarray
    sample_rate: int
    announced: int
    power: float

    def resampled(self, sample_rate: int) -> np.ndarray:
        """Resample the waveform by soxr's high quality, librosa's default: float32, (samples,)."""
        return soxr.resample(self.waveform, self.sample_rate, sample_rate, quality="HQ")


class _JoinedParts(io.RawIOBase):
    """The files that one file was cut into, read as that one file."""

    def __init__(self, parts: list[Path]):
        self._files = [part.open("rb") for part in parts]
        sizes = [part.stat().st_size for part in parts]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}
        self._position = origin[whence] + offset
        return self._position

    def readinto(self, buffer) -> int:
        if self._position >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, self._position) - 1
        self._files[part].seek(self._position - self._starts[part])
        count = self._files[part].readinto(buffer)
        self._position += count
        return count

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()


class _ArchiveAudio:
    """Clips inside a zip, whole or in parts; entries with another name than a clip's are none."""

    def __init__(self, parts: list[Path]):
        self._parts = parts
        try:
            self._zip = zipfile.ZipFile(io.BufferedReader(_JoinedParts(parts), 1 << 17))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            names = ", ".join(part.name for part in parts)
            raise UserError(
                f"{parts[0].parent}: {names} is not a whole zip ({error}); get it again"
            ) from error
        # Some copies of the archive hold the folders 0 to f below one called mp3.
        named = {entry.filename.removeprefix("mp3/"): entry for entry in self._zip.infolist()}
        self._entries = {name: named[name] for name in named if CLIP_PATH.fullmatch(name)}

    def sizes(self) -> dict[str, int]:
        return {path: entry.file_size for path, entry in self._entries.items()}

    def size(self, mp3_path: str) -> int | None:
        entry = self._entries.get(mp3_path)
        return None if entry is None else entry.file_size

    def fingerprint(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        for part in self._parts:
            with part.open("rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        return {
            "files": [part.name for part in self._parts],
            "bytes": sum(part.stat().st_size for part in self._parts),
            "sha256": digest.hexdigest(),
        }

    def read(self, mp3_path: str, *, most_bytes: float) -> bytes:
        if mp3_path not in self._entries:
            raise BadClipError("missing")
        entry = self._entries[mp3_path]
        if entry.file_size > most_bytes:
            raise BadClipError("too_long")
        try:
            return self._zip.read(entry)
        except _DAMAGED_ENTRY:
            raise BadClipError("undecodable") from None


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for the other end of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)


class _FolderAudio:
    """Clips as files below folders 0 to f; a link must lead to a place in the corpus."""

    def __init__(self, folder: Path, *, corpus: Path):
        self._folder = folder
        self._corpus = corpus.resolve()

    def _check_link(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self._corpus):
            raise UserError(
                f"{path}: a link that leaves the corpus {self._corpus}; put what it leads to there"
            )

    def sizes(self) -> dict[str, int]:
        sizes = {}
        for folder in sorted(self._folder.glob("[0-9a-f]/")):
            self._check_link(folder)
            for clip in sorted(folder.glob("*.mp3")):
                name = f"{folder.name}/{clip.name}"
                if CLIP_PATH.fullmatch(name) and (size := self.size(name)) is not None:
                    sizes[name] = size
        return sizes

    def size(self, mp3_path: str) -> int | None:
        path = self._folder / mp3_path
        try:
            status = path.stat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        if path.is_symlink():
            self._check_link(path)
        return status.st_size

    def fingerprint(self) -> dict[str, Any]:
        sizes = self.sizes()
        listing = "".join(f"{self._digest(path)} {path}\n" for path in sizes)
        return {
            "files": [f"{len(sizes)} clips in folders"],
            "bytes": sum(sizes.values()),
            "sha256": hashlib.sha256(listing.encode()).hexdigest(),
        }

    def _digest(self, mp3_path: str) -> str:
        try:
            return sha256(self._folder / mp3_path)
        except OSError:
            return "unreadable"

    def read(self, mp3_path: str, *, most_bytes: float) -> bytes:
        path = self._folder / mp3_path
        try:
            self._check_link(path)
            with open(path, "rb", opener=_open_at_once) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise BadClipError("unreadable")
                if status.st_size > most_bytes:
                    raise BadClipError("too_long")
                return file.read()
        except FileNotFoundError:
            raise BadClipError("missing") from None
        except (OSError, RuntimeError):  # up to Python 3.12, a loop of links is a RuntimeError
            raise BadClipError("unreadable") from None


class Corpus:
    """The tables and clips of one corpus folder; made by `open_corpus`."""

    def __init__(self, folder: Path):
        self.folder = folder
        if archives := archive_files(folder):
            self._audio = _ArchiveAudio(archives)
        elif any(root := sub for sub in (folder, folder / "mp3") if any(sub.glob("[0-9a-f]/"))):
            self._audio = _FolderAudio(root, corpus=folder)
        else:
            raise UserError(
                f"{folder}: no audio; expected {ARCHIVE}, its parts {ARCHIVE}.001, ..., "
                "or folders 0 to f of mp3 files"
            )

    def sizes(self) -> dict[str, int]:
        """Bytes of each clip that is there, by its mp3_path."""
        return self._audio.sizes()

    def size(self, mp3_path: str) -> int | None:
        """Bytes of one clip; None if it is not there. Only this clip is looked for."""
        return self._audio.size(mp3_path)

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes, and the sha256 of the archive or of all clips'."""
        return self._audio.fingerprint()

    def encoded(self, mp3_path: str, *, longest: float = 600.0) -> bytes:
        """Read one clip's file as it is: MP3, if it is what it should be.

        Parameters
        ----------
        mp3_path, longest
            As in `decode`, which says what is raised before anything is decoded.
        """
        if not CLIP_PATH.fullmatch(mp3_path):
            raise UserError(f"mp3_path {mp3_path!r} is not like 0/name.mp3; nothing was opened")
        encoded = self._audio.read(mp3_path, most_bytes=longest * _MOST_BYTES_PER_SECOND)
        if not encoded:
            raise BadClipError("empty")
        return encoded

    def decode(self, mp3_path: str, *, longest: float = 600.0) -> Decoded:
        """Decode one clip, as far as its header says, and average its channels.

        Parameters
        ----------
        mp3_path
            The clip's path as in the annotations, such as "f/artist-album-01-title-0-29.mp3".
        longest
            No more than so many seconds, and one sample, are decoded, so memory is bounded.

        Raises
        ------
        BadClipError
            "missing", "unreadable", "empty", "not_audio", "undecodable" or "non_finite"; and
            "too_long" for more bytes than `longest` seconds have in any common format.
        UserError
            The path is not of the form 0/name.mp3, or a link that leaves the corpus.
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
        power = float(np.dot(mono, mono)) / len(mono)  # NaN where one sample is
        if not np.isfinite(power):
            raise BadClipError("non_finite")
        return Decoded(mono, rate, announced, power)

    def waveform(self, mp3_path: str, *, sample_rate: int) -> np.ndarray:
        """Decode one clip, of 10 minutes at most, and resample it.

        Parameters
        ----------
        mp3_path
            As in `decode`, which says what is raised.
        sample_rate
            Of the result, in Hz.

        Returns
        -------
        waveform : float32, (samples,)
            In the range -1 to 1, as long as what could be decoded: header lengths are not trusted.
        """
        return self.decode(mp3_path).resampled(sample_rate)


def open_corpus(path: Path) -> Corpus:
    """Open a corpus folder, or the one that results/download speaks of.

    Raises
    ------
    UserError
        There is no audio, or the archive is damaged.
    """
    audio = path / "audio.json"
    return Corpus(corpus_folder(read_json(audio)["corpus"]) if audio.exists() else path)


def archive_files(folder: Path) -> list[Path]:
    """List a corpus folder's archive in order: [mp3.zip], its parts, or [] where there is none."""
    whole = folder / ARCHIVE
    if whole.exists():
        return [whole]
    parts = sorted(folder.glob(f"{ARCHIVE}.[0-9][0-9][0-9]"))
    for number, part in enumerate(parts, start=1):
        if part.suffix != f".{number:03}":
            raise UserError(f"{folder}: {ARCHIVE}.{number:03} is missing; get it again")
    return parts
