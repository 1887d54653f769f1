"""Audio files of a person: which are found, what their own tags say, which can't be used."""

import os
from unicodedata import normalize

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import TALB, TCON, TIT2, TMOO, TPE1

from autotagging.tools.importing import songs as module
from autotagging.tools.importing.cutting import AudioSize
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.file_tags import read_song_tags
from autotagging.tools.importing.labels import Labelled, Tag
from autotagging.tools.importing.workers import JobError
from bundles import write_ffmpeg
from song_files import write_copy, write_song

JOINED = "another stream begins there, as in files that were joined"
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
ID3 = [TCON(3, ["(17)", "Dub; Ska"]), TMOO(3, ["calm"]), TPE1(3, ["Ä", "B"]), TALB(3, ["X"])]
COMMENTS = {"genre": ["Rock", "Dub; Ska"], "mood": ["calm"], "artist": ["Ä", "B"], "album": "X"}
TAGS = (Tag("genre", "Rock"), Tag("genre", "Dub"), Tag("genre", "Ska"), Tag("mood", "calm"))


def in_this_process(function, jobs):
    for number, job in enumerate(jobs):
        try:
            yield number, function(*job), None
        except (ValueError, OSError) as error:
            yield number, None, error


def find_songs(*arguments):
    return module.find_songs(*arguments, in_this_process)


def songs_with_tags(*arguments):
    return module.songs_with_tags(*arguments, in_this_process)


@pytest.fixture(autouse=True)
def no_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))


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
    (folder / "two.ogg").write_bytes(2 * write_song(folder / "two.ogg").read_bytes())
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
        "files without genre or mood: 1 of 9, left out",
        "files that only the program ffmpeg reads, which is not found: 1, such as g.m4a, left out",
    ]
    assert faults.found == [
        ("empty.MP3", "empty"),
        ("text.flac", "damaged, or no audio that can be decoded (MP3, FLAC, Ogg, WAV, AIFF)"),
        ("two.ogg", f"can't be decoded to its end: {JOINED}"),
    ]
    moods, _ = songs_with_tags(library, ("mood",), ";", faults)
    assert {song.tags for song in moods} == {TAGS[3:]}


def test_a_link_to_itself_is_a_fault_of_its_own(library):
    (library / "tagged/loop.wav").symlink_to("loop.wav")
    faults = Faults(skip=True)
    songs, _ = songs_with_tags(library / "tagged", ("genre",), ";", faults)
    assert len(songs) == 5
    assert faults.found == [("loop.wav", f"no such file in {library}/tagged")]


def test_tags_in_files_that_seem_to_have_another_separator_are_told(library, capsys):
    songs_with_tags(library, ("genre", "mood"), ";", Faults(skip=True))
    assert capsys.readouterr().err == ""
    for path in (library / "tagged").glob("?.*"):
        if path.suffix in (".flac", ".ogg"):
            file = mutagen.File(path)
            file["genre"] = ["Rock, Pop"]
            file.save()
        else:
            path.unlink()
    songs_with_tags(library, ("genre", "mood"), ";", Faults(skip=True))
    assert capsys.readouterr().err == (
        "warning: genre in the files: 2 of 2 texts have ',', none has ';', such as "
        "'Rock, Pop'; perhaps --separator ','\n"
    )


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "oga", "wav", "aiff", "m4a"])
def test_tags_that_are_written_into_files_are_read(tmp_path, suffix):
    source, path = write_song(tmp_path / f"a.{suffix}"), tmp_path / f"b.{suffix}"
    names = {
        "mp4": {"\xa9ART": ["Ä", "B"], "\xa9alb": ["X"], "\xa9nam": ["T"]},
        "id3": {"TPE1": TPE1(1, ["Ä", "B"]), "TALB": TALB(1, ["X"]), "TIT2": TIT2(1, ["T"])},
    }
    file = mutagen.File(source)
    kind = {"m4a": "mp4", "mp3": "id3", "wav": "id3", "aiff": "id3"}.get(suffix)
    if file.tags is None:
        file.add_tags()
    file.tags.update(names.get(kind, {"artist": ["Ä", "B"], "album": ["X"], "title": ["T"]}))
    file.save(**({"v2_version": 3, "v23_sep": None} if kind == "id3" else {}))
    write_copy(source, path, {"genre": ("Rock", "Dub"), "mood": ("calm", "warm")})
    if kind == "id3":
        assert "TXXX:MOOD" in mutagen.File(path).tags
    assert read_song_tags(path) == {
        "genre": ["Rock", "Dub"],
        "mood": ["calm", "warm"],
        "artist": ["Ä", "B"],
        "album": ["X"],
        "title": ["T"],
    }


