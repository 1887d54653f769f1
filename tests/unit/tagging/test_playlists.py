import os

from autotagging.tagging.playlists import write_playlists


def song(path, seconds=200.4, **scores):
    return {"path": str(path), "seconds": seconds, "scores": scores, "tags": [*scores]}


def lines(path):
    return path.read_bytes().decode("utf-8").splitlines()


def test_a_playlist_has_the_songs_of_a_tag_best_first(tmp_path):
    music, folder = tmp_path / "music", tmp_path / "lists/new"
    results = [
        song(music / "b.mp3", rock=0.6, pop=0.5),
        song(music / "Ünï 日本/a.flac", seconds=59.6, rock=0.9),
        song(music / "c.mp3", rock=0.6),
        {"path": str(music / "bad.mp3"), "error": {"type": "empty", "message": "no bytes"}},
    ]
    playlists, left_out = write_playlists(results, folder)
    assert playlists == {folder / "pop.m3u8": 1, folder / "rock.m3u8": 3}
    assert left_out == []
    assert lines(folder / "rock.m3u8") == [
        "#EXTM3U",
        "# by autotagging",
        "#PLAYLIST:rock",
        "#EXTINF:60,a",
        "../../music/Ünï 日本/a.flac",
        "#EXTINF:200,b",
        "../../music/b.mp3",
        "#EXTINF:200,c",
        "../../music/c.mp3",
    ]


def test_paths_are_relative_to_where_the_folder_really_is(tmp_path):
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "lists").symlink_to(tmp_path / "far/away")
    write_playlists([song(tmp_path / "a.mp3", rock=1)], tmp_path / "lists")
    assert lines(tmp_path / "lists/rock.m3u8")[-1] == "../../a.mp3"


def test_names_of_files_are_those_that_any_system_allows(tmp_path):
    tags = {'r&b/soul: "x"': 1.0, "..": 1.0, "Rock": 1.0, "rock": 1.0, "long" * 100: 1.0}
    playlists, _ = write_playlists([song(tmp_path / "a.mp3", **tags)], tmp_path)
    names = {path.name for path in playlists}
    assert names == {
        "r&b_soul_ _x_.m3u8",
        "_.m3u8",
        "Rock.m3u8",
        "rock 2.m3u8",
        f"{'long' * 25}.m3u8",
    }


def test_a_playlist_of_someone_else_is_not_replaced(tmp_path):
    (tmp_path / "rock.m3u8").write_text("mine")
    (tmp_path / "pop.m3u8").mkdir()
    results = [song(tmp_path / "a.mp3", rock=0.5, pop=0.5)]
    expected = {tmp_path / "pop 2.m3u8": 1, tmp_path / "rock 2.m3u8": 1}
    assert write_playlists(results, tmp_path)[0] == expected
    assert write_playlists(results, tmp_path)[0] == expected  # its own are
    assert (tmp_path / "rock.m3u8").read_text() == "mine"


def test_songs_that_no_playlist_can_have_are_named(tmp_path):
    names = ["a\nb.mp3", os.fsdecode(b"latin-\xe9.mp3"), "#hash.mp3"]
    playlists, left_out = write_playlists([song(tmp_path / n, rock=1) for n in names], tmp_path)
    assert [outcome.message for outcome in left_out] == [
        "its name has a line end",
        "its name is not in UTF-8",
    ]
    assert lines(tmp_path / "rock.m3u8")[-1] == "./#hash.mp3"
    assert [*playlists.values()] == [1]


def test_playlists_of_earlier_runs_are_removed(tmp_path):
    write_playlists([song(tmp_path / "a.mp3", rock=0.5, pop=0.5)], tmp_path)
    (tmp_path / "mine.m3u8").write_text("mine")
    write_playlists([song(tmp_path / "a.mp3", pop=0.5)], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.m3u8", "pop.m3u8"]


def test_without_songs_there_is_no_playlist(tmp_path):
    assert write_playlists([], tmp_path / "lists") == ({}, [])
