"""Get one file: from the first address that has it, resumed where it broke off, always checked."""

import hashlib
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from autotagging.common.errors import UserError
from autotagging.common.progress import progress

_CHUNK = 1 << 20
# Seconds without an answer, and without a byte, after which a connection counts as broken.
_TIMEOUT = (15, 60)
# Tries in a row, at one address, that bring nothing new; the pause doubles from this one on.
_TRIES = 3
_FIRST_PAUSE = 1.0


@dataclass(frozen=True)
class RemoteFile:
    """A file on the net: its name, size, checksum and the addresses to try, in order.

    `algorithm` is a name that hashlib knows, `checksum` the hexadecimal digest.
    """

    name: str
    bytes: int
    algorithm: str
    checksum: str
    urls: tuple[str, ...]

    def fault(self, path: Path) -> str | None:
        """Say what is wrong with a local copy: missing, its size or its checksum; None if right."""
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
    """The server sends something else than the file; `again` if an older piece may be to blame."""

    def __init__(self, text: str, *, again: bool = False):
        super().__init__(text)
        self.again = again


def size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def partial_path(file: RemoteFile, folder: Path) -> Path:
    """Where a file grows while it is fetched."""
    return folder / f".partial-{file.name}"


def set_aside(path: Path, *, name: str) -> Path:
    """Rename a damaged file to damaged-`name`, in place of an older one; nothing reads it again."""
    return path.replace(path.with_name(f"damaged-{name}"))


def fetch_file(file: RemoteFile, folder: Path) -> None:
    """Get a file into a folder.

    Proxies are those of the environment (http_proxy, https_proxy, no_proxy).

    Raises
    ------
    UserError
        No address has it.
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
    """Try one address until it has brought nothing new for a few times."""
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
    """Tell whether the same request may well succeed in a moment."""
    if isinstance(error, _WrongContentError):
        return error.again
    if isinstance(error, requests.HTTPError):
        status = error.response.status_code
        return status >= 500 or status in (requests.codes.timeout, requests.codes.too_many_requests)
    return True


def _stream(url: str, file: RemoteFile, partial: Path) -> None:
    """Get what is missing of a file, check the whole by its checksum, give it its name."""
    if size(partial) > file.bytes:
        partial.unlink()
    have = resumed = size(partial)
    digest = hashlib.new(file.algorithm)
    if have < file.bytes:
        # Compressed on the way, the lengths would not be those of the file.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            have = have if response.status_code == requests.codes.partial_content else 0
            _check_offer(response, file, have)
            _hash_beginning(partial, have, digest)
            _receive(response, file, partial, have, digest)
    else:
        _hash_beginning(partial, have, digest)
    if digest.hexdigest() != file.checksum:
        kept = set_aside(partial, name=file.name)
        raise _WrongContentError(
            f"wrong {file.algorithm}; kept aside as {kept}", again=resumed > 0 and have > 0
        )
    partial.replace(partial.with_name(file.name))


def _check_offer(response: requests.Response, file: RemoteFile, have: int) -> None:
    """Refuse an answer that can't be the rest of the file by what its headers say."""
    if "html" in response.headers.get("Content-Type", ""):
        raise _WrongContentError("a web page, expected a file")
    sent = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if have and sent and int(sent[1]) != have:
        raise _WrongContentError(f"bytes from {sent[1]} on, expected from {have} on")
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and have + int(length) != file.bytes:
        raise _WrongContentError(f"{have + int(length)} bytes offered, expected {file.bytes}")


def _hash_beginning(partial: Path, have: int, digest) -> None:
    """Hash what is there of the file to resume; where that is not used, empty it."""
    with partial.open("ab+") as beginning:
        beginning.truncate(have)
        beginning.seek(0)
        while chunk := beginning.read(_CHUNK):
            digest.update(chunk)


def _receive(
    response: requests.Response, file: RemoteFile, partial: Path, have: int, digest
) -> None:
    """Append the body to the partial file, hashing it on the way."""
    received = have
    chunks = progress(
        response.iter_content(_CHUNK),
        total=-(-(file.bytes - have) // _CHUNK),
        label=f"{file.name}, MiB",
    )
    with partial.open("ab") as target:
        for chunk in chunks:
            received += len(chunk)
            if received > file.bytes:
                target.truncate(have)
                raise _WrongContentError(f"more than {file.bytes} bytes sent")
            target.write(chunk)
            digest.update(chunk)
    if received < file.bytes:
        raise requests.ConnectionError(f"ended after {received} of {file.bytes} bytes")
