"""Audio formats by the suffix of a file's name, and FFmpeg for those that libsndfile lacks."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import soundfile

from autotagging.tagging.errors import AudioError

_SNDFILE = ("aif", "aifc", "aiff", "au", "caf", "flac", "mp1", "mp2", "mp3", "oga", "ogg", "opus")
_SNDFILE += ("rf64", "snd", "w64", "wav", "wave")
LIBSNDFILE_SUFFIXES = frozenset(f".{name}" for name in _SNDFILE)
"""Formats for music that libsndfile reads, in lower case."""

OTHER_SUFFIXES = {
    ".aac": "AAC",
    ".alac": "ALAC",
    ".ape": "Monkey's Audio",
    ".dff": "DSD",
    ".dsf": "DSD",
    ".m4a": "MP4 audio (AAC or ALAC)",
    ".m4b": "MP4 audio (AAC or ALAC)",
    ".mka": "Matroska audio",
    ".mpc": "Musepack",
    ".spx": "Speex",
    ".tak": "TAK",
    ".tta": "True Audio",
    ".wma": "Windows Media Audio",
    ".wv": "WavPack",
}
"""Names of the formats for music that only FFmpeg reads, by suffix in lower case."""

SUFFIXES = LIBSNDFILE_SUFFIXES | OTHER_SUFFIXES.keys()

_FFMPEG_FORMATS = (
    "aac,ac3,aiff,ape,asf,au,caf,dsf,dts,eac3,flac,iff,loas,matroska,mov,mp3,mpc,mpc8,mpegts,ogg,"
    "tak,tta,w64,wav,wv"
)
"""What FFmpeg may take a file for: not for a playlist, whose entries are other files."""

_SIGNATURES = {
    b"MAC ": "Monkey's Audio",
    b"MPCK": "Musepack",
    b"wvpk": "WavPack",
    b"\x30\x26\xb2\x75": "Windows Media Audio",
    b"\x1a\x45\xdf\xa3": "Matroska audio",
}


def other_format(path: Path) -> str | None:
    """Name a format that libsndfile does not read, by the beginning of the file or its suffix."""
    with suppress(OSError), path.open("rb") as file:
        start = file.read(8)
        if start[4:] == b"ftyp":
            return OTHER_SUFFIXES[".m4a"]
        if start[:4] in _SIGNATURES:
            return _SIGNATURES[start[:4]]
    return OTHER_SUFFIXES.get(path.suffix.lower())


def find_ffmpeg() -> str | None:
    """Path of the program `ffmpeg`; None if it is not found."""
    return shutil.which("ffmpeg")


class FfmpegStream(soundfile.SoundFile):
    """A file that FFmpeg decodes; it is read from its beginning to its end.

    Parameters
    ----------
    path
        File to decode: its first audio stream.
    name
        Name of its format, for messages.

    Raises
    ------
    AudioError
        "unsupported_format": the program `ffmpeg` is not found; "undecodable": it decodes nothing.
    """

    def __init__(self, path: Path, name: str):
        program = find_ffmpeg()
        if program is None:
            raise AudioError(
                "unsupported_format",
                f"{name} is not read by libsndfile; install the program ffmpeg, or convert the "
                "file, for instance to FLAC",
            )
        command = [program, "-nostdin", "-v", "quiet", "-xerror"]  # a file that is cut is an error
        command += ["-protocol_whitelist", "file,pipe", "-format_whitelist", _FFMPEG_FORMATS]
        command += ["-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "-"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            super().__init__(self._process.stdout.fileno(), closefd=False)
        except soundfile.LibsndfileError:
            self.close()
            raise AudioError("undecodable", f"{name} that ffmpeg can't decode") from None

    def seekable(self) -> bool:
        """Tell that it can't go back."""
        return False

    def failure(self) -> str | None:
        """Say, when all has been read, why FFmpeg did not decode all; None if it did.

        The file is closed: nothing more can be read.
        """
        super().close()
        self._process.stdout.close()
        code = self._process.wait()
        return f"ffmpeg ended with exit code {code}" if code else None

    def close(self) -> None:
        """Close the file and end FFmpeg."""
        super().close()
        if process := vars(self).get("_process"):
            process.stdout.close()
            process.kill()
            process.wait()
