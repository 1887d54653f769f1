"""Hash the audio of a file without its tags, so that a file keeps its hash when it is tagged.

Only the container is read: ID3 (id3.org), APEv2, FLAC (RFC 9639), Ogg (RFC 3533), RIFF, AIFF and
the atoms of MP4 (ISO/IEC 14496-12). Nothing is decoded.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from autotagging.corpus.mpeg import id3_bytes

Span = tuple[int, int]
"""First byte of a part of a file, and the byte after its last one."""
_PIECE = 1 << 20
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_COMMENTS = 1  # the packet of an Ogg stream that has its tags: the second one


def audio_sha256(path: Path, *, on_piece: Callable[[], None] | None = None) -> str:
    """Hexadecimal SHA-256 of the encoded audio of a file, without tags, pictures and padding.

    Hashed are

    - of FLAC: the stream's parameters and all frames;
    - of Ogg (Vorbis, Opus, FLAC, Speex): all packets but the comments, without page headers;
    - of WAV and AIFF: the chunks of the format and of the samples;
    - of MP4 and M4A: the media data;
    - of MP3 and everything else: all bytes but ID3v1, ID3v2 and APEv2 tags.

    A file whose structure is damaged is hashed as a whole.

    Parameters
    ----------
    path
        File in any audio format.
    on_piece
        Called after each megabyte.

    Raises
    ------
    OSError
        The file can't be read.
    """
    digest, unreported = hashlib.sha256(), 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            spans = _spans(file, size)
        except (EOFError, struct.error):
            spans = [(0, size)]
        for start, end in spans:
            file.seek(start)
            while start < end and (piece := file.read(min(_PIECE, end - start))):
                digest.update(piece)
                start += len(piece)
                unreported += len(piece)
                if on_piece and unreported >= _PIECE:
                    on_piece()
                    unreported = 0
    return digest.hexdigest()


def _spans(file: BinaryIO, size: int) -> list[Span]:
    """Find the parts of a file that are audio, by what the file begins with."""
    start, end = _without_id3v2(file), tags_at_end(file, size)
    kind = _at(file, start, 12)
    if kind[:4] == b"fLaC":
        return _of_flac(file, start + 4, end)
    if kind[:4] == b"OggS":
        return list(_of_ogg(file, start, size))
    if kind[:4] in (b"RIFF", b"RF64", b"BW64") and kind[8:] == b"WAVE":
        return list(_of_chunks(file, size, "<", (b"fmt ", b"data")))
    if kind[:4] == b"FORM" and kind[8:] in (b"AIFF", b"AIFC"):
        return list(_of_chunks(file, size, ">", (b"COMM", b"SSND")))
    if kind[4:8] == b"ftyp":
        return list(_of_mp4(file, size))
    return [(start, max(start, end))]


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    """Read some bytes; fewer at the end of the file."""
    file.seek(position)
    return file.read(count)


def _all_at(file: BinaryIO, position: int, count: int) -> bytes:
    """Read some bytes; EOFError if the file ends too early."""
    found = _at(file, position, count)
    if len(found) < count:
        raise EOFError
    return found


def _without_id3v2(file: BinaryIO) -> int:
    """Position after the ID3v2 tags at the beginning."""
    position = 0
    while size := id3_bytes(_at(file, position, 10)):
        position += size
    return position


def tags_at_end(file: BinaryIO, end: int) -> int:
    """Position of the first of the ID3v1 and APEv2 tags at the end, in any order.

    The position is `end`, the size of the file, if there are none.
    """
    while True:
        if end >= 128 and _at(file, end - 128, 3) == b"TAG":
            end -= 128
        elif end >= 32 and (footer := _at(file, end - 32, 32))[:8] == b"APETAGEX":
            size, _, flags = struct.unpack("<III", footer[12:24])
            size += 32 if flags >> 31 else 0  # it has a header as well
            if size < 32 or size > end:
                return end
            end -= size
        else:
            return end


def _of_flac(file: BinaryIO, position: int, end: int) -> list[Span]:
    parameters, last = None, False
    while not last:
        (header,) = struct.unpack(">I", _all_at(file, position, 4))
        last, kind, size = header >> 31, header >> 24 & 0x7F, header & 0xFFFFFF
        if kind == 0:
            parameters = (position + 4, position + 4 + size)
        position += 4 + size
    if parameters is None or position > end:
        raise EOFError
    return [parameters, (position, end)]


def _of_ogg(file: BinaryIO, position: int, size: int) -> Iterator[Span]:
    packets: dict[bytes, int] = {}  # number of the packet that goes on, by stream
    for header, lacing, start in ogg_pages(file, position, size):
        stream, begins = header[14:18], header[5] & 2
        number = 0 if begins else packets.get(stream, 0)
        position = start
        for count in lacing:
            position += count
            if count == 255:  # the packet goes on
                continue
            if number != _COMMENTS:
                yield start, position
            start, number = position, number + 1
        if number != _COMMENTS and start < position:
            yield start, position
        packets[stream] = number


def ogg_pages(file: BinaryIO, position: int, size: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Find the pages of an Ogg file of `size` bytes, the first of which begins at `position`.

    Yields
    ------
    header, lacing, start
        The first 27 bytes of a page, the sizes of its segments, and the position after these.

    Raises
    ------
    EOFError
        Something else follows a page, or the file ends within one.
    """
    while position < size:
        header = _all_at(file, position, 27)
        if header[:4] != b"OggS":
            raise EOFError
        lacing = _all_at(file, position + 27, header[26])
        start = position + 27 + len(lacing)
        yield header, lacing, start
        position = start + sum(lacing)
    if position > size:
        raise EOFError


