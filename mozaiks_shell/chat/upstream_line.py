"""One WebSocket to the runtime: opened once, read with bounded memory, and watched for silence.

A runtime that is busy in an agent answers late, and giving up its socket can cost the run; so silence alone never
closes it. It is closed when the runtime answers over HTTP while the socket stays dead: then only the socket is gone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

MAX_FRAME: Final = 8 * 1024 * 1024
OPEN_WITHIN = 15.0  # seconds for the handshake and the first frame
PING_EVERY = 20.0  # seconds between pings, and for the answer to one
GIVE_UP_AFTER = 900.0  # seconds of silence on the socket and over HTTP
_DEAD_ROUNDS = 2  # so often HTTP answers and the socket does not
_QUEUE = 16  # frames read ahead of us; beyond that TCP slows the runtime down
_TOO_BIG = 1009

# The library would log the address of the handshake, and with it the token, when somebody turns on debug logs.
_QUIET = logging.getLogger("mozaiks_shell.chat.upstream")
_QUIET.setLevel(logging.WARNING)


class LineLost(Exception):
    """The socket is gone. ``told`` says why to a person, if we know; ``oversized``: it sent more than we take."""

    def __init__(self, told: str = "", *, oversized: bool = False) -> None:
        super().__init__(told)
        self.told, self.oversized = told, oversized


class Line:
    """An open socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._frames = 0

    @classmethod
    async def open(cls, url: str, token: str) -> "Line":
        """Connect; raises what the library raises, see :func:`why_not_opened`."""
        socket = await connect(
            f"{url}?access_token={token}",
            max_size=MAX_FRAME,
            max_queue=_QUEUE,
            compression=None,
            open_timeout=OPEN_WITHIN,
            close_timeout=2,
            ping_interval=None,  # see watch()
            user_agent_header="mozaiks-shell",
            proxy=None,
            logger=_QUIET,
        )
        socket.request = None  # of no more use: several KiB, and the token
        if socket.response is not None:
            socket.response.headers.clear()
        return cls(socket)

    async def receive(self) -> bytes:
        """The next frame.

        Raises:
            LineLost: there is none any more.
        """
        try:
            raw = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            code = error.sent.code if error.sent else None
            log.info("upstream closed", code=error.rcvd.code if error.rcvd else code)
            if code == _TOO_BIG:
                limit = MAX_FRAME // 1024 // 1024
                raise LineLost(
                    tr("The assistant's server sent more than {limit} MB at once, so the connection was ended.", limit=limit),
                    oversized=True,
                ) from None
            raise LineLost from None
        self._frames += 1
        return raw

    async def send(self, frame: str) -> None:
        """Send a frame.

        Raises:
            LineLost: nobody would get it.
        """
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            raise LineLost from None

    async def close(self, code: int = 1000) -> None:
        """Hang up; does nothing a second time."""
        await self._socket.close(code)

    async def watch(self, alive_elsewhere: Callable[[], Awaitable[bool]], silent: Callable[[bool], None]) -> None:
        """Ping for as long as the socket is open; return when it is dead (half-open) and was hung up.

        Args:
            alive_elsewhere: Whether the runtime answers over HTTP.
            silent: Called with True when it answers nowhere, with False when it is back.
        """
        dead_rounds, since = 0, 0.0
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(PING_EVERY)
            frames = self._frames
            if await self._answers() or self._frames != frames:
                if since:
                    silent(False)
                dead_rounds, since = 0, 0.0
                continue
            since = since or clock()
            if await alive_elsewhere():
                dead_rounds += 1
            else:
                dead_rounds = 0
                silent(True)
            if dead_rounds >= _DEAD_ROUNDS or clock() - since > GIVE_UP_AFTER:
                log.warning("upstream is half-open", silent_for=round(clock() - since))
                self._socket.transport.abort()  # a closing handshake would wait for the dead side
                return

    async def _answers(self) -> bool:
        try:
            pong = await self._socket.ping()
            async with asyncio.timeout(PING_EVERY):
                await asyncio.shield(pong)
        except (TimeoutError, ConnectionClosed):
            return False
        return True


def why_not_opened(error: Exception) -> str:
    """Why the socket could not be opened, in words for a person."""
    if isinstance(error, ShellError):
        return error.message
    if isinstance(error, LineLost):
        return error.told or tr("The assistant's server closed the connection at once.")
    if isinstance(error, InvalidStatus) and error.response.status_code == 403:
        # Published runtimes answer every refusal of the handshake alike (protocol §0 fact 3).
        return tr("The assistant's server refused this conversation: it does not accept this app's credentials for it.")
    if isinstance(error, InvalidStatus):
        return tr("The assistant's server refused the connection (HTTP {status}).", status=str(error.response.status_code))
    if isinstance(error, TimeoutError):
        return tr("The assistant's server did not answer in time.")
    return tr("The assistant is not reachable right now. Please try again in a moment.")
