"""Frames of an ID3v2 tag as they are in the file (id3.org), to see whether all of them are kept.

mutagen leaves out frames that it can't read, and the first one of two with the same key.
"""

import re
from collections.abc import Callable
from typing import BinaryIO

from mutagen.id3 import ID3, USLT, Frame, TextFrame, UrlFrame

from autotagging.corpus.mpeg import synchsafe

_HEADER = 10  # bytes
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40  # flags
_Size = Callable[[bytes], int]
_BLANK = re.compile(
    rb"(?s:(?:[TW]..|[TW]...):[\0-\3]|(?:COM|COMM|ULT|USLT):[\0-\3]...)(?:\xff\xfe|\xfe\xff|\0)*"
)  # name and content, of nothing but an encoding, a language, and ends of texts


def all_loaded(file: BinaryIO, tags: ID3) -> bool:
    """Whether `tags` have each frame of the tag that begins here, and nothing is between or after.

    Frames without content or text count for nothing; zeros after the last frame are padding.
    """
    header = file.read(_HEADER)
    version, flags = header[3], header[5]
    content = file.read(tags.size - _HEADER)
    sizes: list[_Size] = [_plain, synchsafe] if version == 4 else [_plain]  # iTunes wrote plain
    if flags & _EXTENDED and tags.f_extended:  # some set the flag and have no such header
        size = synchsafe(content[:4]) if version == 4 else 4 + _plain(content[:4])
        content = content[size:]
    if version < 4 and flags & _UNSYNCHRONISED:
        content = _synchronised(content)
    loaded = sum(not is_blank(frame) for frame in tags.values()) + len(tags.unknown_frames)
    return any(_count(content, version, size) == loaded for size in sizes)


def is_blank(frame: Frame) -> bool:
    """Whether a frame of text or an address has none; mutagen writes no such frames of text."""
    texts = [*getattr(frame, "text", ()), getattr(frame, "url", ""), getattr(frame, "desc", "")]
    return isinstance(frame, TextFrame | UrlFrame | USLT) and not any(map(str, texts))


def _plain(size: bytes) -> int:
    return int.from_bytes(size, "big")


def _synchronised(content: bytes) -> bytes:
    """Undo the unsynchronisation, where it was done and not only said, as mutagen does."""
    if re.search(rb"\xff(?:[\xe0-\xff]|\Z)", content):
        return content
    return content.replace(b"\xff\0", b"\xff")


def _count(content: bytes, version: int, size_of: _Size) -> int | None:
    """Count the frames with content or text; None if other bytes follow that are no padding."""
    field = 3 if version == 2 else 4  # bytes of the name, and of the size
    header = 6 if version == 2 else 10
    number = position = 0
    while position + header <= len(content) and any(content[position : position + field]):
        name = content[position : position + field].rstrip(b"\0")
        size = size_of(content[position + field : position + 2 * field])
        start, position = position + header, position + header + size
        number += size > 0 and not _BLANK.fullmatch(name + b":" + content[start:position])
    return number if position <= len(content) and not content[position:].strip(b"\0") else None
