"""Download a data set: tables, and an archive, whole or in parts that are joined (sec. II.A)."""

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from autotagging.common.errors import UserError
from autotagging.common.files import flush, naming
from autotagging.common.locks import locked
from autotagging.corpus.opening import refuse_link
from autotagging.corpus.paths import clip_folder
from autotagging.corpus.transfer import RemoteFile, fetch_file, partial_path, set_aside, size

MAGNATAGATUNE = Path("workflow/resources/magnatagatune.yaml")
"""Sizes, checksums and addresses of MagnaTagATune, in the folder of the project."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class DataSet:
    """Files of a data set: its tables, its archive, and the parts of the archive."""

    tables: list[RemoteFile]
    archive: RemoteFile
    parts: list[RemoteFile]


def read_data_set(path: Path) -> DataSet:
    """Read the description of a data set (workflow/resources/magnatagatune.yaml).

    Raises
    ------
    UserError
        A key is missing, or the sizes of the parts don't add up to that of the archive.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        files = [_remote_file(file, content["mirrors"]) for file in content["files"]]
        named = {file.name: file for file in files}
        archive = _remote_file(content["archive"], mirrors=())
        parts = [named[name] for name in content["archive"]["parts"]]
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not the description of a data set ({reason})") from error
    if sum(part.bytes for part in parts) != archive.bytes:
        raise UserError(
            f"{path}: the parts don't add up to the {archive.bytes} bytes of {archive.name}"
        )
    return DataSet([file for file in files if file not in parts], archive, parts)


def _remote_file(entry: dict[str, Any], mirrors: list[str]) -> RemoteFile:
    algorithm = "sha256" if "sha256" in entry else "md5"
    return RemoteFile(
        name=entry["name"],
        bytes=entry["bytes"],
        algorithm=algorithm,
        checksum=entry[algorithm],
        urls=tuple(entry.get("urls") or (mirror + entry["name"] for mirror in mirrors)),
    )


