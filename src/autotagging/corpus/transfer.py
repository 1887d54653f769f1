"""Download one file from the first address that has it; resume if interrupted; check the result."""

import hashlib
import io
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from autotagging.common.errors import UserError
from autotagging.common.files import flush, naming
from autotagging.common.progress import progress
from autotagging.corpus.opening import refuse_link

_CHUNK = 1 << 20
# Timeouts in seconds: for connecting, and between two pieces of data.
_TIMEOUT = (15, 60)
# Attempts in a row at one address without new data; the pause between them doubles.
_TRIES = 3
_FIRST_PAUSE = 1.0


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its name, size and checksum, and the addresses to try, in order.

    `algorithm` is a name known to hashlib, `checksum` the hexadecimal digest.
    """

    name: str
    bytes: int
    algorithm: str
    checksum: str
    urls: tuple[str, ...]

    def fault(self, path: Path) -> str | None:
        """Describe the fault of a local copy: missing, or wrong size or checksum; None if valid."""
        if not path.is_file():
            return "missing"
        if size(path) != self.bytes:
            return f"{size(path)} bytes, expected {self.bytes}"
        with path.open("rb") as file:
            found = hashlib.file_digest(file, self.algorithm).hexdigest()
        return (
            None if found == self.checksum else f"wrong {self.algorithm}, expected {self.checksum}"
        )


class _WrongContentError(Exception):
    """The server sends other content; `again` if the cause may be an older partial file."""

    def __init__(self, text: str, *, again: bool = False):
        super().__init__(text)
        self.again = again


def size(path: Path) -> int:
    """Size of a file in bytes; 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


def partial_path(file: RemoteFile, folder: Path) -> Path:
    """Path of a file while it is being downloaded."""
    return folder / f".partial-{file.name}"


def set_aside(path: Path, *, name: str) -> Path:
    """Rename a damaged file to damaged-`name`, replacing an older one; it is not read again."""
    return path.replace(path.with_name(f"damaged-{name}"))


def fetch_file(file: RemoteFile, folder: Path) -> None:
    """Download a file into a folder.

    Proxies are taken from the environment (http_proxy, https_proxy, no_proxy).

    Raises
    ------
    UserError
        No address has the file.
    """
    problem = "no address is given"
    for url in file.urls:
        try:
            return _fetch_from(url, file, folder)
        except (requests.RequestException, _WrongContentError) as error:
            problem = f"{url}: {_one_line(error)}"
    raise UserError(f"download failed ({problem}); try again, or put {file.name} into {folder}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _fetch_from(url: str, file: RemoteFile, folder: Path) -> None:
    """Try one address until several attempts in a row have brought no new data."""
    partial = partial_path(file, folder)
    most = size(partial)
    failures = 0
    while True:
        try:
            return _stream(url, file, partial)
        except (requests.RequestException, _WrongContentError) as error:
            failures = 1 if size(partial) > most else failures + 1
            most = max(most, size(partial))
            print(f"{url}: {_one_line(error)} (try {failures} of {_TRIES})", file=sys.stderr)
            if failures == _TRIES or not _is_passing(error):
                raise
            time.sleep(_FIRST_PAUSE * 2 ** (failures - 1))


def _is_passing(error: Exception) -> bool:
    """Tell whether the same request may succeed later."""
    if isinstance(error, _WrongContentError):
        return error.again
    if isinstance(error, requests.HTTPError):
        status = error.response.status_code
        return status >= 500 or status in (requests.codes.timeout, requests.codes.too_many_requests)
    return True


def _stream(url: str, file: RemoteFile, partial: Path) -> None:
    """Download the missing bytes of a file, check its checksum, and rename it.

    A server that ignores the range sends the whole file; what is there is then not written again.
    """
    if size(partial) > file.bytes:
        partial.unlink()
    have = size(partial)
    digest = hashlib.new(file.algorithm)
    if have < file.bytes:
        # With compressed transfer, the lengths would not be those of the file.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            first = have if response.status_code == requests.codes.partial_content else 0
            _check_offer(response, file, first)
            _hash_beginning(partial, digest)
            _receive(response, file, partial, first, digest)
    else:
        _hash_beginning(partial, digest)
    if digest.hexdigest() != file.checksum:
        kept = set_aside(partial, name=file.name)
        raise _WrongContentError(f"wrong {file.algorithm}; kept as {kept}", again=have > 0)
    flush(partial)
    partial.replace(partial.with_name(file.name))


def _check_offer(response: requests.Response, file: RemoteFile, first: int) -> None:
    """Raise an error if the headers show that the response is not the file from a byte on."""
    if "html" in response.headers.get("Content-Type", ""):
        raise _WrongContentError("a web page, expected a file")
    sent = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if first and sent and int(sent[1]) != first:
        raise _WrongContentError(f"bytes from {sent[1]} on, expected from {first} on")
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and first + int(length) != file.bytes:
        raise _WrongContentError(f"{first + int(length)} bytes offered, expected {file.bytes}")


def _hash_beginning(partial: Path, digest) -> None:
    """Hash the partial file, which is created if missing."""
    with open(partial, "ab+", opener=refuse_link) as beginning:
        beginning.seek(0)
        while chunk := beginning.read(_CHUNK):
            digest.update(chunk)


def _receive(
    response: requests.Response, file: RemoteFile, partial: Path, first: int, digest
) -> None:
    """Append what the partial file lacks of the response's body, from byte `first` on; hash it."""
    have, received = size(partial), first
    chunks = progress(
        response.iter_content(_CHUNK),
        total=-(-(file.bytes - first) // _CHUNK),
        label=f"{file.name}, MiB",
    )
    with open(partial, "ab", buffering=0, opener=refuse_link) as target:
        for chunk in chunks:
            there = max(0, have - received)
            received += len(chunk)
            if received > file.bytes:
                target.truncate(have)
                raise _WrongContentError(f"more than {file.bytes} bytes sent")
            with naming(partial):
                _write(target, chunk[there:])
            digest.update(chunk[there:])
    if received < file.bytes:
        raise requests.ConnectionError(f"ended after {received} of {file.bytes} bytes")


def _write(target: io.RawIOBase, content: bytes) -> None:
    """Write all bytes; on a nearly full disk, some of them are written first."""
    while content:
        content = content[target.write(content) :]
