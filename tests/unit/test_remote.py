"""Downloads, against a server on this machine that misbehaves on demand."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autotagging import remote
from autotagging.errors import UserError

CONTENT = {
    "table.csv": b"one table",
    "mp3.zip.001": b"A" * 300_000,
    "mp3.zip.002": b"B" * 200_000,
}


class Server(BaseHTTPRequestHandler):
    faults: dict[str, str] = {}  # noqa: RUF012 - set anew by the fixture
    requests: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self):
        name = self.path.strip("/").split("/")[-1]
        wanted = self.headers.get("Range")
        self.requests.append((self.path, wanted))
        fault = self.faults.pop(self.path, None)
        body = CONTENT[name]
        if fault == "404":
            return self.send_error(404)
        if fault == "html":
            body = b"<html>moved</html>"
        if fault == "flip":
            body = b"X" + body[1:]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if fault == "drop":
            self.wfile.write(body[start : start + 100_000])
            self.wfile.flush()
            self.connection.close()
            return None
        self.wfile.write(body[start:])
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(remote, "_CHUNK", 10_000)
    Server.faults, Server.requests = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def data_set(*mirrors):
    return remote.DataSet(
        mirrors=list(mirrors),
        files=[
            remote.RemoteFile(name, len(body), hashlib.sha256(body).hexdigest())
            for name, body in CONTENT.items()
        ],
        joined="mp3.zip",
        parts=["mp3.zip.001", "mp3.zip.002"],
    )


JOINED = CONTENT["mp3.zip.001"] + CONTENT["mp3.zip.002"]


def test_parts_are_joined_and_nothing_else_is_left(server, tmp_path):
    remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mp3.zip", "table.csv"]
    assert (tmp_path / "mp3.zip").read_bytes() == JOINED


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    remote.fetch(data_set(f"{server}/a/"), tmp_path)
    Server.requests.clear()
    remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert Server.requests == []


def test_a_broken_connection_goes_on_where_it_was(server, tmp_path):
    Server.faults["/a/mp3.zip.001"] = "drop"
    remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert ("/a/mp3.zip.001", "bytes=100000-") in Server.requests
    assert (tmp_path / "mp3.zip").read_bytes() == JOINED


@pytest.mark.parametrize("fault", ["404", "html", "flip"])
def test_the_next_mirror_is_tried(server, tmp_path, fault):
    remote_set = data_set(f"{server}/a/", f"{server}/b/")
    Server.faults["/a/mp3.zip.002"] = fault
    remote.fetch(remote_set, tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == JOINED


def test_a_wrong_checksum_is_kept_aside_and_never_used(server, tmp_path):
    Server.faults["/a/mp3.zip.002"] = "flip"
    with pytest.raises(UserError, match="wrong checksum"):
        remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert (tmp_path / "damaged-mp3.zip.002").exists()
    assert not (tmp_path / "mp3.zip").exists()
    assert not (tmp_path / "mp3.zip.002").exists()


def test_an_interrupted_join_is_finished(server, tmp_path):
    half_appended = CONTENT["mp3.zip.001"] + CONTENT["mp3.zip.002"][:777]
    (tmp_path / ".partial-mp3.zip").write_bytes(half_appended)
    remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert (tmp_path / "mp3.zip").read_bytes() == JOINED
    assert all("001" not in path for path, _ in Server.requests)


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(
    server, tmp_path, monkeypatch
):
    usage = remote.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(remote.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match="GB free, the download needs"):
        remote.fetch(data_set(f"{server}/a/"), tmp_path)
    assert Server.requests == []


def test_the_committed_description_is_that_of_the_official_files():
    described = remote.read_data_set(remote.Path("workflow/resources/magnatagatune.yaml"))
    parts = [file for file in described.files if file.name in described.parts]
    assert sum(part.bytes for part in parts) == 2_972_769_864
    assert all(len(file.sha256) == 64 for file in described.files)
