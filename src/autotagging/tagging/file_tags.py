"""Read and write the genres and moods in audio files, as separate values, by mutagen.

| format               | genre  | mood                                                |
|----------------------|--------|-----------------------------------------------------|
| MP3, AIFF, WAV       | TCON   | TMOO; in ID3v2.3, which lacks it, TXXX:MOOD         |
| FLAC, Vorbis, Opus   | GENRE  | MOOD, as the names of Vorbis comments               |
| MP4, M4A             | ©gen   | ----:com.apple.iTunes:MOOD                          |
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import mutagen
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Padding, VCFLACDict
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, AtomDataType, MP4FreeForm
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from autotagging.tagging.audio_hash import mp4_atoms, ogg_checksum, ogg_pages
from autotagging.tagging.id3 import (
    Fields,
    ape_fields,
    id3_fields,
    id3_others,
    kept_padding,
    load_id3,
    save_id3,
    v1_genre,
)
from autotagging.tagging.outcomes import RefusedError, refusal

FIELDS = ("genre", "mood")
"""What is written into files."""

_FORMATS = {
    MP3: "mp3",
    AIFF: "aiff",
    WAVE: "wav",
    FLAC: "flac",
    OggFLAC: "ogg flac",
    OggVorbis: "ogg vorbis",
    OggOpus: "opus",
    MP4: "mp4",
}
_ID3 = (MP3, AIFF, WAVE)
_OGG = (OggFLAC, OggVorbis, OggOpus)
_MP4_GENRE = "\xa9gen"
_MP4_MOOD = "----:com.apple.iTunes:MOOD"
_MP4_TEXT = {
    AtomDataType.IMPLICIT: "utf-8",
    AtomDataType.UTF8: "utf-8",
    AtomDataType.UTF16: "utf-16-be",
}
_REPLACED = "\ufffd"  # what mutagen reads for bytes that are not UTF-8


@dataclass(frozen=True)
class FileTags:
    """The tags of a file.

    Attributes
    ----------
    format
        "mp3", "aiff", "wav", "flac", "ogg flac", "ogg vorbis", "opus" or "mp4".
    genre, mood
        Values, in the order of the file.
    elsewhere
        Fields that an MP3 has in its APEv2 tag alone, which is never written.
    others
        SHA-256 of a description of all other tags, with pictures.
    """

    format: str
    genre: tuple[str, ...]
    mood: tuple[str, ...]
    elsewhere: tuple[str, ...]
    others: str


def read_file_tags(path: Path) -> FileTags:
    """Read the tags of a file.

    Raises
    ------
    RefusedError
        "unsupported": of no format in which tags are written; "unreadable": damaged; or another
        reason why the file can't be read.
    """
    with _parsing():
        opened, elsewhere = _open(path), {}
        kind = type(opened)
        if kind in _ID3:
            tags = load_id3(path, kind)
            fields, others = id3_fields(tags), id3_others(tags)
        elif kind is MP4:
            fields, others = _mp4_fields(opened), _mp4_others(opened)
        else:
            fields, others = _vorbis_fields(opened), _vorbis_others(opened)
        if kind is MP3:
            elsewhere = {name: had for name, had in ape_fields(path).items() if not fields[name]}
            fields["genre"] = fields["genre"] or v1_genre(path)
    digest = hashlib.sha256(repr(others).encode(errors="surrogatepass")).hexdigest()
    return FileTags(
        _FORMATS[kind], **{**fields, **elsewhere}, elsewhere=(*elsewhere,), others=digest
    )


def copy_with_tags(source: Path, target: BinaryIO, fields: Fields) -> None:
    """Write a copy of a file in which the values of some fields are others.

    Parameters
    ----------
    source
        File to copy; only read.
    target
        Empty file, opened for reading and writing.
    fields
        Values of "genre", "mood" or both; a field without values is removed.

    Raises
    ------
    RefusedError
        See `read_file_tags`; also where `target` can't be written.
    """
    with _parsing():
        kind = type(_open(source))
        if kind in _ID3:
            save_id3(source, target, kind, fields)
            return
        with source.open("rb") as old:
            shutil.copyfileobj(old, target)
        target.seek(0)
        if kind in _OGG:
            _check_pages(target)
            target.seek(0)
        opened = kind(target)
        (_check_mp4 if kind is MP4 else _check_vorbis)(opened, fields)
        if opened.tags is None:
            opened.add_tags()
        (_set_mp4 if kind is MP4 else _set_vorbis)(opened, fields)
        target.seek(0)
        opened.save(target, padding=kept_padding)


def _check_pages(file: BinaryIO) -> None:
    """Refuse an Ogg file with a damaged page, which decoders skip.

    Mutagen would write a page with the right checksum, and the damage would be heard.
    """
    size = file.seek(0, os.SEEK_END)
    for header, lacing, start in ogg_pages(file, 0, size):
        file.seek(start)
        if ogg_checksum(header, lacing, file.read(sum(lacing))) != header[22:26]:
            raise RefusedError("unreadable", "a page of Ogg is damaged: its checksum is wrong")


@contextmanager
def _parsing() -> Iterator[None]:
    """Raise whatever a damaged file leads to as a RefusedError."""
    try:
        yield
    except RefusedError:
        raise
    except Exception as error:  # mutagen raises many kinds, and wraps those of the system
        cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error
        if isinstance(cause, OSError) and cause.errno is not None:
            raise refusal(cause) from error
        message = str(error) or "damaged"
        raise RefusedError("unreadable", f"its tags can't be read ({message})") from error


def _open(path: Path) -> mutagen.FileType:
    opened = mutagen.File(path, options=list(_FORMATS))
    if opened is None:
        raise RefusedError("unsupported", "of no format in which tags are written")
    if isinstance(opened, MP4) and _in_fragments(path):
        raise RefusedError(
            "unsupported",
            "an MP4 in fragments, in which no tags are written (ffmpeg -i OLD -c copy NEW joins "
            "them)",
        )
    return opened


def _in_fragments(path: Path) -> bool:
    """Tell whether an MP4 has fragments, whose offsets mutagen corrects in the first one alone."""
    with suppress(EOFError), path.open("rb") as file:
        atoms = mp4_atoms(file, os.fstat(file.fileno()).st_size)
        return any(name == b"moof" for name, _, _ in atoms)
    return False


def _vorbis_fields(opened: mutagen.FileType) -> Fields:
    tags = opened.tags or {}
    return {field: tuple(filter(None, tags.get(field, ()))) for field in FIELDS}


def _vorbis_others(opened: mutagen.FileType) -> list:
    comments = [pair for pair in opened.tags or () if pair[0].lower() not in FIELDS]
    blocks = getattr(opened, "metadata_blocks", ())
    kept = [block for block in blocks if not isinstance(block, (Padding, VCFLACDict))]
    return [sorted(comments), [(block.code, bytes(block.write())) for block in kept]]


def _check_vorbis(opened: mutagen.FileType, _: Fields) -> None:
    """Raise RefusedError if a comment would be written in other bytes than those that are there."""
    blocks = getattr(opened, "metadata_blocks", ())  # those of FLAC; several may be of comments
    more = [block for block in blocks if isinstance(block, VCFLACDict) and block is not opened.tags]
    for tags in more if opened.tags is None else [opened.tags, *more]:
        texts = [tags.vendor, *(value for _, value in tags)]
        if any(_REPLACED in text for text in texts) or any("?" in name for name, _ in tags):
            raise RefusedError("unreadable", "a comment is not UTF-8")
        if len(tags.write(framing=isinstance(opened, OggVorbis))) != tags._size:
            raise RefusedError("unreadable", "a comment has no name, or one that can't be kept")
    for picture in getattr(opened, "pictures", ()):
        if _REPLACED in picture.desc + picture.mime:
            raise RefusedError("unreadable", "the description of a picture is not UTF-8")


def _set_vorbis(opened: mutagen.FileType, fields: Fields) -> None:
    for field, values in fields.items():
        if field in opened.tags:
            del opened.tags[field]
        if values:
            opened.tags[field.upper()] = list(values)


def _mp4_fields(opened: MP4) -> Fields:
    tags = opened.tags or {}
    moods = [_mp4_text(value, "replace") for value in tags.get(_mp4_mood(tags), ())]
    return {
        "genre": tuple(filter(None, tags.get(_MP4_GENRE, ()))),
        "mood": tuple(filter(None, moods)),
    }


def _mp4_text(value: MP4FreeForm, errors: str) -> str:
    return value.decode(_MP4_TEXT.get(value.dataformat, "ascii"), errors)


def _check_mp4(opened: MP4, fields: Fields) -> None:
    """Raise RefusedError if a value would be lost that can't be read."""
    if opened.tags is None:
        return
    failed, tags = opened.tags._failed_atoms, opened.tags
    if any(name in tags for name in failed) or ("genre" in fields and _MP4_GENRE in failed):
        raise RefusedError("unreadable", "a field is not UTF-8")
    for value in tags.get(_mp4_mood(tags), ()) if "mood" in fields else ():
        try:
            if value.dataformat not in _MP4_TEXT:
                raise ValueError(f"data of type {value.dataformat}")
            _mp4_text(value, "strict")
        except ValueError as error:
            raise RefusedError("unreadable", f"its mood is not text ({error})") from None


def _mp4_mood(tags) -> str:
    """Key of the moods, in the letters in which the file has it."""
    return next((key for key in tags if key.casefold() == _MP4_MOOD.casefold()), _MP4_MOOD)


def _mp4_others(opened: MP4) -> list:
    tags = opened.tags or {}
    left_out = (_MP4_GENRE, _mp4_mood(tags))
    return sorted((key, repr(value)) for key, value in tags.items() if key not in left_out)


def _set_mp4(opened: MP4, fields: Fields) -> None:
    names = {"genre": _MP4_GENRE, "mood": _mp4_mood(opened.tags)}
    for field, values in fields.items():
        opened.tags.pop(names[field], None)
        if values:
            opened.tags[names[field]] = [
                value if field == "genre" else MP4FreeForm(value.encode(), AtomDataType.UTF8)
                for value in values
            ]
