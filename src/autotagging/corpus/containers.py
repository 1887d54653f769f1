"""Storage of the clips of a corpus: a zip, whole or in parts, or folders (sec. II.A)."""

import hashlib
import io
import lzma
import os
import stat
import zipfile
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import sha256
from autotagging.corpus.paths import ARCHIVE, CLIP_PATH

# The last three: an unsupported compression, a password, a name that is not text.
_DAMAGED_ENTRY = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)
_DAMAGED_ENTRY += (NotImplementedError, RuntimeError, ValueError)


class BadClipError(Exception):
    """A clip that can't be used; its text is one of `autotagging.mel.front_end.STATUSES`."""


class _JoinedParts(io.RawIOBase):
    """The parts of a file, read as one file."""

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


class ArchiveAudio:
    """Clips in a zip, whole or in parts; entries without the name of a clip are ignored."""

    def __init__(self, parts: list[Path]):
        self._parts = parts
        try:
            self._zip = zipfile.ZipFile(io.BufferedReader(_JoinedParts(parts), 1 << 17))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            names = ", ".join(part.name for part in parts)
            raise UserError(
                f"{parts[0].parent}: {names} is not a whole zip ({error}); download it again"
            ) from error
        # Some copies of the archive have the folders 0 to f inside a folder mp3.
        named = {entry.filename.removeprefix("mp3/"): entry for entry in self._zip.infolist()}
        self._entries = {name: named[name] for name in named if CLIP_PATH.fullmatch(name)}

    def sizes(self) -> dict[str, int]:
        """Size of each clip in bytes, by mp3_path."""
        return {path: entry.file_size for path, entry in self._entries.items()}

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing."""
        entry = self._entries.get(mp3_path)
        return None if entry is None else entry.file_size

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes and SHA-256."""
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
        """Read one clip's file without decoding it.

        Raises
        ------
        BadClipError
            "missing", "too_long" (more than `most_bytes`), "undecodable" or "unreadable".
        """
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


class FolderAudio:
    """Clips as files in folders 0 to f; links must stay inside the corpus."""

    def __init__(self, folder: Path, *, corpus: Path):
        self._folder = folder
        self._corpus = corpus.resolve()

    def _check_link(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self._corpus):
            raise UserError(
                f"{path}: a link that leaves the corpus {self._corpus}; replace it by a copy"
            )

    def sizes(self) -> dict[str, int]:
        """Size of each clip in bytes, by mp3_path."""
        sizes = {}
        for folder in sorted(self._folder.glob("[0-9a-f]/")):
            self._check_link(folder)
            for clip in sorted(folder.glob("*.mp3")):
                name = f"{folder.name}/{clip.name}"
                if CLIP_PATH.fullmatch(name) and (size := self.size(name)) is not None:
                    sizes[name] = size
        return sizes

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing."""
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
        """Describe the audio: files, bytes and SHA-256."""
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
        """Read one clip's file without decoding it.

        Raises
        ------
        BadClipError
            "missing", "too_long" (more than `most_bytes`), "undecodable" or "unreadable".
        """
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


def archive_files(folder: Path) -> list[Path]:
    """List the files of a corpus folder's archive: [mp3.zip], its parts in order, or []."""
    whole = folder / ARCHIVE
    if whole.exists():
        return [whole]
    parts = sorted(folder.glob(f"{ARCHIVE}.[0-9][0-9][0-9]"))
    for number, part in enumerate(parts, start=1):
        if part.suffix != f".{number:03}":
            raise UserError(f"{folder}: {ARCHIVE}.{number:03} is missing; download it again")
    return parts
