"""``WS /ws/{workflow}/{app_id}/{chat_id}/{user_id}``: the published socket, offered by the shell to plain clients (F-170).

A script that can talk to the runtime can talk to the shell instead: with the shell's own bearer token or session, after
checks of origin, person, app and owner, and without ever seeing a token of the runtime. There is still one upstream
socket per chat, the bridge's: what is said here goes through it, and what comes is read from the transcript, so a
client may come and go as it likes, beside open windows.

Close codes: 4001 not signed in, 4003 foreign origin or not your chat, 4008 too many sockets, 1009 message too big, 1011 too
slow, 1001 going away.
"""

import asyncio
import contextlib
import json
from typing import Any, Final

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from mozaiks_shell.chat import service
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.chat.published import Frame, Publisher, frame
from mozaiks_shell.chat.transcript import Channel, dumps
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import bearer_in, principal_from

log = get_logger("chat")
router = APIRouter()

NOT_SIGNED_IN: Final = 4001
NOT_YOURS: Final = 4003
TOO_MANY: Final = 4008
_MAX_MESSAGE = 64 * 1024
_MESSAGES_PER_MINUTE = 240
_RECHECK = 3.0
_SEND_WITHIN = 30.0
_open: dict[tuple[str, str], set["_Relay"]] = {}


@router.websocket("/ws/{workflow}/{app_id}/{chat_id}/{user_id}")
async def relay(socket: WebSocket, workflow: str, app_id: str, chat_id: str, user_id: str) -> None:
    """Check who is there and whose chat it is, then speak the published protocol."""
    await socket.accept()
    settings, authorization = get_settings(), socket.headers.get("authorization", "")
    origin = socket.headers.get("origin", "").rstrip("/")
    if origin not in settings.allowed_origins and (origin or not bearer_in(authorization)):
        await socket.close(NOT_YOURS, "Origin not allowed")
        return
    principal = await principal_from(socket.headers.get("cookie", ""), authorization)
    if principal is None:
        await socket.close(NOT_SIGNED_IN, "Not signed in")
        return
    if (app_id, user_id) != (principal.app_id, principal.user_id):
        await socket.close(NOT_YOURS, "Not your chat")
        return
    try:
        chat = await service.find_chat(principal, chat_id)
    except NotFound:
        chat = None
    if chat is None or chat.workflow != workflow:
        await socket.close(NOT_YOURS, "Not your chat")
        return
    held = _open.setdefault((app_id, user_id), set())
    if len(held) >= settings.sockets_per_user:
        await socket.close(TOO_MANY, "Too many sockets")
        return
    one = _Relay(socket, principal, chat_id, workflow)
    held.add(one)
    try:
        await one.serve()
    finally:
        held.discard(one)
        if not held:
            _open.pop((app_id, user_id), None)


async def close_all() -> None:
    """Tell every client that the process ends."""
    for held in list(_open.values()):
        for one in list(held):
            one.leaving.set()


service.before_stop(close_all)


