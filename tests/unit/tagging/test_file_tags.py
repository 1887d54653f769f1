import struct

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, RVAD, TCON, TIT2, TMOO, TPE1, TXXX, TYER
from mutagen.mp4 import MP4, AtomDataType, MP4Cover, MP4FreeForm

from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.file_tags import read_file_tags
from autotagging.tagging.outcomes import RefusedError
from song_files import CHUNKS, SUFFIXES, atom, chunks_of, mp4, write_copy, write_song

GENRES, MOODS = ("Rock", "Ünïcode & 日本"), ("Calm", "Happy", "Sad")
FORMATS = dict(zip(SUFFIXES, ["mp3", "flac", "ogg vorbis", "opus", "ogg flac"], strict=False))
FORMATS |= {"wav": "wav", "aiff": "aiff", "m4a": "mp4"}


@pytest.fixture(params=SUFFIXES)
def song(request, tmp_path):
    return write_song(tmp_path / f"song.{request.param}")


@pytest.fixture
def mp3(tmp_path):
    return write_song(tmp_path / "song.mp3")


def written(source, **fields):
    """Write a copy with other tags; check that its audio and its other tags are the same."""
    target = source.with_name(f"copy{source.suffix}")
    write_copy(source, target, fields)
    assert audio_sha256(target) == audio_sha256(source)
    assert read_file_tags(target).others == read_file_tags(source).others
    return target


def values(path):
    tags = read_file_tags(path)
    return tags.genre, tags.mood


def test_genres_and_moods_are_separate_values(song):
    assert values(song) == ((), ())
    tagged = written(song, genre=GENRES, mood=MOODS)
    assert values(tagged) == (GENRES, MOODS)
    assert read_file_tags(tagged).format == FORMATS[song.suffix[1:]]
    tags = mutagen.File(tagged).tags
    if isinstance(tags, ID3):
        assert tags.version == (2, 4, 0)
        assert (tags["TCON"].text, tags["TMOO"].text) == ([*GENRES], [*MOODS])
    elif song.suffix == ".m4a":
        moods = tags["----:com.apple.iTunes:MOOD"]
        assert (tags["\xa9gen"], [bytes(mood).decode() for mood in moods]) == ([*GENRES], [*MOODS])
    else:
        assert [(key, value) for key, value in tags if key in ("GENRE", "MOOD")] == [
            *(("GENRE", genre) for genre in GENRES),
            *(("MOOD", mood) for mood in MOODS),
        ]


def test_a_field_that_is_not_given_is_kept_and_an_empty_one_removed(song):
    tagged = written(song, genre=GENRES, mood=MOODS)
    again = tagged.rename(song)
    assert values(written(again, mood=["Dark"])) == (GENRES, ("Dark",))
    assert values(written(again, genre=[])) == ((), MOODS)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "wav", "aiff"])
def test_the_audio_decodes_to_the_same_samples(tmp_path, suffix):
    song = write_song(tmp_path / f"song.{suffix}")
    samples, _ = soundfile.read(song)
    np.testing.assert_array_equal(
        soundfile.read(written(song, genre=GENRES, mood=MOODS))[0], samples
    )


def test_a_tag_of_id3v2_3_keeps_its_version_and_its_frames(mp3):
    tags = ID3()
    tags.add(TYER(encoding=0, text=["ca. 1999"]))  # ID3v2.4 has no place for it
    tags.add(RVAD(adjustments=[3, 4]))
    tags.add(TPE1(encoding=1, text=["A/B"]))
    tags.add(APIC(encoding=0, mime="image/png", type=3, desc="", data=bytes(range(256)) * 300))
    tags.save(mp3, v2_version=3, v23_sep=None)
    tagged = written(mp3, genre=GENRES, mood=MOODS)
    assert values(tagged) == (GENRES, MOODS)
    tags = ID3(tagged, translate=False)
    assert tags.version == (2, 3, 0)
    assert tags["TCON"].text == [*GENRES]
    assert tags["TXXX:MOOD"].text == [*MOODS]
    assert (tags["TYER"].text, tags["TPE1"].text) == (["ca. 1999"], ["A/B"])
    assert tags["RVAD"].adjustments == [3, 4]


