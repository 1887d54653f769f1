"""Small audio files of all formats whose tags are written, made by tests."""

import struct
from pathlib import Path

import numpy as np
import soundfile
from mutagen.ogg import OggPage

from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.file_tags import copy_with_tags, read_file_tags
from autotagging.tagging.id3 import Fields
from autotagging.tagging.plans import Change, PlannedFile

SUFFIXES = ("mp3", "flac", "ogg", "opus", "oga", "wav", "aiff", "m4a")
_SUBTYPES = {"opus": "OPUS", "ogg": "VORBIS"}
CHUNKS = [b"first chunk of samples" * 20, b"second" * 90, b"third one" * 70]
"""Media data of the MP4 files."""


def write_song(path: Path, *, seconds: float = 0.3, seed: int = 0) -> Path:
    """Write a song without tags, in the format of the suffix."""
    suffix = path.suffix[1:].lower()
    if suffix == "m4a":
        path.write_bytes(mp4())
        return path
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (int(48_000 * seconds), 2))
    if suffix == "oga":
        soundfile.write(path, noise, 48_000, format="FLAC")
        path.write_bytes(ogg_flac(path.read_bytes()))
    elif suffix in _SUBTYPES:
        soundfile.write(path, noise, 48_000, format="OGG", subtype=_SUBTYPES[suffix])
    else:
        soundfile.write(path, noise, 48_000, format=suffix.upper())
    return path


def write_copy(source: Path, target: Path, fields: Fields) -> None:
    """Write a copy of a song with other tags."""
    with target.open("w+b") as file:
        copy_with_tags(source, file, fields)


def planned(path: Path, genre=("Rock", "Indie Rock"), mood=("Calm",)) -> PlannedFile:
    """Plan to replace the tags of a file."""
    tags = read_file_tags(path)
    changes = (Change(tags.genre, tuple(genre)), Change(tags.mood, tuple(mood)))
    return PlannedFile(str(path), audio_sha256(path), tags.format, *changes)


def atom(name: bytes, *content: bytes) -> bytes:
    joined = b"".join(content)
    return struct.pack(">I4s", 8 + len(joined), name) + joined


def mp4(*, media_first: bool = False) -> bytes:
    """Make an M4A file with one track of AAC in three chunks; ISO/IEC 14496-12 and -14."""
    start = atom(b"ftyp", b"M4A ", bytes(4), b"M4A mp42isom")
    media = atom(b"mdat", *CHUNKS)
    offset = len(start) + 8 + (0 if media_first else len(_moov([0, 0, 0])))
    offsets = [offset + sum(map(len, CHUNKS[:number])) for number in range(3)]
    parts = [_moov(offsets), media]
    return start + b"".join(reversed(parts) if media_first else parts)


def _moov(offsets: list[int]) -> bytes:
    counts = struct.pack(">II", 0, 3)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    sizes = struct.pack(">3I", *map(len, CHUNKS))
    config = b"\x03\x19\0\0\0\x04\x11\x40\x15" + bytes(11) + b"\x05\x02\x12\x10\x06\x01\x02"
    entry = atom(
        b"mp4a",
        bytes(6) + struct.pack(">H8xHHHHI", 1, 2, 16, 0, 0, 48_000 << 16),
        atom(b"esds", bytes(4), config),
    )
    table = atom(
        b"stbl",
        atom(b"stsd", struct.pack(">II", 0, 1), entry),
        atom(b"stts", struct.pack(">IIII", 0, 1, 3, 1024)),
        atom(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        atom(b"stsz", struct.pack(">III", 0, 0, 3), sizes),
        atom(b"stco", counts, struct.pack(">3I", *offsets)),
    )
    reference = atom(b"dinf", atom(b"dref", struct.pack(">II", 0, 1), atom(b"url ", b"\0\0\0\1")))
    handler = atom(b"hdlr", bytes(8), b"soun", bytes(12), b"sound\0")
    header = atom(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 48_000, 3072, 0x55C4, 0))
    information = atom(b"minf", atom(b"smhd", bytes(8)), reference, table)
    track_header = struct.pack(">IIIIII8xHHHH", 7, 0, 0, 1, 0, 64, 0, 0, 0x100, 0) + matrix
    track = atom(
        b"trak",
        atom(b"tkhd", track_header, bytes(8)),
        atom(b"mdia", header, handler, information),
    )
    movie = struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 64, 0x10000, 0x100) + matrix + bytes(24)
    return atom(b"moov", atom(b"mvhd", movie, struct.pack(">I", 2)), track)


def chunks_of(content: bytes) -> list[bytes]:
    """Read the chunks of an MP4 file where its table of offsets says that they are."""
    place = content.index(b"stco") + 12
    offsets = struct.unpack(">3I", content[place : place + 12])
    return [content[at : at + len(chunk)] for at, chunk in zip(offsets, CHUNKS, strict=True)]


def ogg_flac(flac: bytes) -> bytes:
    """Put the stream of a FLAC file into Ogg, all frames as one packet; RFC 9639, sec. 10.1."""
    position, last = 42, False  # after fLaC and the parameters
    while not last:
        (header,) = struct.unpack(">I", flac[position : position + 4])
        last, position = header >> 31, position + 4 + (header & 0xFFFFFF)
    comments = struct.pack("<II", 0, 0)
    packets = [
        b"\x7fFLAC\1\0\0\1" + flac[:4] + b"\0" + flac[5:42],
        struct.pack(">I", 0x84 << 24 | len(comments)) + comments,
        flac[position:],
    ]
    pages = [OggPage.from_packets([packet], number) for number, packet in enumerate(packets)]
    pages[0][0].first, pages[-1][-1].last = True, True
    pages[-1][-1].position = 48_000
    return b"".join(page.write() for group in pages for page in group)
