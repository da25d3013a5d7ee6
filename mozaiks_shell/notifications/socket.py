"""``WS /ws/live`` and ``WS /ws/notifications/{user}``: what is new for a person, as it happens (F-088, F-208, F-220).

To the browser: ``{"type": "<plugin>_update", "action", "data"}`` and ``{"type": "notification", "subtype": "new", "data"}``;
the second address carries only the latter. From it: ``ping``, answered with ``{"type": "pong"}``.
Close codes as of the chat's socket: 4001 not signed in, 4003 foreign origin or another person's address, 4008 too many.
"""

import asyncio
import contextlib
import json
from typing import Final

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation import live
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.events import Event, subscribe
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import principal_from

router = APIRouter()

TABS: Final = 20  # of one person in this process
_RECHECK: Final = 30.0  # seconds; a sign-out is heard at once, in another process if both have Redis
_SEND_WITHIN: Final = 30.0
_NOTIFICATION: Final = '{"type":"notification"'
_DOUBT: Final = '{"type":"signed_out"}'
_open: dict[tuple[str, str], set["_Tab"]] = {}


class _Ended(Exception):
    """Carries the close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@router.websocket("/ws/live")
async def live_socket(socket: WebSocket) -> None:
    """Everything for this person."""
    await _serve(socket, "_")


@router.websocket("/ws/notifications/{user}")
async def notification_socket(socket: WebSocket, user: str) -> None:
    """Notifications only. ``user`` is the person's own id, or ``_``."""
    await _serve(socket, user, only=_NOTIFICATION)


async def _serve(socket: WebSocket, user: str, only: str = "") -> None:
    await socket.accept()
    if socket.headers.get("origin", "").rstrip("/") not in get_settings().allowed_origins:
        await socket.close(4003, "Origin not allowed")
        return
    person = await principal_from(socket.headers.get("cookie", ""))
    if person is None:
        await socket.close(4001, "Not signed in")
        return
    if user not in {"_", person.user_id}:
        await socket.close(4003, "Not your notifications")
        return
    if live.tabs_of(person.app_id, person.user_id) >= TABS:
        await socket.close(4008, "Too many tabs")
        return
    await _Tab(socket, person, only).serve()


@subscribe("user.signed_out")
async def _signed_out(event: Event) -> None:
    await live.push(event.app_id, event.user_id, json.loads(_DOUBT))


class _Tab:
    """One open socket."""

    def __init__(self, socket: WebSocket, person: Principal, only: str) -> None:
        self.doubt = asyncio.Event()
        self._socket, self._person, self._only = socket, person, only

    async def serve(self) -> None:
        """Pass on frames until the tab leaves or the person is signed out."""
        who = (self._person.app_id, self._person.user_id)
        tab = live.open_tab(*who)
        _open.setdefault(who, set()).add(self)
        tasks = [asyncio.create_task(work) for work in (self._listen(), self._recheck(), self._pass_on(tab))]
        reason: BaseException | None = None
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            reason = next((task.exception() for task in done), None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            live.close_tab(tab)
            _open[who].discard(self)
            if not _open[who]:
                del _open[who]
            if isinstance(reason, _Ended):
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await self._socket.close(reason.code, reason.reason)

    async def _listen(self) -> None:
        while True:
            text = await self._socket.receive_text()
            if text == "ping" or text == '{"type":"ping"}':
                await self._send('{"type":"pong"}')

    async def _pass_on(self, tab: live.Tab) -> None:
        while True:
            for frame in await tab.take():
                if frame == _DOUBT:
                    self.doubt.set()
                elif frame.startswith(self._only):
                    await self._send(frame)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(_SEND_WITHIN):
            await self._socket.send_text(text)

    async def _recheck(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RECHECK):
                    await self.doubt.wait()
            self.doubt.clear()
            person = await principal_from(self._socket.headers.get("cookie", ""))
            if person is None or person.user_id != self._person.user_id:
                raise _Ended(4001, "Signed out")
