import struct

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.id3 import TCON

from autotagging.common.files import sha256
from autotagging.tagging.audio_hash import audio_sha256

SUFFIXES = ("mp3", "flac", "ogg", "opus", "wav", "aiff")


def noise(seed=0):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (48_000, 2))


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    path = tmp_path / f"song.{request.param}"
    how = {"format": "OGG", "subtype": "OPUS"} if request.param == "opus" else {}
    soundfile.write(path, noise(), 48_000, **how)
    return path


def tag(path, genres):
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if path.suffix in (".mp3", ".wav", ".aiff"):
        file.tags.add(TCON(encoding=3, text=genres))
    else:
        file.tags["genre"] = genres
    file.save()


def test_tags_do_not_change_the_hash(path):
    found = {audio_sha256(path)}
    bytes_ = {sha256(path)}
    for genres in (["Jazz"], ["Jazz" * 5000, "Rock"], ["Pop"]):
        tag(path, genres)
        found.add(audio_sha256(path))
        bytes_.add(sha256(path))
    assert (len(found), len(bytes_)) == (1, 4)
    assert found != bytes_


def test_other_audio_has_another_hash(path):
    content = bytearray(path.read_bytes())
    before = audio_sha256(path)
    content[-2000] ^= 1
    path.write_bytes(content)
    assert audio_sha256(path) != before


def test_tags_at_the_end_of_an_mp3_are_left_out(tmp_path):
    path = tmp_path / "song.mp3"
    soundfile.write(path, noise(), 48_000)
    before = audio_sha256(path)
    assert before == sha256(path)
    tags = APEv2()
    tags["Genre"] = "Jazz"
    tags.save(path)
    with path.open("ab") as file:
        file.write(b"TAG".ljust(128, b"\0"))
    assert audio_sha256(path) == before


def test_a_footer_of_the_tag_of_an_mp3_is_left_out(tmp_path):
    path = tmp_path / "song.mp3"
    soundfile.write(path, noise(), 48_000)
    before, audio = audio_sha256(path), path.read_bytes()
    rest = b"\4\0\x10" + bytes([0, 0, 0, 20])  # version 2.4, a footer, 20 bytes of padding
    path.write_bytes(b"ID3" + rest + bytes(20) + b"3DI" + rest + audio)
    assert audio_sha256(path) == before


def test_all_but_the_comments_of_ogg_is_hashed(tmp_path):
    path = tmp_path / "song.ogg"
    soundfile.write(path, noise(), 48_000)
    found = {audio_sha256(path)}
    content = path.read_bytes()
    for place in (content.index(b"\x05vorbis") + 100, len(content) - 1):  # the codebooks; the end
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        found.add(audio_sha256(path))
    assert len(found) == 3


def atom(name, content):
    return struct.pack(">I4s", 8 + len(content), name) + content


def test_the_media_data_of_mp4_is_hashed(tmp_path):
    path = tmp_path / "song.m4a"
    start, media = atom(b"ftyp", b"M4A \0\0\0\0"), atom(b"mdat", bytes(range(100)))
    long = struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(range(100))
    found = set()
    for content in (
        start + atom(b"moov", b"old") + media,
        start + media + atom(b"moov", b"new tags"),
        start + long,
        start + b"\0\0\0\0mdat" + bytes(range(100)),
    ):
        path.write_bytes(content)
        found.add(audio_sha256(path))
    assert len(found) == 1
    path.write_bytes(start + atom(b"mdat", bytes(100)))
    assert audio_sha256(path) not in found


@pytest.mark.parametrize("suffix", ["flac", "ogg", "wav", "aiff"])
def test_a_damaged_file_is_hashed_as_a_whole(tmp_path, suffix):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, noise(), 48_000)
    for content in (path.read_bytes()[:20], b"", b"OggS", b"fLaC\x84\xff\xff\xff"):
        path.write_bytes(content)
        assert audio_sha256(path) == sha256(path)
