"""Frames of MP3s: those that are damaged, and those that a decoder leaves out.

The layout of a frame is that of ISO/IEC 11172-3 and 13818-3, layer III, and MPEG 2.5.
"""

import re
import struct
from collections.abc import Iterator

_MONO = 3  # the mode in a header
_HAS_FRAMES, _HAS_BYTES = 1, 2  # flags of an info frame
_MPEG_1 = 3  # the version in a header; 2: MPEG 2, 0: MPEG 2.5
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
# In kbit/s, by the four bits of a header; 0, free format, is not followed.
_KBITS_MPEG_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

_NEAR = 64  # bytes by which converted line ends move the next frame at most, with a margin


def damaged_seconds(content: bytes) -> float:
    """Duration of the frames of an MP3 that do not end where the next one begins.

    Tags and other bytes before the first and after the last frame are no damage.

    Parameters
    ----------
    content
        An MP3 of constant or variable bit rate; with free format, the result is 0.

    Returns
    -------
    seconds
        0 for a file without damage.
    """
    start = _find_frame(content, _after_id3(content), _ANY_HEADER)
    if start is None:
        return 0.0
    damaged = sum(not whole for _, whole in _frames(content, start))
    return damaged * _frame_samples(_version(content, start)) / _rate(content, start)


def _frames(content: bytes, start: int) -> Iterator[tuple[int, bool]]:
    """Yield where each frame begins, and whether it ends where the next one does."""
    header = _headers([_version(content, start)], [(content[start + 2] >> 2) & 3])
    while (end := start + _frame_bytes(content, start)) < len(content):
        if header.match(content, end):
            yield start, True
            start = end
            continue
        following = _find_frame(content, start + 4, header)  # it may begin too early
        if following is None:
            break
        yield start, False
        start = following
    yield start, True


def start_of_unknown_length(content: bytes) -> int | None:
    """Find where to begin so that all frames of an MP3 are decoded; None: anywhere.

    The info frame of the encoder ("Xing" or "Info") has the length that decoders trust. Without it
    they estimate one from the first frames, which is wrong if the bit rate varies; in files that
    were joined, it is that of the first. A decoder that sees neither this frame nor the size of the
    file goes on to the end.

    Returns
    -------
    position
        Of the first frame of audio that is not the info frame.
    """
    start = _find_frame(content, _after_id3(content), _ANY_HEADER)
    if start is None:
        return None
    known, size = _info(content, start)
    if not known:
        rates = (content[frame + 2] >> 4 for frame, _ in _frames(content, start))
        first = next(rates)
        return start if any(rate != first for rate in rates) else None
    first = start + _frame_bytes(content, start)  # which some do not count
    more = size and _find_frame(content, first + size, _ANY_HEADER)
    return first if more else None


def _info(content: bytes, start: int) -> tuple[bool, int]:
    """Read the first frame: whether it gives the number of frames, and the size of all or 0."""
    mono, first = content[start + 3] >> 6 == _MONO, _version(content, start) == _MPEG_1
    place = start + 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    name, _, flags, frames, size = struct.unpack(">4s3sBII", content[place : place + 16])
    if name not in (b"Xing", b"Info") or not flags & _HAS_FRAMES or not frames:
        return False, 0
    return True, size if flags & _HAS_BYTES else 0


def from_first_frame(content: bytes) -> bytes:
    """Leave out what is before the first frame of an MP3 that begins with an ID3v2 tag.

    libsndfile finds no audio in bytes after whose tags something else comes, such as an ID3v1 tag,
    which belongs at the end. Without such a tag, or without a frame, the content stays as it is.
    """
    start = first_frame_after_id3(content)
    return content if start is None else content[start:]


def first_frame_after_id3(content: bytes) -> int | None:
    """Position of the first frame of an MP3 that begins with an ID3v2 tag; None of other files."""
    after = _after_id3(content)
    return _find_frame(content, after, _ANY_HEADER) if after else None


def _headers(versions: list[int], rates: list[int]) -> re.Pattern[bytes]:
    """Pattern of the headers of layer III with one of some versions and indexes of rates."""
    second = {0xE0 | version << 3 | 2 | no_crc for version in versions for no_crc in (0, 1)}
    third = {
        bits << 4 | rate << 2 | pad for bits in range(1, 15) for rate in rates for pad in range(4)
    }
    fourth = {byte for byte in range(256) if byte & 3 != 2}  # 2: no known emphasis
    classes = (
        b"[" + re.escape(bytes(sorted(allowed))) + b"]" for allowed in (second, third, fourth)
    )
    return re.compile(b"\xff" + b"".join(classes))


_ANY_HEADER = _headers([0, 2, 3], [0, 1, 2])


def _find_frame(content: bytes, position: int, header: re.Pattern[bytes]) -> int | None:
    """Find the first frame from a position on that another of its kind follows, roughly.

    Without the second frame, one in 100,000 places of any data would look like a frame.
    """
    for found in header.finditer(content, position):
        start = found.start()
        end = start + _frame_bytes(content, start)
        for following in _ANY_HEADER.finditer(content, max(end - _NEAR, start + 4), end + _NEAR):
            if _kind(content, following.start()) == _kind(content, start):
                return start
    return None


def _after_id3(content: bytes) -> int:
    """Position after the ID3v2 tags at the beginning; a tag may hold pictures, even other MP3s."""
    position = 0
    while size := id3_bytes(content[position : position + 10]):
        position += size
    return position


def id3_bytes(header: bytes) -> int:
    """Length of the ID3v2 tag that begins with these 10 bytes; 0 if they begin none."""
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    return 10 + synchsafe(header[6:]) + (10 if header[5] & 0x10 else 0)


def synchsafe(size: bytes) -> int:
    """Read a size of ID3v2, of which each byte has 7 bits."""
    number = 0
    for byte in size:
        number = number << 7 | byte & 0x7F
    return number


def _version(content: bytes, start: int) -> int:
    return (content[start + 1] >> 3) & 3


def _kind(content: bytes, start: int) -> tuple[int, int]:
    """Version and sample rate, which all frames of a file have in common."""
    return _version(content, start), _rate(content, start)


def _rate(content: bytes, start: int) -> int:
    return _RATES[_version(content, start)][(content[start + 2] >> 2) & 3]


def _frame_samples(version: int) -> int:
    return 1152 if version == _MPEG_1 else 576


def _frame_bytes(content: bytes, start: int) -> int:
    """Length of a frame, from its header."""
    version = _version(content, start)
    kbits = (_KBITS_MPEG_1 if version == _MPEG_1 else _KBITS_MPEG_2)[content[start + 2] >> 4]
    padding = (content[start + 2] >> 1) & 1
    return _frame_samples(version) // 8 * kbits * 1000 // _rate(content, start) + padding