def test_a_frame_for_moods_that_is_there_is_used(mp3):
    tags = ID3()
    tags.add(TXXX(encoding=3, desc="Mood", text=["Old"]))
    tags.save(mp3)
    assert values(mp3) == ((), ("Old",))
    tags = ID3(written(mp3, mood=MOODS))
    assert tags["TXXX:Mood"].text == [*MOODS]
    assert "TMOO" not in tags
    tags = ID3(mp3)
    tags.add(TMOO(encoding=3, text=["Other"]))
    tags.save(mp3)
    tagged = written(mp3, mood=["New"])
    assert ID3(tagged)["TMOO"].text == ["New"]
    assert "TXXX:Mood" not in ID3(tagged)


def test_a_tag_of_id3v2_2_becomes_id3v2_3(tmp_path, mp3):
    frames = b"TT2\0\0\x06\0Title" + b"TYE\0\0\x05\x001987" + b"TCO\0\0\x05\0(17)"
    old = tmp_path / "old.mp3"
    old.write_bytes(b"ID3\2\0\0\0\0\0" + bytes([len(frames)]) + frames + mp3.read_bytes())
    assert values(old) == (("Rock",), ())
    tags = ID3(written(old, mood=MOODS), translate=False)
    assert tags.version == (2, 3, 0)
    assert (tags["TIT2"].text, tags["TYER"].text) == (["Title"], ["1987"])
    assert tags["TCON"].genres == ["Rock"]


def test_an_id3v1_tag_keeps_all_but_its_genre(mp3):
    v1 = b"TAG" + b"Title".ljust(30, b"\0") + b"Artist".ljust(94, b"\0") + b"\x07"
    mp3.write_bytes(mp3.read_bytes() + v1)
    assert values(mp3) == (("Hip-Hop",), ())
    tagged = written(mp3, genre=["Rock", "Pop"])
    assert tagged.read_bytes()[-128:] == v1[:-1] + bytes([17])
    tags = ID3(tagged, load_v1=False)  # a player that finds ID3v2 may look no further
    assert (tags.version, tags["TIT2"].text) == ((2, 4, 0), ["Title"])
    assert written(mp3, genre=["Vaporwave"]).read_bytes()[-1] == 255
    assert written(mp3, mood=["Calm"]).read_bytes()[-128:] == v1


def test_a_genre_in_id3v1_alone_is_found(mp3):
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["Title"]))
    tags.save(mp3)
    mp3.write_bytes(mp3.read_bytes() + b"TAG".ljust(127, b"\0") + b"\x11")
    assert values(mp3) == (("Rock",), ())
    assert values(written(mp3, mood=MOODS)) == (("Rock",), MOODS)
    assert values(written(mp3, genre=["Pop"])) == (("Pop",), ())
    assert values(written(mp3, genre=[])) == ((), ())
    mp3.write_bytes(mp3.read_bytes()[:-1] + b"\xff")
    assert values(mp3) == ((), ())


def test_the_audio_does_not_move_while_there_is_padding(mp3):
    first = written(mp3, genre=["Rock"])
    size = first.stat().st_size
    again = first.rename(mp3)
    assert written(again, genre=GENRES, mood=MOODS).stat().st_size == size


def test_genres_of_an_apev2_tag_are_found(mp3):
    tags = APEv2()
    tags["GENRE"] = ["Jazz", "Blues"]
    tags["REPLAYGAIN_TRACK_GAIN"] = "-3 dB"
    tags.save(mp3)
    found = read_file_tags(mp3)
    assert (found.genre, found.mood, found.elsewhere) == (("Jazz", "Blues"), (), ("genre",))
    tagged = written(mp3, mood=MOODS)
    assert list(APEv2(tagged)["genre"]) == ["Jazz", "Blues"]
    assert values(tagged) == (("Jazz", "Blues"), MOODS)


def test_pictures_and_other_blocks_of_flac_stay(tmp_path):
    path = write_song(tmp_path / "song.flac")
    flac = FLAC(path)
    picture = Picture()
    picture.data, picture.type, picture.mime = bytes(range(256)) * 100, 3, "image/png"
    flac.add_picture(picture)
    flac.tags.extend([("Title", "x"), ("gEnRe", "Old"), ("GENRE", "Older"), ("empty", "")])
    flac.save()
    assert values(path) == (("Old", "Older"), ())
    tagged = FLAC(written(path, genre=GENRES))
    assert tagged.pictures[0].data == picture.data
    assert [*tagged.tags] == [("Title", "x"), ("empty", ""), *(("GENRE", g) for g in GENRES)]


