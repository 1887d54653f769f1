"""Tag songs on a page in the browser: the command `autotagging serve`."""

import errno
import logging
import os
import secrets
import signal
import socket
import sys
import webbrowser
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from autotagging.common.errors import UserError
from autotagging.tagging.processes import check_timeout
from autotagging.tagging.songs import checked_hop
from autotagging.tagging.taggram import HOP
from autotagging.tools._machine import cores
from autotagging.tools._tagger import chosen_model

if TYPE_CHECKING:
    from starlette.applications import Starlette

_HOST = "127.0.0.1"
_MOST_MINUTES = 1440.0  # a day
_MOST_MEGABYTES = 1e6


def serve(
    *,
    model: Path | None = None,
    port: int = 8765,
    no_browser: bool = False,
    hop: float | None = None,
    max_minutes: float = 60.0,
    max_megabytes: float = 500.0,
    timeout: float = 60.0,
) -> None:
    """Tag songs on a page in the browser, which shows their tags while they are played.

    Only this machine can open the page, and only with the printed address, which has a random
    token. A song is deleted as soon as it is tagged. Ctrl+C ends it.

    Parameters
    ----------
    model
        Folder that `autotagging export` has written, or that of a trained network. Without it, the
        first network in results/train.
    port
        Port of the address; 0 chooses a free one.
    no_browser
        Print the address, and do not open it.
    hop
        Seconds from the beginning of a window to that of the next, at most the length of a window.
        Without it, 3 seconds.
    max_minutes
        Length of the longest song.
    max_megabytes
        Size of the largest file.
    timeout
        Seconds in which the next window of a song has to be scored; else the song is given up.
    """
    if not 0 <= port <= 65_535:
        raise UserError(f"--port {port}: expected 0 to 65535")
    check_timeout(timeout)
    _check_most("--max-minutes", max_minutes, _MOST_MINUTES)
    _check_most("--max-megabytes", max_megabytes, _MOST_MEGABYTES)
    import uvicorn  # noqa: F401 - before anything is done

    from autotagging.tagging.server import Limits, Scorer, make_app

    model, described = chosen_model(model)
    hop = checked_hop(described, hop, otherwise=HOP)
    limits = Limits(round(max_megabytes * 1e6), 60 * max_minutes, timeout)
    token = secrets.token_urlsafe(24)
    with (
        _listening(port) as listening,
        closing(Scorer(model, limits, hop=hop, threads=cores())) as scorer,
    ):
        scorer.load()
        app = make_app(scorer, described, limits, token=token, hop=hop)
        _announce(f"http://{_HOST}:{listening.getsockname()[1]}/{token}/", not no_browser)
        _run(app, listening)


def _check_most(flag: str, value: float, most: float) -> None:
    if not 0 < value <= most:
        raise UserError(f"{flag} {value:g}: expected more than 0, and at most {most:,.0f}")


def _listening(port: int) -> socket.socket:
    """Open the port, so that requests wait until the server has started."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port of a run just ended
    try:
        opened.bind((_HOST, port))
        opened.listen()
    except OSError as error:
        opened.close()
        advice = "give another --port, or 0 for a free one"
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} is in use; {advice}") from error
        raise UserError(f"port {port}: {error.strerror}; {advice}") from error
    return opened


def _announce(address: str, open_it: bool) -> None:
    print(address)
    print("Ctrl+C ends it.", file=sys.stderr)
    if open_it and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open_new_tab(address)


def _has_screen() -> bool:
    """Tell whether a browser has a window; without, a text browser would take the terminal."""
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _run(app: "Starlette", listening: socket.socket) -> None:
    """Answer requests until Ctrl+C, or until the terminal is closed."""
    import uvicorn

    from autotagging.tagging.connections import Connection

    class Server(uvicorn.Server):
        def handle_exit(self, *_: object) -> None:
            """End in order at any signal; requests in progress are cut off, which is no error."""
            logging.getLogger("uvicorn.error").disabled = True
            self.should_exit = True

    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=0,
    )
    server = Server(config)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, server.handle_exit)
    server.run(sockets=[listening])
