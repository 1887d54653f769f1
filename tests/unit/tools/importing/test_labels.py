"""The table that a person made: its layouts, and each faulty line with its number."""

from unicodedata import normalize

import pytest

from autotagging.common.errors import UserError
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.labels import TableSettings, Tag, read_labels

LONG = "path,tag,category\na.mp3,Rock,genre\na.mp3,calm,mood\nb.mp3,Rock,genre\n"
LISTS = "Path;Genre;mood\na.mp3;Rock;calm\nb.mp3;Rock;\n"
WIDE = "path\tRock\tcalm\na.mp3\t1\t1\nb.mp3\t1\t0\n"


@pytest.fixture
def read(tmp_path):
    """Function that reads a table; it returns path and tags of each song, and the faults."""

    def labels(content, **settings):
        path = tmp_path / "tags.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        faults = Faults(skip=True)
        songs = read_labels(path, TableSettings(**settings), faults)
        return {song.path: song.tags for song in songs}, [" ".join(each) for each in faults.found]

    return labels


def test_the_header_tells_the_layout(read):
    of_a = [Tag("genre", "Rock"), Tag("mood", "calm")]
    expected = {"a.mp3": of_a, "b.mp3": of_a[:1]}
    assert read(LONG) == (expected, [])
    assert read(LISTS, separator="|") == (expected, [])
    songs, faults = read(WIDE, category="genre")
    assert songs == {"a.mp3": [Tag("genre", "Rock"), Tag("genre", "calm")], "b.mp3": of_a[:1]}
    assert faults == []


def test_line_ends_quotes_and_a_byte_order_mark_of_spreadsheets(read):
    content = b'\xef\xbb\xbfpath,tags\r\n"a, ""b"".mp3"," Drum & Bass ;; live  set"\r\n\r\n'
    tags = [Tag("other", "Drum & Bass"), Tag("other", "live set")]
    assert read(content) == ({'a, "b".mp3': tags}, [])


def test_columns_of_zeros_and_ones_are_tags_whatever_their_names(read):
    songs, faults = read("path,mood,genre\na.mp3,1,0\n")
    assert songs == {"a.mp3": [Tag("other", "mood")]}
    assert faults == []


def test_other_columns_of_lists_are_named(read):
    songs, _ = read("path,id,styles\na.mp3,7,Dub\n", tag_columns=("styles",))
    assert songs == {"a.mp3": [Tag("styles", "Dub")]}


@pytest.mark.parametrize("name", ["Genre", "genre", " GENRE"])
def test_an_option_may_spell_a_known_column_as_the_header_or_without_capitals(read, name):
    table = "Path,Genre,Mood\na.mp3,Rock,calm\n"
    assert read(table, tag_columns=(name,))[0] == {"a.mp3": [Tag("genre", "Rock")]}
    assert read(table, ignore=(name,))[0] == {"a.mp3": [Tag("mood", "calm")]}


def test_an_option_may_have_either_spelling_of_umlauts(read):
    table = normalize("NFD", "path,Türkü,Stücke\na.mp3,1,7\n")
    for form in ("NFC", "NFD"):
        songs, faults = read(table, ignore=(normalize(form, "Stücke"),))
        assert songs == {"a.mp3": [Tag("other", "Türkü")]}
        assert faults == []


@pytest.mark.parametrize(
    ("table", "tags"),
    [
        ("Path,Artist,Genre,Fast,Slow\na.mp3,A,unknown,1,0\n", [Tag("other", "Fast")]),
        ("path,tags,genre\na.mp3,calm,Rock\n", [Tag("other", "calm")]),
        ("path,tag,genre\na.mp3,calm,Rock\n", [Tag("other", "calm")]),
    ],
)
def test_a_column_to_ignore_is_no_list_of_tags(read, capsys, table, tags):
    assert read(table, ignore=("genre",)) == ({"a.mp3": tags}, [])
    assert capsys.readouterr().err == ""


def test_a_column_to_ignore_is_neither_the_tag_nor_the_category(read):
    table = "path,artist,tag,category,genre\na.mp3,A,7,mood,Rock\n"
    assert read(table, ignore=("tag",))[0] == {"a.mp3": [Tag("genre", "Rock")]}
    assert read(table, ignore=("category",))[0] == {"a.mp3": [Tag("other", "7")]}


@pytest.mark.parametrize("column", ["genre", "tag"])
def test_columns_of_zeros_and_ones_that_are_not_read_are_told(read, capsys, column):
    table = f"path,{column},Fast,Slow,id\na.mp3,Rock,1,0,1\nb.mp3,Pop,0,1,2\n"
    songs, _ = read(table)
    assert [tag.name for (tag,) in songs.values()] == ["Rock", "Pop"]
    assert capsys.readouterr().err == (
        "warning: tags.csv: columns of 0 and 1 that are not read: 2, such as 'Fast'; "
        "--layout wide reads them, with --ignore for columns that are no tags\n"
    )
    songs, _ = read(table, layout="wide", ignore=(column, "id"))
    assert [tag.name for (tag,) in songs.values()] == ["Fast", "Slow"]
    read(table, ignore=("Fast", "Slow"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("b.mp3,1", "2 fields, expected 3 with a comma between them"),
        ('"b.mp3,1,0', "a quote too many or too few, or a field of several lines"),
        (b"caf\xe9.mp3,1,0", "byte 0xe9 is not UTF-8; save the table in UTF-8"),
        (b"b\0.mp3,1,0", "a NUL byte, expected text"),
        (",1,0", "no path"),
        ("a.mp3,1,0", "path a.mp3 appears twice, first in tags.csv, line 2"),
        (
            "b.mp3,1,yes",
            "tag 'calm' is 'yes', expected 0 or 1 (a column that is no tag: --ignore 'calm')",
        ),
    ],
)
def test_a_faulty_line_is_left_out_and_named(read, row, reason):
    row = row if isinstance(row, bytes) else row.encode()
    songs, faults = read(b"path,Rock,calm\na.mp3,1,1\n" + row + b"\nc.mp3,1,0\n")
    kept, expected = ["a.mp3", "c.mp3"], [f"tags.csv, line 3 {reason}"]
    if row.startswith(b"a.mp3"):
        kept, expected = ["c.mp3"], [*expected, left_out("a.mp3", 2)]
    assert [*songs] == kept
    assert faults == expected


