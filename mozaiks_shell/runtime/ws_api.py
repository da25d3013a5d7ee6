"""The WebSocket: handshake, replay, and what clients may say (protocol §2.1 to §2.3)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from typing import TYPE_CHECKING

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from . import frames
from .access import usable
from .auth import AuthError, Principal
from .chat import IN_PROGRESS, Chat
from .frames import Frame
from .messages import (
    ArtifactAction,
    BatchRun,
    Cancel,
    EnterGeneralMode,
    Resume,
    StartGeneralChat,
    StartWorkflow,
    StartWorkflowBatch,
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
_UNSTORED = ("chat.print", "ping")  # sent without waiting for the database


class Link:
    """One open socket of one chat."""

    def __init__(self, socket: WebSocket, chat: Chat, services: Services, principal: Principal) -> None:
        self._socket = socket
        self._chat = chat
        self._services = services
        self._principal = principal
        self._queue: asyncio.Queue[tuple[str, int]] = asyncio.Queue(_QUEUE_LIMIT)
        self._queued_bytes = 0
        self._over = asyncio.Event()
        self._close = 1011, ""
        self._spawned: dict[str, Chat] = {}
        self._general = False
        self._thread: Thread | None = None

    def send(self, frame: Frame) -> None:
        """Queue a frame for this client; one that reads too slowly is cut off."""
        text = json.dumps(frame, ensure_ascii=False)
        self._queued_bytes += len(text)
        if self._queued_bytes > self._services.config.max_queued_bytes or self._queue.full():
            self.end(1013, "Too slow")
            return
        self._queue.put_nowait((text, 0 if frame["type"] in _UNSTORED else self._chat.version))

    def end(self, code: int, reason: str) -> None:
        """Close this socket soon."""
        if not self._over.is_set():
            self._close = code, reason
            self._over.set()

    async def serve(self) -> None:
        """Talk until the client leaves, falls too far behind, or the process ends."""
        parts = (self._write(), self._listen(), self._beat(), self._over.wait())
        tasks = [asyncio.create_task(coroutine) for coroutine in parts]
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
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(*self._close)

    async def _write(self) -> None:
        while True:
            text, version = await self._queue.get()
            if version:
                await self._services.chats.saved(self._chat, version)
            self._queued_bytes -= len(text)
            await self._socket.send_text(text)

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
            await self._handle(raw)

    async def _handle(self, raw: object) -> None:
        chat = self._chat
        match parse_frame(raw):
            case None:
                self.send(frames.failure("Invalid message schema", "SCHEMA_VALIDATION_FAILED"))
            case Submit() as submit:
                self._submit(submit)
            case UiToolResponse(event_id=event_id, response=response):
                accepted = chat.answer_tool(event_id, response)
                self._services.go_on(chat)
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
            case StartWorkflow() as start:
                run = BatchRun(workflow_name=start.workflow_name, initial_message=start.initial_message)
                await self._spawn(run, start.auto_run, "START_WORKFLOW_FAILED")
            case StartWorkflowBatch() as batch:
                await self._spawn_all(batch)
            case ArtifactAction() as action:
                why_not = self._services.actions.begin(chat, self._services.workflows.get(chat.workflow), action)
                if why_not:
                    told = {"action_id": action.action_id, "artifact_id": action.artifact_id, "tool": action.tool}
                    self.send(frames.artifact_action("failed", told | {"error": why_not, "rollback": True}))
            case Cancel():
                chat.cancel_drafts()

    def _submit(self, submit: Submit) -> None:
        chat = self._chat
        if submit.answers is not None:
            self._services.runner.tell(chat, submit.context)
            accepted = chat.answer_question(submit.answers, submit.text)
            self._services.go_on(chat)
            self.send(frames.ack_input(submit.answers, accepted=accepted))
        elif self._general:
            if submit.text.strip():
                self._services.desk.submit(chat, self._ask_thread(), submit.text, submit.context)
            else:
                message = "Message cannot be empty in general mode"
                self.send(frames.failure(message, "GENERAL_MODE_EMPTY_MESSAGE"))
        elif not submit.text.strip():
            self.send(frames.failure("Message cannot be empty", "USER_MESSAGE_FAILED"))
        elif self._services.waits_for_text(chat):
            self._services.begin(chat, submit.text)
            self.send(frames.text_ack(chat.chat_id))
        else:
            chat.echo(submit.text)
            self.send(frames.text_ack(chat.chat_id))

    async def _spawn(self, run: BatchRun, auto_run: bool, code: str) -> Chat | None:
        """Start a chat beside this one; None when it may not be or the workflow is unknown (the client is told)."""
        chat, services = self._chat, self._services
        if self._principal.chat_id is not None:
            self.send(frames.failure("Workflow start failed: this connection's token is for one chat alone", code))
            return None
        if run.workflow_name not in services.workflows:
            self.send(frames.failure(f"Workflow start failed: workflow {run.workflow_name!r} does not exist", code))
            return None
        reason = await services.blocked(chat.app_id, chat.user_id, run.workflow_name)
        if reason is not None:
            self.send(frames.prereq_blocked(run.workflow_name, reason, chat.chat_id))
            return None
        id_ = f"chat_{run.workflow_name[:100]}_{uuid.uuid4().hex[:8]}"
        started = services.open_chat(chat.app_id, chat.user_id, run.workflow_name, id_)
        await services.chats.saved(started)
        self._spawned[id_] = started
        self.send(frames.workflow_started(id_, run.workflow_name, chat.app_id, chat.user_id, run.label))
        if auto_run:
            services.begin(started, run.initial_message)
        return started

    async def _spawn_all(self, batch: StartWorkflowBatch) -> None:
        started: list[Frame] = []
        blocked: list[Frame] = []
        for run in batch.runs:
            chat = await self._spawn(run, batch.auto_run, "START_WORKFLOW_BATCH_FAILED")
            told: Frame = {"workflow_name": run.workflow_name} | ({"label": run.label} if run.label else {})
            if chat is None:
                blocked.append(told)
            else:
                started.append(told | {"chat_id": chat.chat_id})
        self.send(frames.workflow_batch_started(started, blocked))

    def _switch(self, chat_id: str) -> None:
        chat = self._chat
        to = chat if chat_id == chat.chat_id else self._spawned.get(chat_id)
        if to is None or to.status != IN_PROGRESS:
            message = f"Workflow switch failed: Workflow {chat_id} not found or already completed"
            self.send(frames.failure(message, "SWITCH_WORKFLOW_FAILED"))
            return
        self._general = False
        data = {
            "from_chat_id": chat.chat_id,
            "to_chat_id": to.chat_id,
            "workflow_name": to.workflow,
            "artifact_id": None,
            "app_id": chat.app_id,
        }
        self.send(frames.direct("chat.context_switched", data))

    def _ask_thread(self) -> Thread:
        if self._thread is None:
            self._thread = self._services.desk.open(self._chat)
        return self._thread


async def choose_chat(
    services: Services, principal: Principal, workflow: str, app_id: str, chat_id: str, user_id: str
) -> Chat | None:
    """The chat a socket gets (protocol §2.1 "Chat id choice"); None when a new one has to be made under this id.

    A chat of the user that is in progress is attached as asked. Any other id leads to the user's newest chat
    of the workflow if that is in progress, unless the token is bound to the id. Raises AuthError for somebody
    else's chat or a chat of another workflow.
    """
    chat = await services.chats.find(app_id, chat_id)
    if chat is not None:
        if chat.user_id != user_id:
            raise AuthError(403, "Chat belongs to another user")
        if chat.workflow != workflow:
            raise AuthError(403, "Chat belongs to another workflow")
        if chat.status == IN_PROGRESS:
            return chat
    newest = await services.chats.newest(app_id, user_id, workflow)
    if newest is not None and newest.status == IN_PROGRESS and principal.chat_id is None:
        return newest
    return chat


@router.websocket("/ws/{workflow}/{app_id}/{chat_id}/{user_id}")
async def chat_socket(socket: WebSocket, workflow: str, app_id: str, chat_id: str, user_id: str) -> None:
    """Open a chat. Every refusal before accept is an HTTP 403 on the handshake (protocol §2.1)."""
    services: Services = socket.app.state.services
    reason: str | None = None
    chat: Chat | None = None
    try:
        principal = await services.verifier.verify(socket.query_params.get("access_token"))
        principal.require_user(user_id)
        principal.require_app(app_id)
        principal.require_chat(chat_id)
        if wrong := usable(app_id=app_id, user_id=user_id, chat_id=chat_id, workflow=workflow):
            raise AuthError(403, f"{wrong} is not usable")
        definition = services.workflows.get(workflow)
        if definition is not None:
            chat = await choose_chat(services, principal, workflow, app_id, chat_id, user_id)
            reason = await services.blocked(app_id, user_id, workflow)
    except AuthError as refusal:
        log.info("socket refused: %s", refusal.detail)
        await socket.close(1008)
        return
    await socket.accept()
    if definition is None:
        message = f"An internal error occurred: workflow {workflow!r} does not exist"
        await socket.send_text(json.dumps(frames.run_failed(message, chat_id)))
        await socket.close(1008, "Unknown workflow")
        return
    if reason is not None:
        await socket.send_text(json.dumps(frames.prereqs_not_met(workflow, reason, chat_id), ensure_ascii=False))
        await socket.close(1008, "Prerequisites not met")
        return
    existed = chat is not None
    chat = chat or services.open_chat(app_id, user_id, workflow, chat_id)
    await services.desk.threads.recall(app_id, user_id)
    await services.chats.saved(chat)
    chat.give_back(services.chats.collect(chat))
    link = Link(socket, chat, services, principal)
    while len(chat.listeners) >= services.config.max_sockets_per_chat:
        oldest = next(iter(chat.listeners))
        chat.detach(oldest)
        oldest.end(1008, "Taken over by a newer connection")
    chat.attach(link, snapshot(chat, existed=existed))
    services.welcome(chat)
    await link.serve()
