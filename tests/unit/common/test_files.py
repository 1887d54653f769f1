import errno
import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from autotagging.common import files
from autotagging.common.errors import UserError
from autotagging.common.files import (
    load_arrays,
    print_data,
    read_json,
    replacing,
    save_arrays,
    sha256,
    write_checksums,
    write_csv,
    write_json,
)


@pytest.mark.parametrize("kind", [RuntimeError, FileNotFoundError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, kind):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            raise kind

    with pytest.raises(kind):
        write_half()
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "old"


def test_missing_folders_are_made(tmp_path):
    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "new" / "table.csv")
    assert (tmp_path / "new" / "table.csv").read_bytes() == b"a\n1\n"


def test_what_is_renamed_is_on_the_disk_first(tmp_path, monkeypatch):
    """Otherwise a power failure may leave an empty file under the new name."""
    path, events = tmp_path / "table.csv", []

    def fsync(descriptor):
        events.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert path.exists() == os.path.isdir(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_csv(pd.DataFrame({"a": [1]}), path)
    assert events == [f"{tmp_path}/.partial-table.csv", f"{tmp_path}"]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "file.csv"

    def write_to_a_full_disk():
        with replacing(path) as temporary:
            temporary.unlink()
            temporary.symlink_to("/dev/full")
            temporary.write_text("x" * 100_000)

    with pytest.raises(OSError, match="No space left on device") as raised:
        write_to_a_full_disk()
    assert raised.value.filename == str(path)


def test_a_link_planted_at_the_temporary_name_is_not_followed(tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    (tmp_path / ".partial-x.json").symlink_to(kept)
    write_json({"a": 1}, tmp_path / "x.json")
    assert kept.read_text() == "kept"
    assert read_json(tmp_path / "x.json") == {"a": 1}


def test_only_a_regular_file_is_replaced(tmp_path):
    fifo, folder = tmp_path / "fifo", tmp_path / "folder"
    os.mkfifo(fifo)
    folder.mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(fifo)
    before = {*tmp_path.iterdir()}
    for path in (fifo, link):
        with pytest.raises(OSError, match="not a regular file") as raised:
            write_json({"a": 1}, path)
        assert raised.value.filename == str(path)
    for path in (folder, folder / ".."):
        with pytest.raises(IsADirectoryError) as raised:
            write_json({"a": 1}, path)
        assert raised.value.filename == str(path)
    assert {*tmp_path.iterdir()} == before
    assert fifo.is_fifo()
    assert link.is_symlink()


@pytest.mark.parametrize("target", ["old.json", "none.json", "link.json"])
def test_a_link_is_replaced_and_its_file_stays(tmp_path, target):
    old, link = tmp_path / "old.json", tmp_path / "link.json"
    old.write_text("old")
    link.symlink_to(target)
    write_json({"a": 1}, link)
    assert read_json(link) == {"a": 1}
    assert not link.is_symlink()
    assert old.read_text() == "old"


# NFS locks files that are open for writing alone.
NFS = """
import errno, fcntl, os
flock = fcntl.flock
def of_nfs(descriptor, operation):
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor")
    flock(descriptor, operation)
fcntl.flock = of_nfs
"""


@pytest.mark.parametrize("file_system", ["", NFS], ids=["local", "NFS"])
def test_of_two_writers_the_second_waits_and_each_file_is_whole(tmp_path, file_system):
    path, content = tmp_path / "x.txt", ["one" * 10_000, "two" * 10_000]
    code = f"""
import sys
{file_system}
from pathlib import Path
from autotagging.common.files import replacing
with replacing(Path({str(path)!r})) as temporary:
    temporary.write_text({content[1]!r})
    print("written")
"""
    with replacing(path) as temporary:
        temporary.write_text(content[0][:9])
        command = [sys.executable, "-c", code]
        other = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert other.stderr.readline().startswith(f"{path}: waiting for another process")
        temporary.write_text(content[0])
    assert path.read_text() in content
    assert other.communicate() == ("written\n", "")
    assert path.read_text() == content[1]
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("refused", ["lock", "writing", "reading"])
def test_a_file_that_can_not_be_locked_is_left_alone(tmp_path, monkeypatch, refused):
    """Without locks, or a file of another user: each writes a whole file, the last one stays."""
    path, opened = tmp_path / "x.txt", os.open

    def no_lock(descriptor, operation):
        raise OSError(errno.EBADF, "Bad file descriptor")

    def open_file(file, flags, *mode):
        allowed = os.O_RDONLY if refused == "writing" else None
        if os.path.exists(file) and not flags & os.O_EXCL and flags & os.O_ACCMODE != allowed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(file, flags, *mode)

    with monkeypatch.context() as elsewhere, replacing(path) as first:
        first.write_text("first")
        elsewhere.setattr(fcntl, "flock", no_lock)
        if refused != "lock":
            elsewhere.setattr(os, "open", open_file)
            elsewhere.setattr(files, "flush", lambda path: None)
        with replacing(path) as second:
            second.write_text("second")
            assert second.suffix == ".txt"
        assert path.read_text() == "second"
        assert first.read_text() == "first"
        elsewhere.undo()
    assert path.read_text() == "first"
    assert [*tmp_path.iterdir()] == [path]


def test_where_there_are_no_locks_nothing_is_left(tmp_path, monkeypatch):
    def no_lock(descriptor, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_lock)
    write_json({"a": 1}, tmp_path / "x.json")
    with pytest.raises(TypeError):
        write_json({"a": object()}, tmp_path / "y.json")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_what_is_no_file_at_the_temporary_name_is_left_alone(tmp_path):
    (tmp_path / ".partial-x.json").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_json({"a": 1}, tmp_path / "x.json")
    assert [path.name for path in tmp_path.iterdir()] == [".partial-x.json"]


def test_what_a_killed_process_has_left_is_replaced(tmp_path):
    kept, left = tmp_path / "kept.txt", tmp_path / ".partial-x.json"
    kept.write_text("kept")
    os.link(kept, left)
    write_json({"a": 1}, tmp_path / "x.json")
    assert kept.read_text() == "kept"
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert not left.exists()


@pytest.mark.parametrize(
    "name", ["a" * 250 + ".jams", "." + "a" * 254, "ä" * 127, "a." + "b" * 253]
)
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path, name):
    write_json({"a": 1}, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_temporary_file_of_a_long_name_has_the_suffix(tmp_path):
    with replacing(tmp_path / ("a" * 251 + ".npz")) as temporary:
        assert temporary.suffix == ".npz"
        temporary.touch()


def test_data_on_standard_output_are_bytes(capfdbinary):
    print("before")
    print_data(["ä\n", "\udcff.mp3\n"])
    assert capfdbinary.readouterr().out == b"before\n\xc3\xa4\n\xff.mp3\n"


@contextmanager
def standard_output(descriptor):
    """Replace the descriptor 1 for a while."""
    kept = os.dup(1)
    os.dup2(descriptor, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@pytest.mark.parametrize("lines", [["one line\n"], ["x" * 100_000 + "\n"] * 3])
def test_data_that_can_not_be_written_are_an_error_but_for_a_reader_that_ends(lines):
    with (
        open("/dev/full", "wb") as full,
        standard_output(full.fileno()),
        pytest.raises(OSError, match="No space left on device") as raised,
    ):
        print_data(lines)
    assert raised.value.filename == "standard output"
    reading, writing = os.pipe()
    os.close(reading)
    with standard_output(writing):
        print_data(lines)
    os.close(writing)


def test_a_folder_that_cant_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|Not a directory") as raised:
        write_json({}, tmp_path / "file/results/x.json")
    assert raised.value.filename == str(tmp_path / "file/results")


def test_json_keeps_its_order_and_its_letters(tmp_path):
    write_json({"b": 1, "a": "é"}, tmp_path / "x.json")
    assert list(read_json(tmp_path / "x.json").items()) == [("b", 1), ("a", "é")]


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"x\.json: not valid JSON"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not a dictionary"),
        ('{"a": 1}', "no entry 'b'"),
        ('{"a": "1", "b": {"c": null}}', "entry 'a' is of type str"),
        ('{"a": 1, "b": []}', "b: not a dictionary"),
        ('{"a": 1, "b": {"c": 2}}', "b: entry 'c' is of type int"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": "\\x"}', "not valid JSON"),
    ],
)
def test_json_of_another_kind_is_one_line(tmp_path, content, message):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UserError, match=rf"x\.json: .*{message}.*; delete it and run again"):
        read_json(tmp_path / "x.json", a=int, b={"c": str | None})


def test_json_that_was_changed_shows(tmp_path):
    write_json({"auc": 0.641}, tmp_path / "x.json")
    write_checksums(tmp_path / "SHA256SUMS", [tmp_path / "x.json"])
    assert read_json(tmp_path / "x.json") == {"auc": 0.641}
    (tmp_path / "x.json").write_text('{"auc": 0.941}')
    with pytest.raises(UserError, match=r"x\.json: not as its step wrote it"):
        read_json(tmp_path / "x.json")


def test_arrays_are_the_same_bytes_with_every_python_and_numpy_reads_them(tmp_path):
    path, kernel = tmp_path / "arrays.npz", np.array([[1.0, 2.0]], np.float32)
    save_arrays(path, {"layer/kernel": kernel, "tags": np.array(["harp", "é"])})
    assert sha256(path) == "5c70e07292ba6456d1ab46fb0683aa72f23eab5b6f489fc2004c9e45295f81d3"
    with np.load(path) as arrays:
        assert {name: array.tolist() for name, array in arrays.items()} == {
            "layer/kernel": [[1.0, 2.0]],
            "tags": ["harp", "é"],
        }
    assert load_arrays(path)["layer/kernel"].dtype == np.float32


def test_a_flipped_byte_in_the_arrays_is_found(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, {"kernel": pd.Series(range(1000), dtype=float).to_numpy()})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"arrays\.npz: damaged"):
        load_arrays(path)


def test_exchanged_arrays_and_damaged_checksums_are_named(tmp_path):
    for folder, value in (("one", 1), ("two", 2)):
        path = tmp_path / folder / "scores.npz"
        save_arrays(path, {"scores": np.array([value])})
        write_checksums(path.with_name("SHA256SUMS"), [path])
    assert load_arrays(path)["scores"] == [2]
    path.write_bytes((tmp_path / "one/scores.npz").read_bytes())
    with pytest.raises(UserError, match=r"two/scores\.npz: not as its step wrote it"):
        load_arrays(path)
    sums = path.with_name("SHA256SUMS")
    for damaged in (sums.read_text()[:30], "f" * 64 + " *scores.npz\n", "\x00"):
        sums.write_text(damaged)
        with pytest.raises(UserError, match="SHA256SUMS: cut or changed"):
            load_arrays(path)