def test_damaged_tags_are_a_fault_only_where_they_are_needed(library):
    path = library / "tagged/a.mp3"
    content = bytearray(path.read_bytes())
    content[3] = 9  # version of ID3
    path.write_bytes(content)
    faults = Faults(skip=True)
    songs, _ = songs_with_tags(library / "tagged", ("genre",), ";", faults)
    assert len(songs) == 4
    ((name, reason),) = faults.found
    assert (name, reason[:23]) == ("a.mp3", "its tags can't be read ")
    (song,) = find_songs([listed("tagged/a.mp3")], library, Faults(skip=False))
    assert (song.artist, song.tags) == ("", (Tag("genre", "Rock"),))


def test_a_file_that_can_not_be_opened_in_time_is_a_fault(library):
    def stuck(function, jobs):
        yield 1, (AudioSize(8000, 8000, 1), {}), None
        yield 0, None, JobError("not done after 600 s; stopped")

    rows, faults = [listed("tagged/a.mp3"), listed("untagged.wav")], Faults(skip=True)
    (song,) = module.find_songs(rows, library, faults, stuck)
    assert song.name == "untagged.wav"
    assert faults.found == [
        ("tags.csv, line 2: tagged/a.mp3", "not done after 600 s; stopped"),
    ]


def test_the_suffixes_are_those_of_the_formats_for_tagging(library):
    for name in ("x.wave", "y.mka"):
        (library / name).write_bytes((library / "tagged/d.wav").read_bytes())
    songs, notes = songs_with_tags(library, ("genre",), ";", Faults(skip=True))
    assert len(songs) == 6
    assert notes[1].endswith("which is not found: 2, such as g.m4a, left out")


@pytest.mark.parametrize("code", [0, 1])
def test_other_formats_are_read_where_there_is_ffmpeg(library, tmp_path, monkeypatch, code):
    """Here it takes all for a second of noise, and may say that the end is missing."""
    file = mutagen.File(write_song(library / "g.m4a"))
    file.update({"\xa9gen": ["Rock"], "\xa9ART": ["C"]})
    file.save()
    (tmp_path / "programs").mkdir()
    content = f"open({str(library / 'untagged.wav')!r}, 'rb').read()"
    program = f"import sys; sys.stdout.buffer.write({content}); sys.exit({code})"
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path / "programs", program))
    found = Faults(skip=True)
    songs, (note,) = songs_with_tags(library, ("genre",), ";", found)
    others = {song.name: song for song in songs if song.name.endswith("m4a")}
    named = [fault for fault in found.found if fault.where == "g.m4a"]
    if code:
        assert not others
        reason = "can't be decoded to its end: ffmpeg ended with exit code 1"
        assert named == [("g.m4a", reason)]
    else:
        assert not named
        song = others["g.m4a"]
        assert (song.seconds, song.artist, song.tags) == (1.0, "C", (Tag("genre", "Rock"),))
    assert note.startswith("files without genre: ")


