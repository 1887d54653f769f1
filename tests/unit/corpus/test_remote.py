"""Downloads, against a server on this machine that misbehaves on demand."""

import errno
import hashlib
import resource
import signal
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.common.locks import locked
from autotagging.corpus import remote, transfer
from conftest import ROOT

RNG = np.random.default_rng(0)
CONTENT = {
    "table.csv": b"one table",
    "mp3.zip.001": RNG.bytes(300_000),
    "mp3.zip.002": RNG.bytes(200_000),
}
ARCHIVE = CONTENT["mp3.zip.001"] + CONTENT["mp3.zip.002"]
OFFICIAL = ROOT / "workflow/resources/magnatagatune.yaml"
SERVED = {**CONTENT, "mp3.zip": ARCHIVE}


class Server(BaseHTTPRequestHandler):
    """A path's faults are those of its next requests, one each; a text is that of all."""

    faults: dict[str, str | list[str]] = {}  # noqa: RUF012 - set anew by the fixture
    requests: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.requests.append((self.path, wanted))
        faults = self.faults.get(self.path, [])
        fault = faults if isinstance(faults, str) else faults.pop(0) if faults else ""
        if fault.isdigit():
            return self.send_error(int(fault))
        if fault == "gzip" and "gzip" in self.headers.get("Accept-Encoding", ""):
            return self.send_error(406)
        if fault == "silent":
            return time.sleep(0.5)
        body = SERVED[self.path.split("/")[-1]]
        if fault == "flip":
            body = b"X" + body[1:]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if fault.startswith("no range"):
            start, wanted, fault = 0, None, fault.removeprefix("no range, ")
        self.answer(fault, body, start, wanted)
        return None

    def answer(self, fault, body, start, wanted):
        if fault.startswith("html"):
            start, body = 0, b"<html>log in</html>"
        if fault == "other range":
            start += 1
        rest = body[start:]
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if fault.startswith("html"):
            self.send_header("Content-Type", "text/html; charset=utf-8")
        if fault in ("long", "long, not said"):
            rest += b"#" * 1000
        if fault == "short":
            rest = rest[:-1000]
        if not fault.endswith("not said"):
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        sent = {"drop": 100_000, "drop early": 20_000, "stall": 30_000}.get(fault, len(rest))
        self.wfile.write(rest[:sent])
        self.wfile.flush()
        if fault == "stall":
            time.sleep(0.5)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(transfer, "_TIMEOUT", (2, 0.2))
    monkeypatch.setattr(transfer, "_CHUNK", 10_000)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Server.faults, Server.requests = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as httpd:
        serve = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def remote_file(name, *mirrors, algorithm="sha256"):
    return transfer.RemoteFile(
        name=name,
        bytes=len(SERVED[name]),
        algorithm=algorithm,
        checksum=hashlib.new(algorithm, SERVED[name]).hexdigest(),
        urls=tuple(f"{mirror}/{name}" for mirror in mirrors),
    )


def data_set(*mirrors, whole=()):
    """Describe the data set: `mirrors` hold tables and parts, `whole` the archive."""
    return remote.DataSet(
        tables=[remote_file("table.csv", *mirrors)],
        archive=remote_file("mp3.zip", *whole, algorithm="md5"),
        parts=[remote_file(name, *mirrors) for name in ("mp3.zip.001", "mp3.zip.002")],
    )


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_parts_are_joined_and_nothing_else_is_left(server, tmp_path):
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    Server.requests.clear()
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert Server.requests == []


def test_what_is_there_and_wrong_is_kept_aside_and_fetched_again(server, tmp_path):
    (tmp_path / "mp3.zip").write_bytes(b"X" + ARCHIVE[1:])
    (tmp_path / "table.csv").write_bytes(b"another table")
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    assert (tmp_path / "table.csv").read_bytes() == b"one table"
    assert (tmp_path / "damaged-mp3.zip").read_bytes()[:1] == b"X"
    assert (tmp_path / "damaged-table.csv").read_bytes() == b"another table"


