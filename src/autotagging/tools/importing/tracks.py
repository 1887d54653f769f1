"""Tracks of an import: files that the table says are one song have one artist and one album."""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from autotagging.tools.importing.faults import Faults

_SHARED = ("artist", "album")
_NUMBER = re.compile(r"\d+(\s*/\s*\d+)?")  # a place on an album: other albums have it, too


class Names(NamedTuple):
    """Track, artist, album and title of a file, by these words; "" where unknown.

    Attributes
    ----------
    where
        Place of the file, for messages.
    table
        What the table says.
    known
        The same, with the file's own tags for what the table lacks.
    """

    where: str
    table: dict[str, str]
    known: dict[str, str]


def join_tracks(files: Sequence[Names], faults: Faults) -> list[dict[str, str] | None]:
    """Give all files of a track one artist and one album, so that no split separates them.

    Files with the same track in the table are one track, unless the table gives them different
    artists or albums; where the track is only a number, such as 3 or 3/12, also unless the files'
    own tags do. What is unknown of one of them is that of the others. Of several albums in the
    files' own tags, that of the table or else the first counts, and a warning is printed.

    Parameters
    ----------
    files
        Names of each file.
    faults
        Receives the files of a track that have different artists by their own tags.

    Returns
    -------
    names
        Names of each file; None where it can't be used.
    """
    names: list[dict[str, str] | None] = [file.known for file in files]
    several = []
    for track in _tracks(files):
        name = files[track[0]].table["track"]
        artists, albums = (_texts(files[n].known[key] for n in track) for key in _SHARED)
        if len(artists) > 1:
            reason = (
                f"track {name!r} has files of different artists, {artists[0]!r} and "
                f"{artists[1]!r}; name the artist of each in the table"
            )
            for n in track:
                faults.add(files[n].where, reason)
                names[n] = None
            continue
        chosen = [*_texts(files[n].table["album"] for n in track), *albums, ""][0]
        if len(albums) > 1:
            several.append(f"{name!r}, which counts as of {chosen!r}")
        shared = dict(zip(_SHARED, ((*artists, "")[0], chosen), strict=True))
        for n in track:
            names[n] = files[n].known | shared
    if several:
        print(
            f"warning: tracks with files of several albums: {len(several)}, such as {several[0]}; "
            "name the album of each in the table if they are different songs",
            file=sys.stderr,
        )
    return names


def _tracks(files: Sequence[Names]) -> list[list[int]]:
    """Give the numbers of the files of each track that the table names."""
    named = [n for n, file in enumerate(files) if file.table["track"]]
    tracks = _divided(named, lambda n: files[n].table["track"])
    for key in _SHARED:
        tracks = [part for track in tracks for part in _parts(files, track, key)]
    return tracks


def _parts(files: Sequence[Names], track: list[int], key: str) -> list[list[int]]:
    """Divide a track by artist or album if the table gives it several, or it is only a number."""
    is_number = _NUMBER.fullmatch(files[track[0]].table["track"])
    if not is_number and len(_texts(files[n].table[key] for n in track)) < 2:
        return [track]
    return _divided(track, lambda n: files[n].known[key])


def _divided(numbers: list[int], key: Callable[[int], str]) -> list[list[int]]:
    parts = defaultdict(list)
    for n in numbers:
        parts[key(n)].append(n)
    return [*parts.values()]


def _texts(texts: Iterable[str]) -> list[str]:
    """Texts that are not empty, each once."""
    return [*dict.fromkeys(filter(None, texts))]
