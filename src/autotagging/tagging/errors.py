"""Reasons why a file can't be tagged."""

ERRORS = {
    "missing": "there is no such file",
    "unreadable": "no permission, a read error, or not a regular file",
    "empty": "a file of zero bytes, or without a sample",
    "not_audio": "no audio format is recognised",
    "unsupported_format": "an audio format that only FFmpeg reads, and `ffmpeg` is not found",
    "undecodable": "an audio format, but decoding fails before there is a whole window",
    "non_finite": "NaN or infinite samples",
    "silent": "the RMS of no window is above the last bit of 16-bit audio",
    "too_loud": "RMS more than 20 dB above full scale: not in the range -1 to 1",
    "too_long": "longer than `autotagging serve` allows",
    "timeout": "no further window was scored within `--timeout` seconds",
    "worker_died": "the process that read the file ended, for instance for want of memory",
    "failed": "another error, which the message names",
}
"""Types of the errors of a file, with their meaning."""


class AudioError(Exception):
    """A file that can't be tagged.

    Attributes
    ----------
    kind
        One of `ERRORS`.
    message
        What is wrong, without the path.
    """

    def __init__(self, kind: str, message: str | None = None):
        self.kind = kind
        self.message = message or ERRORS[kind]
        super().__init__(self.message)