def test_a_broken_connection_goes_on_where_it_was(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = ["drop"]
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert ("/a/mp3.zip.001", "bytes=100000-") in Server.requests
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_connection_may_break_as_often_as_it_likes_while_it_brings_something(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = ["drop early"] * 10
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    ranges = [wanted for path, wanted in Server.requests if path == "/a/mp3.zip.001"]
    assert ranges == [None, *(f"bytes={20_000 * n}-" for n in range(1, 11))]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_an_interrupted_run_goes_on_where_it_was(server, tmp_path):
    Server.faults["/a/mp3.zip.002"] = ["drop", "404"]
    with pytest.raises(UserError, match="404"):
        remote.fetch(data_set(f"{server}/a"), tmp_path)
    Server.requests.clear()
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert Server.requests == [("/a/mp3.zip.002", "bytes=100000-")]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_server_that_ignores_range_sends_it_all_again(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = ["drop", "no range"]
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert ("/a/mp3.zip.001", "bytes=100000-") in Server.requests
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_server_that_ignores_range_and_always_drops_is_given_up(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = "no range, drop"
    with pytest.raises(UserError, match="download failed"):
        remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert len([path for path, _ in Server.requests if path == "/a/mp3.zip.001"]) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "404"),
        ("html", "a web page, expected a file"),
        ("html, not said", "a web page, expected a file"),
        ("flip", "wrong sha256; kept as"),
        ("long", "201000 bytes offered, expected 200000"),
        ("long, not said", "more than 200000 bytes sent"),
        ("short", "199000 bytes offered, expected 200000"),
    ],
)
def test_wrong_content_makes_way_for_the_next_mirror_at_once(server, tmp_path, capsys, fault, said):
    Server.faults["/a/mp3.zip.002"] = fault
    remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    paths = [path for path, _ in Server.requests]
    assert paths.count("/a/mp3.zip.002") == paths.count("/b/mp3.zip.002") == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["503", "silent", "stall"])
def test_a_fault_that_may_pass_is_tried_again(server, tmp_path, fault):
    Server.faults["/a/mp3.zip.002"] = [fault, fault]
    remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    paths = [path for path, _ in Server.requests]
    assert paths.count("/a/mp3.zip.002") == 3
    assert paths.count("/b/mp3.zip.002") == 0


@pytest.mark.parametrize(("fault", "said"), [("503", "503"), ("silent", "timed out")])
def test_three_tries_then_the_next_mirror_then_an_error(server, tmp_path, fault, said):
    Server.faults["/a/table.csv"] = Server.faults["/b/table.csv"] = fault
    with pytest.raises(UserError, match=said) as error:
        remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    assert [path for path, _ in Server.requests] == ["/a/table.csv"] * 3 + ["/b/table.csv"] * 3
    assert f"or put table.csv into {tmp_path}" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_pause_before_another_try_doubles(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: pauses.append(seconds))
    Server.faults["/a/table.csv"] = ["503", "503"]
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert pauses == [0.01, 0.02]


def test_a_server_that_nobody_answers_at_is_named(tmp_path, server):
    with pytest.raises(UserError, match=r"download failed \(http://127.0.0.1:9/table.csv: "):
        remote.fetch(data_set("http://127.0.0.1:9"), tmp_path)


def test_compression_on_the_way_is_not_asked_for(server, tmp_path):
    Server.faults["/a/table.csv"] = "gzip"
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert (tmp_path / "table.csv").read_bytes() == CONTENT["table.csv"]


def test_another_range_than_asked_for_is_not_appended(server, tmp_path, capsys):
    Server.faults["/a/mp3.zip.001"] = ["drop", "other range"]
    remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    assert "bytes from 100001 on, expected from 100000 on" in capsys.readouterr().err
    assert ("/b/mp3.zip.001", "bytes=100000-") in Server.requests
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_wrong_checksum_is_kept_aside_and_never_used(server, tmp_path):
    Server.faults["/a/mp3.zip.002"] = "flip"
    with pytest.raises(UserError, match=r"wrong sha256; kept as .*damaged-mp3.zip.002"):
        remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == [".partial-mp3.zip", "damaged-mp3.zip.002", "table.csv"]
    assert (tmp_path / "damaged-mp3.zip.002").read_bytes()[:1] == b"X"


