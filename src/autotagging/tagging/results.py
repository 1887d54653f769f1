"""Results of songs in a file of JSON lines, to which each song is added as it is done.

An interrupted run has lost nothing but the songs that it was at: a line is written at once, and a
line that was cut off is removed by the next run. A damaged one counts as none.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from autotagging.common.errors import UserError
from autotagging.common.files import naming
from autotagging.common.locks import locked
from autotagging.tagging.bundle import Description

_START = b'{"path": "'
_LONGEST = 1e9  # seconds


@dataclass(frozen=True)
class Settings:
    """What a result depends on besides the audio.

    Attributes
    ----------
    description
        The tagger.
    hop
        Seconds from the beginning of a window to that of the next.
    excerpts
        Number of windows that are scored; None: the whole song.
    keep_windows
        Whether the scores of the windows are wanted.
    """

    description: Description
    hop: float
    excerpts: int | None = None
    keep_windows: bool = False

    def fits(self, result: dict[str, Any]) -> bool:
        """Tell whether a result was made in the same way; thresholds may have changed."""
        scores = result.get("scores")
        return (
            "error" not in result
            and isinstance(scores, dict)
            and scores.keys() == {*self.description.tags}
            and result.get("model") == self.description.digest
            and result.get("hop") == self.hop
            and result.get("excerpts") == self.excerpts
            and (not self.keep_windows or "window_scores" in result)
        )


@dataclass(frozen=True)
class _Line:
    """Where the last result of a file is, and what is needed to tell whether it still holds."""

    position: int
    file: tuple[int, int] | None
    fits: bool


class Results:
    """The results of a run and of earlier ones.

    Parameters
    ----------
    path
        File of JSON lines, which is made if it does not exist; None: a temporary one.
    settings
        How songs are tagged.

    Raises
    ------
    UserError
        The file has other content, or another run is writing to it.
    """

    def __init__(self, path: Path | None, settings: Settings):
        self._path = path
        self._settings = settings
        self._lines: dict[str, _Line] = {}
        self._by_audio: dict[str, int] = {}
        self._open = ExitStack()
        self._file = self._opened()
        try:
            for position, result in _lines(self._file, self._path):
                self._note(position, result)
        except BaseException:
            self._open.close()
            raise

    def _opened(self) -> BinaryIO:
        if self._path is None:
            return self._open.enter_context(TemporaryFile())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(f".{self._path.name}.lock")
        self._open.enter_context(locked(lock, str(self._path)))
        try:
            return self._open.enter_context(self._path.open("a+b"))
        except BaseException:
            self._open.close()
            raise

    def close(self) -> None:
        """Close the file; a temporary one is deleted."""
        self._open.close()

    @property
    def audio(self) -> frozenset[str]:
        """SHA-256 of the audio that has a result."""
        return frozenset(self._by_audio)

    def holds(self, song: Path) -> bool:
        """Tell whether the song has a result and its file has not changed since.

        If only thresholds have changed, its tags are chosen anew.
        """
        line = self._lines.get(_key(song))
        if line is None or not line.fits or line.file is None or line.file != _identity(song):
            return False
        result = self._read(line.position)
        tags = self._settings.description.chosen(result["scores"])
        if tags != result.get("tags"):
            self._append({**result, "tags": tags})
        return True

    def add(self, song: Path, result: dict[str, Any]) -> None:
        """Write the result of a song.

        Parameters
        ----------
        song
            Its path.
        result
            From `pool.tag_songs`; for known audio, the earlier result is taken.
        """
        if result.pop("known", False):
            earlier = self._read(self._by_audio[result["audio_sha256"]])
            tags = self._settings.description.chosen(earlier["scores"])
            result = {**earlier, **result, "tags": tags}
        self._append({**result, "path": _key(song)})

    def of(self, songs: Iterable[Path]) -> Iterator[dict[str, Any]]:
        """Read the last result of each song, in this order; songs without one are left out."""
        for song in songs:
            if line := self._lines.get(_key(song)):
                yield self._read(line.position)

    def _append(self, result: dict[str, Any]) -> None:
        position = self._file.seek(0, os.SEEK_END)
        with naming(self._path or Path("temporary file")):
            self._file.write(to_line(result))
            self._file.flush()
        self._note(position, result)

    def _note(self, position: int, result: dict[str, Any]) -> None:
        audio, fits = result.get("audio_sha256"), self._settings.fits(result)
        identity = (result.get("bytes"), result.get("mtime_ns"))
        file = identity if None not in identity else None
        self._lines[result["path"]] = _Line(position, file, fits)
        if audio and fits:
            self._by_audio[audio] = position

    def _read(self, position: int) -> dict[str, Any]:
        self._file.seek(position)
        return json.loads(self._file.readline())


def to_line(result: dict[str, Any]) -> bytes:
    """Write a result as a line of JSON, in UTF-8; a path that is not text gets escapes."""
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(result, allow_nan=False).encode() + b"\n"


def _lines(file: BinaryIO, path: Path | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read all results with their positions; cut off what is left of an interrupted line."""
    file.seek(0)
    position = 0
    for number, line in enumerate(file, start=1):
        try:
            result = json.loads(line, parse_constant=_finite, parse_float=_finite)
        except (ValueError, RecursionError):
            result = None
        whole, is_result = line.endswith(b"\n"), _is_result(result)
        begun = result is None and _START.startswith(line[: len(_START)])
        if whole and is_result:
            if _is_usable(result):
                yield position, result
            position += len(line)
        elif whole or not (is_result or position or begun):
            advice = "delete the line, or name another file" if position else "name another file"
            raise UserError(f"{path}: line {number} is no result of `autotagging tag`; {advice}")
    file.truncate(position)


def _finite(text: str) -> float:
    """Read a number; ValueError for NaN, infinity and 1e999, which JSON can't have."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number


def _is_result(content: Any) -> bool:
    """Tell a result from other lines of JSON, such as those of a plan."""
    if not isinstance(content, dict) or not isinstance(content.get("path"), str):
        return False
    return "scores" in content or "error" in content


def _is_usable(result: dict[str, Any]) -> bool:
    """Tell whether a result has all that is read of it, in the right types."""
    if "error" in result:
        error = result["error"]
        return isinstance(error, dict) and _texts([error.get("type"), error.get("message")])
    scores, tags, digest = (result.get(name) for name in ("scores", "tags", "audio_sha256"))
    return (
        isinstance(scores, dict)
        and _numbers(scores.values(), 0, 1)
        and _numbers([result.get("seconds"), result.get("windows")], 0, _LONGEST)
        and isinstance(tags, list)
        and _texts(tags)
        and isinstance(digest, str)
        and re.fullmatch("[0-9a-f]{64}", digest) is not None
        and isinstance(result.get("warning", ""), str)
        and ("window_scores" not in result or _windows_are_usable(result))
    )


def _windows_are_usable(result: dict[str, Any]) -> bool:
    starts, rows = result.get("window_starts"), result["window_scores"]
    return (
        isinstance(starts, list)
        and isinstance(rows, list)
        and len(starts) == len(rows)
        and _numbers(starts, -_LONGEST, _LONGEST)
        and all(
            isinstance(row, list) and len(row) == len(result["scores"]) and _numbers(row, 0, 1)
            for row in rows
        )
    )


def _numbers(values: Iterable[Any], least: float, most: float) -> bool:
    return all(type(value) in (int, float) and least <= value <= most for value in values)


def _texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _key(song: Path) -> str:
    return os.path.abspath(song)


def _identity(song: Path) -> tuple[int, int] | None:
    """Size and time of a file, which change with its content."""
    try:
        status = song.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
