"""The songs of an import: files that can be opened, with tags and groups."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import soundfile

from autotagging.common.errors import UserError
from autotagging.corpus.decoding import quiet
from autotagging.tagging.audio import open_audio
from autotagging.tagging.errors import AudioError
from autotagging.tagging.formats import (
    LIBSNDFILE_SUFFIXES,
    OTHER_SUFFIXES,
    FfmpegStream,
    find_ffmpeg,
)
from autotagging.tagging.streams import PipedStream
from autotagging.tools.importing.cutting import AudioSize
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.file_tags import read_song_tags
from autotagging.tools.importing.labels import Labelled, Tag, clean, has_more_tags, split_list
from autotagging.tools.importing.rows import GROUPS
from autotagging.tools.importing.separators import warn_of_separator
from autotagging.tools.importing.tracks import Names, join_tracks
from autotagging.tools.importing.workers import Run, results

_FROM_TAGS = ("artist", "album", "title")
_FAULTS = (ValueError, OSError)  # of `_opened`
_FRAMES = 1 << 16
_UNKNOWN = (1 << 63) - 1  # libsndfile's length of a FLAC file without one


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
        Path of the file below the audio folder, with slashes, in NFC.
    tags
        Its tags.
    track
        What all clips of the song share, and no other song.
    artist, album, title
        Names; "" where unknown.
    size
        Length and channels of its audio.
    """

    where: str
    path: Path
    name: str
    tags: tuple[Tag, ...]
    track: str
    artist: str
    album: str
    title: str
    size: AudioSize

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.size.frames / self.size.sample_rate


def find_songs(labelled: list[Labelled], audio: Path, faults: Faults, run: Run) -> list[Song]:
    """Find and open the files that a table names.

    Artist, album and title that the table lacks are those in the file, if its tags can be read.
    Without a track in the table, each file is a track of its own; see `tracks.join_tracks` for the
    others.

    Parameters
    ----------
    labelled
        What the table says.
    audio
        Folder that the paths in it start from.
    faults
        Receives the songs whose path leads out of the folder, is no file, is the file of another
        song, or can't be opened; and the other song, unless it has all tags of both. Also those of
        `join_tracks`.
    run
        How files are opened: `workers.run_jobs`.
    """
    placed = _placed(labelled, audio, faults)
    jobs = [
        (path, not all(song.groups[key] for key in _FROM_TAGS), False)
        for path, song in placed.items()
    ]
    opened = results(run, _opened, jobs, "Opening files", _FAULTS)
    files, names = [], []
    for (path, song), found in zip(placed.items(), opened, strict=True):
        where = f"{song.where}: {song.path}"
        if isinstance(found, Exception):
            faults.add(where, _text(found))
            continue
        size, own = found
        known = {key: song.groups[key] or _joined(own, key) for key in GROUPS}
        files.append((where, path, audio, tuple(song.tags), size))
        names.append(Names(where, song.groups, known))
    joined = zip(files, join_tracks(names, faults), strict=True)
    return [_song(*file, groups) for file, groups in joined if groups]


def _placed(labelled: list[Labelled], audio: Path, faults: Faults) -> dict[Path, Labelled]:
    """Find the file of each song."""
    placed: dict[Path, Labelled] = {}
    unsure = {}
    for song in labelled:
        where = f"{song.where}: {song.path}"
        try:
            path = _inside(audio, song.path)
        except (ValueError, OSError) as error:
            faults.add(where, _text(error))
            continue
        first = placed.setdefault(path, song)
        if first is not song:
            faults.add(where, f"the same file as in {first.where}")
            if has_more_tags(song.tags, first.tags):
                unsure[path] = song.where
    for path, other in unsure.items():
        first = placed.pop(path)
        faults.add(f"{first.where}: {first.path}", f"the same file has other tags in {other}")
    return placed


