"""uvicorn's HTTP with the two limits it lacks: how long the head of a request may take to come, and how large it may be."""

from asyncio import TimerHandle, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 30.0
HEAD_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class GuardedHttp(HttpToolsProtocol):
    """Closes a connection whose request does not say what it wants in time, or says too much (431)."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._head_bytes = 0
        self._in_head = False
        self._head_deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._head_is_here()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        if not self._in_head:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The last byte of a request's head has come."""
        self._head_is_here()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _expect_head(self) -> None:
        self._head_is_here()
        self._in_head = True
        self._head_deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        self._in_head, self._head_bytes = False, 0
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