def fetch(data_set: DataSet, folder: Path, *, offline: bool = False) -> None:
    """Download a data set into a folder; valid files are not downloaded again.

    Valid audio is left as it is, be it the archive or all of its parts. Otherwise each part is
    appended to the archive and deleted as soon as it is complete, so that the disk never has more
    than one part twice; the joined archive is checked again as a whole. If a part is not available,
    the rest of the whole archive is downloaded instead. An interrupted download is resumed, also
    that of another program; any other file with a wrong size or checksum is renamed to
    damaged-NAME.

    Parameters
    ----------
    data_set
        Data set to download.
    folder
        Folder to download to, created if missing.
    offline
        Whether to make no connection; all files must then be there.

    Raises
    ------
    UserError
        No address has a file, the disk is too small, a file is missing when offline, there is audio
        of one's own instead of the archive, or another process is downloading to the same folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".download.lock", f"the download to {folder}"):
        _fetch(data_set, folder, offline=offline)


def _fetch(data_set: DataSet, folder: Path, *, offline: bool) -> None:
    tables = _faults(data_set.tables, folder)
    audio = _faults([data_set.archive], folder)
    parts = _faults(data_set.parts, folder) if audio else {}
    if parts and (found := own_audio(data_set, folder)):
        raise UserError(found)
    lacking = [part for part in _parts_left(data_set, folder) if part in parts]
    if offline and (tables or lacking):
        names = ", ".join(file.name for file in [*tables, *lacking])
        names += f" (or {data_set.archive.name})" if lacking else ""
        for file, fault in (tables | audio | parts).items():
            if (folder / file.name).exists():
                print(f"{folder / file.name}: {fault}", file=sys.stderr)
        raise UserError(
            f"{folder}: offline, and {names} missing; put them there, or run without --offline"
        )
    for file, fault in (tables | audio | parts).items():
        _move_away(file, fault, folder, resume=bool(parts) and file not in tables)
    ways = _ways(data_set, folder) if parts else []
    _check_space(
        folder,
        sum(file.bytes - size(partial_path(file, folder)) for file in tables),
        [needed(data_set, folder) for needed, _ in ways],
    )
    for file in tables:
        fetch_file(file, folder)
    if ways:
        _get_archive(data_set, ways, folder)
        _delete(folder / part.name for part in data_set.parts)
    _delete(partial_path(file, folder) for file in [data_set.archive, *data_set.parts])


def own_audio(data_set: DataSet, folder: Path) -> str | None:
    """Say how to use audio that is there instead of the published archive; None if there is none.

    It can't be compared with the published checksums.
    """
    archive = folder / data_set.archive.name
    if size(archive) != data_set.archive.bytes and zipfile.is_zipfile(archive):
        found, them = f"{archive} is a whole zip, but not the published one", "it"
    elif root := clip_folder(folder):
        found, them = f"unpacked clips found in {root}", "them"
    else:
        return None
    return (
        f"{found}; set corpus: {folder} to use {them}, or move {them} away to download the archive"
    )


def _faults(files: list[RemoteFile], folder: Path) -> dict[RemoteFile, str]:
    """Find the files that are missing or wrong, each with its fault."""
    faults = {file: file.fault(folder / file.name) for file in files}
    return {file: fault for file, fault in faults.items() if fault}


def _move_away(file: RemoteFile, fault: str, folder: Path, *, resume: bool) -> None:
    """Rename an invalid file; if `resume`, one that is too short is a download that goes on."""
    path, partial = folder / file.name, partial_path(file, folder)
    if not path.exists():
        return
    if resume and not path.is_symlink() and size(partial) < size(path) < file.bytes:
        print(f"{path}: {fault}; goes on as {path.replace(partial)}", file=sys.stderr)
    else:
        print(f"{path}: {fault}; kept as {set_aside(path, name=file.name)}", file=sys.stderr)


def _parts_left(data_set: DataSet, folder: Path) -> list[RemoteFile]:
    """List the parts that the beginning of the archive does not have whole."""
    have = size(partial_path(data_set.archive, folder))
    ends = accumulate(part.bytes for part in data_set.parts)
    return [part for part, end in zip(data_set.parts, ends, strict=True) if end > have]


def _bytes_before(data_set: DataSet, parts: list[RemoteFile]) -> int:
    """Bytes of the archive before its last parts."""
    return data_set.archive.bytes - sum(part.bytes for part in parts)


def _check_space(folder: Path, tables: int, ways: list[int]) -> None:
    """Raise UserError if the disk has no room for the tables and any way to get the archive."""
    free = shutil.disk_usage(folder).free
    if free < tables + min(ways, default=0):
        raise UserError(
            f"{folder}: {free / 1e9:.2f} GB free, the download needs "
            f"{(tables + max(ways, default=0)) / 1e9:.2f} GB; make room, or name another folder in "
            "AUTOTAGGING_CORPORA"
        )


def _needed_to_join(data_set: DataSet, folder: Path) -> int:
    """Bytes for the parts that are not there, and for one part twice."""
    left = _parts_left(data_set, folder)
    missing = [part for part in left if not (folder / part.name).exists()]
    return sum(part.bytes - size(partial_path(part, folder)) for part in missing) + max(
        (part.bytes for part in left), default=0
    )


def _needed_for_whole(data_set: DataSet, folder: Path) -> int:
    return data_set.archive.bytes - size(partial_path(data_set.archive, folder))


def _join_parts(data_set: DataSet, folder: Path) -> None:
    """Append the parts, each of which is downloaded if missing, to the beginning of the archive."""
    joined = partial_path(data_set.archive, folder)
    left = _parts_left(data_set, folder)
    for number, part in enumerate(left):
        path = folder / part.name
        if not path.exists():
            fetch_file(part, folder)
        with (
            naming(joined),
            open(joined, "ab", opener=refuse_link) as target,
            path.open("rb") as source,
        ):
            target.truncate(_bytes_before(data_set, left[number:]))
            shutil.copyfileobj(source, target, _CHUNK)
        flush(joined)
        path.unlink()
    if fault := data_set.archive.fault(joined):
        kept = set_aside(joined, name=data_set.archive.name)
        raise UserError(f"{folder}: the joined parts: {fault}; kept as {kept}; run again")
    joined.replace(folder / data_set.archive.name)


def _fetch_whole(data_set: DataSet, folder: Path) -> None:
    """Download the archive as one file; the parts appended so far are its beginning."""
    fetch_file(data_set.archive, folder)


_Way = tuple[Callable[[DataSet, Path], int], Callable[[DataSet, Path], None]]
_IN_PARTS: _Way = (_needed_to_join, _join_parts)
_WHOLE: _Way = (_needed_for_whole, _fetch_whole)


def _ways(data_set: DataSet, folder: Path) -> list[_Way]:
    """Give the ways to get the archive; what was begun whole goes on whole, if possible."""
    if not data_set.archive.urls:
        return [_IN_PARTS]
    left = _parts_left(data_set, folder)
    begun_whole = size(partial_path(data_set.archive, folder)) > _bytes_before(data_set, left)
    if left and begun_whole and not (folder / left[0].name).exists():
        return [_WHOLE, _IN_PARTS]
    return [_IN_PARTS, _WHOLE]


def _get_archive(data_set: DataSet, ways: list[_Way], folder: Path) -> None:
    for way in ways:
        needed, get = way
        try:
            _check_space(folder, 0, [needed(data_set, folder)])
            return get(data_set, folder)
        except UserError as error:
            if way is ways[-1]:
                raise
            print(error, file=sys.stderr)


def _delete(leftovers: Iterable[Path]) -> None:
    for path in leftovers:
        if os.path.lexists(path):  # in a read-only folder, nothing can be unlinked, missing or not
            path.unlink()
