"""``WS /ws/chat``: the browser's end. One socket shows one chat at a time: replay from an offset, then the tail.

From the browser: ``open`` (chat or workflow, ``from`` the last offset seen, ``live`` the id of the message it holds a part
of, ``page`` how many lines it wants first of a log of which it has nothing, ``pace`` the milliseconds between two pieces of a
text that it can draw), ``older`` (``before`` an offset), ``say``, ``answer``, ``stop`` (``turn``: the text whose answer is
meant), ``choose``, ``ping``.
To it: ``{"t":"chat"}`` with the status, ``offers`` for the composer, ``page`` with the offset where the newest page begins,
``older`` with the items of a page, durable items with offset ``o`` and kind ``k``, pieces of the streaming message as
``[o,"text"]``, ``caught_up``, ``refused``, ``starting`` (the chat opens by itself a little later), ``pong``.
Close codes: 4001 not signed in, 4003 foreign origin or somebody else's chat, 4008 too many sockets, 1003 not text,
1009 message too big, 1011 too slow or our fault, 1001 going away or silent (a client says ``ping`` at least every two
minutes).
"""

import asyncio
import contextlib
import json
import re
from random import uniform
from typing import Any, Final

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from mozaiks_shell.chat import paging, service
from mozaiks_shell.chat.offers import offers
from mozaiks_shell.chat.once import Once
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.chat.transcript import Channel, Tail, dumps, wire
from mozaiks_shell.chat.writer import DELTA, Entry
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.errors import Invalid, NotFound, ShellError, TooMany
from mozaiks_shell.foundation.events import Event, subscribe
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import live_sessions, principal_from

log = get_logger("chat")
router = APIRouter()

NOT_SIGNED_IN: Final = 4001
NOT_YOURS: Final = 4003
TOO_MANY: Final = 4008
TOO_BIG: Final = 1009
NOT_TEXT: Final = 1003
FAILED: Final = 1011
GOING_AWAY: Final = 1001
_MAX_MESSAGE = 64 * 1024
_MESSAGES_PER_MINUTE = 240
_SLOWEST_PACE = 200  # milliseconds
_MAX_OFFSET = 2**53  # what a browser can count to
_RECHECK = 3.0  # seconds, give or take a fifth; a sign-out in this process is heard at once
_SILENCE = 150.0  # a browser that says nothing for so long, not even ping, is gone and frees its place
_SEND_WITHIN = 30.0  # a browser that takes nothing for so long is gone
_STARTS_WITHIN = 120.0  # so long a chat waits for an embedded runtime that is being started
_FAREWELL = 1.0  # the process ends; sockets get so long to close
_STARTING: Final = "RUNTIME_STARTING"
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_browsers: dict[tuple[str, str], set["_Browser"]] = {}


class _Closed(Exception):
    """The conversation with this browser is over; carries the close code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@router.websocket("/ws/chat")
async def chat_socket(socket: WebSocket) -> None:
    """Check who is there, then talk until one side leaves."""
    await socket.accept()
    settings = get_settings()
    if socket.headers.get("origin", "").rstrip("/") not in settings.allowed_origins:
        await socket.close(NOT_YOURS, "Origin not allowed")
        return
    principal = await principal_from(socket.headers.get("cookie", ""))
    if principal is None:
        await socket.close(NOT_SIGNED_IN, "Not signed in")
        return
    who = (principal.app_id, principal.user_id)
    held = _browsers.setdefault(who, set())
    if len(held) >= settings.sockets_per_user:
        await socket.close(TOO_MANY, "Too many chat windows")
        return
    browser = _Browser(socket, principal)
    held.add(browser)
    try:
        async with service.place(principal) as free:
            await (browser.serve() if free else socket.close(TOO_MANY, "Too many chat windows"))
    finally:
        held.discard(browser)
        if not held and _browsers.get(who) is held:
            del _browsers[who]


@subscribe("user.signed_out")
async def _signed_out(event: Event) -> None:
    """Whose session ended is looked at again at once."""
    for browser in _browsers.get((event.app_id, event.user_id), ()):
        browser.doubt()


async def close_all() -> None:
    """Tell every browser that the process ends, and wait a moment until they are told."""
    everybody = [browser for held in _browsers.values() for browser in held]
    for browser in everybody:
        browser.end(_Closed(GOING_AWAY, "Going away"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            await asyncio.gather(*(browser.gone.wait() for browser in everybody))


service.before_stop(close_all)


class _Roll:
    """Which sessions behind the open sockets are live, asked for all of them at once and good for half a re-check."""

    def __init__(self) -> None:
        self._live: set[str] = set()
        self._asked_at = 0.0
        self._lock = asyncio.Lock()

    async def calls(self, session_id: str) -> bool:
        """False also for a session that came after the last look: it is looked at by itself."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at > _RECHECK / 2:
                self._live = await live_sessions({one._principal.session_id for held in _browsers.values() for one in held})
                self._asked_at = now
        return session_id in self._live


