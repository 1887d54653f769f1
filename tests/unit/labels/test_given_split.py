"""A user's own split: what is read, what is left out and counted, and one line for each fault."""

import gzip

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.labels.given_split import read_given_split
from faults import assert_named

KNOWN = pd.Index([2, 6, 10, 11])
USABLE = pd.Index([2, 6, 10])
EXPECTED = {10: "train", 2: "test", 6: "validation"}
TEXT = "clip_id,subset\n10,train\n2,test\n6,validation\n"


def read(path):
    return read_given_split(path, usable=USABLE, known=KNOWN)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "given.csv"


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\ufeff" + TEXT,
        TEXT.replace(",", "\t"),
        TEXT.replace(",", ";"),
        TEXT.replace(",", ", "),
        TEXT.strip(),
        TEXT + "\n\n",
        "clip_id,subset,,\n10,train,,\n2,test,,\n6,validation,,\n",
        "subset,clip_id\ntrain,10\ntest,2\nvalidation,6\n",
        '"clip_id","subset"\n"10","train"\n"2","test"\n"6","validation"\n',
        'clip_id;title;subset\n10;"a; ""b""";train\n2;NA;test\n6;;validation\n',
        "clip_id,subset\n10.0,train\n2.0,test\n6.00,validation\n",
        "clip_id,subset\n010,train\n2,test\n6,validation\n",
    ],
)
def test_the_same_split_in_other_words(path, content, capsys):
    path.write_bytes(content.encode())
    subset = read(path)
    assert subset.to_dict() == EXPECTED
    assert subset.index.tolist() == [10, 2, 6]
    assert capsys.readouterr().err == ""


def test_a_gzipped_split(tmp_path):
    path = tmp_path / "given.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert read(path).to_dict() == EXPECTED


def test_clips_that_are_left_out_are_counted(path, capsys):
    path.write_text("clip_id,subset\n10,train\n7,test\n2,test\n11,test\n8,test\n")
    assert read(path).to_dict() == {10: "train", 2: "test"}
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: 2 of 5 clips are not in the corpus, the first is 7 in line 3: left out",
        f"{path}: left out, not usable here: 1 clip",
        f"{path}: left out, not in the file: 1 usable clip",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ", line 1: the file is empty; expected a header"),
        (b" \n\n", ", line 1: the file is empty"),
        (b"clip_id,subset\n", ", line 2: no data; expected lines below the header"),
        (TEXT.encode("utf-16"), ", line 1: UTF-16; expected a table as text in UTF-8"),
        (TEXT.encode("utf-16-le"), ", line 1: a NUL byte; expected text"),
        (b"PK\x03\x04\x14\0\x06\0", ", line 1: an Excel workbook or a zip file; expected a table"),
        (b"\xd0\xcf\x11\xe0\xa1", ", line 1: an Excel workbook; expected a table"),
        (
            gzip.compress(TEXT.encode(), mtime=0),
            ", line 1: a gzip file without .gz at the end of its name",
        ),
        (b"clip_id,subset,title\n2,test,caf\xe9\n", ", line 2: byte 0xe9 is not UTF-8"),
        (b"10,train\n2,test\n", ", line 1: no column 'clip_id'; expected a comma- or TAB- or"),
        (b"clip_id,set\n2,test\n", ", line 1: no column 'subset'"),
        (b"clip_id,subset,subset\n2,test,test\n", ", line 1: column 'subset' appears twice"),
        (b"clip_id,subset\n2,test,x\n", ", line 2: 3 fields; expected 2 with a comma between"),
        (b"clip_id,subset\n2,test\n6\n", ", line 3: 1 fields; expected 2"),
        (b"clip_id,subset\n2,test\n\n6,test\n", ", line 3: 1 fields; expected 2"),
        (b'clip_id,subset\n2,"test\n6,train\n', ", line 2: a quote too many or too few"),
        (b'clip_id,"subset\n2,test\n', ", line 1: a quote too many or too few"),
        (b"clip_id,subset\n2,test\nsix,test\n", ", line 3: clip_id is 'six'; expected a whole"),
        (b"clip_id,subset\n2,test\n6.5,test\n", ", line 3: clip_id is '6.5'; expected a whole"),
        (b"clip_id,subset\n2,test\n,test\n", ", line 3: clip_id is ''; expected a whole number"),
        (b"clip_id,subset\n2,test\n6,tests\n", ", line 3: subset is 'tests'; expected one of tr"),
        (b"clip_id,subset\n2,test\n6,NA\n", ", line 3: subset is 'NA'; expected one of train,"),
        (b"clip_id,subset\n2,test\n6,train\n2.0,test\n", ", line 4: clip_id 2 appears twice, fir"),
        (b"clip_id,subset\n7,test\n11,train\n", ": none of its clips is usable; expected ids of"),
    ],
)  # fmt: skip
def test_faults_are_named_with_line_and_value(path, content, message):
    assert_named(read, path, content, message)


def test_a_file_of_one_long_line_is_named(path):
    path.write_bytes(b"x" * 200_000)
    with pytest.raises(UserError, match=r"given\.csv, line 1: no column 'clip_id'; expected a"):
        read(path)
