"""Audio files of a person: which are found, what their own tags say, which can't be used."""

import os

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import TALB, TCON, TIT2, TMOO, TPE1

from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.labels import Labelled, Tag
from autotagging.tools.importing.songs import find_songs, songs_with_tags

NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
ID3 = [TCON(3, ["(17)", "Dub; Ska"]), TMOO(3, ["calm"]), TPE1(3, ["Ä", "B"]), TALB(3, ["X"])]
COMMENTS = {"genre": ["Rock", "Dub; Ska"], "mood": ["calm"], "artist": ["Ä", "B"], "album": "X"}
TAGS = (Tag("genre", "Rock"), Tag("genre", "Dub"), Tag("genre", "Ska"), Tag("mood", "calm"))


@pytest.fixture
def library(tmp_path):
    """Folder of songs: those in `tagged` have the same tags, in the way of their format."""
    folder = tmp_path / "music"
    (folder / "tagged/.hidden").mkdir(parents=True)
    for name in ("a.mp3", "b.flac", "c.ogg", "d.wav", "e.aiff"):
        path = folder / "tagged" / name
        soundfile.write(path, NOISE, 8000)
        file = mutagen.File(path)
        if name in ("b.flac", "c.ogg"):
            file.update({**COMMENTS, "title": f"T {name}"})
        else:
            file.add_tags()
            for frame in (*ID3, TIT2(3, [f"T {name}"])):
                file.tags.add(frame)
        file.save()
    soundfile.write(folder / "untagged.wav", NOISE, 8000)
    (folder / "tagged/.hidden/f.mp3").write_bytes(b"hidden")
    (folder / "empty.MP3").touch()
    (folder / "text.flac").write_text("no audio")
    (folder / "g.m4a").write_bytes(b"not read")
    (folder / "cover.jpg").write_bytes(b"no song")
    return folder


def test_tags_of_each_format_are_read(library):
    faults = Faults(skip=True)
    songs, notes = songs_with_tags(library, ("genre", "mood"), ";", faults)
    names = ["a.mp3", "b.flac", "c.ogg", "d.wav", "e.aiff"]
    assert [song.name for song in songs] == [f"tagged/{name}" for name in names]
    assert {song.tags for song in songs} == {TAGS}
    assert {(song.artist, song.album) for song in songs} == {("Ä, B", "X")}
    assert [song.title for song in songs] == [f"T {name}" for name in names]
    assert [song.track for song in songs] == [song.name for song in songs]
    assert notes == [
        "files without genre or mood: 1 of 8, left out",
        "files that can't be decoded: 1, such as g.m4a, left out",
    ]
    assert faults.found == [
        ("empty.MP3", "empty"),
        ("text.flac", "damaged, or no audio that can be decoded (MP3, FLAC, Ogg, WAV, AIFF)"),
    ]
    moods, _ = songs_with_tags(library, ("mood",), ";", faults)
    assert {song.tags for song in moods} == {TAGS[3:]}


def listed(path, **groups):
    empty = dict.fromkeys(("track", "artist", "album", "title"), "")
    return Labelled("tags.csv, line 2", path, empty | groups, [Tag("genre", "Rock")])


def test_a_table_has_the_last_word_on_artist_and_album(library):
    rows = [listed("tagged/a.mp3", artist="C", track="one"), listed("untagged.wav", album="Y")]
    first, second = find_songs(rows, library, Faults(skip=False))
    assert (first.artist, first.album, first.title) == ("C", "X", "T a.mp3")
    assert first.track == "C/X/one"
    assert (second.artist, second.album, second.track) == ("", "Y", "untagged.wav")


def test_names_are_found_in_either_spelling_of_umlauts(library):
    soundfile.write(library / "u\u0308.wav", NOISE, 8000)
    (song,) = find_songs([listed("\u00fc.wav")], library, Faults(skip=False))
    assert song.path.name == "u\u0308.wav"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.wav", "no such file in {}"),
        ("tagged", "no file"),
        ("../music/untagged.wav", None),
        ("../outside.wav", "outside of {}"),
        ("link.wav", "outside of {}"),
        ("tagged/../untagged.wav", None),
        ("empty.MP3", "empty"),
    ],
)
def test_a_path_that_can_not_be_used_is_named(library, path, reason):
    soundfile.write(library.parent / "outside.wav", NOISE, 8000)
    (library / "link.wav").symlink_to("../outside.wav")
    faults = Faults(skip=True)
    songs = find_songs([listed(path)], library, faults)
    expected = [(f"tags.csv, line 2: {path}", reason.format(library))] if reason else []
    assert faults.found == expected
    assert len(songs) == (not reason)


def test_one_file_under_two_names_is_one_song(library):
    faults = Faults(skip=True)
    songs = find_songs([listed("untagged.wav"), listed("tagged/../untagged.wav")], library, faults)
    assert len(songs) == 1
    assert faults.found[0].reason == "the same file as in tags.csv, line 2"


def test_a_name_that_is_no_text_is_a_fault(library):
    name = os.fsdecode(b"caf\xe9.flac")
    (library / "tagged/b.flac").rename(library / name)
    faults = Faults(skip=True)
    songs, _ = songs_with_tags(library, ("mood",), ";", faults)
    assert len(songs) == 4
    assert faults.found[0] == (name, "its name is not UTF-8; rename it")
