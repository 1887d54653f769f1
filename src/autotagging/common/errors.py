"""Errors that a user can cause; the command line prints them as one line and exits with 2."""


class UserError(Exception):
    """An error in one line: what is wrong, in which file or clip, and what to do."""
