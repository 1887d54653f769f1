"""Download the files of a data set: from the first mirror that has them, checked, resumable."""

import os
import shutil
import sys
import time
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import requests
import yaml
from tqdm import tqdm

from autotagging.errors import UserError
from autotagging.files import sha256

_TRIES = 3
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file of the data set: its name, size in bytes, and hexadecimal SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """The files of a data set, the addresses to get them from, and the file some are parts of."""

    mirrors: list[str]
    files: list[RemoteFile]
    joined: str
    parts: list[str]


def read_data_set(path: Path) -> DataSet:
    """Read the description of a data set (workflow/resources/magnatagatune.yaml)."""
    content = yaml.safe_load(path.read_text())
    return DataSet(
        mirrors=content["mirrors"],
        files=[RemoteFile(**file) for file in content["files"]],
        joined=content["join"]["name"],
        parts=content["join"]["parts"],
    )


def fetch(data_set: DataSet, folder: Path) -> None:
    """Bring a folder to hold the whole data set; what is there and right is not fetched again.

    Parts are appended to the joined file and deleted one by one, so that the disk holds no part
    twice; an interrupted run goes on where it was.

    Raises
    ------
    UserError
        No mirror has a file, a file is not what it should be, or the disk is too small.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [file for file in data_set.files if file.name in data_set.parts]
    joined = folder / data_set.joined
    joining = joined.with_name(f".partial-{joined.name}")
    appended = len(parts) if _size(joined) else _whole_parts(joining, parts)
    wanted = [file for file in data_set.files if file not in parts[:appended]]
    missing = [file for file in wanted if not _is_right(folder / file.name, file)]
    _check_space(folder, missing, parts)
    for file in missing:
        _fetch_file(file, data_set.mirrors, folder)
    for part in parts[appended:]:
        _append(folder / part.name, joining)
    if joining.exists():
        joining.replace(joined)


def _whole_parts(joining: Path, parts: list[RemoteFile]) -> int:
    """Count the parts that an interrupted join has appended; cut off one that is not whole."""
    ends = list(accumulate(part.bytes for part in parts))
    whole = bisect_right(ends, _size(joining))
    if joining.exists():
        os.truncate(joining, ends[whole - 1] if whole else 0)
    return whole


def _append(part: Path, joining: Path) -> None:
    with joining.open("ab") as target, part.open("rb") as source:
        shutil.copyfileobj(source, target, _CHUNK)
    part.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_right(path: Path, file: RemoteFile) -> bool:
    return _size(path) == file.bytes and sha256(path) == file.sha256


def _check_space(folder: Path, missing: list[RemoteFile], parts: list[RemoteFile]) -> None:
    if not missing:
        return
    needed = sum(file.bytes for file in missing) + max(part.bytes for part in parts)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder}: {free / 1e9:.1f} GB free, the download needs {needed / 1e9:.1f} GB; "
            "make room, or name another folder in AUTOTAGGING_CORPORA"
        )


def _fetch_file(file: RemoteFile, mirrors: list[str], folder: Path) -> None:
    """Try each mirror a few times, going on where a broken connection left off."""
    problem = "no mirror is given"
    for mirror in mirrors:
        for attempt in range(1, _TRIES + 1):
            try:
                return _stream(mirror + file.name, file, folder)
            except (requests.RequestException, _WrongContentError) as error:
                problem = f"{mirror}{file.name}: {' '.join(str(error).split())[:200]}"
                print(f"try {attempt} of {_TRIES}, {problem}", file=sys.stderr)
                if isinstance(error, _WrongContentError):
                    break
                time.sleep(attempt - 1)
    raise UserError(f"download failed ({problem}); try again, or put the file into {folder}")


class _WrongContentError(Exception):
    """The server sent something else than the file."""


def _stream(url: str, file: RemoteFile, folder: Path) -> None:
    """Get what is missing of a file, check the whole by its SHA-256, give it its name."""
    partial = folder / f".partial-{file.name}"
    have = _size(partial) if _size(partial) < file.bytes else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        response.raise_for_status()
        have = have if response.status_code == requests.codes.partial_content else 0
        length = int(response.headers.get("Content-Length", file.bytes - have))
        if have + length != file.bytes:
            raise _WrongContentError(f"{have + length} bytes offered, expected {file.bytes}")
        with (
            partial.open("ab" if have else "wb") as target,
            tqdm.wrapattr(
                target, "write", initial=have, total=file.bytes, desc=file.name, disable=None
            ) as counted,
        ):
            for chunk in response.iter_content(_CHUNK):
                counted.write(chunk)
    if _size(partial) < file.bytes:
        raise requests.ConnectionError(f"ended after {_size(partial)} of {file.bytes} bytes")
    if not _is_right(partial, file):
        partial.replace(folder / f"damaged-{file.name}")
        raise _WrongContentError(f"wrong checksum; kept as {folder / f'damaged-{file.name}'}")
    partial.replace(folder / file.name)
