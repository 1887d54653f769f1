"""The page of `autotagging serve`: songs are uploaded, tagged one at a time, and deleted.

An upload is the body of a request, and the answer is lines of JSON: {"waiting": true} if another
song is being tagged, {"seconds": ...} for each window, and at the end "taggram" or "error".
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from autotagging.common.errors import UserError
from autotagging.tagging.bundle import Description
from autotagging.tagging.formats import SUFFIXES
from autotagging.tagging.guard import Guard
from autotagging.tagging.pool import Work, Worker
from autotagging.tagging.songs import hop_samples
from autotagging.tagging.taggram import levels, spans

_FILES = {
    "": ("index.html", "text/html"),
    "app.js": ("app.js", "text/javascript"),
    "song.js": ("song.js", "text/javascript"),
    "taggram.js": ("taggram.js", "text/javascript"),
    "style.css": ("style.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
"""File of the folder page/ and its type, by path."""
_MOST_UPLOADS = 8  # at a time: one being tagged, the others waiting
_PATIENCE = 30.0  # seconds in which the next part of a song has to be received
_PAUSE = 0.2  # seconds in which a song that is no longer wanted is noticed


@dataclass(frozen=True)
class Limits:
    """What a song may have at most.

    Attributes
    ----------
    bytes
        Size of the file.
    seconds
        Length of the song.
    timeout
        Seconds in which the next window of a song has to be scored.
    """

    bytes: int
    seconds: float
    timeout: float


class Scorer:
    """A process that makes taggrams of one song after another.

    Parameters
    ----------
    model
        Bundle or model folder, see `bundle.load_tagger`.
    limits
        Limits of a song.
    hop
        Seconds from the beginning of a window to that of the next.
    threads
        Threads of the network.
    """

    def __init__(self, model: Path, limits: Limits, *, hop: float, threads: int):
        self._timeout = limits.timeout
        self._turn = asyncio.Lock()
        self._worker = Worker(
            Work(
                model,
                hop=hop,
                keep_windows=True,
                threads=threads,
                most_seconds=limits.seconds,
            )
        )

    def load(self) -> None:
        """Wait until the model is loaded; raise UserError if it can't be."""
        while not self._worker.ready:
            if self._worker.wait(self._timeout, at_most=_PAUSE):
                self._worker.result(self._timeout)

    async def messages(self, song: Path) -> AsyncIterator[dict[str, Any]]:
        """Tag a song when its turn has come; the work ends if the iterator is closed.

        Yields
        ------
        message
            waiting, or seconds (decoded so far), and at the end the result of
            `pool.tag_songs`.
        """
        if self._turn.locked():
            yield {"waiting": True}
        async with self._turn:
            worker, result = self._worker, None
            worker.song = song
            try:
                worker.go_on()
                while result is None:
                    if await run_in_threadpool(worker.wait, self._timeout, at_most=_PAUSE):
                        result = worker.result(self._timeout)
                        yield result or {"seconds": worker.seconds}
            except UserError as error:
                yield {"error": {"type": "failed", "message": str(error)}}
            finally:
                worker.song = None
                if result is None:
                    worker.stop()
                    with suppress(UserError):  # the next song tries again
                        worker.go_on()

    def close(self) -> None:
        """End the process."""
        self._worker.stop()


class Uploads:
    """Songs that are uploaded: the answer to each of these requests.

    Parameters
    ----------
    scorer
        What tags them.
    described
        The tagger.
    most_bytes
        Size of the largest file.
    """

    def __init__(self, scorer: Scorer, described: Description, most_bytes: int):
        self._scorer = scorer
        self._described = described
        self._most_bytes = most_bytes
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._count >= _MOST_UPLOADS:
            raise HTTPException(503, f"{_MOST_UPLOADS} songs are waiting; try again later")
        self._count += 1
        try:
            with TemporaryDirectory(prefix="autotagging-") as folder:
                request = Request(scope, receive)
                song = Path(folder, f"song{_suffix(request)}")
                await self._receive(request, song)
                async with aclosing(self._lines(song)) as lines:
                    answer = StreamingResponse(lines, media_type="application/x-ndjson")
                    await answer(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            self._count -= 1

    async def _receive(self, request: Request, song: Path) -> None:
        """Write the body of a request to a file."""
        too_large = HTTPException(413, f"larger than {self._most_bytes / 1e6:g} MB")
        left = self._most_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > left:
            raise too_large
        try:
            with song.open("wb") as file:
                async for part in _parts(request):
                    left -= len(part)
                    if left < 0:
                        raise too_large
                    file.write(part)
        except TimeoutError:
            message = f"nothing of the song was received for {_PATIENCE:g} s"
            raise HTTPException(408, message) from None
        except OSError as error:
            raise HTTPException(507, f"the song can't be kept: {error.strerror}") from error

    async def _lines(self, song: Path) -> AsyncIterator[str]:
        async with aclosing(self._scorer.messages(song)) as messages:
            async for message in messages:
                if "scores" in message:
                    message = {"taggram": _taggram(message, self._described)}
                elif "error" in message:
                    message = {"error": message["error"]}
                yield f"{json.dumps(message, allow_nan=False)}\n"


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """Receive the body of a request; raise TimeoutError if nothing comes for a while."""
    async with aclosing(request.stream()) as parts:
        while True:
            async with asyncio.timeout(_PATIENCE):
                part = await anext(parts, None)
            if part is None:
                return
            yield part


def _suffix(request: Request) -> str:
    """Suffix of the name of the file, by which a few formats are told, if it is one of music."""
    suffix = Path(request.query_params.get("name", "")).suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def _taggram(result: dict[str, Any], described: Description) -> dict[str, Any]:
    """Choose what the page shows of a result, see taggram.py."""
    kept = {name: result[name] for name in ("seconds", "tags", "warning") if name in result}
    return {
        **kept,
        "spans": spans(result, described).round(3).tolist(),
        "window_scores": result["window_scores"],
        "levels": levels(result, described).round(4).tolist(),
    }


def make_app(
    scorer: Scorer, described: Description, limits: Limits, *, token: str, hop: float
) -> Starlette:
    """Make the application that answers requests whose path begins with the token.

    Parameters
    ----------
    scorer
        What tags songs.
    described
        The tagger.
    limits
        Limits of a song.
    token
        First part of each path.
    hop
        Seconds from the beginning of a window to that of the next.
    """
    model = {
        "model": described.model,
        "tags": described.tags,
        "categories": dict(described.categories),
        "window": described.window_seconds,
        "hop": hop_samples(described, hop) / described.sample_rate,
        "most_bytes": limits.bytes,
        "most_seconds": limits.seconds,
    }

    async def about(_: Request) -> Response:
        return JSONResponse(model)

    uploads = Uploads(scorer, described, limits.bytes)
    routes = [Route(f"/{path}", _file(*of)) for path, of in _FILES.items()]
    routes += [Route("/model", about), Route("/taggram", uploads, methods=["POST"])]
    return Starlette(
        routes=[Mount(f"/{token}", routes=routes)], middleware=[Middleware(Guard, token=token)]
    )


def _file(name: str, media_type: str) -> Any:
    content = Path(__file__).with_name("page").joinpath(name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return answer