def left_out(path, line):
    return f"tags.csv, line {line} another row of {path} can't be used, so the song is left out"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a.mp3,,A", "no tag"),
        (b"a.mp3,y,B", "artist of a.mp3 is another one in tags.csv, line 2"),
        (b"a.mp3,y", "2 fields, expected 3 with a comma between them"),
        (b'a.mp3,"y,A', "a quote too many or too few, or a field of several lines"),
        (b"a.mp3,caf\xe9,A", "byte 0xe9 is not UTF-8; save the table in UTF-8"),
    ],
)
def test_a_song_with_a_faulty_row_is_left_out_as_a_whole(read, row, reason):
    songs, faults = read(b"path,tag,artist\na.mp3,x,A\n" + row + b"\nb.mp3,y,B\na.mp3,z,A\n")
    assert songs == {"b.mp3": [Tag("other", "y")]}
    assert faults == [f"tags.csv, line 3 {reason}", left_out("a.mp3", 2)]


@pytest.mark.parametrize(
    ("column", "cells", "separator", "warning"),
    [
        (
            "genre",
            ["rock, pop", "", "jazz, pop", "jazz"],
            ";",
            "2 of 3 texts have ',', none has ';', such as 'rock, pop'; perhaps --separator ','",
        ),
        (
            "tags",
            ["rock|hip, hop", "jazz|pop"],
            ";",
            "2 of 2 texts have '|', none has ';', such as 'rock|hip, hop'; perhaps --separator '|'",
        ),
        (
            "genre",
            ["rock; pop", "jazz", "dub; ska"],
            ",",
            "2 of 3 texts have ';', none has ',', such as 'rock; pop'; perhaps --separator ';'",
        ),
        (
            "genre",
            ["['rock', 'pop']", "['jazz']"],
            ",",
            "2 of 2 texts begin with '[', such as \"['rock', 'pop']\"; "
            "perhaps write them without brackets and quotes",
        ),
        (
            "tag",
            ["rock/pop", "jazz/pop"],
            ";",
            "2 of 2 texts have '/', and are one tag each, such as 'rock/pop'; "
            "perhaps name the column tags, for lists, and add --separator '/'",
        ),
        ("genre", ["rock, pop; jazz", "dub, ska", "live, loud"], ";", None),
        ("genre", ["Drum, Bass", "rock"], ";", None),
        ("genre", ["rock", "pop"], ";", None),
        ("genre", ["rock, pop", "jazz, pop"], ",", None),
    ],
)
def test_lists_that_seem_to_have_another_separator_are_told(
    read, capsys, column, cells, separator, warning
):
    rows = "".join(f'{number}.mp3\t"{cell}"\n' for number, cell in enumerate(cells))
    songs, faults = read(f"path\t{column}\n{rows}", separator=separator)
    assert len(songs) + len(faults) == len(cells)
    printed = capsys.readouterr().err
    assert printed == (f"warning: tags.csv, column {column}: {warning}\n" if warning else "")


@pytest.mark.parametrize("table", [LONG, LISTS, WIDE])
def test_a_row_that_is_repeated_is_ignored(read, table):
    rows = table.splitlines(keepends=True)
    assert read(table + rows[1]) == read(table)
    assert len(read(table)[0]) == 2


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("file,tag\na,b\n", {}, "line 1: no column 'path'"),
        ("path,,tag\na,b,c\n", {}, "line 1: a column without a name"),
        ("path,tag,tag\na,b,c\n", {}, "line 1: column 'tag' appears twice"),
        ("path,artist\na,b\n", {}, "line 1: no tags; expected a column 'tag'"),
        ("path,genre\na,b\n", {"layout": "long"}, "line 1: no column 'tag'"),
        ("path,rock\na,1\n", {"layout": "lists"}, "name those with lists of tags by --tag-columns"),
        ("path,rock\na,1\n", {"ignore": ("id",)}, "no column 'id', which --ignore names"),
        ("path,A\na,1\n", {"tag_columns": ("ID",)}, "no column 'ID', which --tag-columns names"),
        (
            "path,Genre\na,b\n",
            {"tag_columns": ("genre",), "ignore": ("Genre",)},
            "--tag-columns and --ignore both name 'genre'; leave out one of them",
        ),
        (b"PK\x03\x04", {}, "line 1: an Excel workbook or a zip file"),
    ],
)
def test_a_table_that_can_not_be_read_stops_everything(read, content, settings, message):
    with pytest.raises(UserError) as caught:
        read(content, **settings)
    assert message in str(caught.value)


def test_twenty_faults_are_shown_and_the_others_counted(capsys):
    faults = Faults(skip=False)
    for line in range(25):
        faults.add(f"line {line}", "bad")
    with pytest.raises(UserError, match="25 rows or files can't be used; nothing was written"):
        faults.report()
    printed = capsys.readouterr().err.splitlines()
    assert printed[:2] == ["line 0: bad", "line 1: bad"]
    assert printed[20:] == ["and 5 more"]
    faults.report()  # nothing is new
