"""The two tables of a corpus: what is read, and the one line that names each fault."""

import gzip
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.corpus.delimited import table_bytes
from autotagging.corpus.raw_tags import RAW_TAGS
from autotagging.corpus.tables import (
    compare_tables,
    describe_unknown,
    find_table,
    read_annotations,
    read_clip_info,
)
from conftest import write_table

CLIPS = {"clip_id": [2, 6], "mp3_path": ["0/a.mp3", "1/b.mp3"]}


@pytest.fixture
def annotations(small_tables):
    return small_tables / "annotations_final.csv"


@pytest.fixture
def clip_info(small_tables):
    return small_tables / "clip_info_final.csv"


def edit(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def fault(read, path):
    """Read a table that is damaged; return what the error says after the file's name."""
    with pytest.raises(UserError) as error:
        read(path)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.removeprefix(str(path)).lstrip(",: ")


@pytest.mark.parametrize("character", ["\x07", "\x85", "\u2028"])
def test_a_tag_with_a_character_that_is_not_for_names_is_refused(annotations, character):
    edit(annotations, b"beats", f"be{character}ats".encode())
    expected = f"line 1: tag {f'be{character}ats'!r} has U+{ord(character):04X}, a character that"
    assert fault(read_annotations, annotations).startswith(expected)


def test_labels_are_zeros_and_ones_in_the_order_of_the_file(annotations):
    table = read_annotations(annotations)
    assert table.columns.tolist() == ["clip_id", "mp3_path", "beat", "beats", "flute", "harp"]
    assert table["clip_id"].tolist() == [2, 6, 10, 11, 15]
    assert table["mp3_path"].iloc[4] == "f/clip-f-0-29.mp3"
    labels = table.iloc[:, 2:].to_numpy()
    assert labels.dtype == np.uint8
    assert labels.tolist() == [
        [1, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
        [1, 0, 1, 0],
    ]


def test_a_table_of_more_lines_than_are_read_at_once_is_one_table(annotations, monkeypatch):
    whole = read_annotations(annotations)
    monkeypatch.setattr("autotagging.corpus.delimited._LINES_AT_A_TIME", 2)
    pd.testing.assert_frame_equal(read_annotations(annotations), whole)
    # 01 is not 1, wherever the block of lines begins; flute is the 1 of the last line.
    edit(annotations, b'"15"\t"1"\t"0"\t"1"', b'"15"\t"1"\t"0"\t"01"')
    assert fault(read_annotations, annotations).startswith("line 6: tag 'flute' is '01'; ")


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda content: content.replace(b"\r\n", b"\n"),
        lambda content: content.replace(b'"', b""),
        lambda content: content.replace(b'"1"', b"1"),
        lambda content: b"\xef\xbb\xbf" + content,
    ],
    ids=["line feeds", "no quotes", "some quotes", "byte order mark"],
)
def test_other_ways_to_write_the_same_table(annotations, rewrite):
    expected = read_annotations(annotations)
    annotations.write_bytes(rewrite(annotations.read_bytes()))
    assert read_annotations(annotations).equals(expected)


def test_tables_may_be_gzipped(annotations):
    expected = read_annotations(annotations)
    zipped = annotations.with_name("annotations_final.csv.gz")
    zipped.write_bytes(gzip.compress(annotations.read_bytes()))
    annotations.unlink()
    assert find_table(zipped.parent, "annotations_final.csv") == zipped
    assert read_annotations(zipped).equals(expected)


def test_a_track_is_a_url_with_a_number(clip_info):
    info = read_clip_info(clip_info).set_index("clip_id")
    assert info.loc[2, "track"] == info.loc[6, "track"] != info.loc[10, "track"]
    assert info["album"].nunique() == 3
    assert info["artist"].nunique() == 2


def test_tracks_of_several_artists_with_one_url_and_number_are_several(clip_info):
    """Other corpora have urls of whole collections; a clip of an unknown artist stays apart."""
    table = pd.read_csv(clip_info, sep="\t", dtype=str, na_filter=False)
    assert table["artist"].tolist() == [*"AAABBB"]
    table["url"], table["track_number"] = "collection", "1"
    table.loc[2, "artist"] = ""
    write_table(clip_info, table)
    track = read_clip_info(clip_info)["track"].tolist()
    assert track[0] == track[1] != track[3] == track[4] == track[5]
    assert track[2] == "collection#1"


