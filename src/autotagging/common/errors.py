"""The errors a user can cause; the command line prints them as one line and exits with 2."""


class UserError(Exception):
    """What is wrong, in which file or clip, and what to do: one line, no traceback."""
