"""Plans: which genres and moods are to be written into which files, as JSON lines.

A line is one file: {"path", "audio_sha256", "format", "genre": {"old": [...], "new": [...]},
"mood": {"old": [...], "new": [...]}}. A user may edit a plan, and delete lines of it.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from autotagging.common.files import replacing
from autotagging.tagging.file_tags import FIELDS, FileTags, read_file_tags
from autotagging.tagging.mapping import TagMapping, is_value
from autotagging.tagging.outcomes import Outcome, RefusedError
from autotagging.tagging.printable import printable
from autotagging.tagging.results import to_line
from autotagging.tagging.spelling import spelling_key

Existing = Literal["keep", "add", "replace"]
"""What happens to values that a field of a file has already: see `make_plan`."""


@dataclass(frozen=True)
class Change:
    """Values of a field, now and to be written."""

    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class PlannedFile:
    """A file whose tags are to be changed.

    Attributes
    ----------
    path
        Absolute path, or one from the working folder.
    audio_sha256
        See `autotagging.tagging.audio_hash`.
    format
        See `FileTags`.
    genre, mood
        Values that the file must have, and is to get.
    """

    path: str
    audio_sha256: str
    format: str
    genre: Change
    mood: Change

    def changes(self) -> dict[str, Change]:
        """Fields that get other values."""
        both = {"genre": self.genre, "mood": self.mood}
        return {field: change for field, change in both.items() if change.old != change.new}

    def shown(self) -> list[str]:
        """Show each field that changes, as a line of text."""
        return [
            f"{field:5}  {_shown(change.old)} -> {_shown(change.new)}"
            for field, change in self.changes().items()
        ]


def _shown(values: tuple[str, ...]) -> str:
    return printable("; ".join(values)) if values else "(none)"


def make_plan(
    results: Iterable[Mapping[str, Any]], mapping: TagMapping, *, existing: Existing = "keep"
) -> tuple[list[PlannedFile], list[Outcome]]:
    """Plan what is written into the files of tagged songs. No file is changed.

    Parameters
    ----------
    results
        Results of songs: {"path", "audio_sha256", "tags", ...} with the tags best first, or
        {"path", "error": {"type", "message"}}. Of several for a file, the last one counts.
    mapping
        What is written for the tags of the model.
    existing
        What happens to a field that has values already: "keep" leaves them as they are, and writes
        into empty fields alone; "add" appends those that are new; "replace" replaces them. A field
        is never emptied.

    Returns
    -------
    planned
        Files that get other tags.
    left_out
        Files that do not: "already", "untagged" (no tag of the song is written), or the reason of a
        `RefusedError`; a song's error has its own type as the reason.
    """
    last = {os.path.realpath(result["path"]): result for result in results}
    planned, left_out = [], []
    for result in last.values():
        path = os.path.abspath(result["path"])
        if "error" in result:
            left_out.append(Outcome(path, result["error"]["type"], result["error"]["message"]))
            continue
        wanted = {field: mapping.values(result["tags"], field) for field in FIELDS}
        if not any(wanted.values()):
            left_out.append(Outcome(path, "untagged"))
            continue
        try:
            tags = read_file_tags(Path(path))
        except RefusedError as error:
            left_out.append(Outcome(path, error.reason, str(error)))
            continue
        file = PlannedFile(
            path, result["audio_sha256"], tags.format, **_changes(tags, wanted, existing)
        )
        if file.changes():
            planned.append(file)
        else:
            left_out.append(Outcome(path, "already"))
    return planned, left_out


def _changes(
    tags: FileTags, wanted: Mapping[str, tuple[str, ...]], existing: Existing
) -> dict[str, Change]:
    changes = {}
    for field in FIELDS:
        old = getattr(tags, field)
        new = old if field in tags.elsewhere else _new(old, wanted[field], existing)
        changes[field] = Change(old, new)
    return changes


def _new(old: tuple[str, ...], wanted: tuple[str, ...], existing: Existing) -> tuple[str, ...]:
    if not wanted or (old and existing == "keep"):
        return old
    if existing == "replace":
        return wanted
    known = {spelling_key(value) for value in old}
    return (*old, *(value for value in wanted if spelling_key(value) not in known))


def write_plan(planned: Iterable[PlannedFile], path: Path) -> None:
    """Write a plan; see this module for its format."""
    with replacing(path) as temporary:
        temporary.write_bytes(b"".join(to_line(asdict(file)) for file in planned))


def is_plan(path: Path) -> bool:
    """Tell whether a plan may be written here: there is no file, an empty one, or a plan."""
    if not path.exists():
        return True
    if not path.is_file():
        return False
    return path.stat().st_size == 0 or isinstance(next(read_plan(path), None), PlannedFile)


def read_plan(path: Path) -> Iterator[PlannedFile | Outcome]:
    """Read a plan line by line.

    Yields
    ------
    file
        A planned file, or for a damaged line an outcome of "damaged_line".

    Raises
    ------
    OSError
        The plan can't be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield _parse(json.loads(line))
            except (ValueError, RecursionError) as error:
                message = f"not a line of a plan ({error})"
                yield Outcome(f"{path}, line {number}", "damaged_line", message)


def _parse(content: Any) -> PlannedFile:
    """Check a line of a plan; ValueError says what is wrong."""
    if not isinstance(content, dict):
        raise ValueError("no dictionary")
    path, digest = content.get("path"), content.get("audio_sha256")
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError("no path")
    os.fsencode(path)  # a ValueError for what no name of a file can be
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("no audio_sha256")
    changes = {field: _parse_change(field, content.get(field)) for field in FIELDS}
    return PlannedFile(path, digest, str(content.get("format")), **changes)


def _parse_change(field: str, content: Any) -> Change:
    if isinstance(content, dict):
        old, new = content.get("old"), content.get("new")
        if isinstance(old, list) and isinstance(new, list):
            texts = all(isinstance(value, str) for value in old)
            if texts and all(value in old or is_value(value) for value in new):
                return Change((*old,), (*new,))
    raise ValueError(f"{field} is not such as {{'old': [], 'new': ['Rock']}}")