def without_length(path):
    """Write three seconds of noise into a file whose header has no length, or too short a one."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 24_000)
    soundfile.write(path, noise, 8000)
    content = bytearray(path.read_bytes())
    if path.suffix == ".flac":  # RFC 9639, sec. 8.2
        content[21] &= 0xF0
        content[22:26] = bytes(4)
    elif path.suffix == ".wav":
        size = content.index(b"data") + 4
        content[size : size + 4] = bytes(4)
    else:  # twice the MP3, of which the header has the length of one
        content = 2 * content
    path.write_bytes(content)


@pytest.mark.parametrize(("suffix", "seconds"), [("flac", 3), ("wav", 3), ("mp3", 6)])
def test_without_a_length_in_the_header_that_of_the_decoded_audio_counts(library, suffix, seconds):
    without_length(library / f"x.{suffix}")
    (song,) = find_songs([listed(f"x.{suffix}")], library, Faults(skip=False))
    assert song.seconds == pytest.approx(seconds, abs=0.5)


def test_what_can_not_be_decoded_is_known_before_the_cut_where_all_is_decoded(library):
    without_length(library / "x.mp3")
    soundfile.write(library / "y.mp3", np.tile(NOISE, 12), 24_000)
    with (library / "x.mp3").open("ab") as file:
        file.write(4 * (library / "y.mp3").read_bytes())
    faults = Faults(skip=True)
    assert find_songs([listed("x.mp3")], library, faults) == []
    reason = "can't be decoded to its end: libsndfile does not decode what follows"
    assert faults.found == [("tags.csv, line 2: x.mp3", reason)]


def listed(path, *tags, **groups):
    empty = dict.fromkeys(("track", "artist", "album", "title"), "")
    named = [Tag("genre", tag) for tag in tags or ("Rock",)]
    return Labelled("tags.csv, line 2", path, empty | groups, named)


def test_a_table_has_the_last_word_on_artist_and_album(library):
    rows = [listed("tagged/a.mp3", artist="C", track="one"), listed("untagged.wav", album="Y")]
    first, second = find_songs(rows, library, Faults(skip=False))
    assert (first.artist, first.album, first.title) == ("C", "X", "T a.mp3")
    assert first.track == "C/X/one"
    assert (second.artist, second.album, second.track) == ("", "Y", "untagged.wav")


def test_files_of_one_track_have_one_artist_and_one_album(library):
    rows = [listed("tagged/a.mp3", track="T"), listed("untagged.wav", track="T")]
    songs = find_songs(rows, library, Faults(skip=False))
    assert {(song.artist, song.album, song.track) for song in songs} == {("Ä, B", "X", "Ä, B/X/T")}


def test_files_of_one_track_with_different_artists_can_not_be_used(library):
    rows = [
        listed("tagged/a.mp3", track="T"),
        listed("untagged.wav", track="T", artist="C"),
        listed("tagged/b.flac", track="U"),
    ]
    faults = Faults(skip=True)
    assert [song.track for song in find_songs(rows, library, faults)] == ["Ä, B/X/U"]
    reason = (
        "track 'T' has files of different artists, 'Ä, B' and 'C'; name the artist of each in the "
        "table"
    )
    assert faults.found == [(f"tags.csv, line 2: {row.path}", reason) for row in rows[:2]]


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
        ("loop.wav", "no such file in {}"),
        ("loop.wav/a.wav", "no such file in {}"),
        ("tagged/../untagged.wav", None),
        ("empty.MP3", "empty"),
        (
            "g.m4a",
            "MP4 audio (AAC or ALAC) is not read by libsndfile; install the program ffmpeg, or "
            "convert the file, for instance to FLAC",
        ),
    ],
)
def test_a_path_that_can_not_be_used_is_named(library, path, reason):
    soundfile.write(library.parent / "outside.wav", NOISE, 8000)
    (library / "link.wav").symlink_to("../outside.wav")
    (library / "loop.wav").symlink_to("loop.wav")
    faults = Faults(skip=True)
    songs = find_songs([listed(path)], library, faults)
    expected = [(f"tags.csv, line 2: {path}", reason.format(library))] if reason else []
    assert faults.found == expected
    assert len(songs) == (not reason)


def test_tags_and_paths_in_either_spelling_of_umlauts_are_the_same(tmp_path):
    for form in ("NFC", "NFD"):
        path = tmp_path / normalize(form, f"ü/{form}.flac")
        path.parent.mkdir(exist_ok=True)
        file = mutagen.File(write_song(path))
        keys = ("artist", "album", "title", "genre", "mood")
        file.update({key: [normalize(form, "Björk")] for key in keys})
        file.save()
    faults = Faults(skip=False)
    listed_songs = find_songs([listed("ü/NFC.flac"), listed("ü/NFD.flac")], tmp_path, faults)
    songs, _ = songs_with_tags(tmp_path, ("genre", "mood"), ";", faults)
    assert [song.name for song in songs] == ["ü/NFD.flac", "ü/NFC.flac"]
    for song in (*songs, *listed_songs):
        assert (song.artist, song.album, song.title) == ("Björk", "Björk", "Björk")
    assert {song.tags for song in songs} == {(Tag("genre", "Björk"), Tag("mood", "Björk"))}


def test_files_whose_names_differ_in_the_spelling_alone_are_both_found(tmp_path):
    for form in ("NFC", "NFD"):
        file = mutagen.File(write_song(tmp_path / normalize(form, "ü.flac")))
        file.update({"genre": ["Rock"]})
        file.save()
    if len([*tmp_path.iterdir()]) < 2:
        pytest.skip("on this disk, both names are one file")
    songs, _ = songs_with_tags(tmp_path, ("genre",), ";", Faults(skip=False))
    assert len({song.path for song in songs}) == 2


def test_one_file_under_two_names_is_one_song(library):
    faults = Faults(skip=True)
    songs = find_songs([listed("untagged.wav"), listed("tagged/../untagged.wav")], library, faults)
    assert len(songs) == 1
    assert faults.found[0].reason == "the same file as in tags.csv, line 2"


def test_one_file_under_two_names_with_other_tags_is_left_out(library):
    rows = [listed("untagged.wav"), listed("tagged/../untagged.wav", "Pop")]
    faults = Faults(skip=True)
    assert find_songs(rows, library, faults) == []
    assert [fault.reason for fault in faults.found] == [
        "the same file as in tags.csv, line 2",
        "the same file has other tags in tags.csv, line 2",
    ]


def test_a_name_that_is_no_text_is_a_fault(library):
    name = os.fsdecode(b"caf\xe9.flac")
    (library / "tagged/b.flac").rename(library / name)
    faults = Faults(skip=True)
    songs, _ = songs_with_tags(library, ("mood",), ";", faults)
    assert len(songs) == 4
    assert faults.found[0] == (name, "its name is not UTF-8; rename it")