@pytest.mark.parametrize("blank", ["", " ", "\u00a0 "])
def test_a_blank_is_unknown_and_no_common_name(clip_info, blank):
    table = pd.read_csv(clip_info, sep="\t", dtype=str)
    table.loc[0, "artist"] = table.loc[1, "album"] = table.loc[2, "url"] = blank
    table.loc[3, "track_number"], table.loc[4, "artist"] = blank, "Unknown Artist"
    write_table(clip_info, table)
    info = read_clip_info(clip_info)
    assert info["artist"].isna().tolist() == [True, False, False, False, False, False]
    assert info["album"].isna().tolist() == [True, True, False, False, False, False]
    assert info["track"].isna().tolist() == [False, False, True, True, False, False]
    assert info["album"].iloc[4] == "Unknown Artist/z"


def test_names_in_either_spelling_of_umlauts_are_the_same(annotations, clip_info):
    table = pd.read_csv(clip_info, sep="\t", dtype=str)
    for column in ("artist", "album", "url"):
        table[column] = [normalize(form, "Björk") for form in 3 * ("NFC", "NFD")]
    table["track_number"] = "1"
    write_table(clip_info, table)
    info = read_clip_info(clip_info)
    assert {*info["track"], *info["album"], *info["artist"]} == {"Björk#1", "Björk/Björk", "Björk"}
    edit(annotations, b"flute", normalize("NFD", "flöte").encode())
    assert "flöte" in read_annotations(annotations)
    edit(annotations, b"harp", "flöte".encode())
    assert fault(read_annotations, annotations).startswith("line 1: column 'flöte' appears twice")


def test_quotes_within_a_field_are_doubled(clip_info):
    edit(clip_info, b'"A"', b'"A ""the"" B"')
    assert read_clip_info(clip_info)["artist"].iloc[0] == 'A "the" B'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"mp3_path"', b'"path"', "line 1: no column 'mp3_path'; expected a TAB-separated table"),
        (b'"clip_id"', b'"id"', "line 1: no column 'clip_id'"),
        (b'"beats"', b'"beat"', "line 1: column 'beat' appears twice; expected it once"),
        (b'"beats"', b'""', "line 1: a column without a name"),
        (b'"11"\t"0"\t', b'"11"\t', "line 5: 5 fields; expected 6"),
        (b'"11"\t"0"\t', b'"11"\t"0"\t"0"\t', "line 5: 7 fields; expected 6"),
        (b'\r\n"6"', b'\r\n\r\n"6"', "line 3: 1 fields; expected 6"),
        (b'"2"\t"1"', b'"2"\t"yes"', "line 2: tag 'beat' is 'yes'; expected 0 or 1"),
        (b'"2"\t"1"\t"0"', b'"2"\t"1"\t""', "line 2: tag 'beats' is ''; expected 0 or 1"),
        (b'"2"\t"1"', b'"2"\t" 1"', "line 2: tag 'beat' is ' 1'; expected 0 or 1"),
        (b'"2"\t"1"', b'"2"\t"2"', "line 2: tag 'beat' is '2'; expected 0 or 1"),
        (b'"6"\t', b'"six"\t', "line 3: clip_id is 'six'; expected a whole number"),
        (b'"6"\t', b'"-6"\t', "line 3: clip_id is '-6'; expected a whole number"),
        (b'"6"\t', b'"9999999999999999999"\t', "line 3: clip_id is '9999999999999999999'"),
        (b'"10"\t', b'"02"\t', "line 4: clip_id 2 appears twice, first in line 2"),
        (b"1/clip-1", b"0/clip-0", "line 3: mp3_path 0/clip-0-0-29.mp3 appears twice, first in"),
        (b"1/clip-1", b"../clip-1", "line 3: mp3_path is '../clip-1-0-29.mp3'; expected a path"),
        (b"1/clip-1", b"/1/clip-1", "line 3: mp3_path is '/1/clip-1-0-29.mp3'"),
        (b"1/clip-1", b"1\\clip-1", "line 3: mp3_path is '1\\\\clip-1-0-29.mp3'"),
        (b"1/clip-1", b"C:/clip-1", "line 3: mp3_path is 'C:/clip-1-0-29.mp3'"),
        (b"1/clip-1", b"1/../clip-1", "line 3: mp3_path is '1/../clip-1-0-29.mp3'"),
        (b"1/clip-1", b"1/clip\0-1", "line 3: a NUL byte; expected text"),
        (b"1/clip-1", b"1/cl\xe9p-1", "line 3: byte 0xe9 is not UTF-8"),
        (b"1/clip-1", b"1/clip\r-1", "line 3: a carriage return inside the line"),
        (b'"6"', b'"6', "line 3: a quote too many or too few"),
        (b'"1/clip-1', b'1/clip-1', "line 3: a quote too many or too few"),
        (b"1/clip-1", b'1/cl"p-1', "line 3: a quote too many or too few"),
    ],
)  # fmt: skip
def test_faults_of_the_annotations_are_named(annotations, old, new, message):
    edit(annotations, old, new)
    assert fault(read_annotations, annotations).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"track_number"', b'"track"', "line 1: no column 'track_number'"),
        (b'"album"', b'"artist"', "line 1: column 'artist' appears twice"),
        (b'"6"\t', b'"2"\t', "line 3: clip_id 2 appears twice, first in line 2; expected it once"),
        (b"1/clip-1", b"../clip-1", "line 3: mp3_path is '../clip-1-0-29.mp3'"),
        (b"a/clip-a", b"0/clip-0", "line 4: mp3_path 0/clip-0-0-29.mp3 appears twice"),
        (b'"t"', b't"', "line 2: a quote too many or too few"),
    ],
)
def test_faults_of_clip_info_are_named(clip_info, old, new, message):
    edit(clip_info, old, new)
    assert fault(read_clip_info, clip_info).startswith(message)


