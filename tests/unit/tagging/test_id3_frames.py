"""Tags as several programs write them are changed; where a frame would be lost, they stay."""

import struct

import mutagen
import pytest
from mutagen.id3 import APIC, COMM, TIT2, TPE1, TXXX, UFID, USLT

from autotagging.tagging.file_tags import read_file_tags
from autotagging.tagging.outcomes import RefusedError
from song_files import write_copy, write_song

PICTURE = b"\0image/png\0\3\0" + bytes(range(256)) * 4


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    return write_song(tmp_path_factory.mktemp("song") / "song.mp3").read_bytes()


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(version: int, name: bytes, content: bytes, flags: int = 0) -> bytes:
    if version == 2:
        return name + struct.pack(">I", len(content))[1:] + content
    size = synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name + size + struct.pack(">H", flags) + content


def tag(version: int, *content: bytes, flags: int = 0) -> bytes:
    joined = b"".join(content)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(joined)) + joined


def unsynchronised(content: bytes) -> bytes:
    changed = content.replace(b"\xff\0", b"\xff\0\0")
    return b"".join(
        bytes([byte, 0]) if byte == 0xFF and follows >= 0xE0 else bytes([byte])
        for byte, follows in zip(changed, changed[1:] + b"\0", strict=True)
    )


def write(tmp_path, content: bytes):
    """Write a genre and a mood into a copy; give the old file and the new one."""
    source, target = tmp_path / "song.mp3", tmp_path / "copy.mp3"
    source.write_bytes(content)
    write_copy(source, target, {"genre": ["Rock"], "mood": ["Calm"]})
    return source, target


TITLE = b"\0Title"
COMMENTS = [b"\0engone\0text", b"\0engtwo\0text", b"\0deuone\0text"]
TEXTS = [b"\0one\0a", b"\0two\0b"]


def usual(version: int) -> list[bytes]:
    """Frames of most tags."""
    names = [(b"TIT2", TITLE), (b"TCON", b"\0(17)"), (b"APIC", PICTURE)]
    names += [(b"COMM", content) for content in COMMENTS] + [(b"TXXX", text) for text in TEXTS]
    names += [(b"PRIV", b"owner\0" + bytes(200)), (b"XABC", b"of no standard")]
    return [frame(version, *pair) for pair in names]


