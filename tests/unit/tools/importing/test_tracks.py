"""Files that a table says are one song: which are one track, of which artist and album."""

import pytest

from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.tracks import Names, join_tracks


def joined(*files):
    """Artist and album by track, artist and album of a table, and those of the files' own tags."""
    faults, names = Faults(skip=True), []
    for track, of_table, of_file in files:
        table = dict(zip(("artist", "album"), of_table, strict=True)) | {"track": track}
        own = dict(zip(("artist", "album"), of_file, strict=True)) | {"track": ""}
        names.append(Names("here", table, {key: table[key] or own[key] for key in table}))
    found = join_tracks(names, faults)
    pairs = [each and (each["artist"], each["album"]) for each in found]
    return pairs, [fault.reason for fault in faults.found]


def test_what_is_unknown_of_a_file_is_that_of_the_others_of_its_track():
    found, faults = joined(
        ("T1", ("", ""), ("Ann", "First")),
        ("T1", ("", ""), ("", "")),
        ("", ("", ""), ("", "")),
        ("T2", ("", ""), ("", "")),
        ("T2", ("", "Second"), ("", "")),
        ("T2", ("Bob", ""), ("", "Best")),
    )
    assert found == [*2 * [("Ann", "First")], ("", ""), *3 * [("Bob", "Second")]]
    assert not faults


def test_the_artist_or_album_in_the_table_tells_tracks_of_one_name_apart(capsys):
    files = [
        ("1", ("Ann", "First"), ("", "")),
        ("1", ("Ann", "Second"), ("", "")),
        ("1", ("Bob", ""), ("", "Third")),
        ("1", ("", ""), ("", "")),
    ]
    found, faults = joined(*files)
    assert found == [("Ann", "First"), ("Ann", "Second"), ("Bob", "Third"), ("", "")]
    assert not faults
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", ["1", "01", "1/12", "1 / 12"])
def test_a_number_is_a_place_on_an_album_not_the_name_of_a_song(number, capsys):
    files = [
        (number, ("", ""), ("Ann", "First")),
        (number, ("", ""), ("Bob", "First")),
        (number, ("Ann", ""), ("", "Second")),
        (number, ("", ""), ("Ann", "First")),
    ]
    found, faults = joined(*files)
    assert found == [("Ann", "First"), ("Bob", "First"), ("Ann", "Second"), ("Ann", "First")]
    assert not faults
    assert capsys.readouterr().err == ""


def test_of_several_albums_in_the_files_the_first_counts(capsys):
    files = [("T1", ("", ""), ("Ann", album)) for album in ("First", "Best")]
    assert joined(*files) == (2 * [("Ann", "First")], [])
    assert capsys.readouterr().err == (
        "warning: tracks with files of several albums: 1, such as 'T1', which counts as of "
        "'First'; name the album of each in the table if they are different songs\n"
    )


@pytest.mark.parametrize("of_table", ["", "Ann"])
def test_a_track_whose_files_have_different_artists_is_a_fault(of_table):
    found, faults = joined(
        ("T1", (of_table, ""), ("Ann", "")),
        ("T1", ("", ""), ("Bob", "")),
        ("T1", ("", ""), ("", "")),
        ("T2", ("", ""), ("Bob", "")),
    )
    assert found == [None, None, None, ("Bob", "")]
    reason = (
        "track 'T1' has files of different artists, 'Ann' and 'Bob'; name the artist of each in "
        "the table"
    )
    assert faults == 3 * [reason]