def compare(annotations, clip_info):
    """Compare two tables; return what the error says, or None."""
    tables = read_annotations(annotations), read_clip_info(clip_info)
    try:
        compare_tables(*tables, (annotations, clip_info))
    except UserError as error:
        return str(error)


def test_rows_that_moved_are_found(annotations, clip_info):
    assert compare(annotations, clip_info) is None
    good = pd.read_csv(clip_info, sep="\t", dtype=str, na_filter=False)
    moved = good.assign(clip_id=[*good["clip_id"].iloc[1:], "2"])
    write_table(clip_info, moved)
    # Ids 6, 10, 11, 15, 16, 2 for the paths of 2, 6, 10, 11, 15 and none.
    assert compare(annotations, clip_info) == (
        f"{annotations}, line 3: clip_id 6 has mp3_path 1/clip-1-0-29.mp3, but 0/clip-0-0-29.mp3 "
        f"in {clip_info}, line 2; 4 of 4 differ, perhaps because the rows of a table have moved; "
        "expected two tables of the same corpus"
    )
    write_table(clip_info, good.assign(clip_id=[str(n) for n in range(100, 106)]))
    found = compare(annotations, clip_info)
    assert "line 2: mp3_path 0/clip-0-0-29.mp3 has clip_id 2, but 100 in " in found
    assert "5 of 5 differ" in found


def test_clips_without_a_path_or_row_are_not_compared(annotations, clip_info):
    table = pd.read_csv(clip_info, sep="\t", dtype=str, na_filter=False)
    table.loc[0, "mp3_path"] = ""
    write_table(clip_info, table.drop(index=[2, 3]))
    assert compare(annotations, clip_info) is None
    write_table(clip_info, table.drop(columns="mp3_path"))
    assert compare(annotations, clip_info) is None


def test_clips_of_unknown_groups_are_counted(annotations, clip_info):
    listed = read_annotations(annotations)
    assert describe_unknown(listed, read_clip_info(clip_info)) == []
    table = pd.read_csv(clip_info, sep="\t", dtype=str, na_filter=False)
    table.loc[0, ["artist", "url"]] = ""
    table.loc[5, "artist"] = ""  # clip 16 is not annotated
    write_table(clip_info, table.drop(index=[2, 3]).drop(columns="mp3_path"))
    assert describe_unknown(listed, read_clip_info(clip_info)) == [
        "clip_info_final.csv has no mp3_path, so it is not compared with annotations_final.csv",
        "2 of 5 clips have no row in clip_info_final.csv: they belong to no track, album or artist",
        "1 of 5 clips have a row in clip_info_final.csv without track: they share no track with "
        "other clips",
        "1 of 5 clips have a row in clip_info_final.csv without album: they share no album with "
        "other clips",
        "1 of 5 clips have a row in clip_info_final.csv without artist: they share no artist with "
        "other clips",
    ]