class _Done(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Relay:
    """One client."""

    def __init__(self, socket: WebSocket, principal: Principal, chat_id: str, workflow: str) -> None:
        self.leaving = asyncio.Event()
        self._socket, self._principal = socket, principal
        self._chat_id, self._workflow = chat_id, workflow
        self._publisher = Publisher(chat_id, workflow, principal.app_id, principal.user_id)

    async def serve(self) -> None:
        """Talk until one side leaves. Leaves the socket closed."""
        set_principal(self._principal)
        channel = await service.watch(self._principal, self._chat_id, None)
        works = (self._listen(), self._show(channel), self._recheck(), self._leave())
        tasks = [asyncio.create_task(work) for work in works]
        code, reason = 1001, "Going away"
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                match task.exception():
                    case _Done() as over:
                        code, reason = over.code, over.reason
                    case TimeoutError():
                        code, reason = 1011, "Too slow"
                    case WebSocketDisconnect() | RuntimeError() | None:
                        pass
                    case error:
                        code, reason = 1011, ""
                        log.error("relay failed", chat=self._chat_id, exc_info=error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            service.unwatch(channel)
            if WebSocketState.DISCONNECTED not in {self._socket.client_state, self._socket.application_state}:
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await self._socket.close(code, reason)

    async def _leave(self) -> None:
        await self.leaving.wait()

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(_RECHECK)
            headers = self._socket.headers
            now = await principal_from(headers.get("cookie", ""), headers.get("authorization", ""))
            if now is None or now.user_id != self._principal.user_id:
                raise _Done(NOT_SIGNED_IN, "Signed out")

    async def _send(self, *frames: Frame) -> None:
        for one in frames:
            async with asyncio.timeout(_SEND_WITHIN):
                await self._socket.send_text(dumps(one))

    # -- to the client -----------------------------------------------------------------------------------

    async def _show(self, channel: Channel) -> None:
        tail = channel.watch()
        try:
            await self._send(self._publisher.meta(json.loads(channel.frame)["status"]))
            after = await self._replay(channel, -1)
            await self._still_open()
            await self._send(*self._publisher.entry("", channel.frame))
            while True:
                entries = await tail.take()
                if channel.moved:
                    raise _Done(1001, "Moved")
                if tail.lost:
                    tail.lost = False
                    after = await self._replay(channel, after)
                    await self._still_open()
                    continue
                for entry in entries:
                    if entry.offset < 0 or entry.offset > after:
                        after = max(after, entry.offset)
                        await self._send(*[await self._whole(one) for one in self._publisher.entry(entry.kind, entry.body)])
        finally:
            channel.unwatch(tail)

    async def _replay(self, channel: Channel, after: int) -> int:
        async for offset, text in channel.replay(after):
            await self._send(*self._publisher.replayed(json.loads(text)))
            after = offset
        return after

    async def _still_open(self) -> None:
        await self._send(*[await self._whole(one) for one in self._publisher.boundary()])

    async def _whole(self, one: Frame) -> Frame:
        """A tool call with its payload, which the log does not hold."""
        if one["type"] == "chat.tool_call":
            view = await service.tool_view(self._principal, self._chat_id, one["data"]["corr"])
            one["data"]["payload"] = {**view.payload, "workflow_name": self._workflow, "display": view.display}
        return one

    # -- from the client ---------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code", 1001))
            raw = event.get("text") or ""
            if len(raw) > _MAX_MESSAGE:
                raise _Done(1009, "Message too big")
            try:
                message = json.loads(raw)
            except (ValueError, RecursionError):
                continue  # as the published runtime does
            try:
                await hit("chat.socket", self._principal.user_id, _MESSAGES_PER_MINUTE)
                await self._handle(message if isinstance(message, dict) else {})
            except ShellError as error:
                await self._send(frame("chat.error", {"message": error.message, "error_code": error.code}))

    async def _handle(self, message: dict[str, Any]) -> None:
        asked = clean(message.get("request_id") or message.get("input_request_id"), 128)
        text, response = clean(message.get("text"), _MAX_MESSAGE), message.get("response")
        match message.get("type"):
            case "user.input.submit" if asked and asked != self._publisher.ask:
                await self._send(frame("ack.input", {"input_request_id": asked, "status": "rejected"}))
            case "user.input.submit":
                await service.say(self._principal, self._chat_id, text, new_id("msg"))
                if asked:
                    await self._send(frame("ack.input", {"input_request_id": asked, "status": "accepted"}))
                else:
                    await self._send(frame("chat.input_ack", {"chat_id": self._chat_id, "status": "accepted"}))
            case "ui_tool_response" if isinstance(response, dict):
                tool = clean(message.get("eventId") or message.get("ui_tool_id"), 128)
                try:
                    await service.answer_tool(self._principal, self._chat_id, tool, response)
                except (service.ToolClosed, NotFound):
                    await self._send(frame("ack.ui_tool_response", {"eventId": tool, "status": "rejected"}))
                else:
                    await self._send(frame("ack.ui_tool_response", {"eventId": tool, "status": "accepted"}))
            case "user.cancel":
                await service.stop(self._principal, self._chat_id)
            case "client.resume":
                await self._resume(message.get("lastClientIndex"))
            case _:
                told = {"message": "Invalid message schema", "error_code": "SCHEMA_VALIDATION_FAILED"}
                await self._send(frame("chat.error", told))

    async def _resume(self, index: object) -> None:
        last = index if isinstance(index, int) else -1
        past = Publisher(self._chat_id, self._workflow, self._principal.app_id, self._principal.user_id)
        _, items = await service.transcript(self._principal, self._chat_id)
        for item in items:
            if item["k"] == "message":
                await self._send(*past.replayed(item, last))
        await self._send(past.boundary()[0])