@pytest.mark.parametrize("media_first", [True, False])
def test_chunks_of_mp4_are_found_where_the_file_says(tmp_path, media_first):
    path = tmp_path / "song.m4a"
    path.write_bytes(mp4(media_first=media_first))
    assert chunks_of(path.read_bytes()) == CHUNKS
    assert chunks_of(written(path, genre=GENRES, mood=MOODS).read_bytes()) == CHUNKS


def test_a_mood_of_mp4_keeps_the_letters_of_its_name(tmp_path):
    path = write_song(tmp_path / "song.m4a")
    tags = MP4(path)
    tags.add_tags()
    tags["----:com.apple.iTunes:mood"] = [b"Old"]
    tags["covr"] = [MP4Cover(bytes(5000))]
    tags.save()
    assert values(path) == ((), ("Old",))
    tags = MP4(written(path, mood=MOODS)).tags
    assert [bytes(mood).decode() for mood in tags["----:com.apple.iTunes:mood"]] == [*MOODS]
    assert "----:com.apple.iTunes:MOOD" not in tags


def test_moods_of_all_frames_are_read_once_each(mp3):
    tags = ID3()
    tags.add(TMOO(encoding=3, text=["Calm", "Sad"]))
    tags.add(TXXX(encoding=3, desc="MOOD", text=["Sad", "Dark"]))
    tags.save(mp3)
    assert values(mp3) == ((), ("Calm", "Sad", "Dark"))
    assert values(written(mp3, mood=["Calm", "Sad", "Dark", "New"]))[1][2:] == ("Dark", "New")


def refused(source, **fields):
    """Give the reason and the message of a file that can't be copied."""
    target = source.with_name(f"copy{source.suffix}")
    with pytest.raises(RefusedError) as error:
        write_copy(source, target, fields or {"genre": GENRES})
    return f"{error.value.reason}: {error.value}"


def with_comments(path, *comments):
    """Write a FLAC file with these comments."""
    song = write_song(path.with_suffix(".flac"))
    tags = FLAC(song)
    names = [f"{number}=" + "x" * (len(comment) - 2) for number, comment in enumerate(comments)]
    tags.tags.extend(name.split("=") for name in names)
    tags.save()
    content = song.read_bytes()
    for name, comment in zip(names, comments, strict=True):
        content = content.replace(name.encode(), comment)
    song.write_bytes(content)
    return song


@pytest.mark.parametrize(
    "comment", [b"artist=Bj\xf6\xf6rk", b"k\xfcnstler=x", b"no name", b"=empty name", b"a~=x"]
)
def test_comments_that_would_not_be_kept_are_refused(tmp_path, comment):
    song = with_comments(tmp_path / "song", b"title=\xc3\xa4", comment)
    read_file_tags(song)
    assert refused(song).startswith("unreadable: a comment ")
    assert values(written(with_comments(tmp_path / "song", b"title=\xc3\xa4"), genre=GENRES))


@pytest.mark.parametrize("suffix", ["ogg", "opus", "oga"])
def test_comments_in_ogg_that_are_not_utf8_are_refused(tmp_path, suffix):
    song = write_song(tmp_path / f"song.{suffix}")
    tags = mutagen.File(song)
    tags["artist"] = "Bj\ufffdrk"  # as mutagen reads it
    tags.save()
    assert refused(song) == "unreadable: a comment is not UTF-8"


@pytest.mark.parametrize("suffix", ["ogg", "opus", "oga"])
def test_a_damaged_page_of_ogg_is_refused(tmp_path, suffix):
    """Written again, it would have the right checksum, and decoders would not skip it."""
    song = write_song(tmp_path / f"song.{suffix}")
    content = bytearray(song.read_bytes())
    content[content.rindex(b"OggS") + 100] ^= 8
    song.write_bytes(content)
    with pytest.raises(RefusedError, match="a page of Ogg is damaged"):
        written(song, genre=GENRES)


def test_a_picture_whose_description_is_not_utf8_is_refused(tmp_path):
    song = write_song(tmp_path / "song.flac")
    flac, picture = FLAC(song), Picture()
    picture.data, picture.mime, picture.desc = b"data", "image/png", "\ufffd"
    flac.add_picture(picture)
    flac.save()
    assert refused(song) == "unreadable: the description of a picture is not UTF-8"


