"""Journals: how files were before their tags were changed, as JSON lines.

The first line names the plan. Then, of each file, {"started": path of a copy} before that is made,
and {"path", "old_sha256", "new_sha256", "pieces", "atime_ns", "mtime_ns"} before the copy takes
its place: `pieces` describe the old file by the new one (`autotagging.tagging.delta`).
A line is on the disk before the file is changed, so a journal lacks no file at any time; a last
line that was not finished belongs to a file that was not changed. Where a copy could not take its
place, the line is removed again.
"""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.files import flush_folder, naming
from autotagging.common.locks import locked
from autotagging.tagging.delta import Piece, from_json, to_json
from autotagging.tagging.outcomes import Outcome, RefusedError

_VERSION = 1
_HEADER = b'{"journal": '
_STARTED = b'{"started": '
_LONGEST_HEADER = 100_000  # bytes
_NO_JOURNAL = ""


@dataclass(frozen=True)
class Entry:
    """A file as it was, and what it was replaced by.

    Attributes
    ----------
    path
        Absolute path without links.
    old_sha256, new_sha256
        SHA-256 of the whole file.
    pieces
        Description of the old file by the new one.
    atime_ns, mtime_ns
        Times of the old file, in nanoseconds since 1970.
    """

    path: str
    old_sha256: str
    new_sha256: str
    pieces: list[Piece]
    atime_ns: int
    mtime_ns: int


class Journal:
    """A journal that is being written, for one plan.

    Parameters
    ----------
    path
        File of the journal; lines are appended to one that is there.
    plan
        Name of the plan.
    plan_sha256
        SHA-256 of the plan.

    Raises
    ------
    UserError
        The file that is there is no journal of this plan.
    OSError
        It can't be written.
    """

    def __init__(self, path: Path, plan: str, plan_sha256: str):
        self.path = path
        found = _plan_of(path)
        if found not in (None, plan_sha256):
            raise UserError(f"{path}: not the journal of {plan}; give another name by --journal")
        self._file = path.open("ab", buffering=0)
        try:
            self._file.truncate(path.read_bytes().rfind(b"\n") + 1)  # the complete lines
            if found is None:
                with naming(path):
                    self._append({"journal": _VERSION, "plan": plan, "plan_sha256": plan_sha256})
                    os.fsync(self._file.fileno())
                flush_folder(path.parent)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def started(self, copy: str) -> None:
        """Note that the copy of a file is about to be made."""
        self._append({"started": copy})

    @contextmanager
    def replacing(self, entry: Entry, copy: Path) -> Iterator[None]:
        """Note a file as it is, on the disk, before its copy takes its place within the block.

        The note is removed if an error keeps the copy from that.
        """
        end = self._file.seek(0, os.SEEK_END)
        try:
            self._append({**asdict(entry), "pieces": to_json(entry.pieces)})
            os.fsync(self._file.fileno())
            yield
        except (OSError, RefusedError):
            with suppress(OSError):  # `undo` then says that the file is as it was, or was changed
                if copy.exists():
                    self._file.truncate(end)
                    os.fsync(self._file.fileno())
            raise

    def _append(self, content: dict[str, Any]) -> None:
        """Write a line, or nothing of it."""
        end = self._file.seek(0, os.SEEK_END)
        rest = memoryview(json.dumps(content).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            with suppress(OSError):
                self._file.truncate(end)
            raise


def journal_path(plan: Path, plan_sha256: str) -> Path:
    """Choose the journal of a plan: its own if there is one, otherwise a new one.

    It is next to the plan: of plan.jsonl, plan.journal.jsonl or plan.journal-2.jsonl, ...
    """
    number = 1
    while True:
        count = "" if number == 1 else f"-{number}"
        path = plan.with_name(f"{plan.stem}.journal{count}{plan.suffix}")
        if not path.exists() or _plan_of(path) == plan_sha256:
            return path
        number += 1


def lock_journal(path: Path) -> AbstractContextManager[None]:
    """Hold the journal; UserError if another process does."""
    return locked(path.with_name(f"{path.name}.lock"), str(path))


def read_journal(path: Path) -> Iterator[Entry | Outcome]:
    """Read the entries of a journal, the last one first.

    Returns
    -------
    entries
        Of each, a replaced file, or for a damaged line an outcome of "damaged_line".

    Raises
    ------
    UserError
        The file is no journal.
    OSError
        It can't be read.
    """
    if _plan_of(path) == _NO_JOURNAL:
        raise UserError(f"{path}: not a journal of `autotagging apply`")
    return _entries(path)


def _entries(path: Path) -> Iterator[Entry | Outcome]:
    with path.open("rb") as file:
        lines = [*enumerate(file, start=1)]
    for number, line in reversed(lines[1:]):
        if line.startswith(_STARTED) or not line.endswith(b"\n"):
            continue
        try:
            yield _entry(json.loads(line))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            message = f"not a line of a journal ({error})"
            yield Outcome(f"{path}, line {number}", "damaged_line", message)


def started_copies(path: Path) -> Iterator[Path]:
    """Yield the paths of the copies that were about to be made."""
    with path.open("rb") as file:
        for line in file:
            if line.startswith(_STARTED):
                with suppress(TypeError, ValueError, RecursionError):
                    yield Path(json.loads(line)["started"])


def _plan_of(path: Path) -> str | None:
    """SHA-256 of the plan of a journal; _NO_JOURNAL of other files; None if there is no line."""
    if path.exists() and not path.is_file():  # a FIFO would be waited for
        return _NO_JOURNAL
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
    except FileNotFoundError:
        return None
    if not line.endswith(b"\n"):  # empty, or the first line was cut
        return None if line.startswith(_HEADER[: len(line)]) else _NO_JOURNAL
    try:
        header = json.loads(line)
        return header["plan_sha256"] if header["journal"] == _VERSION else _NO_JOURNAL
    except (ValueError, TypeError, KeyError, RecursionError):
        return _NO_JOURNAL


def _entry(content: Any) -> Entry:
    """Check a line of a journal; KeyError, TypeError or ValueError if it is none."""
    entry = Entry(**{**content, "pieces": from_json(content["pieces"])})
    texts = (entry.path, entry.old_sha256, entry.new_sha256)
    if not all(isinstance(text, str) for text in texts) or not os.path.isabs(entry.path):
        raise ValueError("no path or checksum")
    if b"\0" in os.fsencode(entry.path):  # itself a ValueError for what no name can be
        raise ValueError("no path")
    if not _is_time(entry.atime_ns) or not _is_time(entry.mtime_ns):
        raise ValueError("no times")
    return entry


def _is_time(nanoseconds: Any) -> bool:
    """Whether the system can give a file this time, which may be before 1970 or after 2262."""
    return type(nanoseconds) is int and -(2**63) <= nanoseconds // 10**9 < 2**63