_roll = _Roll()


class _Browser:
    """One open socket."""

    def __init__(self, socket: WebSocket, principal: Principal) -> None:
        self.gone = Once()
        self._socket = socket
        self._principal = principal
        self._channel: Channel | None = None
        self._shower: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._doubtful = self._ending = False
        self._failure: BaseException | None = None
        self._heard = asyncio.get_running_loop().time()

    async def serve(self) -> None:
        """Talk until the browser leaves, is signed out, or takes nothing any more. Leaves the socket closed."""
        set_principal(self._principal)
        listening = asyncio.create_task(self._listen())
        failure: BaseException | None = _Closed(GOING_AWAY, "Going away")  # if this task is cancelled
        try:
            try:
                await self._until_over(listening)
                failure = self._failure or (listening.exception() if listening.done() else None)
            except Exception as error:  # noqa: BLE001 - the reason to close, as any other
                failure = self._failure or error
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._wait_no_more()
            await self._let_go()
            await self._close(failure)
            self.gone.set()

    def end(self, failure: BaseException) -> None:
        """Make :meth:`serve` end for this reason."""
        self._failure, self._ending = self._failure or failure, True
        self._wake()

    def doubt(self) -> None:
        """Look at once whether the person is still signed in."""
        self._doubtful = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _close(self, failure: BaseException | None) -> None:
        match failure:
            case _Closed():
                code, reason = failure.code, failure.reason
            case TimeoutError():
                code, reason = FAILED, "Too slow"
            case _:
                code, reason = FAILED, ""
                if failure is not None and not isinstance(failure, WebSocketDisconnect | RuntimeError):
                    log.error("chat socket failed", exc_info=failure)
        if WebSocketState.DISCONNECTED not in {self._socket.client_state, self._socket.application_state}:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self._socket.close(code, reason)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(_SEND_WITHIN):
            await self._socket.send_text(text)

    async def _check(self) -> None:
        """The session must be alive and still the same person's (D3)."""
        principal = await principal_from(self._socket.headers.get("cookie", ""))
        if principal is None or principal.user_id != self._principal.user_id:
            raise _Closed(NOT_SIGNED_IN, "Signed out")
        self._principal = principal

    async def _until_over(self, listening: asyncio.Task[None]) -> None:
        """Until the browser leaves or is to be left, look every now and then whether it may stay."""
        while not (listening.done() or self._ending):
            if not self._doubtful:
                await self._any(listening, seconds=uniform(0.8, 1.2) * _RECHECK)
                if listening.done() or self._ending:
                    return
            look = asyncio.create_task(self._look())
            try:
                while not (look.done() or listening.done() or self._ending):
                    await self._any(listening, look)
                if look.done():
                    look.result()
            finally:
                look.cancel()
                await asyncio.gather(look, return_exceptions=True)

    async def _any(self, *tasks: asyncio.Task[None], seconds: float | None = None) -> None:
        """Until one of these is done or :meth:`_wake` was called."""
        self._news = asyncio.get_running_loop().create_future()
        await asyncio.wait([*tasks, self._news], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def _look(self) -> None:
        doubtful, self._doubtful = self._doubtful, False
        if asyncio.get_running_loop().time() - self._heard > _SILENCE:
            raise _Closed(GOING_AWAY, "Silent")
        if doubtful or not await _roll.calls(self._principal.session_id):
            await self._check()

    # -- from the browser --------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code", GOING_AWAY))
            raw = event.get("text")
            if raw is None:
                raise _Closed(NOT_TEXT, "Not text")
            self._heard = asyncio.get_running_loop().time()
            if len(raw) > _MAX_MESSAGE or not raw.isascii() and len(raw.encode("utf-8", "replace")) > _MAX_MESSAGE:
                raise _Closed(TOO_BIG, "Message too big")
            try:
                message = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(message, dict):
                await self._check()
                await self._handle(message)

    async def _handle(self, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind == "ping":
            await self._send('{"t":"pong"}')
            return
        given = message.get("id")
        reference = given if isinstance(given, str) and _MESSAGE_ID.fullmatch(given) else ""
        try:
            await hit("chat.socket", self._principal.user_id, _MESSAGES_PER_MINUTE)
            match kind:
                case "open":
                    await self._wait_no_more()
                    await self._open(message)
                case "say":
                    await service.say(self._principal, self._chat(), _text(message.get("text")), reference or new_id("msg"))
                case "choose":
                    await service.choose(self._principal, self._chat(), _text(message.get("option")))
                case "older":
                    await self._older(message)
                case "stop":
                    await service.stop(self._principal, self._chat(), _text(message.get("turn")))
                case "answer":
                    reference = _text(message.get("tool"))
                    await service.answer_tool(self._principal, self._chat(), reference, _object(message.get("response")))
        except ShellError as error:
            if kind == "open" and error.code == _STARTING:
                self._waiting = asyncio.create_task(self._open_once_started(message, error))
                self._waiting.add_done_callback(self._shown)
            else:
                await self._refuse(error, reference)

    async def _open_once_started(self, message: dict[str, Any], error: ShellError) -> None:
        """The assistant is being started: try until it is there, and go on listening meanwhile."""
        clock = asyncio.get_running_loop().time
        end = clock() + _STARTS_WITHIN
        while error.code == _STARTING and clock() < end:
            await self._send(dumps({"t": "starting", "message": error.message}))
            await asyncio.sleep(error.details["retry_after"])
            try:
                return await self._open(message)
            except ShellError as again:
                error = again
        await self._refuse(error, "")

    async def _wait_no_more(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _refuse(self, error: ShellError, reference: str) -> None:
        frame = {"t": "refused", "code": error.code, "message": error.message}
        frame |= {"id": reference} if reference else {}
        await self._send(dumps(frame | ({"retry_after": error.retry_after} if isinstance(error, TooMany) else {})))

    def _chat(self) -> str:
        if self._channel is None:
            raise Invalid(tr("No chat is open."), code="NO_CHAT")
        return self._channel.chat_id

    # -- to the browser ----------------------------------------------------------------------------------

    async def _open(self, message: dict[str, Any]) -> None:
        await self._let_go()
        workflow = _text(message.get("workflow")) or None
        seen = message.get("from")
        after = seen if isinstance(seen, int) and not isinstance(seen, bool) and -1 <= seen < _MAX_OFFSET else -1
        try:
            channel = await service.watch(
                self._principal, _text(message.get("chat")) or None, workflow, new=message.get("new") is True
            )
        except NotFound as error:
            if error.code == "CHAT_NOT_FOUND":
                raise _Closed(NOT_YOURS, "Not your chat") from error
            raise
        self._channel = channel
        # Subscribed before the log is read: what is committed in between comes twice and is skipped, never lost.
        holding = _text(message.get("live")) if after >= 0 else ""
        page = _size(message.get("page")) if after < 0 else 0
        told = message.get("pace")
        pace = min(max(told, 0), _SLOWEST_PACE) / 1000 if isinstance(told, int) else 0.0
        self._shower = asyncio.create_task(self._show(channel, channel.watch(), after, holding, page, pace))
        self._shower.add_done_callback(self._shown)

    def _shown(self, shower: asyncio.Task[None]) -> None:
        if not shower.cancelled() and (failure := shower.exception()) is not None:
            self.end(failure)

    async def _let_go(self) -> None:
        shower, channel = self._shower, self._channel
        self._shower = self._channel = None
        if shower is not None:
            shower.cancel()
            await asyncio.gather(shower, return_exceptions=True)
        if channel is not None:
            service.unwatch(channel)

    async def _older(self, message: dict[str, Any]) -> None:
        before, channel = message.get("before"), self._channel
        if channel is not None and isinstance(before, int) and not isinstance(before, bool) and 0 <= before < _MAX_OFFSET:
            await self._send(await paging.older(channel, before, _size(message.get("page")) or paging.SMALLEST))

    async def _show(self, channel: Channel, tail: Tail, after: int, holding: str, page: int, pace: float) -> None:
        clock, sent = asyncio.get_running_loop().time, 0.0
        try:
            await self._send(channel.frame)
            workflow = str(json.loads(channel.frame).get("workflow", ""))
            await self._send(dumps(await offers(self._principal, channel.chat_id, workflow)))
            if page:
                first, told = await paging.newest(channel, page)
                await self._send(dumps(told))
                after = first - 1
            after = await self._catch_up(channel, after, holding)
            await self._send(dumps({"t": "caught_up", "offset": after}))
            while True:
                entries = await tail.take()
                if (wait := sent + pace - clock()) > 0 and not channel.moved:
                    await asyncio.sleep(wait)  # pieces that come faster than they are drawn go as one
                    entries += tail.rest()
                if channel.moved:
                    raise _Closed(GOING_AWAY, "Moved")
                if tail.lost:
                    tail.lost = False
                    after = await self._catch_up(channel, after, holding)
                    await self._send(channel.frame)
                else:
                    after = await self._pass_on(channel, entries, after, holding)
                    sent = clock() if entries and entries[-1].kind == DELTA else 0.0
        finally:
            channel.unwatch(tail)

    async def _catch_up(self, channel: Channel, after: int, holding: str = "") -> int:
        async for offset, text in channel.replay(after, holding):
            await self._send(text)
            after = offset
        return after

    async def _pass_on(self, channel: Channel, entries: list[Entry], after: int, holding: str) -> int:
        """Send committed entries; neighbouring pieces of text go as one."""
        pieces: list[str] = []
        for entry in entries:
            if entry.offset < 0:
                pieces = await self._flush(pieces, after)
                await self._send(entry.body)
            elif entry.offset > after:
                if entry.kind == DELTA:
                    pieces.append(entry.body)
                else:
                    pieces = await self._flush(pieces, after)
                    body = entry.body
                    if holding and entry.kind == "message":
                        body = await channel.lacking(body, after, holding)
                    await self._send(wire(entry.offset, entry.kind, body))
                after = entry.offset
        await self._flush(pieces, after)
        return after

    async def _flush(self, pieces: list[str], offset: int) -> list[str]:
        if pieces:
            await self._send(wire(offset, DELTA, "".join(pieces)))
        return []


def _size(value: object) -> int:
    """How many lines are wanted; 0 for all of them."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return 0
    return min(max(value, paging.SMALLEST), paging.LARGEST)


def _text(value: object) -> str:
    return clean(value, _MAX_MESSAGE)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(tr("The answer is not an object."))
    return value
