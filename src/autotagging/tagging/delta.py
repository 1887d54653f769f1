"""A file described by another one that is nearly the same: pieces of it, and what it lacks.

Of a song whose tags were changed, the description has the old tags and a few numbers, and no audio.
"""

import base64
import binascii
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

Piece = tuple[int, int] | bytes
"""First byte and length of a piece of the other file; or bytes that it lacks."""

_BLOCK = 256  # bytes that must agree before a piece is taken from another place
_BLOCKS = 1 << 16  # of a file that are looked up at most; those of larger files have gaps
_SHORTEST = 32  # bytes of a piece
_MOST_SKIPPED = 64  # bytes that differ between two pieces at the same distance, as in Ogg pages
_PIECE = 1 << 20


def describe(old: BinaryIO, new: BinaryIO) -> list[Piece]:
    """Describe `old` by pieces of `new`; only bytes that `new` lacks are kept in memory.

    Parameters
    ----------
    old, new
        Files opened for reading in binary.
    """
    size = _size(old)
    places = _places(new, max(_BLOCK, _size(new) // _BLOCKS))
    pieces: list[Piece] = []
    start = shift = 0
    while start < size:
        length = _equal(old, start, new, start + shift)
        if length >= _SHORTEST:
            pieces.append((start + shift, length))
            start += length
            continue
        if skipped := _skipped(old, start, new, start + shift):
            pieces.append(_read(old, start, skipped))
            start += skipped
            continue
        found, source = _next_match(old, start, new, places)
        pieces.append(_read(old, start, found - start))
        start, shift = found, source - found
    return [piece for piece in pieces if piece]


def rebuild(pieces: Sequence[Piece], new: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of the file that `describe` described.

    Raises
    ------
    ValueError
        A piece is not in `new`.
    """
    size = _size(new)
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        start, length = piece
        if start + length > size:
            raise ValueError("the file is too short")
        while length:
            part = _read(new, start, min(length, _PIECE))
            if not part:
                raise ValueError("the file is too short")
            yield part
            start, length = start + len(part), length - len(part)


def to_json(pieces: Sequence[Piece]) -> list:
    """Give pieces as lists of two numbers, and bytes in base64."""
    return [
        base64.b64encode(piece).decode() if isinstance(piece, bytes) else list(piece)
        for piece in pieces
    ]


def from_json(content: Any) -> list[Piece]:
    """Read what `to_json` gave; ValueError if it is anything else."""
    if not isinstance(content, list):
        raise ValueError("no list of pieces")
    return [_piece(entry) for entry in content]


def _piece(entry: Any) -> Piece:
    if isinstance(entry, str):
        try:
            return base64.b64decode(entry, validate=True)
        except binascii.Error as error:
            raise ValueError("bytes that are not in base64") from error
    if isinstance(entry, list) and len(entry) == 2:
        start, length = entry
        if type(start) is int and type(length) is int and start >= 0 and length > 0:
            return start, length
    raise ValueError("an entry that is no piece")


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _places(file: BinaryIO, step: int) -> dict[int, int]:
    """First place of each block of a file, by the hash of its bytes; one begins at each step."""
    places: dict[int, int] = {}
    file.seek(0)
    start, whole = 0, max(1, _PIECE // step) * step
    while content := file.read(whole):
        for offset in range(0, len(content) - _BLOCK + 1, step):
            places.setdefault(hash(content[offset : offset + _BLOCK]), start + offset)
        start += len(content)
    return places


def _equal(old: BinaryIO, start: int, new: BinaryIO, other: int) -> int:
    """Count the bytes that are the same from a place of each file on."""
    if other < 0:
        return 0
    total, count = 0, 4096
    while True:
        first, second = _read(old, start + total, count), _read(new, other + total, count)
        both = min(len(first), len(second))
        if first[:both] != second[:both]:
            pair = (np.frombuffer(side[:both], np.uint8) for side in (first, second))
            return total + int(np.argmax(np.not_equal(*pair)))
        total += both
        if both < count:
            return total
        count = min(2 * count, _PIECE)


def _skipped(old: BinaryIO, start: int, new: BinaryIO, other: int) -> int:
    """Count the bytes to leave out until the files are the same again; 0 if that is not near."""
    if other < 0:
        return 0
    count = _MOST_SKIPPED + _SHORTEST
    first, second = _read(old, start, count), _read(new, other, count)
    for skipped in range(1, min(len(first), len(second)) - _SHORTEST + 1):
        if first[skipped : skipped + _SHORTEST] == second[skipped : skipped + _SHORTEST]:
            return skipped
    return 0


def _next_match(
    old: BinaryIO, start: int, new: BinaryIO, places: dict[int, int]
) -> tuple[int, int]:
    """Find the first place from `start` on whose block is in `new`, and the place there.

    The end of the file if there is none.
    """
    position = start
    while len(content := _read(old, position, _PIECE + _BLOCK)) >= _BLOCK:
        for offset in range(len(content) - _BLOCK + 1):
            source = places.get(hash(content[offset : offset + _BLOCK]))
            if source is None:
                continue
            found = position + offset
            if _equal(old, found, new, source) >= _BLOCK:
                back = _equal_before(old, start, found, new, source)
                return found - back, source - back
        position += len(content) - _BLOCK + 1
    return _size(old), 0


def _equal_before(old: BinaryIO, start: int, found: int, new: BinaryIO, source: int) -> int:
    """Count the bytes that are the same before a place of each file, at most back to `start`."""
    most = min(found - start, source, _PIECE)
    first, second = _read(old, found - most, most), _read(new, source - most, most)
    count = 0
    while count < most and first[most - count - 1] == second[most - count - 1]:
        count += 1
    return count
