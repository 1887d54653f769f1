"""Read the clips of a corpus in MagnaTagATune's format (sec. II.A).

A corpus is a folder with annotations_final.csv, clip_info_final.csv and the audio: mp3.zip, its
parts mp3.zip.001, ..., or folders of mp3 files. Clips are read straight out of the archive, and
never from outside the corpus.
"""

import hashlib
import io
import os
import zipfile
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from autotagging.errors import UserError
from autotagging.files import read_json, sha256
from autotagging.layout import ARCHIVE, CLIP_PATH, corpus_folder


class BadClipError(Exception):
    """A clip that can't be used; its text is one of the statuses of `extract_mel`."""


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
        except zipfile.BadZipFile as error:
            names = ", ".join(part.name for part in parts)
            raise UserError(
                f"{parts[0].parent}: {names} is not a whole zip ({error}); get it again"
            ) from error
        # Some copies of the archive hold the folders 0 to f below one called mp3.
        named = {entry.filename.removeprefix("mp3/"): entry for entry in self._zip.infolist()}
        self._entries = {name: named[name] for name in named if CLIP_PATH.fullmatch(name)}

    def sizes(self) -> dict[str, int]:
        return {path: entry.file_size for path, entry in self._entries.items()}

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

    def read(self, mp3_path: str) -> bytes:
        try:
            return self._zip.read(self._entries[mp3_path])
        except KeyError:
            raise BadClipError("missing") from None
        # The last two: a compression that Python lacks, a password.
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise BadClipError("undecodable") from None


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
        for folder in sorted(self._folder.glob("[0-9a-f]")):
            self._check_link(folder)
            for clip in sorted(folder.glob("*.mp3")):
                if clip.is_symlink():
                    self._check_link(clip)
                if clip.is_file() and CLIP_PATH.fullmatch(name := f"{folder.name}/{clip.name}"):
                    sizes[name] = clip.stat().st_size
        return sizes

    def fingerprint(self) -> dict[str, Any]:
        sizes = self.sizes()
        listing = "".join(f"{sha256(self._folder / path)} {path}\n" for path in sizes)
        return {
            "files": [f"{len(sizes)} clips in folders"],
            "bytes": sum(sizes.values()),
            "sha256": hashlib.sha256(listing.encode()).hexdigest(),
        }

    def read(self, mp3_path: str) -> bytes:
        self._check_link(self._folder / mp3_path)
        try:
            return (self._folder / mp3_path).read_bytes()
        except OSError:
            raise BadClipError("missing") from None


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

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes, and the sha256 of the archive or of all clips'."""
        return self._audio.fingerprint()

    def waveform(self, mp3_path: str, *, sample_rate: int) -> np.ndarray:
        """Decode one clip, average its channels and resample it (soxr, high quality).

        Parameters
        ----------
        mp3_path
            The clip's path as in the annotations, such as "f/artist-album-01-title-0-29.mp3".
        sample_rate
            Of the result, in Hz.

        Returns
        -------
        waveform : float32, (samples,)
            In the range -1 to 1, as long as what could be decoded: header lengths are not trusted.

        Raises
        ------
        BadClipError
            "missing", "empty", "undecodable" or "non_finite".
        UserError
            The path is not of the form 0/name.mp3, or a link that leaves the corpus.
        """
        if not CLIP_PATH.fullmatch(mp3_path):
            raise UserError(f"mp3_path {mp3_path!r} is not like 0/name.mp3; nothing was opened")
        encoded = self._audio.read(mp3_path)
        if not encoded:
            raise BadClipError("empty")
        try:
            waveform, original_rate = soundfile.read(
                io.BytesIO(encoded), dtype="float32", always_2d=True
            )
        except soundfile.SoundFileError:
            raise BadClipError("undecodable") from None
        if not len(waveform):
            raise BadClipError("undecodable")
        if not np.isfinite(waveform).all():
            raise BadClipError("non_finite")
        return soxr.resample(waveform.mean(axis=1), original_rate, sample_rate, quality="HQ")


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