@pytest.mark.parametrize("read", [read_annotations, read_clip_info])
def test_a_table_that_was_cut_off_is_named_by_its_last_line(small_tables, read):
    path = small_tables / f"{read.__name__.removeprefix('read_')}_final.csv"
    lines = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join(lines[:4])[:-3])
    assert fault(read, path).startswith("line 4: the file ends inside this line; expected a line")
    path.write_bytes(b"\r\n".join(lines[:4]))
    assert fault(read, path).startswith("line 4: the file ends inside this line")
    path.write_bytes(b"\r\n".join([*lines[:3], lines[3][:20], b""]))
    assert fault(read, path).startswith("line 4: ")
    path.write_bytes(lines[0] + b"\r\n")
    assert fault(read, path) == "line 2: no data; expected lines below the header"
    path.write_bytes(b"")
    assert fault(read, path) == "line 1: the file is empty; expected a header"


def test_a_table_in_utf_16_is_named(annotations):
    annotations.write_bytes(annotations.read_bytes().decode().encode("utf-16"))
    assert (
        fault(read_annotations, annotations) == "line 1: UTF-16; expected a table as text in UTF-8"
    )


def test_a_damaged_gzip_file_is_named(annotations):
    zipped = annotations.with_name("annotations_final.csv.gz")
    content = gzip.compress(annotations.read_bytes())
    for damaged in (
        content[:-20],
        content[:60] + bytes([content[60] ^ 255]) + content[61:],
        annotations.read_bytes(),
        content[:-8] + b"\0\0\0\0" + content[-4:],
    ):
        zipped.write_bytes(damaged)
        for read in (read_annotations, table_bytes):
            assert fault(read, zipped).startswith("damaged gzip file (")


def test_a_table_without_tags_is_refused(tmp_path):
    write_table(tmp_path / "a.csv", pd.DataFrame(CLIPS))
    assert fault(read_annotations, tmp_path / "a.csv").startswith("line 1: no tag column; expected")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (RAW_TAGS, None),
        (RAW_TAGS[::-1], None),
        (("violine", "oboe"), None),
        (RAW_TAGS[1:], "line 1: no tag column 'no voice'; expected all 188 raw tags"),
        (RAW_TAGS[:94], "line 1: no tag column 'tribal'; expected all"),
        (RAW_TAGS[:93], None),
        (
            ("no voise", *RAW_TAGS[1:]),
            "line 1: unknown tag column 'no voise'; expected one of the 188 raw tags of "
            "MagnaTagATune, perhaps 'no voice'",
        ),
        ((*RAW_TAGS, "qqqq"), "line 1: unknown tag column 'qqqq'; expected one of the 188"),
    ],
)  # fmt: skip
def test_half_the_official_tags_must_be_all_of_them(tmp_path, tags, message):
    path = tmp_path / "a.csv"
    write_table(path, pd.DataFrame({**CLIPS, **dict.fromkeys(tags, 1)}))
    if message:
        assert fault(read_annotations, path).startswith(message)
    else:
        assert read_annotations(path).shape == (2, 2 + len(tags))


def test_the_official_tables(magnatagatune):
    annotations = read_annotations(magnatagatune / "annotations_final.csv.gz")
    info = read_clip_info(magnatagatune / "clip_info_final.csv.gz")
    assert annotations.shape == (25863, 190)
    assert annotations.columns[2:].tolist() == list(RAW_TAGS)
    assert annotations.iloc[:, 2:].to_numpy().sum() == 89_395
    assert len(info) == 31382
    compare_tables(annotations, info, ("annotations", "clip_info"))
    assert describe_unknown(annotations, info) == []
    annotated = info[info["clip_id"].isin(annotations["clip_id"])]
    assert annotated["artist"].nunique() == 230
    assert annotated["album"].nunique() == 446
    assert annotated["track"].nunique() == 5405


def test_one_wrong_byte_in_the_official_table_is_found(magnatagatune, tmp_path):
    content = gzip.decompress((magnatagatune / "annotations_final.csv.gz").read_bytes())
    line = content.split(b"\r\n")[20_000]
    path = tmp_path / "annotations_final.csv"
    for old, new, message in (
        (b'"0"', b'"7"', "line 20001: tag 'no voice' is '7'; expected 0 or 1"),
        (b'"\t', b"\t", "line 20001: a quote too many or too few"),
        (b"\t", b" ", "line 20001: 189 fields; expected 190"),
    ):
        path.write_bytes(content.replace(line, line.replace(old, new, 1)))
        assert fault(read_annotations, path).startswith(message)