def ogg_checksum(header: bytes, lacing: bytes, content: bytes) -> bytes:
    """Compute the checksum that a page of Ogg has in bytes 22 to 25 of its header.

    It is the CRC-32 of zlib with the bits of each byte reversed, and without its inversions.
    """
    page = header[:22] + bytes(4) + header[26:] + lacing + content
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc.to_bytes(4, "big").translate(_REVERSED)


def _of_chunks(
    file: BinaryIO, size: int, order: str, wanted: tuple[bytes, bytes]
) -> Iterator[Span]:
    """Find chunks of RIFF or AIFF; samples of unknown size reach to the end of the file."""
    position, long_size, found = 12, None, set()
    while position + 8 <= size:
        name, count = struct.unpack(f"{order}4sI", _all_at(file, position, 8))
        position += 8
        if name == b"ds64":
            (long_size,) = struct.unpack("<Q", _all_at(file, position + 8, 8))
        if name == b"data" and count in (0, 0xFFFFFFFF):
            count = long_size if long_size is not None and count else size - position
        if name in wanted:
            found.add(name)
            yield position, min(position + count, size)
        position += count + count % 2
    if found != {*wanted}:
        raise EOFError


def _of_mp4(file: BinaryIO, size: int) -> Iterator[Span]:
    found = False
    for name, start, end in mp4_atoms(file, size):
        if name == b"mdat":
            found = True
            yield start, end
    if not found:
        raise EOFError


def mp4_atoms(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Find the atoms of an MP4 file of `size` bytes that are in no other atom.

    Yields
    ------
    name, start, end
        The name, the first byte of the content, and the byte after its last one.

    Raises
    ------
    EOFError
        An atom has an impossible size.
    """
    position = 0
    while position + 8 <= size:
        count, name = struct.unpack(">I4s", _all_at(file, position, 8))
        header = 8
        if count == 1:
            (count,) = struct.unpack(">Q", _all_at(file, position + 8, 8))
            header = 16
        end = position + count if count else size
        if end < position + header or end > size:
            raise EOFError
        yield name, position + header, end
        position = end
