"""The WebSocket: handshake, replay, and what clients may say (protocol §2.1 to §2.3)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from . import frames
from .auth import AuthError, Principal
from .chat import IN_PROGRESS, Chat
from .frames import Frame
from .messages import (
    Cancel,
    EnterGeneralMode,
    Resume,
    StartGeneralChat,
    Submit,
    SwitchWorkflow,
    UiToolResponse,
    parse_frame,
)
from .replay import resume, snapshot
from .store import Thread

if TYPE_CHECKING:
    from .app import Services

log = logging.getLogger(__name__)
router = APIRouter()
_QUEUE_LIMIT = 4000  # a client that far behind is cut off; on reconnect the replay catches it up


class Link:
    """One open socket of one chat."""

    def __init__(self, socket: WebSocket, chat: Chat, services: Services) -> None:
        self._socket = socket
        self._chat = chat
        self._services = services
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(_QUEUE_LIMIT)
        self._overrun = asyncio.Event()
        self._general = False
        self._thread: Thread | None = None

    def send(self, frame: Frame) -> None:
        """Queue a frame for this client."""
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            self._overrun.set()

    async def serve(self) -> None:
        """Talk until the client leaves, falls too far behind, or the process ends."""
        tasks = [
            asyncio.create_task(coroutine) for coroutine in (self._write(), self._listen(), self._beat(), self._overrun.wait())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._chat.detach(self)
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                gone = isinstance(outcome, (WebSocketDisconnect, RuntimeError))
                if isinstance(outcome, Exception) and not gone:
                    log.error("socket of chat %s failed", self._chat.chat_id, exc_info=outcome)
        if self._socket.client_state is WebSocketState.CONNECTED:
            reason = "Too slow" if self._overrun.is_set() else ""
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(1013 if reason else 1011, reason)

    async def _write(self) -> None:
        while True:
            frame = await self._queue.get()
            await self._socket.send_text(json.dumps(frame, ensure_ascii=False))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._services.config.ping_seconds)
            self.send(frames.ping())

    async def _listen(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            if text is None:
                continue
            try:
                raw = json.loads(text)
            except (ValueError, RecursionError):
                continue  # text that is not JSON is ignored silently, as published
            self._handle(raw)

    def _handle(self, raw: object) -> None:
        chat = self._chat
        match parse_frame(raw):
            case None:
                self.send(frames.failure("Invalid message schema", "SCHEMA_VALIDATION_FAILED"))
            case Submit() as submit:
                self._submit(submit)
            case UiToolResponse(event_id=event_id, response=response):
                accepted = chat.answer_tool(event_id, response)
                self.send(frames.ack_ui_tool_response(event_id, accepted=accepted))
            case Resume(chat_id=chat_id, last_index=last_index):
                if chat_id != chat.chat_id:
                    self.send(frames.failure(f"Resume failed: {chat_id} is not this chat", "RESUME_FAILED"))
                    return
                for frame in resume(chat, last_index):
                    self.send(frame)
            case EnterGeneralMode():
                self._general = True
                data = {"mode": "general", **self._ask_thread().announcement()}
                self.send(frames.direct("chat.mode_changed", data))
            case StartGeneralChat():
                self._general = True
                self._thread = self._services.desk.open(chat)
                self.send(frames.direct("chat.general_session_created", self._thread.announcement()))
            case SwitchWorkflow(chat_id=chat_id):
                self._switch(chat_id)
            case Cancel():
                chat.cancel_drafts()

    def _submit(self, submit: Submit) -> None:
        chat = self._chat
        if submit.answers is not None:
            self._services.runner.tell(chat, submit.context)
            accepted = chat.answer_question(submit.answers, submit.text)
            self.send(frames.ack_input(submit.answers, accepted=accepted))
        elif self._general:
            if submit.text.strip():
                self._services.desk.submit(chat, self._ask_thread(), submit.text, submit.context)
            else:
                message = "Message cannot be empty in general mode"
                self.send(frames.failure(message, "GENERAL_MODE_EMPTY_MESSAGE"))
        elif not submit.text.strip():
            self.send(frames.failure("Message cannot be empty", "USER_MESSAGE_FAILED"))
        else:
            chat.echo(submit.text)
            self.send(frames.text_ack(chat.chat_id))

    def _switch(self, chat_id: str) -> None:
        chat = self._chat
        if chat_id != chat.chat_id or chat.status != IN_PROGRESS:
            message = f"Workflow switch failed: Workflow {chat_id} not found or already completed"
            self.send(frames.failure(message, "SWITCH_WORKFLOW_FAILED"))
            return
        self._general = False
        data = {
            "from_chat_id": chat.chat_id,
            "to_chat_id": chat.chat_id,
            "workflow_name": chat.workflow,
            "artifact_id": None,
            "app_id": chat.app_id,
        }
        self.send(frames.direct("chat.context_switched", data))

    def _ask_thread(self) -> Thread:
        if self._thread is None:
            self._thread = self._services.desk.open(self._chat)
        return self._thread


def choose_chat(
    services: Services, principal: Principal, workflow: str, app_id: str, chat_id: str, user_id: str
) -> tuple[Chat, bool]:
    """The chat a socket gets, and whether it existed (protocol §2.1 "Chat id choice").

    A chat of the user that is in progress is attached as asked. Any other id leads to the user's newest chat
    of the workflow if that is in progress, unless the token is bound to the id; otherwise the id is used and
    created if missing. Raises AuthError for somebody else's chat or a chat of another workflow.
    """
    chat = services.chats.get(app_id, chat_id)
    if chat is not None:
        if chat.user_id != user_id:
            raise AuthError(403, "Chat belongs to another user")
        if chat.workflow != workflow:
            raise AuthError(403, "Chat belongs to another workflow")
        if chat.status == IN_PROGRESS:
            return chat, True
    newest = services.chats.newest(app_id, user_id, workflow)
    if newest is not None and newest.status == IN_PROGRESS and principal.chat_id is None:
        return newest, True
    if chat is not None:
        return chat, True
    return services.chats.create(app_id, user_id, workflow, chat_id), False


@router.websocket("/ws/{workflow}/{app_id}/{chat_id}/{user_id}")
async def chat_socket(socket: WebSocket, workflow: str, app_id: str, chat_id: str, user_id: str) -> None:
    """Open a chat. Every refusal before accept is an HTTP 403 on the handshake (protocol §2.1)."""
    services: Services = socket.app.state.services
    try:
        principal = await services.verifier.verify(socket.query_params.get("access_token"))
        principal.require_user(user_id)
        principal.require_app(app_id)
        principal.require_chat(chat_id)
        definition = services.workflows.get(workflow)
        found = choose_chat(services, principal, workflow, app_id, chat_id, user_id) if definition else None
    except AuthError as refusal:
        log.info("socket refused: %s", refusal.detail)
        await socket.close(1008)
        return
    await socket.accept()
    if definition is None or found is None:
        message = f"An internal error occurred: workflow {workflow!r} does not exist"
        await socket.send_text(json.dumps(frames.run_failed(message, chat_id)))
        await socket.close(1008, "Unknown workflow")
        return
    chat, existed = found
    link = Link(socket, chat, services)
    # A run whose end nobody was told of is reported first and repeated only by the next connection.
    start = not chat.running and not chat.has_undelivered_end
    chat.attach(link, snapshot(chat, existed=existed))
    if start:
        services.runner.start(chat, definition)
    await link.serve()
