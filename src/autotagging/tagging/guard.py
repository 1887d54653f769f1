"""What each request to the page has to have, and what each answer says to the browser."""

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost")
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "media-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Let only the person pass who has been given the address, with a browser on this machine.

    - Host has to name this machine: another site whose name was pointed to 127.0.0.1 gets 421.
    - The path has to begin with the token, and a request that a page sent has to come from the page
      itself: else 403.

    Parameters
    ----------
    app
        What answers other requests.
    token
        First part of the path.
    """

    def __init__(self, app: ASGIApp, *, token: str):
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope["path"], Headers(scope=scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, path: str, headers: Mapping[str, str]) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if host.partition(":")[0] not in _NAMES:
            return _refused("not a name of this machine", 421)
        given = path.removeprefix("/").partition("/")[0].encode(errors="replace")
        if not secrets.compare_digest(given, self._token):
            return _refused("open the address that `autotagging serve` has printed", 403)
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return _refused("a request of another page", 403)
        return None


def _refused(reason: str, status: int) -> PlainTextResponse:
    """Make an answer after which the connection is closed."""
    return PlainTextResponse(f"{reason}\n", status, headers={"Connection": "close"})