GOOD = {
    "v2.3": tag(3, *usual(3)),
    "v2.3 with padding": tag(3, *usual(3), bytes(1000)),
    "v2.3 with a few bytes of padding": tag(3, *usual(3), bytes(7)),
    "v2.3 unsynchronised": tag(3, unsynchronised(b"".join(usual(3))), bytes(100), flags=0x80),
    "v2.3 with a flag alone": tag(3, *usual(3), frame(3, b"PCNT", b"\xff\xfb\0\1"), flags=0x80),
    "v2.3 with an extended header": tag(
        3, struct.pack(">IHI", 6, 0, 100), *usual(3), bytes(100), flags=0x40
    ),
    "v2.3 that only says so": tag(3, *usual(3), flags=0x40),
    "v2.4": tag(4, *usual(4)),
    "v2.4 with padding": tag(4, *usual(4), bytes(2000)),
    "v2.4 with an extended header": tag(4, synchsafe(6) + b"\1\0", *usual(4), flags=0x40),
    "v2.4 unsynchronised": tag(
        4,
        frame(4, b"TIT2", TITLE, 2),
        frame(4, b"APIC", unsynchronised(PICTURE), 2),
        flags=0x80,
    ),
    "v2.4 of iTunes": tag(4, *usual(3)),
    "v2.4 with a footer": tag(4, *usual(4), flags=0x10) + b"3DI" + tag(4, *usual(4))[3:10],
    "v2.2": tag(2, frame(2, b"TT2", TITLE), frame(2, b"COM", COMMENTS[0]), bytes(50)),
    "empty": tag(3),
    "padding alone": tag(4, bytes(100)),
    "a frame without content": tag(3, frame(3, b"TPE1", b""), frame(3, b"TIT2", TITLE)),
    "frames without text": tag(
        3,
        *(frame(3, b"TPE1", text) for text in (b"\0", b"\0\0", b"\1\xff\xfe", b"\1\xff\xfe\0\0")),
        *(frame(3, b"COMM", text) for text in (b"\0eng", b"\0eng\0", b"\1eng\xff\xfe\0\0")),
        *(
            frame(3, *pair)
            for pair in ((b"TCON", b"\0"), (b"USLT", b"\0deu\0"), (b"WXXX", b"\0\0"))
        ),
        *usual(3),
        frame(3, b"WOAR", b"\0"),
    ),
    "two pictures of one kind": tag(3, *[frame(3, b"APIC", PICTURE)] * 2),
    "v2.3 with the names of v2.2": tag(3, frame(3, b"TT2\0", TITLE)),
    "encrypted": tag(3, frame(3, b"TIT2", b"\1abc", 0x40)),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_tags_of_many_programs_are_changed(tmp_path, audio, name):
    source, target = write(tmp_path, GOOD[name] + audio)
    before, after = read_file_tags(source), read_file_tags(target)
    assert (after.genre, after.mood) == (("Rock",), ("Calm",))
    assert after.others == before.others
    assert target.read_bytes().endswith(audio)


BAD = {
    "a title in Latin-1 that says UTF-8": tag(4, frame(4, b"TIT2", b"\3Bj\xf6rk")),
    "a genre in Latin-1 that says UTF-8": tag(4, frame(4, b"TCON", b"\3Bj\xf6rk")),
    "a picture of no encoding": tag(3, frame(3, b"APIC", b"\x07" + PICTURE[1:]), bytes(100)),
    "two UFID of an owner": tag(3, *(frame(3, b"UFID", b"me\0" + i) for i in (b"1", b"2"))),
    "two USLT of a language": tag(4, *(frame(4, b"USLT", b"\0eng\0" + i) for i in (b"1", b"2"))),
    "a size that reaches into other data": tag(3, frame(3, b"TIT2", TITLE), bytes(20), b"data"),
    "a few bytes after the last frame": tag(3, frame(3, b"TIT2", TITLE), b"\0\0\0\0x"),
    "a frame that reaches beyond the tag": tag(3, frame(3, b"TIT2", TITLE)[:-1]),
    "a name that is none": tag(3, frame(3, b"\xe4bcd", TITLE), frame(3, b"TIT2", TITLE)),
    "a text with a description alone": tag(3, frame(3, b"TXXX", b"\0description\0")),
    "v2.2 with a frame of no successor": tag(2, frame(2, b"CRM", b"me\0x\0y")),
    "v2.2 with a title of no encoding": tag(2, frame(2, b"TT2", b"\7Title")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_whose_frames_would_be_lost_is_refused(tmp_path, audio, name):
    with pytest.raises(RefusedError) as error:
        write(tmp_path, BAD[name] + audio)
    assert error.value.reason == "not_verified"
    assert str(error.value) == "its tag has a frame that can't be kept"
    assert not (tmp_path / "copy.mp3").read_bytes()


@pytest.mark.parametrize("suffix", ["mp3", "wav", "aiff"])
@pytest.mark.parametrize("version", [3, 4])
def test_tags_of_mutagen_are_changed_in_all_files(tmp_path, suffix, version):
    empty, full, copy = (tmp_path / f"{name}.{suffix}" for name in ("empty", "full", "copy"))
    write_copy(write_song(empty), full, {"genre": ["Pop"]})
    tags = mutagen.File(full).tags
    frames = [TIT2(text="ä" * 200), TPE1(text=["A", "B"]), UFID(owner="o", data=b"1")]
    frames += [COMM(lang=lang, desc="d", text="x") for lang in ("eng", "deu")]
    frames += [USLT(lang="eng", text="x"), TXXX(desc="a", text="x"), TXXX(desc="b", text="x")]
    frames += [APIC(mime="image/png", type=3, desc="", data=PICTURE)]
    for each in frames:
        tags.add(each)
    tags.save(full, v2_version=version)
    write_copy(full, copy, {"genre": ["Rock"]})
    assert read_file_tags(copy).genre == ("Rock",)
    assert read_file_tags(copy).others == read_file_tags(full).others
    content = full.read_bytes()
    place = content.index(b"image/png") - 1
    full.write_bytes(content[:place] + b"\7" + content[place + 1 :])
    with pytest.raises(RefusedError, match="a frame that can't be kept"):
        write_copy(full, copy, {"genre": ["Rock"]})
