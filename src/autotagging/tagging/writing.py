"""Change the tags of files, and undo it, so that each file is whole at any time: old or new.

A changed copy is made next to a file, compared with it, noted in the journal, and renamed. Where
anything is in the way, a file stays as it is, and the others are done.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from autotagging.common.files import sha256
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.copies import copy_next_to, finish, put_in_place, remove_copies
from autotagging.tagging.delta import describe, rebuild
from autotagging.tagging.file_tags import FileTags, copy_with_tags, read_file_tags
from autotagging.tagging.journal import Entry, Journal, read_journal
from autotagging.tagging.outcomes import Outcome, RefusedError, refusing
from autotagging.tagging.plans import PlannedFile


def check_plan(lines: Iterable[PlannedFile | Outcome]) -> Iterator[Outcome]:
    """Say what `apply_plan` would do, without reading audio and without writing.

    Yields
    ------
    outcome
        "planned", with the changes as its message; or see `apply_plan`.
    """

    def show(planned: PlannedFile, target: Path) -> Outcome:
        if _tags_to_change(planned, target) is None:
            return Outcome(planned.path, "already")
        return Outcome(planned.path, "planned", "\n".join(planned.shown()))

    yield from _outcomes(lines, show)


def apply_plan(
    lines: Iterable[PlannedFile | Outcome], journal: Journal, *, keep_times: bool = False
) -> Iterator[Outcome]:
    """Write the tags of a plan into the files.

    Parameters
    ----------
    lines
        What `read_plan` yields.
    journal
        Journal of the plan, which no other process writes.
    keep_times
        Whether the files keep their modification times. Without them, backups and players see that
        a file has changed.

    Yields
    ------
    outcome
        For each line: "written", "already", or the reason why a file is as it was.
    """
    remove_copies(journal.path)

    def write(planned: PlannedFile, target: Path) -> Outcome:
        return _write(planned, target, journal, keep_times=keep_times)

    yield from _outcomes(lines, write)


def undo_journal(journal: Path) -> Iterator[Outcome]:
    """Restore the files of a journal byte for byte, the last one first, with their times.

    Yields
    ------
    outcome
        For each file: "restored", "already", or the reason why it stays as it is; "changed" is one
        that is not as `apply_plan` left it. A file that is in several entries has one outcome: it
        is "restored" or "already" if it is as it was before the first of them.
    """
    entries, outcomes = read_journal(journal), {}
    remove_copies(journal)
    for entry in entries:
        if isinstance(entry, Outcome):
            yield entry
            continue
        try:
            outcome = _restore(entry, journal)
        except RefusedError as error:
            outcome = Outcome(entry.path, error.reason, str(error))
        outcomes[entry.path] = _of_both(outcomes.get(entry.path), outcome)
    yield from outcomes.values()


def _of_both(newer: Outcome | None, older: Outcome) -> Outcome:
    """Say what became of a file, of which the newer changes were taken back first."""
    if newer is None:
        return older
    if (newer.failed and older.failed) or (newer.what, older.what) == ("restored", "already"):
        return newer
    return older


def _outcomes(
    lines: Iterable[PlannedFile | Outcome], act: Callable[[PlannedFile, Path], Outcome]
) -> Iterator[Outcome]:
    seen = set()
    for line in lines:
        if isinstance(line, Outcome):
            yield line
            continue
        try:
            target = _target(line.path)
            if target in seen:
                raise RefusedError("named_twice", "an earlier line of the plan names this file")
            seen.add(target)
            outcome = act(line, target)
        except RefusedError as error:
            outcome = Outcome(line.path, error.reason, str(error))
        yield outcome


def _target(path: str) -> Path:
    """Follow links to a file."""
    with refusing():
        target = Path(os.path.realpath(path, strict=True))
        if not stat.S_ISREG(target.stat().st_mode):
            raise RefusedError("not_a_file", "a folder or a device")
    return target


def _tags_to_change(planned: PlannedFile, target: Path) -> FileTags | None:
    """Read the tags of a file; None if they are as they should be."""
    tags = read_file_tags(target)
    now, changes = {"genre": tags.genre, "mood": tags.mood}, planned.changes()
    if all(now[field] == change.new for field, change in changes.items()):
        return None
    if now != {"genre": planned.genre.old, "mood": planned.mood.old}:
        raise RefusedError("changed", "its genre or mood is not that of the plan; plan again")
    for field in changes:
        if field in tags.elsewhere:
            raise RefusedError("unsupported", f"its {field} is in an APEv2 tag")
    _check_writable(target)
    return tags


def _check_writable(target: Path) -> None:
    with refusing():
        mode = target.stat().st_mode
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise RefusedError("read_only", "the file is read-only")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise RefusedError("no_permission", f"no file can be made in {target.parent}")


def _write(planned: PlannedFile, target: Path, journal: Journal, *, keep_times: bool) -> Outcome:
    tags = _tags_to_change(planned, target)
    if tags is None:
        return Outcome(planned.path, "already")
    fields = {field: change.new for field, change in planned.changes().items()}
    with refusing():
        before = target.stat()
        times = (before.st_atime_ns, before.st_mtime_ns) if keep_times else None
        if audio_sha256(target) != planned.audio_sha256:
            raise RefusedError("changed", "its audio is not that of the plan; tag it again")
        with copy_next_to(target, journal.path, journal.started) as copy:
            copy_with_tags(target, copy, fields)
            finish(copy, target, before, times)
            _verify(copy, planned, tags)
            with journal.replacing(_entry(target, before, copy), Path(copy.name)):
                put_in_place(copy, target, before)
    return Outcome(planned.path, "written", _note(before))


def _note(before: os.stat_result) -> str:
    if before.st_nlink == 1:
        return ""
    return f"has {before.st_nlink} names (hard links); the others keep the old tags"


def _verify(copy: BinaryIO, planned: PlannedFile, before: FileTags) -> None:
    """Raise RefusedError unless a copy has the same audio, the planned tags and all other tags."""
    path = Path(copy.name)
    if audio_sha256(path) != planned.audio_sha256:
        raise RefusedError("not_verified", "its audio would change; is it damaged?")
    after = read_file_tags(path)
    if (after.genre, after.mood) != (planned.genre.new, planned.mood.new):
        raise RefusedError("not_verified", "the new tags could not be read back")
    if after.others != before.others:
        raise RefusedError("not_verified", "other tags would change; are they damaged?")


def _entry(target: Path, before: os.stat_result, copy: BinaryIO) -> Entry:
    """Describe a file by its changed copy, and check the description."""
    rebuilt = hashlib.sha256()
    with target.open("rb") as old:
        pieces = describe(old, copy)
        for part in rebuild(pieces, copy):
            rebuilt.update(part)
    old_sha256 = sha256(target)
    if rebuilt.hexdigest() != old_sha256:
        raise RefusedError("changed", "it was changed meanwhile")
    return Entry(
        str(target), old_sha256, _sha256(copy), pieces, before.st_atime_ns, before.st_mtime_ns
    )


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _restore(entry: Entry, journal: Path) -> Outcome:
    target = _target(entry.path)
    with refusing():
        before = target.stat()
        found = sha256(target)
        if found == entry.old_sha256:
            return Outcome(entry.path, "already")
        if found != entry.new_sha256:
            raise RefusedError("changed", "it was changed since its tags were written")
        _check_writable(target)
        with copy_next_to(target, journal) as copy:
            _write_old(entry, target, copy)
            _check_same_song(target, Path(copy.name))
            finish(copy, target, before, (entry.atime_ns, entry.mtime_ns))
            put_in_place(copy, target, before)
    return Outcome(entry.path, "restored")


def _check_same_song(target: Path, copy: Path) -> None:
    """Raise RefusedError if tags are not all that would change: no `apply` wrote the journal."""
    read_file_tags(target)
    if audio_sha256(target) != audio_sha256(copy):
        raise RefusedError("damaged_line", "its line of the journal would change its audio")


def _write_old(entry: Entry, target: Path, copy: BinaryIO) -> None:
    try:
        with target.open("rb") as new:
            copy.writelines(rebuild(entry.pieces, new))
    except ValueError as error:
        raise RefusedError("damaged_line", f"its line of the journal is damaged: {error}") from None
    copy.flush()
    if _sha256(copy) != entry.old_sha256:
        raise RefusedError("damaged_line", "its line of the journal is damaged")