def test_a_wrong_beginning_of_an_earlier_run_is_fetched_again_from_the_same_place(server, tmp_path):
    (tmp_path / ".partial-mp3.zip.001").write_bytes(b"#" * 1000)
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    wanted = [wanted for path, wanted in Server.requests if path == "/a/mp3.zip.001"]
    assert wanted == ["bytes=1000-", None]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_whole_partial_file_needs_no_connection(server, tmp_path):
    (tmp_path / ".partial-table.csv").write_bytes(CONTENT["table.csv"])
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert "/a/table.csv" not in [path for path, _ in Server.requests]
    assert (tmp_path / "table.csv").read_bytes() == CONTENT["table.csv"]


def test_an_interrupted_join_is_finished(server, tmp_path):
    half_appended = CONTENT["mp3.zip.001"] + CONTENT["mp3.zip.002"][:777]
    (tmp_path / ".partial-mp3.zip").write_bytes(half_appended)
    (tmp_path / "mp3.zip.001").write_bytes(CONTENT["mp3.zip.001"])
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    assert all("001" not in path for path, _ in Server.requests)


def test_the_joined_archive_is_checked_as_a_whole(server, tmp_path):
    (tmp_path / ".partial-mp3.zip").write_bytes(b"X" + CONTENT["mp3.zip.001"][1:])
    with pytest.raises(UserError, match=r"the joined parts: wrong md5, .* kept as .*; run again"):
        remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["damaged-mp3.zip", "table.csv"]
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_where_the_joined_archive_is_wrong_the_whole_one_is_fetched(server, tmp_path):
    (tmp_path / ".partial-mp3.zip").write_bytes(b"X" + CONTENT["mp3.zip.001"][1:])
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert Server.requests[-1] == ("/whole/mp3.zip", None)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_two_downloads_into_one_folder_do_not_mix(server, tmp_path):
    with locked(tmp_path / ".download.lock", "a test"):
        with pytest.raises(UserError, match=rf"the download to {tmp_path}: process \d+ on"):
            remote.fetch(data_set(f"{server}/a"), tmp_path)
        assert Server.requests == []
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["mp3.zip", "table.csv"]


@pytest.mark.parametrize("planted", [".partial-table.csv", ".partial-mp3.zip"])
@pytest.mark.parametrize("content", [b"", b"not ours"])
def test_a_planted_link_is_not_followed(server, tmp_path, planted, content):
    target, folder = tmp_path / "target", tmp_path / "corpus"
    target.write_bytes(content)
    folder.mkdir()
    (folder / planted).symlink_to(target)
    with pytest.raises(UserError, match=f"{planted}: a link, expected a file; delete it"):
        remote.fetch(data_set(f"{server}/a"), folder)
    assert target.read_bytes() == content


def test_no_part_is_on_the_disk_when_the_next_is_fetched(server, tmp_path, monkeypatch):
    seen = []

    def watch(file, folder):
        seen.append((file.name, names(folder)))
        transfer.fetch_file(file, folder)

    monkeypatch.setattr(remote, "fetch_file", watch)
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert seen[-1] == ("mp3.zip.002", [".download.lock", ".partial-mp3.zip", "table.csv"])