def songs_with_tags(
    audio: Path, fields: tuple[str, ...], separator: str, faults: Faults, run: Run
) -> tuple[list[Song], list[str]]:
    """Find all audio files below a folder that have genres or moods of their own.

    Hidden files, and links to folders, are left out. A warning is printed if tags seem to be lists
    with another separator.

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
    run
        How files are opened: `workers.run_jobs`.

    Returns
    -------
    songs
        In the order of their names.
    notes
        Lines on the files that are left out because they have no such tag, or a format that only
        FFmpeg reads, which is not found.
    """
    files = sorted(_walk(audio))
    readable = [path for path in files if path.suffix.lower() in LIBSNDFILE_SUFFIXES]
    others = [path for path in files if path.suffix.lower() in OTHER_SUFFIXES]
    if find_ffmpeg():
        readable, others = sorted(readable + others), []
    places = []
    for path in readable:
        name = path.relative_to(audio).as_posix()
        try:
            places.append((name, _inside(audio, name)))
        except (ValueError, OSError) as error:
            faults.add(name, _text(error))
    jobs = [(path, True, True) for _, path in places]
    opened = results(run, _opened, jobs, "Reading the files' tags", _FAULTS)
    tags_of = [found[1] for found in opened if not isinstance(found, Exception)]
    for field in fields:
        values = [value for own in tags_of for value in own.get(field, ())]
        warn_of_separator(f"{field} in the files", values, separator)
    songs, untagged = [], 0
    for (name, path), found in zip(places, opened, strict=True):
        if isinstance(found, Exception):
            faults.add(name, _text(found))
            continue
        size, own = found
        tags = _own_tags(own, fields, separator)
        groups = {"track": "", **{key: _joined(own, key) for key in _FROM_TAGS}}
        if tags:
            songs.append(_song(name, path, audio, tags, size, groups))
        else:
            untagged += 1
    notes = [f"files without {' or '.join(fields)}: {untagged} of {len(readable)}, left out"]
    if others:
        notes.append(
            f"files that only the program ffmpeg reads, which is not found: {len(others)}, such as "
            f"{others[0].name}, left out"
        )
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
        names = (name, normalize("NFC", name), normalize("NFD", name))
        spelt = (audio / each for each in names)
        path = next((each for each in spelt if os.path.lexists(each)), path)
    resolved = Path(os.path.realpath(path))  # of a loop of links, `resolve` may be an error
    if not resolved.is_relative_to(audio.resolve()):
        raise ValueError(f"outside of {audio}")
    if not resolved.exists():
        raise ValueError(f"no such file in {audio}")
    if not resolved.is_file():
        raise ValueError("no file")
    return resolved


def _opened(path: Path, with_tags: bool, strict: bool) -> tuple[AudioSize, dict[str, list[str]]]:
    """Open an audio file; give the size of its audio, and its tags.

    Tags that are damaged are none unless `strict`: they need not stop what a table says. Raises a
    ValueError or OSError for a file that can't be used.
    """
    if not path.stat().st_size:
        raise ValueError("empty")
    try:
        with quiet(), open_audio(path) as file:
            size = AudioSize(_frames(file), file.samplerate, file.channels)
            if failure := file.failure():
                raise ValueError(f"can't be decoded to its end: {failure}")
    except AudioError as error:
        if error.kind != "not_audio":
            raise ValueError(error.message) from None
        raise ValueError(
            "damaged, or no audio that can be decoded (MP3, FLAC, Ogg, WAV, AIFF)"
        ) from None
    try:
        return size, read_song_tags(path) if with_tags else {}
    except ValueError:
        if strict:
            raise
        return size, {}


def _frames(file: soundfile.SoundFile) -> int:
    """Length of a file: no decoder goes beyond that of a header; without one, all is decoded."""
    if file.frames < _UNKNOWN and not isinstance(file, (FfmpegStream, PipedStream)):
        return file.frames
    try:
        return sum(iter(lambda: len(file.read(_FRAMES)), 0))
    except soundfile.LibsndfileError as error:
        raise ValueError(f"can't be decoded to its end: {error}") from None


def _song(
    where: str,
    path: Path,
    audio: Path,
    tags: tuple[Tag, ...],
    size: AudioSize,
    groups: dict[str, str],
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
        size=size,
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
