"""What became of a file of the user: changed, or left as it is for a reason."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from autotagging.common.errors import reason


class RefusedError(Exception):
    """A file is left as it is.

    Attributes
    ----------
    reason
        "missing", "not_a_file", "read_only", "no_permission", "disk_full", "unsupported",
        "unreadable", "changed", "not_verified", "named_twice", "damaged_line" or "failed".
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


_RIGHT = ("planned", "written", "restored", "already", "untagged")


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    path
        Path of the file, or the place of a damaged line.
    what
        "planned", "written", "restored", "already" (as it should be) or "untagged" (there is
        nothing to write), or the reason of a `RefusedError`.
    message
        Why the file is left as it is, or what is to be known of one that is not; may be empty.
    """

    path: str
    what: str
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the file is not as it should be."""
        return self.what not in _RIGHT

    def __str__(self) -> str:
        """Say in a line why the file is left as it is."""
        return f"{self.path}: {self.what}: {self.message}"


_REASONS = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.ELOOP: "missing",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EROFS: "read_only",
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
}


@contextmanager
def refusing() -> Iterator[None]:
    """Raise an OSError as a RefusedError."""
    try:
        yield
    except OSError as error:
        raise refusal(error) from error


def refusal(error: OSError) -> RefusedError:
    """Give the RefusedError of an OSError."""
    return RefusedError(_REASONS.get(error.errno, "failed"), reason(error))
