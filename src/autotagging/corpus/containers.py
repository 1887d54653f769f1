"""Storage of the clips of a corpus: a zip, whole or in parts, or folders (sec. II.A)."""

import hashlib
import io
import lzma
import os
import stat
import zipfile
import zlib
from bisect import bisect_right
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any
from unicodedata import normalize

from autotagging.common.errors import UserError
from autotagging.corpus.paths import CLIP_PATH, choose_folder, normal_form, split_name

_CHUNK = 1 << 20
# A piece of an entry, so that what one step of decompression makes of a few bytes is bounded.
_PIECE = 1 << 12
# RuntimeError: an unsupported compression or a password; ValueError: a name that is not text.
_DAMAGED_ENTRY = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)
_DAMAGED_ENTRY += (RuntimeError, ValueError)
# Not bzip2: zipfile expands whole blocks of it, and 200 bytes may hold 300 megabytes.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
_ENCRYPTED, _UTF_8 = 0x1, 0x800  # flags of an entry


class BadClipError(Exception):
    """A clip that can't be used; its text is one of `autotagging.mel.front_end.STATUSES`."""


class _JoinedParts(io.RawIOBase):
    """The parts of a file, read as one file."""

    def __init__(self, parts: list[Path]):
        self._files = [part.open("rb") for part in parts]
        sizes = [part.stat().st_size for part in parts]
        self._starts = [0, *accumulate(sizes)]
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
        names = ", ".join(part.name for part in parts)
        try:
            self._zip = zipfile.ZipFile(io.BufferedReader(_JoinedParts(parts), 1 << 17))
        except (zipfile.BadZipFile, RuntimeError, ValueError) as error:
            raise UserError(
                f"{parts[0].parent}: {names} is not a whole zip ({error}); download it again"
            ) from error
        self._entries = _clip_entries(self._zip, parts[0].with_name(names))

    def first_name(self) -> str | None:
        """Name of the first file; None if there is none."""
        return next((name for name in self._zip.namelist() if not name.endswith("/")), None)

    def sizes(self) -> dict[str, int]:
        """Size of each clip in bytes, by mp3_path."""
        return {path: entry.file_size for path, entry in self._entries.items()}

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing."""
        entry = self._entries.get(normal_form(mp3_path))
        return None if entry is None else entry.file_size

    def crc32(self, mp3_path: str) -> int | None:
        """CRC-32 of one clip's file; None if it is missing."""
        entry = self._entries.get(normal_form(mp3_path))
        return None if entry is None else entry.CRC

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes and SHA-256."""
        digest = hashlib.sha256()
        for part in self._parts:
            with part.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        return {
            "files": [part.name for part in self._parts],
            "bytes": sum(part.stat().st_size for part in self._parts),
            "sha256": digest.hexdigest(),
        }

    def read(self, mp3_path: str, *, most_bytes: float) -> bytes:
        """Read one clip's file without decoding it, and no more than the size that is declared.

        Raises
        ------
        BadClipError
            "missing", "too_long" (more than `most_bytes`), "undecodable" or "unreadable".
        """
        entry = self._entries.get(normal_form(mp3_path))
        if entry is None:
            raise BadClipError("missing")
        if entry.file_size > most_bytes:
            raise BadClipError("too_long")
        try:
            with self._zip.open(entry) as file:
                return b"".join(iter(lambda: file.read(_PIECE), b""))
        except _DAMAGED_ENTRY:
            raise BadClipError("undecodable") from None


def _clip_entries(archive: zipfile.ZipFile, where: Path) -> dict[str, zipfile.ZipInfo]:
    """Find the entries of the clips, by mp3_path.

    Raises
    ------
    UserError
        It is not clear which entry is that of a clip, or the entries can't be read.
    """
    found: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for entry in archive.infolist():
        if split := split_name(_entry_name(entry)):
            folder, mp3_path = split
            clips = found.setdefault(folder, {})
            if clips.setdefault(mp3_path, entry).CRC != entry.CRC:
                raise UserError(f"{where}: two different files are {mp3_path}; keep one of them")
    entries = found.get(choose_folder(found, where), {})
    _check_methods(entries, where)
    return entries


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Name of an entry; some programs write UTF-8 without the flag that says so."""
    name = entry.filename
    if not entry.flag_bits & _UTF_8:
        with suppress(UnicodeError):
            return name.encode("cp437").decode()
    return name


