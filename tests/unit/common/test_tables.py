"""Tables of earlier steps come back as they were written, and a damaged one is one line."""

import subprocess

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.common.files import write_checksums, write_csv
from autotagging.common.tables import read_table

NAMES = ["NA", "null", "nan", "", "None", "007", "1e5", "True", " a ", 'a "b", c\nd', "ü€😀"]
NAMES += ["=1+1", "+1", "-", "@name"]  # formulas in spreadsheets


@pytest.fixture
def table(tmp_path):
    """A table of three clips with its checksum, as a step writes it."""
    path = tmp_path / "tags.csv"
    write_csv(pd.DataFrame({"tag": ["a", "b", "c"], "count": [10, 20, 30]}), path)
    write_checksums(tmp_path / "SHA256SUMS", [path])
    return path


def test_text_stays_text(tmp_path):
    path = tmp_path / "tags.csv"
    write_csv(pd.DataFrame({"tag": NAMES, "count": range(15)}), path)
    assert read_table(path, {"tag": str, "count": int})["tag"].tolist() == NAMES


def test_a_column_may_have_such_a_name(tmp_path):
    path = tmp_path / "labels.csv"
    names = [name for name in NAMES if name]
    write_csv(pd.DataFrame([range(14)], columns=names), path)
    table = read_table(path, {}, others=np.uint8)
    assert [*table] == names
    assert table.iloc[0].tolist() == [*range(14)]


def test_only_a_number_may_be_missing(tmp_path):
    path = tmp_path / "table.csv"
    numbers = {"share": [0.1, np.nan, -np.inf], "bytes": pd.array([1, None, 2**53 + 1], "Int64")}
    write_csv(pd.DataFrame(numbers), path)
    table = read_table(path, {"share": float, "bytes": "Int64"})
    assert table["share"].tolist()[::2] == [0.1, -np.inf]
    assert table.isna().sum().tolist() == [1, 1]
    assert table["bytes"][2] == 2**53 + 1
    with pytest.raises(UserError, match=r"table\.csv: a cell of another type"):
        read_table(path, {"bytes": int})
    path.write_text("bytes\n-inf\n")
    with pytest.raises(UserError, match=r"table\.csv: a cell of another type"):
        read_table(path, {"bytes": "Int64"})


def test_numbers_come_back_exactly(tmp_path):
    path = tmp_path / "table.csv"
    numbers = np.random.default_rng(0).random(1000) ** 9
    write_csv(pd.DataFrame({"auc": numbers}), path)
    assert read_table(path, {"auc": float})["auc"].tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no whole table"),
        (b"tag,count\na,1", "the last line has no end"),
        (b"tag,count\na,1\nb\n", "line 3: 1 cells, expected 2"),
        (b"tag,count\na,1,2\nb,1,2\n", "line 2: 3 cells, expected 2"),
        (b'tag,count\n"a,1\n', "unexpected end of data"),
        (b"tag,count\n\xff,1\n", "can't decode byte 0xff"),
        (b"tag,tag\na,1\n", "two columns of the same name"),
        (b"tag,n\na,1\n", "no column 'count'"),
        (b"tag,count\na,\n", "a cell of another type"),
        (b"tag,count\na,NA\n", "a cell of another type"),
        (b"tag,count\na,99999999999999999999\n", "a cell of another type"),
        (b"tag,count\na,1\na,2\n", "tag a appears twice"),
        (b"\n", "no column 'tag'"),
    ],
)
def test_a_table_of_another_kind_is_one_line(tmp_path, content, message):
    path = tmp_path / "tags.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"tags\.csv: .*{message}.*; delete it and run again"):
        read_table(path, {"tag": str, "count": int}, key="tag")


def test_a_cut_after_a_whole_line_shows(table):
    table.write_text("tag,count\na,10\nb,20\n")
    with pytest.raises(UserError, match=r"tags\.csv: not as its step wrote it \(SHA256SUMS\)"):
        read_table(table, {"tag": str, "count": int})


def test_a_changed_digit_shows(table):
    table.write_bytes(table.read_bytes().replace(b"20", b"21"))
    with pytest.raises(UserError, match=r"tags\.csv: not as its step wrote it"):
        read_table(table, {"tag": str, "count": int})


def test_checksums_are_in_the_format_of_sha256sum(table):
    check = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=table.parent).returncode == 0
    table.write_text("")
    assert subprocess.run(check, cwd=table.parent).returncode == 1


def test_a_table_without_checksum_is_read(table):
    table.write_text("tag,count\nz,5\n")
    (table.parent / "SHA256SUMS").write_text("")
    assert read_table(table, {"tag": str})["tag"].tolist() == ["z"]
    (table.parent / "SHA256SUMS").unlink()
    assert read_table(table, {"tag": str})["tag"].tolist() == ["z"]
