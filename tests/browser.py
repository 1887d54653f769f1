"""Drive a headless Chromium by its DevTools protocol, through a pipe: no driver, no network."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_LOCAL = ("file:", "data:", "blob:", "about:")


class BrowserError(Exception):
    """What the browser could not do, in its own words."""


class Page:
    """One page of a browser; collects its errors and the addresses it asked for.

    Attributes
    ----------
    errors
        Console errors, uncaught exceptions and log entries of level error.
    requests
        Addresses asked for that lie outside the file, such as of a network.
    """

    def __init__(self, commands: int, replies: int):
        self._commands, self._replies = commands, replies
        self._buffer, self._count, self._session = b"", 0, None
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params) -> dict:
        """Send a command; return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            reply = self._read(timeout=30)
            if reply.get("id") == self._count:
                if "error" in reply:
                    raise BrowserError(f"{method}: {reply['error']['message']}")
                return reply["result"]

    def _read(self, timeout: float) -> dict:
        """Read one message; note it if it is an event that tells of a fault."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._replies], [], [], timeout)
            chunk = os.read(self._replies, 1 << 20) if ready else b""
            assert chunk, "the browser does not answer"
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, event: str | None, params: dict) -> None:
        if event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(arg.get("value")) for arg in params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(_LOCAL):
                self.requests.append(url)

    def open(self, place: Path | str) -> None:
        """Open a file or an address, and wait until it is loaded."""
        url = place.resolve().as_uri() if isinstance(place, Path) else place
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, script: str, *, in_frame: bool = False):
        """Evaluate JavaScript in the page, or in its only frame; return its value."""
        where = {}
        if in_frame:
            frames = self.call("Page.getFrameTree")["frameTree"].get("childFrames", [])
            if len(frames) != 1:
                raise BrowserError(f"{len(frames)} frames")
            world = self.call("Page.createIsolatedWorld", frameId=frames[0]["frame"]["id"])
            where = {"contextId": world["executionContextId"]}
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, **where)
        assert "exceptionDetails" not in result, f"{script}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait(self, condition: str, *, in_frame: bool = False, seconds: float = 20) -> None:
        """Wait until a JavaScript condition holds; a frame may still be on its way."""
        end = time.monotonic() + seconds
        while not self._holds(condition, in_frame):
            assert time.monotonic() < end, f"never came true: {condition}"
            time.sleep(0.05)

    def _holds(self, condition: str, in_frame: bool) -> bool:
        try:
            return self.run(condition, in_frame=in_frame)
        except BrowserError:
            if not in_frame:
                raise
            return False

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose files in an input, as a person does in its dialogue."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        files = [str(path.resolve()) for path in paths]
        self.call("DOM.setFileInputFiles", nodeId=node, files=files)

    def drop(self, x: int, y: int, *paths: Path) -> None:
        """Drag files from outside to a place of the page, and drop them."""
        files = [str(path.resolve()) for path in paths]
        data = {"items": [], "files": files, "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def resize(self, width: int, height: int) -> None:
        """Give the page a size, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def screenshot(self, path: Path) -> None:
        """Write what is to be seen as a PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))


def _as_descriptors_3_and_4(commands: int, replies: int) -> None:
    """Give this process the two pipes where Chromium looks for them."""
    moved = [fcntl.fcntl(pipe, fcntl.F_DUPFD, 10) for pipe in (commands, replies)]
    for number, pipe in enumerate(moved, start=3):
        os.dup2(pipe, number)
        os.close(pipe)


@contextmanager
def open_browser(
    profile: Path, width: int = 1280, height: int = 800, *flags: str
) -> Iterator[Page]:
    """Start Chromium with an empty profile in a folder, and end it afterwards."""
    commands_in, commands_out = os.pipe()
    replies_in, replies_out = os.pipe()
    process = subprocess.Popen(
        [CHROMIUM, *_FLAGS, *flags, f"--user-data-dir={profile}"],
        preexec_fn=lambda: _as_descriptors_3_and_4(commands_in, replies_out),
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands_in)
    os.close(replies_out)
    try:
        page = Page(commands_out, replies_in)
        page.resize(width, height)
        yield page
    finally:
        process.terminate()
        process.wait(timeout=20)
        os.close(commands_out)
        os.close(replies_in)
