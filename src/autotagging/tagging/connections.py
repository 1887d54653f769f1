"""Connections to the page of `autotagging serve`."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

_PATIENCE = 10.0  # seconds in which the first request has to be received


class Connection(H11Protocol):
    """A connection that is closed if no request comes, so that idle ones keep nobody out.

    One that waits for a further request is closed by uvicorn itself.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._waiting = self.loop.call_later(_PATIENCE, self._close_without_request)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        self._waiting.cancel()
        super().connection_lost(exc)

    def _close_without_request(self) -> None:
        if self.cycle is None:
            self.transport.close()