def _check_methods(entries: dict[str, zipfile.ZipInfo], where: Path) -> None:
    """Raise UserError if clips are encrypted, elsewhere, or compressed by another method."""
    faults = {}
    for path, entry in entries.items():
        if entry.flag_bits & _ENCRYPTED:
            faults[path] = "encrypted"
        elif entry.volume:
            faults[path] = "in a volume that is missing"
        elif entry.compress_type not in _METHODS:
            method = zipfile.compressor_names.get(entry.compress_type, "unknown")
            faults[path] = f"compressed by method {entry.compress_type} ({method})"
    if faults:
        first = next(iter(faults))
        raise UserError(
            f"{where}: {len(faults)} of {len(entries)} clips can't be read, such as {first}, which "
            f"is {faults[first]}; unpack it, and zip it again, without password, in one file, by "
            "deflate"
        )


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
                f"{path}: a link that leaves the corpus {self._corpus}; replace it by a copy, or "
                "put both tables into its real folder and give that as `corpus`"
            )

    def first_name(self) -> str | None:
        """Name of the first file; None if there is none."""
        files = (path for path in sorted(self._folder.glob("[0-9a-f]/*")) if path.is_file())
        return next((path.relative_to(self._folder).as_posix() for path in files), None)

    def _path(self, mp3_path: str) -> Path:
        """Path of a clip's file, whichever way its umlauts are stored."""
        if mp3_path.isascii():
            return self._folder / mp3_path
        paths = (self._folder / normalize(form, mp3_path) for form in ("NFC", "NFD"))
        return next((path for path in paths if os.path.lexists(path)), self._folder / mp3_path)

    def sizes(self) -> dict[str, int]:
        """Size of each clip in bytes, by mp3_path."""
        sizes = {}
        for folder in sorted(self._folder.glob("[0-9a-f]/")):
            self._check_link(folder)
            for clip in sorted(folder.glob("*")):
                name = normal_form(f"{folder.name}/{clip.name}")
                if CLIP_PATH.fullmatch(name) and (size := self.size(name)) is not None:
                    sizes[name] = size
        return sizes

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing."""
        path = self._path(mp3_path)
        try:
            status = path.stat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        if path.is_symlink():
            self._check_link(path)
        return status.st_size

    def crc32(self, mp3_path: str) -> int | None:
        """CRC-32 of one clip's file; None if it is missing. The first call reads all clips."""
        return self._checksums.get(normal_form(mp3_path), ("", None))[1]

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes and SHA-256."""
        sizes = self.sizes()
        checksums = self._checksums
        listing = "".join(f"{checksums[path][0]} {path}\n" for path in sizes)
        return {
            "files": [f"{len(sizes)} clips in folders"],
            "bytes": sum(sizes.values()),
            "sha256": hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest(),
        }

    @cached_property
    def _checksums(self) -> dict[str, tuple[str, int | None]]:
        """SHA-256 and CRC-32 of each clip's file, by mp3_path."""
        return {path: _checksums_of(self._path(path)) for path in self.sizes()}

    def read(self, mp3_path: str, *, most_bytes: float) -> bytes:
        """Read one clip's file without decoding it.

        Raises
        ------
        BadClipError
            "missing", "too_long" (more than `most_bytes`), "undecodable" or "unreadable".
        """
        try:
            path = self._path(mp3_path)
            self._check_link(path)
            with open(path, "rb", opener=_open_at_once) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise BadClipError("unreadable")
                if status.st_size > most_bytes:
                    raise BadClipError("too_long")
                return file.read(status.st_size)
        except FileNotFoundError:
            raise BadClipError("missing") from None
        except (OSError, RuntimeError):  # up to Python 3.12, a loop of links is a RuntimeError
            raise BadClipError("unreadable") from None


def _checksums_of(path: Path) -> tuple[str, int | None]:
    """SHA-256 and CRC-32 of a file, read once; ("unreadable", None) if it can't be read."""
    digest, crc32 = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                crc32 = zlib.crc32(chunk, crc32)
    except OSError:
        return "unreadable", None
    return digest.hexdigest(), crc32
