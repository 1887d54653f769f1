"""The songs of an import: files that can be opened, with tags and groups."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import soundfile

from autotagging.common.errors import UserError
from autotagging.common.progress import progress
from autotagging.corpus.decoding import quiet
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.file_tags import read_file_tags
from autotagging.tools.importing.labels import Labelled, Tag, clean, split_list
from autotagging.tools.importing.rows import GROUPS

_READ = (".mp3", ".flac", ".ogg", ".oga", ".opus", ".wav", ".aif", ".aiff", ".aifc", ".au", ".snd")
_READ += (".caf", ".w64", ".rf64")
_NOT_READ = (".m4a", ".m4b", ".mp4", ".aac", ".wma", ".ape", ".wv", ".mpc", ".dsf", ".dff")
_FROM_TAGS = ("artist", "album", "title")


@dataclass(frozen=True)
class Song:
    """An audio file with its tags.

    Attributes
    ----------
    where
        Its path, after its line in the table if there is one, for messages.
    path
        Path of the file.
    name
        Path of the file below the audio folder, with slashes.
    tags
        Its tags.
    track
        What all clips of the song share, and no other song.
    artist, album, title
        Names; "" where unknown.
    seconds
        Length in the file's header.
    """

    where: str
    path: Path
    name: str
    tags: tuple[Tag, ...]
    track: str
    artist: str
    album: str
    title: str
    seconds: float


def find_songs(labelled: list[Labelled], audio: Path, faults: Faults) -> list[Song]:
    """Find and open the files that a table names.

    Artist, album and title that the table lacks are those in the file, if its tags can be read.
    Without a track in the table, each file is a track of its own.

    Parameters
    ----------
    labelled
        What the table says.
    audio
        Folder that the paths in it start from.
    faults
        Receives the songs whose path leads out of the folder, is no file, is the file of another
        song, or can't be opened.
    """
    songs, first = [], {}
    for song in progress(labelled, total=len(labelled), label="Opening files"):
        where = f"{song.where}: {song.path}"
        try:
            path = _inside(audio, song.path)
            if path in first:
                raise ValueError(f"the same file as in {first[path]}")
            first[path] = song.where
            seconds = _opened(path)
            own = {} if all(song.groups[key] for key in _FROM_TAGS) else _readable_tags(path)
            groups = {key: song.groups[key] or _joined(own, key) for key in GROUPS}
            songs.append(_song(where, path, audio, tuple(song.tags), groups, seconds))
        except (ValueError, OSError) as error:
            faults.add(where, _text(error))
    return songs


def songs_with_tags(
    audio: Path, fields: tuple[str, ...], separator: str, faults: Faults
) -> tuple[list[Song], list[str]]:
    """Find all audio files below a folder that have genres or moods of their own.

    Hidden files, and links to folders, are left out.

    Parameters
    ----------
    audio
        Folder to search.
    fields
        Fields of the files to take tags from: genre, mood; each is the category of its tags.
    separator
        Text between several tags in one value.
    faults
        Receives the files that can't be opened.

    Returns
    -------
    songs
        In the order of their names.
    notes
        Lines on the files that are left out because they have no such tag, or a format that can't
        be decoded.
    """
    files = sorted(_walk(audio))
    readable = [path for path in files if path.suffix.lower() in _READ]
    others = [path for path in files if path.suffix.lower() in _NOT_READ]
    songs, untagged = [], 0
    for path in progress(readable, total=len(readable), label="Reading the files' tags"):
        name = path.relative_to(audio).as_posix()
        try:
            inside = _inside(audio, name)
            seconds = _opened(inside)
            own = read_file_tags(inside)
            tags = _own_tags(own, fields, separator)
            groups = {"track": "", **{key: _joined(own, key) for key in _FROM_TAGS}}
            if tags:
                songs.append(_song(name, inside, audio, tags, groups, seconds))
            else:
                untagged += 1
        except (ValueError, OSError) as error:
            faults.add(name, _text(error))
    notes = [f"files without {' or '.join(fields)}: {untagged} of {len(readable)}, left out"]
    if others:
        first = others[0].name
        notes.append(f"files that can't be decoded: {len(others)}, such as {first}, left out")
    return songs, notes


def _own_tags(
    own: dict[str, list[str]], fields: tuple[str, ...], separator: str
) -> tuple[Tag, ...]:
    return tuple(
        Tag(field, tag)
        for field in fields
        for value in own.get(field, ())
        for tag in split_list(value, separator)
    )


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in files if not name.startswith("."))


def _inside(audio: Path, name: str) -> Path:
    """Path of a file whose name starts from the folder; ValueError unless it is a file in it."""
    path = audio / name
    try:
        name.encode()
    except UnicodeEncodeError:  # soundfile can't open it
        raise ValueError("its name is not UTF-8; rename it") from None
    if not name.isascii():
        spelt = (audio / normalize(form, name) for form in ("NFC", "NFD"))
        path = next((each for each in spelt if os.path.lexists(each)), path)
    resolved = path.resolve()
    if not resolved.is_relative_to(audio.resolve()):
        raise ValueError(f"outside of {audio}")
    if not resolved.exists():
        raise ValueError(f"no such file in {audio}")
    if not resolved.is_file():
        raise ValueError("no file")
    return resolved


def _readable_tags(path: Path) -> dict[str, list[str]]:
    """Read the tags of a file; none if they are damaged, which need not stop what a table says."""
    try:
        return read_file_tags(path)
    except ValueError:
        return {}


def _opened(path: Path) -> float:
    """Open an audio file; give the seconds in its header, or raise a ValueError."""
    if not path.stat().st_size:
        raise ValueError("empty")
    try:
        with quiet():
            return soundfile.info(path).duration
    except soundfile.LibsndfileError:
        raise ValueError(
            "damaged, or no audio that can be decoded (MP3, FLAC, Ogg, WAV, AIFF)"
        ) from None


def _song(
    where: str,
    path: Path,
    audio: Path,
    tags: tuple[Tag, ...],
    groups: dict[str, str],
    seconds: float,
) -> Song:
    name = clean(path.relative_to(audio.resolve()).as_posix())
    in_table = "/".join(filter(None, (groups["artist"], groups["album"], groups["track"])))
    return Song(
        where=where,
        path=path,
        name=name,
        tags=tags,
        track=in_table if groups["track"] else name,
        artist=groups["artist"],
        album=groups["album"],
        title=groups["title"],
        seconds=seconds,
    )


def _joined(tags: dict[str, list[str]], field: str) -> str:
    return clean(", ".join(tags.get(field, ())))


def _text(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def check_songs(songs: list[Song], faults: Faults) -> None:
    """Report the faults that were found so far; raise UserError if no song is left."""
    faults.report()
    if not songs:
        raise UserError("no song with a tag is left, so there is nothing to write")
