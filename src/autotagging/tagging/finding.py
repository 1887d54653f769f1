"""Find the songs that are meant by files and folders."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tagging.formats import SUFFIXES


@dataclass(frozen=True)
class Found:
    """The songs that were found.

    Attributes
    ----------
    songs
        Each song once, as a path that begins with an argument; those of a folder in the order of
        their names.
    names
        By song, its path below the folder that was given, with the name of that folder; for a file
        that was given, its name.
    unreadable
        Folders that could not be read, with the reason.
    """

    songs: list[Path] = field(default_factory=list)
    names: dict[Path, Path] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)


def find_songs(arguments: Iterable[Path]) -> Found:
    """Find songs: files that are given, and those in folders and all their subfolders.

    In folders, files are songs by the suffixes of their names. Hidden files and folders are left
    out, and links to folders are not followed. An argument that does not exist counts as a song,
    which then has the error "missing".

    Raises
    ------
    UserError
        No argument exists, or there is no song.
    """
    found, seen = Found(), set()
    arguments = list(arguments)
    if arguments and not any(map(os.path.lexists, arguments)):
        raise UserError(f"{arguments[0]}: no such file or folder")
    for argument in arguments:
        for song, name in _songs_of(argument, found.unreadable):
            place = os.path.abspath(song)
            if place not in seen:
                seen.add(place)
                found.songs.append(song)
                found.names[song] = name
    if not found.songs and not found.unreadable:
        raise UserError(f"no audio files in {', '.join(map(str, arguments))}")
    return found


def _songs_of(argument: Path, unreadable: dict[Path, str]) -> Iterator[tuple[Path, Path]]:
    if not argument.is_dir():
        yield argument, Path(argument.name)
        return

    def note(error: OSError) -> None:
        unreadable[Path(error.filename)] = error.strerror or str(error)

    name_of_folder = Path(os.path.abspath(argument)).name
    for folder, folders, files in os.walk(argument, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES:
                yield path, name_of_folder / path.relative_to(argument)