def test_where_a_part_is_nowhere_the_archive_is_fetched_from_the_byte_reached(server, tmp_path):
    Server.faults["/a/mp3.zip.002"] = "404"
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert Server.requests[-1] == ("/whole/mp3.zip", "bytes=300000-")
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_an_archive_with_the_wrong_md5_is_kept_aside(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = "404"
    Server.faults["/whole/mp3.zip"] = "flip"
    with pytest.raises(UserError, match=r"wrong md5; kept as .*damaged-mp3.zip\)"):
        remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert names(tmp_path) == ["damaged-mp3.zip", "table.csv"]


@pytest.mark.parametrize("name", [".partial-mp3.zip", "mp3.zip"])
def test_an_archive_begun_whole_is_finished_whole(server, tmp_path, name):
    """Also where another program has begun it."""
    (tmp_path / name).write_bytes(ARCHIVE[:345_678])
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert Server.requests[1:] == [("/whole/mp3.zip", "bytes=345678-")]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_what_a_server_without_range_sends_again_is_not_written_again(server, tmp_path):
    """The part from a mirror that stops is finished by one that always sends the whole file."""
    Server.faults["/a/mp3.zip.001"] = ["drop", "404"]
    Server.faults["/b/mp3.zip.001"] = ["no range, drop early", "no range"]
    remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_what_is_there_survives_a_server_that_ignores_range_and_drops(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = ["drop", "404"]
    Server.faults["/b/mp3.zip.001"] = "no range, drop early"
    with pytest.raises(UserError, match="download failed"):
        remote.fetch(data_set(f"{server}/a", f"{server}/b"), tmp_path)
    beginning = (tmp_path / ".partial-mp3.zip.001").read_bytes()
    assert beginning == CONTENT["mp3.zip.001"][:100_000]


def test_a_wrong_beginning_is_found_although_the_server_ignores_range(server, tmp_path):
    (tmp_path / ".partial-mp3.zip.001").write_bytes(b"#" * 1000)
    Server.faults["/a/mp3.zip.001"] = "no range"
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


@pytest.mark.parametrize("fault", ["404", "no range, drop early"])
def test_joined_parts_survive_a_hub_that_fails(server, tmp_path, fault):
    Server.faults["/a/mp3.zip.002"] = ["404"]
    Server.faults["/whole/mp3.zip"] = fault
    described = data_set(f"{server}/a", whole=[f"{server}/whole"])
    with pytest.raises(UserError, match="download failed"):
        remote.fetch(described, tmp_path)
    assert (tmp_path / ".partial-mp3.zip").read_bytes() == CONTENT["mp3.zip.001"]
    Server.requests.clear()
    remote.fetch(described, tmp_path)
    assert Server.requests == [("/a/mp3.zip.002", None)]
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_what_was_begun_whole_is_finished_in_parts_where_the_hub_fails(server, tmp_path):
    (tmp_path / ".partial-mp3.zip").write_bytes(ARCHIVE[:345_678])
    Server.faults["/whole/mp3.zip"] = "404"
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert [path for path, _ in Server.requests[1:]] == ["/whole/mp3.zip", "/a/mp3.zip.002"]
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_the_interrupted_download_of_another_program_goes_on(server, tmp_path, capsys):
    (tmp_path / "mp3.zip.002").write_bytes(CONTENT["mp3.zip.002"][:150_000])
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert ("/a/mp3.zip.002", "bytes=150000-") in Server.requests
    assert "mp3.zip.002: 150000 bytes, expected 200000; goes on as" in capsys.readouterr().err
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_short_file_that_is_another_is_fetched_again(server, tmp_path):
    (tmp_path / "mp3.zip.002").write_bytes(b"<html>log in</html>")
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["damaged-mp3.zip.002", "mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


@pytest.mark.parametrize("beginning", [ARCHIVE, ARCHIVE + b"#"])
def test_an_archive_that_was_not_yet_checked_is(server, tmp_path, beginning):
    (tmp_path / ".partial-mp3.zip").write_bytes(beginning)
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert len(Server.requests) == (1 if beginning == ARCHIVE else 2)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_a_leftover_next_to_valid_audio_is_deleted(server, tmp_path):
    (tmp_path / "mp3.zip").write_bytes(ARCHIVE)
    (tmp_path / ".partial-mp3.zip").write_bytes(ARCHIVE[:1000])
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["mp3.zip", "table.csv"]


def unpack(folder):
    (folder / "mp3/0").mkdir(parents=True)
    (folder / "mp3/0/a.mp3").write_bytes(b"clip")


def zip_again(folder):
    with zipfile.ZipFile(folder / "mp3.zip", "w") as archive:
        archive.writestr("0/a.mp3", b"clip")


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (unpack, "unpacked clips found in {}/mp3"),
        (zip_again, "{}/mp3.zip is a whole zip, but not the published one"),
    ],
)
def test_audio_of_ones_own_is_named_before_anything_is_fetched(server, tmp_path, make, found):
    make(tmp_path)
    (tmp_path / "mp3.zip.001").write_bytes(b"left over")
    before = names(tmp_path)
    for offline in (False, True):
        with pytest.raises(UserError) as error:
            remote.fetch(data_set(f"{server}/a"), tmp_path, offline=offline)
        assert str(error.value).startswith(f"{found.format(tmp_path)}; set corpus: {tmp_path} to ")
    assert names(tmp_path) == before
    assert Server.requests == []


def test_unpacked_clips_next_to_valid_audio_are_no_obstacle(server, tmp_path):
    unpack(tmp_path)
    (tmp_path / "mp3.zip").write_bytes(ARCHIVE)
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert names(tmp_path) == ["mp3", "mp3.zip", "table.csv"]


def test_a_full_disk_is_reported_with_the_file(server, tmp_path):
    """A limit of the size of files stands for the disk: 50,000 bytes, of 300,000."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
        with pytest.raises(OSError, match="File too large") as fetching:
            remote.fetch(data_set(f"{server}/a"), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert fetching.value.filename == str(tmp_path / ".partial-mp3.zip.001")
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert Server.requests[-2] == ("/a/mp3.zip.001", "bytes=50000-")


def test_a_disk_that_is_full_while_parts_are_joined_is_reported_with_the_file(
    server, tmp_path, monkeypatch
):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(remote.shutil, "copyfileobj", fill)
        with pytest.raises(OSError, match="No space left on device") as error:
            remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert error.value.filename == str(tmp_path / ".partial-mp3.zip")
    assert (tmp_path / "mp3.zip.001").read_bytes() == CONTENT["mp3.zip.001"]


@pytest.mark.parametrize("kept", ["table.csv", "mp3.zip"])
def test_a_file_that_is_not_stored_gets_no_name_and_nothing_is_deleted(
    server, tmp_path, monkeypatch, kept
):
    """NFS says by fsync that a quota is exceeded, not before."""
    stored = remote.flush

    def refuse(path):
        if path == tmp_path / f".partial-{kept}":
            raise OSError(errno.EDQUOT, "Disk quota exceeded", str(path))
        stored(path)

    with monkeypatch.context() as full:
        for module in (remote, transfer):
            full.setattr(module, "flush", refuse)
        with pytest.raises(OSError, match="Disk quota exceeded"):
            remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert not (tmp_path / kept).exists()
    if kept == "mp3.zip":
        assert (tmp_path / "mp3.zip.001").read_bytes() == CONTENT["mp3.zip.001"]
    remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


@pytest.mark.parametrize(("free", "asked"), [(400_000, "/a/mp3.zip.002"), (200_000, "/whole/")])
def test_a_way_that_the_disk_has_no_room_for_is_left_out(
    server, tmp_path, monkeypatch, free, asked
):
    """The last part takes 200,000 bytes twice; the rest of the archive takes them once."""
    (tmp_path / "table.csv").write_bytes(CONTENT["table.csv"])
    (tmp_path / ".partial-mp3.zip").write_bytes(CONTENT["mp3.zip.001"])
    usage = remote.shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(remote.shutil, "disk_usage", lambda folder: usage)
    remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    (request,) = Server.requests
    assert request[0].startswith(asked)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE


def test_what_was_begun_whole_is_not_finished_in_parts_on_a_disk_that_is_too_small(
    server, tmp_path, monkeypatch
):
    """It takes 150,000 bytes; a part twice takes 400,000, and would end on a full disk."""
    (tmp_path / "table.csv").write_bytes(CONTENT["table.csv"])
    (tmp_path / ".partial-mp3.zip").write_bytes(ARCHIVE[:350_000])
    usage = remote.shutil.disk_usage(tmp_path)._replace(free=200_000)
    monkeypatch.setattr(remote.shutil, "disk_usage", lambda folder: usage)
    Server.faults["/whole/mp3.zip"] = "404"
    with pytest.raises(UserError, match="GB free, the download needs"):
        remote.fetch(data_set(f"{server}/a", whole=[f"{server}/whole"]), tmp_path)
    assert [path for path, _ in Server.requests] == ["/whole/mp3.zip"]
    assert (tmp_path / ".partial-mp3.zip").read_bytes() == ARCHIVE[:350_000]


def test_proxies_of_the_environment_are_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server)
    remote.fetch(data_set("http://far.example.org/a"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    assert [path for path, _ in Server.requests] == [
        f"http://far.example.org/a/{name}" for name in CONTENT
    ]


def test_offline_with_all_files_there_connects_to_nothing(server, tmp_path):
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    remote.fetch(data_set(f"{server}/a"), tmp_path, offline=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == CONTENT
    assert Server.requests == []


def test_what_was_joined_before_the_last_part_was_put_there_is_joined_offline(server, tmp_path):
    (tmp_path / "table.csv").write_bytes(CONTENT["table.csv"])
    (tmp_path / ".partial-mp3.zip").write_bytes(CONTENT["mp3.zip.001"])
    (tmp_path / "mp3.zip.002").write_bytes(CONTENT["mp3.zip.002"])
    remote.fetch(data_set(f"{server}/a"), tmp_path, offline=True)
    assert names(tmp_path) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == ARCHIVE
    assert Server.requests == []


def test_offline_names_what_is_missing_or_wrong_and_renames_nothing(server, tmp_path, capsys):
    (tmp_path / "mp3.zip.001").write_bytes(CONTENT["mp3.zip.001"])
    (tmp_path / "mp3.zip.002").write_bytes(b"half")
    (tmp_path / "mp3.zip").write_bytes(b"X" + ARCHIVE[1:])
    with pytest.raises(
        UserError, match=r"offline, and table.csv, mp3.zip.002 \(or mp3.zip\) missing"
    ):
        remote.fetch(data_set(f"{server}/a"), tmp_path, offline=True)
    assert names(tmp_path) == ["mp3.zip", "mp3.zip.001", "mp3.zip.002"]
    archive, part = capsys.readouterr().err.splitlines()
    assert archive.startswith(f"{tmp_path}/mp3.zip: wrong md5, expected")
    assert part == f"{tmp_path}/mp3.zip.002: 4 bytes, expected 200000"
    assert Server.requests == []


@pytest.mark.parametrize(("free", "enough"), [(800_008, False), (800_009, True)])
def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(
    server, tmp_path, monkeypatch, free, enough
):
    """500,000 bytes of parts, 9 of the table, and 300,000 for the larger part twice."""
    usage = remote.shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(remote.shutil, "disk_usage", lambda folder: usage)
    if enough:
        remote.fetch(data_set(f"{server}/a"), tmp_path)
        return
    with pytest.raises(UserError, match="GB free, the download needs"):
        remote.fetch(data_set(f"{server}/a"), tmp_path)
    assert Server.requests == []


def test_the_room_for_the_official_files_is_named(tmp_path, monkeypatch):
    usage = remote.shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(remote.shutil, "disk_usage", lambda folder: usage)
    # 2,972,769,864 + 21,517,373 + 8,608,397 + 1,100,000,000 bytes.
    with pytest.raises(UserError, match=r"1\.00 GB free, the download needs 4\.10 GB; make room"):
        remote.fetch(remote.read_data_set(OFFICIAL), tmp_path)


def test_the_committed_description_is_that_of_the_official_files():
    described = remote.read_data_set(OFFICIAL)
    assert described.archive.bytes == 2_972_769_864
    assert described.archive.checksum == "f12add0eb4cd6c2a3ab7e4afaf7b7467"
    assert [table.bytes for table in described.tables] == [21_517_373, 8_608_397]
    for file in [*described.tables, *described.parts]:
        assert len(file.checksum) == 64
        assert all(url.endswith(f"/{file.name}") for url in file.urls)
        assert len(file.urls) == (2 if file in described.parts else 3)


@pytest.mark.parametrize("key", ["mirrors", "files", "archive"])
def test_a_damaged_description_is_named(tmp_path, key):
    content = yaml.safe_load(OFFICIAL.read_text())
    del content[key]
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=f"remote.yaml: not the description of a data set .'{key}'"):
        remote.read_data_set(path)


@pytest.mark.parametrize("content", ["", "mirrors: [é]\n"])
def test_an_empty_description_and_one_in_another_encoding_are_named(tmp_path, content):
    path = tmp_path / "remote.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"remote\.yaml: not the description of a data set"):
        remote.read_data_set(path)


def test_parts_that_are_not_the_archive_are_refused(tmp_path):
    content = yaml.safe_load(OFFICIAL.read_text())
    content["archive"]["parts"].pop()
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=r"the parts don't add up to the 2972769864 bytes of"):
        remote.read_data_set(path)
