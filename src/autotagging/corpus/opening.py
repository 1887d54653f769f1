"""Open files that other people can reach."""

import errno
import os

from autotagging.common.errors import UserError


def refuse_link(path: str, flags: int) -> int:
    """Open a file of our own; the argument `opener` of `open`.

    Raises
    ------
    UserError
        A symbolic link is in its place, which somebody may have put there to have another file
        written.
    """
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise UserError(f"{path}: a link, expected a file; delete it and run again") from None
