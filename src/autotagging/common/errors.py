"""Errors that a user can cause; the command line prints them as one line and exits with 2."""

import errno


class UserError(Exception):
    """An error in one line: what is wrong, in which file or clip, and what to do."""


def reason(error: OSError) -> str:
    """Say why the system could not do something, without the path."""
    if error.errno == errno.ENOENT:
        return "no such file or folder"
    return error.strerror or str(error)
