"""Genre and mood in ID3 tags, of MP3, AIFF and WAV (id3.org).

A tag keeps its version, so that no other frame has to be translated: ID3v2.3 and ID3v2.4 each have
frames that the other lacks. ID3v2.2, which nothing writes any more, becomes ID3v2.3, whose frames
are the same. A file without a tag gets ID3v2.4.
"""

import io
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from mutagen import PaddingInfo
from mutagen.aiff import AIFF
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.id3 import ID3, TCON, TMOO, TXXX, ID3NoHeaderError
from mutagen.id3 import Encoding as TextEncoding
from mutagen.wave import WAVE

from autotagging.corpus.mpeg import id3_bytes
from autotagging.tagging.id3_frames import all_loaded, is_blank
from autotagging.tagging.outcomes import RefusedError

Fields = Mapping[str, Sequence[str]]
"""Values by the name of the field: "genre", "mood"."""

_PADDING = 1024  # bytes after a new tag: the next change moves no audio
_LEAST_PADDING = 256  # mutagen looks for an ID3v1 tag in the last 131 bytes of what it writes
_V1_BYTES = 128
_NO_GENRE = 255  # in ID3v1
_PIECE = 1 << 20


def load_id3(path: Path, kind: type) -> ID3:
    """Load the ID3v2 tag of a file as it is; without one, what an ID3v1 tag has, or nothing."""
    if kind in (AIFF, WAVE):
        opened = kind(path, translate=False, load_v1=False)
        if opened.tags is None:
            opened.add_tags()
        return opened.tags
    for with_v1 in (False, True):
        tags = ID3()
        try:
            tags.load(path, translate=False, load_v1=with_v1)
        except ID3NoHeaderError:
            continue
        return tags
    return ID3()


def id3_fields(tags: ID3) -> dict[str, tuple[str, ...]]:
    """Genres, with the names of numbered ones, and moods, of all frames that have some."""
    genres = tags["TCON"].genres if "TCON" in tags else []
    moods: list[str] = []
    for key in _mood_keys(tags):
        moods += [mood for mood in _without_empty(tags[key].text) if mood not in moods]
    return {"genre": _without_empty(genres), "mood": (*moods,)}


def _without_empty(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for value in values if (text := str(value)))


def id3_others(tags: ID3) -> list[tuple[str, str]]:
    """Describe all frames but blank ones and those of genre and mood; encodings may differ."""
    left_out = {"TCON", *_mood_keys(tags)}
    left_out |= {key for key, frame in tags.items() if is_blank(frame)}
    frames = [(key, repr(frame)) for key, frame in tags.items() if key not in left_out]
    frames += [("unknown", repr(bytes(data))) for data in tags.unknown_frames]
    return sorted((key, re.sub(r"encoding=<[^>]*>, ", "", text)) for key, text in frames)


def save_id3(source: Path, target: BinaryIO, kind: type, fields: Fields) -> None:
    """Write a copy of a file with other genres or moods; `target` is open and empty.

    RefusedError ("not_verified") if a frame would be lost.
    """
    tags = load_id3(source, kind)
    _check_frames(source, tags)
    version = _version(tags)
    _set_fields(tags, version, fields)
    with source.open("rb") as old:
        if kind in (AIFF, WAVE):
            shutil.copyfileobj(old, target, _PIECE)
            target.seek(0)
            tags.save(target, v2_version=version, v23_sep=None, padding=kept_padding)
            return
        available = id3_bytes(old.read(10))
        target.write(_encoded(tags, version, available))
        old.seek(available)
        shutil.copyfileobj(old, target, _PIECE)
    if "genre" in fields:
        _set_v1_genre(target, fields["genre"])


def _check_frames(source: Path, tags: ID3) -> None:
    if not tags.size:  # no ID3v2
        return
    with source.open("rb") as file:
        tags._pre_load_header(file)  # goes to the tag, in a chunk of AIFF and WAV
        if not all_loaded(file, tags):
            raise RefusedError("not_verified", "its tag has a frame that can't be kept")


def kept_padding(info: PaddingInfo) -> int:
    """Give mutagen what is left of a file's padding, or some more if the tag does not fit."""
    return info.padding if info.padding >= 0 else _PADDING


def v1_genre(path: Path) -> tuple[str, ...]:
    """Genre of the ID3v1 tag that an MP3 may have."""
    with path.open("rb") as file:
        file.seek(-min(_V1_BYTES, file.seek(0, 2)), 2)
        tag = file.read()
    found = tag.startswith(b"TAG") and len(tag) == _V1_BYTES and tag[-1] < len(TCON.GENRES)
    return (TCON.GENRES[tag[-1]],) if found else ()


def ape_fields(path: Path) -> dict[str, tuple[str, ...]]:
    """Genres and moods of the APEv2 tag that an MP3 may have."""
    try:
        tags = APEv2(path)
    except APENoHeaderError:
        return {}
    found = {field: tags.get(field) for field in ("genre", "mood")}
    return {field: tuple(map(str, values)) for field, values in found.items() if values}


def _version(tags: ID3) -> int:
    """Version 2.x in which a tag is written."""
    return 3 if (2,) <= tags.version < (2, 4) else 4  # (1, 1): loaded from ID3v1


def _mood_keys(tags: ID3) -> list[str]:
    """Keys of the frames with moods, the standard one first."""
    return sorted(key for key in tags if key.upper() in ("TMOO", "TXXX:MOOD"))


def _set_fields(tags: ID3, version: int, fields: Fields) -> None:
    encoding = TextEncoding.UTF8 if version == 4 else TextEncoding.UTF16
    if "genre" in fields:
        tags.delall("TCON")
        if fields["genre"]:
            tags.add(TCON(encoding=encoding, text=list(fields["genre"])))
    if "mood" in fields:
        keys = _mood_keys(tags)
        used = keys[0] if keys else "TMOO" if version == 4 else "TXXX:MOOD"
        for key in keys:
            del tags[key]
        if fields["mood"]:
            text = list(fields["mood"])
            named = TXXX(encoding=encoding, desc=used.removeprefix("TXXX:"), text=text)
            tags.add(TMOO(encoding=encoding, text=text) if used == "TMOO" else named)


def _encoded(tags: ID3, version: int, available: int) -> bytes:
    """Encode a tag in as many bytes as the old one has, if it fits."""

    def padding(info: PaddingInfo) -> int:
        left = available + info.padding  # info.padding: minus the bytes of the tag
        return left if left >= _LEAST_PADDING else _PADDING

    written = io.BytesIO()
    tags.save(written, v1=0, v2_version=version, v23_sep=None, padding=padding)
    return written.getvalue()


def _set_v1_genre(file: BinaryIO, genres: Sequence[str]) -> None:
    """Set the genre of the ID3v1 tag to the first genre, if there is such a tag."""
    names = [name.casefold() for name in TCON.GENRES]
    first = genres[0].casefold() if genres else ""
    file.seek(-_V1_BYTES, 2)
    if file.read(3) == b"TAG":
        file.seek(-1, 2)
        file.write(bytes([names.index(first) if first in names else _NO_GENRE]))