def test_moods_of_mp4_are_decoded_by_their_type(tmp_path):
    song = write_song(tmp_path / "song.m4a")

    def with_mood(content, kind):
        tags = MP4(song)
        tags["----:com.apple.iTunes:MOOD"] = [MP4FreeForm(content, kind)]
        tags.save()

    with_mood("Traurig ä".encode("utf-16-be"), AtomDataType.UTF16)
    assert values(song) == ((), ("Traurig ä",))
    assert values(written(song, mood=["Traurig ä", "Calm"])) == ((), ("Traurig ä", "Calm"))
    for content, kind in ((b"Bj\xf6rk", AtomDataType.UTF8), (b"Calm", AtomDataType.SJIS)):
        with_mood(content, kind)
        assert refused(song, mood=["Calm"]).startswith("unreadable: its mood is not text (")
        assert values(written(song, genre=["Rock"]))[0] == ("Rock",)


def test_a_genre_of_mp4_that_is_not_utf8_is_refused(tmp_path):
    song = write_song(tmp_path / "song.m4a")
    tags = MP4(song)
    tags["\xa9gen"] = ["Xaa"]
    tags.save()
    song.write_bytes(song.read_bytes().replace(b"Xaa", b"X\xe4\xe4"))
    assert refused(song, genre=["Rock"]) == "unreadable: a field is not UTF-8"
    assert values(written(song, mood=["Calm"])) == ((), ("Calm",))


@pytest.mark.parametrize("size_of_media", ["known", "rest of the file"])
def test_an_mp4_in_fragments_is_refused(tmp_path, size_of_media):
    song = write_song(tmp_path / "song.m4a")
    header = atom(b"mfhd", bytes(8))
    fragments = 2 * (atom(b"moof", header) + atom(b"mdat", b"samples"))
    if size_of_media != "known":
        fragments = fragments[:-15] + bytes(4) + fragments[-11:]
    song.write_bytes(song.read_bytes() + fragments)
    assert refused(song).startswith("unsupported: an MP4 in fragments")
    with pytest.raises(RefusedError, match="an MP4 in fragments"):  # so that no plan has it
        read_file_tags(song)


def test_other_tags_are_told_apart(mp3):
    seen = set()
    for frame in (TIT2(text="a"), TIT2(text="b"), COMM(text="a"), TCON(text="x"), TMOO(text="x")):
        tags = ID3()
        tags.add(frame)
        tags.save(mp3)
        seen.add(read_file_tags(mp3).others)
    assert len(seen) == 4  # genre and mood are as no tag


def broken_files(folder):
    """Give the content of 20 broken files by name."""
    rng = np.random.default_rng(0)
    for suffix in SUFFIXES:
        content = write_song(folder / f"good.{suffix}").read_bytes()
        yield f"half-head.{suffix}", content[:11]
        yield f"noise.{suffix}", rng.bytes(3000)
    good = (folder / "good.mp3").read_bytes()
    yield "text.mp3", b"not a song\n" * 100
    yield "size.mp3", b"ID3\4\0\0\xff\xff\xff\xff" + good
    yield "empty.mp3", b""
    yield "page.html", b"<html>"


def test_twenty_broken_files_are_refused_and_stay(tmp_path):
    for name, content in broken_files(tmp_path):
        path = tmp_path / name
        path.write_bytes(content)
        target = tmp_path / f"copy{path.suffix}"
        with pytest.raises(RefusedError) as error:
            write_copy(path, target, {"genre": ["Rock"]})
        assert error.value.reason in ("unreadable", "unsupported"), name
        with pytest.raises(RefusedError):
            read_file_tags(path)
        assert path.read_bytes() == content
    assert len(list(broken_files(tmp_path))) == 20


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(RefusedError) as error:
        read_file_tags(tmp_path / "none.mp3")
    assert error.value.reason == "missing"


def test_sizes_in_a_broken_file_take_no_memory(tmp_path):
    path = tmp_path / "song.flac"
    path.write_bytes(b"fLaC" + struct.pack(">I", 0x84FFFFFF) + bytes(100))
    with pytest.raises(RefusedError):
        read_file_tags(path)
