"""Decode only some windows of a song, which takes less time than the whole."""

from collections.abc import Iterator

import numpy as np
import soundfile
import soxr

from autotagging.corpus.decoding import mixed_down
from autotagging.tagging.audio import Song, Window, check_file, open_audio
from autotagging.tagging.streams import Stream

_MARGIN = 1000  # samples before and after an excerpt, so that the resampler does not see its ends


def cut_excerpts(song: Song, *, samples: int, count: int) -> Iterator[Window]:
    """Cut windows out of a song, evenly spread: at 1/4, 1/2 and 3/4 for three of them.

    A song that is not longer than so many windows is cut into windows that follow one another, and
    so is one whose header does not give its length, that was joined, or that FFmpeg decodes. Of an
    excerpted song, `song.seconds` is the length in the header.

    Parameters
    ----------
    song
        Song of which nothing has been read.
    samples
        Length of a window.
    count
        Number of windows.

    Yields
    ------
    window

    Raises
    ------
    AudioError
        See `Song.windows`.
    """
    check_file(song.path)
    with open_audio(song.path) as file:
        whole = isinstance(file, Stream) and not file.failure()
        found = _cut(song, file, samples, count) if whole else None
    yield from found or song.windows(samples=samples, hop=samples)


def _cut(song: Song, file: soundfile.SoundFile, samples: int, count: int) -> list[Window] | None:
    """Decode the windows; None if they can't be decoded in this way."""
    ratio = file.samplerate / song.sample_rate
    left_over = file.frames / ratio - samples
    if file.frames / ratio <= count * samples:
        return None
    cut = []
    for number in range(1, count + 1):
        start = int(left_over * number / (count + 1))
        before = min(_MARGIN, start)
        wanted = np.empty((round((before + samples + _MARGIN) * ratio), file.channels), np.float32)
        try:
            file.seek(round((start - before) * ratio))
            decoded = mixed_down(file.read(out=wanted))
        except soundfile.LibsndfileError:
            return None
        if ratio != 1:
            decoded = soxr.resample(decoded, file.samplerate, song.sample_rate, quality="HQ")
        found = decoded[before : before + samples]
        if len(found) < samples:
            return None
        cut.append(song.window(found, start))
    song.seconds = file.frames / file.samplerate
    return cut
