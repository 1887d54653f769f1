"""Download a data set: tables, and an archive, whole or in parts that are joined (sec. II.A)."""

import os
import shutil
import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from autotagging.common.errors import UserError
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

    A file with a wrong size or checksum is renamed to damaged-NAME. Each part is appended to the
    archive and deleted as soon as it is complete, so that the disk never has more than one part
    twice. If a part is not available, the rest of the whole archive is downloaded instead. An
    interrupted download is resumed.

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
        No address has a file, the disk is too small, or a file is missing when offline.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file for file in data_set.tables if not _is_there(file, folder)]
    has_archive = _is_there(data_set.archive, folder)
    parts = [] if has_archive else _parts_left(data_set, folder)
    missing_parts = [part for part in parts if not _is_there(part, folder)]
    if offline and (missing or missing_parts):
        names = ", ".join(file.name for file in [*missing, *missing_parts])
        names += f" (or {data_set.archive.name})" if missing_parts else ""
        raise UserError(
            f"{folder}: offline, and {names} missing; put them there, or run without --offline"
        )
    _check_space(data_set, folder, [*missing, *missing_parts], parts)
    for file in missing:
        fetch_file(file, folder)
    if not has_archive:
        _get_archive(data_set, parts, folder)


def _is_there(file: RemoteFile, folder: Path) -> bool:
    """Tell whether a file exists and is valid; an invalid one is renamed."""
    path = folder / file.name
    if not path.exists():
        return False
    if fault := file.fault(path):
        print(f"{path}: {fault}; kept as {set_aside(path, name=file.name)}", file=sys.stderr)
    return not fault


def _joining_path(data_set: DataSet, folder: Path) -> Path:
    return folder / f".joining-{data_set.archive.name}"


def _parts_left(data_set: DataSet, folder: Path) -> list[RemoteFile]:
    """List the parts that are not yet appended; remove a part that was appended incompletely."""
    joining = _joining_path(data_set, folder)
    ends = list(accumulate(part.bytes for part in data_set.parts))
    whole = bisect_right(ends, size(joining))
    if joining.exists():
        os.truncate(joining, ends[whole - 1] if whole else 0)
    for part in data_set.parts[:whole]:
        (folder / part.name).unlink(missing_ok=True)
    return data_set.parts[whole:]


def _check_space(
    data_set: DataSet, folder: Path, missing: list[RemoteFile], parts: list[RemoteFile]
) -> None:
    """Raise UserError if the disk has no room for the missing files and one part twice."""
    needed = sum(file.bytes - size(partial_path(file, folder)) for file in missing)
    needed += max((part.bytes for part in parts), default=0)
    if resumed := size(partial_path(data_set.archive, folder)):
        needed = min(needed, data_set.archive.bytes - resumed)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder}: {free / 1e9:.2f} GB free, the download needs {needed / 1e9:.2f} GB; "
            "make room, or name another folder in AUTOTAGGING_CORPORA"
        )


def _get_archive(data_set: DataSet, parts: list[RemoteFile], folder: Path) -> None:
    """Download the archive in parts or, if that fails, whole; try the earlier run's way first."""
    ways = [_join_parts, _fetch_whole] if data_set.archive.urls else [_join_parts]
    if partial_path(data_set.archive, folder).exists():
        ways.reverse()
    for way in ways:
        try:
            return way(data_set, parts, folder)
        except UserError as error:
            if way is ways[-1]:
                raise
            print(error, file=sys.stderr)


def _join_parts(data_set: DataSet, parts: list[RemoteFile], folder: Path) -> None:
    joining = _joining_path(data_set, folder)
    for part in parts:
        path = folder / part.name
        if not path.exists():
            fetch_file(part, folder)
        with joining.open("ab") as target, path.open("rb") as source:
            shutil.copyfileobj(source, target, _CHUNK)
        path.unlink()
    joining.replace(folder / data_set.archive.name)


def _fetch_whole(data_set: DataSet, parts: list[RemoteFile], folder: Path) -> None:
    """Download the archive as one file; the parts appended so far are its beginning."""
    joining = _joining_path(data_set, folder)
    partial = partial_path(data_set.archive, folder)
    if size(joining) > size(partial):
        joining.replace(partial)
    fetch_file(data_set.archive, folder)
    for leftover in (joining, *(folder / part.name for part in data_set.parts)):
        leftover.unlink(missing_ok=True)
