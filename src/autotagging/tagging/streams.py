"""Open a file with libsndfile so that all of its audio is decoded, or that what is not is known."""

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import soundfile

from autotagging.corpus.decoding import unknown_data_size
from autotagging.corpus.mpeg import first_frame_after_id3, start_of_unknown_length
from autotagging.tagging.audio_hash import ogg_pages, tags_at_end

_PIECE = 1 << 20


class Stream(soundfile.SoundFile):
    """A file that is read from its beginning to its end.

    soundfile seeks to where it is after each read, if it can: an MP3 decoder then starts anew.

    Parameters
    ----------
    path
        File to decode.

    Raises
    ------
    soundfile.LibsndfileError
        libsndfile can't open it.
    """

    def __init__(self, path: Path):
        super().__init__(os.fsencode(path))
        self._chained = self.format == "OGG" and _is_chained(path)

    def seekable(self) -> bool:
        """Tell soundfile that it can't go back."""
        return False

    def failure(self) -> str | None:
        """Say why a part of the file is not decoded; None if all of it is."""
        if self._chained:
            return "another stream begins there, as in files that were joined"
        return None


class PipedStream(soundfile.SoundFile):
    """A file of which libsndfile sees no length: it is decoded as far as there is audio.

    Parameters
    ----------
    path
        File to decode; tags at its end are left out.
    start
        Position of the first byte to decode.
    head
        Bytes to decode before it.

    Raises
    ------
    soundfile.LibsndfileError
        Nothing can be decoded.
    """

    def __init__(self, path: Path, start: int, *, head: bytes = b""):
        self._failure = None
        self._reading, writing = os.pipe()
        self._feeder = threading.Thread(
            target=self._feed, args=(path, start, head, writing), daemon=True
        )
        self._feeder.start()
        try:
            super().__init__(self._reading, closefd=False)
        except soundfile.LibsndfileError:
            self.close()
            raise

    def _feed(self, path: Path, start: int, head: bytes, writing: int) -> None:
        try:
            with open(writing, "wb") as pipe, path.open("rb") as file:
                left = tags_at_end(file, os.fstat(file.fileno()).st_size) - start
                file.seek(start)
                pipe.write(head)
                while left > 0 and (piece := file.read(min(_PIECE, left))):
                    pipe.write(piece)
                    left -= len(piece)
        except BrokenPipeError:
            self._failure = "libsndfile does not decode what follows"
        except OSError as error:
            self._failure = error.strerror

    def seekable(self) -> bool:
        """Tell soundfile that it can't go back."""
        return False

    def failure(self) -> str | None:
        """Say, when all has been read, why a part of the file is not decoded; None if all of it is.

        The file is closed: nothing more can be read.
        """
        self.close()
        return self._failure

    def close(self) -> None:
        """Close the file, and the pipe."""
        super().close()
        if (reading := vars(self).pop("_reading", None)) is not None:
            os.close(reading)
            self._feeder.join()


def open_stream(path: Path) -> Stream | PipedStream:
    """Open a file that is not empty, for reading from its beginning to its end.

    Raises
    ------
    soundfile.LibsndfileError
        libsndfile can't open it.
    """
    try:
        file = Stream(path)
    except soundfile.LibsndfileError:
        with _mapped(path) as content:
            start = first_frame_after_id3(content)
        if start is None:
            raise
        return PipedStream(path, start)
    if file.format not in ("MP3", "WAV"):
        return file
    start, head = None, b""
    with _mapped(path) as content:
        if file.format == "MP3":
            start = start_of_unknown_length(content)
        elif size := unknown_data_size(content):
            start, head = size + 4, content[:size] + b"\xff" * 4
    if start is None:
        return file
    file.close()
    return PipedStream(path, start, head=head)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """Give the content of a file, which is not in memory as a whole."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _is_chained(path: Path) -> bool:
    """Tell whether a stream of an Ogg file begins after others; RFC 3533, sec. 4."""
    with suppress(EOFError, struct.error), path.open("rb") as file:
        in_front = True
        for header, _, _ in ogg_pages(file, 0, os.fstat(file.fileno()).st_size):
            begins = bool(header[5] & 2)
            if begins and not in_front:
                return True
            in_front &= begins
    return False
