"""Write a shard of spectrograms so that the work can be interrupted and resumed at any time.

Unfinished files are outside results/, so that neither Snakemake nor DVC deletes them.
"""

import errno
import io
import math
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import flush_folder, replacing
from autotagging.common.locks import locked
from autotagging.corpus.opening import refuse_link

_DTYPE = np.dtype(np.float16)


class Row(NamedTuple):
    """The journal's entry for a row that has been written."""

    seconds: float
    status: str
    crc32: int

    def line(self) -> bytes:
        """Format the entry as a line that includes its own checksum."""
        text = f"{self.seconds!r} {self.status} {self.crc32}".encode()
        return b"%s %08x\n" % (text, zlib.crc32(text))

    @classmethod
    def parse(cls, line: bytes) -> "Row | None":
        """Read a line made by `line`; None if it is truncated or damaged."""
        text, _, checksum = line.rpartition(b" ")
        if checksum != b"%08x\n" % zlib.crc32(text):
            return None
        seconds, status, crc32 = text.decode().split(" ")
        return cls(float(seconds), status, int(crc32))


class UnfinishedShard:
    """An unfinished .npy file, and next to it a journal of the rows that are done.

    Parameters
    ----------
    path
        Path of the unfinished file.
    shape
        Shape of the array: (rows, mel bins, frames).
    fingerprint
        Hash of everything the content depends on. A file with another fingerprint is started anew.

    Attributes
    ----------
    rows
        The rows that are done, in order; what is in the file matches the journal.

    Raises
    ------
    UserError
        Another process is writing the same shard.
    """

    def __init__(self, path: Path, *, shape: tuple[int, int, int], fingerprint: str):
        self._path = path
        self._shape = shape
        self._row_bytes = math.prod(shape[1:]) * _DTYPE.itemsize
        header = io.BytesIO()
        layout = {"descr": _DTYPE.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, layout)
        self._start = header.tell()
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(locked(path.with_suffix(".lock"), str(path)))
            journal = path.with_suffix(".journal")
            self._journal = stack.enter_context(
                open(journal, "a+b", buffering=0, opener=refuse_link)
            )
            self._array = stack.enter_context(
                open(path, "r+b" if path.exists() else "w+b", buffering=0, opener=refuse_link)
            )
            self._open = stack.pop_all()
        self.rows: list[Row] = []
        self._write(header.getvalue(), 0)
        self._recover(f"{fingerprint}\n".encode())

    def close(self) -> None:
        """Close the files; unfinished files are kept."""
        self._open.close()

    def _recover(self, first_line: bytes) -> None:
        """Read the rows that are done, up to the first one that does not match the journal."""
        with self._path.with_suffix(".journal").open("rb") as journal:
            good = len(first_line) if journal.readline() == first_line else 0
            for line in journal if good else ():
                row = Row.parse(line)
                if row is None or zlib.crc32(self._read(len(self.rows))) != row.crc32:
                    break
                self.rows.append(row)
                good += len(line)
        self._journal.truncate(good)
        self._array.truncate(self._place(len(self.rows)))
        if not good:
            self._note(first_line)

    def _place(self, row: int) -> int:
        return self._start + row * self._row_bytes

    def _read(self, row: int) -> bytes:
        return os.pread(self._array.fileno(), self._row_bytes, self._place(row))

    def append(self, spectrogram: np.ndarray | None, *, seconds: float, status: str) -> None:
        """Write the next row, then its entry in the journal.

        Parameters
        ----------
        spectrogram : (mel bins, frames)
            Spectrogram of the clip; None: zeros.
        seconds, status
            Decoded length and status of the clip, for the journal.

        Raises
        ------
        UserError
            The row can't be written, for instance because the disk is full; earlier rows are kept.
        """
        if spectrogram is None:
            spectrogram = np.zeros(self._shape[1:])
        content = spectrogram.astype(_DTYPE).tobytes()
        row = Row(seconds, status, zlib.crc32(content))
        self._write(content, self._place(len(self.rows)))
        self._note(row.line())
        self.rows.append(row)

    def _write(self, content: bytes, offset: int) -> None:
        """Write into the array; on a nearly full disk, part of the content is written first."""
        with self._explained():
            while content:
                written = os.pwrite(self._array.fileno(), content, offset)
                content, offset = content[written:], offset + written

    def _note(self, line: bytes) -> None:
        with self._explained():
            while line:
                line = line[self._journal.write(line) :]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self._path}: {error.strerror}; the {len(self.rows)} of {self._shape[0]} clips "
                "that are done are kept; solve the problem and run the same command again"
            ) from error

    def finish(self, target: Path) -> None:
        """Move the file to its final place, once all rows are done and are on the disk.

        Raises
        ------
        UserError
            The file system can't store them: some say only now that a quota is exceeded.
        """
        with self._explained():
            for file in (self._array, self._journal):
                os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # another file system
                raise
            with replacing(target) as temporary:
                shutil.copyfile(self._path, temporary)
            self._path.unlink()
        flush_folder(target.parent)
        self._path.with_suffix(".journal").unlink()
        self.close()
