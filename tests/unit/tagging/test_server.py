"""`autotagging serve`: its answers to requests, and its page in a real browser."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from autotagging.common.errors import UserError
from autotagging.tools.serve import serve
from browser import CHROMIUM, open_browser
from bundles import tone, write_bundle, write_song
from waiting import within

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
import uvicorn
from starlette.exceptions import HTTPException
from uvicorn.server import ServerState

from autotagging.tagging.connections import Connection
from autotagging.tagging.server import Uploads

pytestmark = pytest.mark.xdist_group("page")

ONLY_THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


class Server:
    """A running server.

    Attributes
    ----------
    address
        As printed.
    token
        Its last part.
    temporary
        Its folder for temporary files.
    """

    def __init__(self, bundle: Path, temporary: Path, *flags: str):
        environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
        command = [sys.executable, "-c", "from autotagging.cli import main\nmain()", "serve"]
        command += ["--model", str(bundle), "--port", "0", "--no-browser", *flags]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**environment, "TMPDIR": str(temporary)},
        )
        self.address = self.process.stdout.readline().strip()
        self.port, self.token = int(self.address.split(":")[2].split("/")[0]), self.address[:-1]
        self.token = self.token.rpartition("/")[2]
        self.temporary = temporary

    def ask(self, method="GET", path="", body=None, **headers):
        """Send a request, to a path below the token; return the answer and its content."""
        connection = self.connect(method, path, body, **headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer, content

    def connect(self, method="POST", path="taggram", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        place = path if path.startswith("/") else f"/{self.token}/{path}"
        connection.request(method, place, body, headers)
        return connection

    def tag(self, song: Path) -> list[dict]:
        """Upload a song; return the messages."""
        answer, content = self.ask("POST", f"taggram?name={quote(song.name)}", song.read_bytes())
        assert answer.status == 200, content
        return [json.loads(line) for line in content.splitlines()]

    def keeps_nothing(self) -> bool:
        """Tell whether its temporary files are gone within some seconds."""
        return within(lambda: [*self.temporary.iterdir()] == [])

    def workers(self) -> set[int]:
        """Processes that it has started."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {*map(int, found.split())}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server; at the end it is stopped by Ctrl+C, at a song, and leaves nothing."""
    thresholds = {"low": 0.3, "high": 0.3}
    bundle = write_bundle(tmp_path_factory.mktemp("bundle"), thresholds=thresholds)
    temporary = tmp_path_factory.mktemp("temporary")
    limits = ("--max-megabytes", "1.5", "--max-minutes", "0.75", "--hop", "0.05")
    started = Server(bundle, temporary, *limits)
    yield started
    long = write_song(tmp_path_factory.mktemp("songs") / "long.ogg", tone(44, 440))
    assert started.connect(body=long.read_bytes()).getresponse().readline()
    started.process.send_signal(signal.SIGINT)
    assert started.process.communicate(timeout=20) == ("", "Ctrl+C ends it.\n")
    assert started.process.returncode == 0
    assert [*temporary.iterdir()] == []  # ONNX Runtime's telemetry would have a file there


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A song of 8 seconds, low and then high."""
    path = tmp_path_factory.mktemp("songs") / "low then high.flac"
    return write_song(path, tone(4, 440), tone(4, 4000))


def test_the_page_allows_nothing_from_elsewhere(server):
    for path in ("", "app.js", "style.css", "model"):
        answer, _ = server.ask(path=path)
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "http" not in server.ask()[1]


def test_only_the_printed_address_is_answered(server):
    assert len(server.token) == 32
    wrong = server.token[:-1]
    for path in ("/", "//", f"/{wrong}/", f"/{wrong}%C3%BC/", f"/{wrong}%FF/"):
        answer, content = server.ask(path=path)
        assert (answer.status, content[:16]) == (403, "open the address")
    assert server.ask("POST", "/taggram", b"x")[0].status == 403
    assert server.ask(path="../server.py")[0].status == 404


def test_connections_without_a_request_keep_nobody_out(server):
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(80)]
    assert server.ask()[0].status == 200
    for connection in idle:
        connection.close()


def test_without_the_token_a_connection_is_closed(server):
    assert server.ask(path="/")[0].headers["Connection"] == "close"
    assert "Connection" not in server.ask()[0].headers


def test_a_connection_that_brings_no_request_is_closed(monkeypatch):
    monkeypatch.setattr("autotagging.tagging.connections._PATIENCE", 0.01)

    async def app(scope, receive, send):
        await asyncio.sleep(0.1)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def answer_to(request):
        config = uvicorn.Config(app, lifespan="off", log_config=None)
        config.load()
        listening = await asyncio.get_running_loop().create_server(
            lambda: Connection(config=config, server_state=ServerState(), app_state={}),
            *("127.0.0.1", 0),
        )
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()
            listening.close()

    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert asyncio.run(answer_to(b"")) == asyncio.run(answer_to(request[:20])) == b""
    assert asyncio.run(answer_to(request)).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "example.org"}, 421),
        ({"Host": "127.0.0.1.example.org:80"}, 421),
        ({"Host": "localhost:1234"}, 200),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1", "Host": "localhost:1"}, 200),
    ],
)
def test_host_and_origin_are_checked(server, headers, status):
    assert server.ask(**headers)[0].status == status


def test_a_song_is_tagged(server, song):
    messages = server.tag(song)
    seconds = [message["seconds"] for message in messages[:-1]]
    assert seconds == sorted(seconds)
    assert seconds[-1] == 8
    found = messages[-1]["taggram"]
    assert found["seconds"] == 8
    assert (found["spans"][0][0], found["spans"][-1][1]) == (0, 8)
    first, last = (found["window_scores"][window] for window in (0, -1))
    assert first[0] > first[1]
    assert last[0] < last[1]
    assert server.keeps_nothing()


def test_what_can_not_be_tagged_is_told(server, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("text")
    expected = {"type": "not_audio", "message": "no audio format is recognised"}
    assert server.tag(text) == [{"seconds": 0.0}, {"error": expected}]
    long = write_song(tmp_path / "long.ogg", tone(50, 440))
    expected = {"type": "too_long", "message": "longer than 0.75 minutes"}
    assert server.tag(long)[-1] == {"error": expected}


def test_too_large_a_body_is_refused(server):
    parts = (bytes(100_000) for _ in range(16))  # sent in chunks, without a length
    answer, content = server.ask("POST", "taggram", parts)
    assert (answer.status, content) == (413, "larger than 1.5 MB")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", f"/{server.token}/taggram")
    connection.putheader("Content-Length", "1500001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    assert server.keeps_nothing()


def test_several_uploads_at_once_are_queued(server, song):
    with ThreadPoolExecutor(4) as pool:
        results = [*pool.map(server.tag, [song] * 4)]
    assert all("taggram" in messages[-1] for messages in results)
    assert sum(messages[0] == {"waiting": True} for messages in results) >= 2
    assert server.keeps_nothing()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_the_work_on_a_cancelled_upload_ends(server, song, tmp_path):
    before = server.workers()
    long = write_song(tmp_path / "long.ogg", tone(44, 440))
    connection = server.connect(body=long.read_bytes())
    assert connection.getresponse().readline() == b'{"seconds": 0.0}\n'
    connection.close()
    assert within(lambda: not before <= server.workers())
    assert server.keeps_nothing()
    assert "taggram" in server.tag(song)[-1]


@pytest.fixture(scope="module")
def browser(server, tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt install chromium)")
    profile = tmp_path_factory.mktemp("profile")
    flags = (ONLY_THIS_MACHINE, "--autoplay-policy=no-user-gesture-required", "--mute-audio")
    with open_browser(profile, 1200, 820, *flags) as page:
        page.screenshots = tmp_path_factory.mktemp("screenshots")
        yield page


@pytest.fixture
def page(browser, server):
    """The page, opened; nothing that a test does fails, or asks another machine."""
    browser.open(server.address)
    browser.wait("document.querySelector('#model').textContent === 'model levels, 2 tags'")
    yield browser
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith(server.address)] == []
    assert browser.requests


def text(page, selector):
    return page.run(f"document.querySelector('{selector}').innerText")


def test_a_song_is_uploaded_and_its_tags_follow_the_playback(page, song):
    page.choose_files("#files", song)
    page.wait("document.querySelector('#songs .done') !== null")
    page.screenshot(page.screenshots / "tagged.png")
    assert text(page, "h2") == song.name
    assert text(page, "#status") == f"{song.name}: low"
    page.wait("document.querySelector('#audio').duration === 8")
    place = "document.querySelector('#playhead').getBoundingClientRect().left"
    start = page.run(place)
    assert "low" in text(page, "#tags")
    assert "high" not in text(page, "#tags")
    page.run("document.querySelector('#audio').currentTime = 6.5")
    page.wait("document.querySelector('#tags').innerText.includes('high')")
    page.run("document.querySelector('#audio').play()")
    page.wait("document.querySelector('#audio').currentTime > 6.6")
    page.wait(f"{place} > {start} + 300")
    page.run("document.querySelector('#audio').pause()")


def test_the_keyboard_moves_the_playhead(page, song):
    page.choose_files("#files", song)
    page.wait("document.querySelector('#audio').duration === 8")
    page.wait("document.querySelector('#songs .done') !== null")
    slider = "document.querySelector('#slider')"
    page.run(f"{slider}.focus()")
    for key, told in (("ArrowRight", "0:05 of 0:08: high"), ("Home", "0:00 of 0:08: low")):
        page.call("Input.dispatchKeyEvent", type="keyDown", key=key)
        page.wait(f"{slider}.getAttribute('aria-valuetext') === '{told}'")
    assert page.run("document.querySelector('#audio').currentTime") == 0


def test_silence_is_told_to_the_eye_and_to_screen_readers(page, tmp_path):
    quiet = tone(8, 440, amplitude=0)
    path = write_song(tmp_path / "a pause.flac", tone(4, 440), quiet, tone(4, 440))
    page.choose_files("#files", path)
    page.wait("document.querySelector('#audio').duration === 16")
    page.wait("document.querySelector('#songs .done') !== null")
    slider = "document.querySelector('#slider')"
    page.run(f"{slider}.focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Home")
    for told in ("0:05", "0:10"):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
        page.wait(f"{slider}.getAttribute('aria-valuetext').startsWith('{told} of 0:16: ')")
    assert page.run(f"{slider}.getAttribute('aria-valuetext')") == "0:10 of 0:16: silence"
    assert text(page, "#tags") == "silence"


def test_files_that_are_dropped_are_tagged_or_the_reason_is_shown(page, song, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("text")
    page.drop(600, 200, notes, song)
    page.wait("document.querySelector('#songs .done') !== null")
    page.screenshot(page.screenshots / "notes.png")
    assert text(page, "#reason") == "Not tagged: no audio format is recognised."
    assert text(page, "#songs .failed .state") == "no audio format is recognised"
    page.run("document.querySelector('#songs .remove').click()")
    assert text(page, "h2") == song.name


def test_too_large_a_file_is_not_sent(page, tmp_path):
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(1_500_001))
    before = len(page.requests)
    page.choose_files("#files", large)
    page.wait("document.querySelector('#reason').innerText === 'Not tagged: larger than 2 MB.'")
    assert len(page.requests) == before


def test_long_names_leave_every_button_on_the_narrow_page_of_a_phone(page, tmp_path):
    name = "a symphony with a long title, " * 5
    page.choose_files("#files", write_song(tmp_path / f"{name}.flac", tone(4, 440)))
    page.wait("document.querySelector('#songs .done') !== null")
    assert page.run("document.querySelector('#labels span').title") == "low"
    page.resize(390, 844)
    try:
        page.run(
            f"for (const shown of document.querySelectorAll('#whole b, #songs .state'))"
            f" shown.textContent = '{'_'.join(name.split())}'"
        )
        right = "document.querySelector('{}').getBoundingClientRect().right"
        for selector in ("#songs .remove", "#whole b"):
            assert page.run(right.format(selector)) <= 390
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.resize(1200, 820)


def test_an_upload_that_stops_is_refused(monkeypatch):
    monkeypatch.setattr("autotagging.tagging.server._PATIENCE", 0.01)

    async def nothing():
        await asyncio.sleep(60)

    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b""}
    with pytest.raises(HTTPException, match="nothing of the song was received") as error:
        asyncio.run(Uploads(None, None, 1000)(scope, nothing, None))
    assert error.value.status_code == 408


def test_a_port_in_use_is_told(tmp_path):
    bundle = write_bundle(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is in use; give another --port, or 0"):
            serve(model=bundle, port=port)


def test_a_model_without_thresholds_says_so(tmp_path, capsys):
    bundle = write_bundle(tmp_path, thresholds={})
    with pytest.raises(UserError, match="--hop 9"):
        serve(model=bundle, hop=9.0)
    assert capsys.readouterr().err.startswith(f"warning: {bundle}: no thresholds of its tags")


def test_a_missing_model_or_a_missing_library_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no trained model in results/train"):
        serve(port=0)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ModuleNotFoundError, match="uvicorn"):
        serve(port=0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"port": 70_000}, "--port 70000: expected 0 to 65535"),
        ({"max_minutes": 0.0}, "--max-minutes 0: expected more than 0"),
        ({"max_minutes": 1e308}, r"--max-minutes 1e\+308: expected .* at most 1,440"),
        ({"max_megabytes": 1e308}, r"--max-megabytes 1e\+308: expected .* at most 1,000,000"),
        ({"timeout": 0.0}, "--timeout 0: expected more than 0 seconds"),
        ({"timeout": 1e308}, r"--timeout 1e\+308: expected .* at most 86,400, a day"),
    ],
)
def test_flags_are_checked(flags, message):
    with pytest.raises(UserError, match=message):
        serve(**flags)


@pytest.mark.parametrize("hop", [0.0, 1e-9, 2.5])
def test_a_hop_is_at_most_a_window(tmp_path, hop):
    with pytest.raises(UserError, match=f"--hop {hop:g}: expected 0.01 to 2 seconds, the le"):
        serve(model=write_bundle(tmp_path), hop=hop)
