"""The runs this process holds open: at most one bridge per chat, opened one after another per person and workflow."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.bridge import Bridge
from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.models import LIVE_STATUSES, Chat
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("chat")

OPEN_RUNS_PER_USER = 20
LOST_BY_RESTART = "The connection to the run was lost when the app restarted."


@dataclass
class Hooks:
    """What the rooms above lend us: the context for the runtime, and which pages it may open."""

    context: Callable[[Principal], Awaitable[dict[str, Any]]]
    allowed_path: Callable[[Principal, str], bool]


class Runs:
    """All bridges of this process."""

    def __init__(self, transcript: Transcript, hooks: Hooks) -> None:
        self.transcript = transcript
        self._hooks = hooks
        self._bridges: dict[str, Bridge] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._checks: asyncio.Task[None] | None = None

    def bridge(self, principal: Principal, chat_id: str) -> Bridge | None:
        """The open run of this chat, if this person owns it."""
        bridge = self._bridges.get(chat_id)
        return bridge if bridge is not None and bridge.principal.user_id == principal.user_id and not bridge.over else None

    def _lock(self, principal: Principal, workflow: str) -> asyncio.Lock:
        return self._locks.setdefault((principal.user_id, workflow), asyncio.Lock())

    async def newest(self, principal: Principal, workflow: str) -> str | None:
        """This person's newest chat of a workflow whose run is open."""
        query = select(col(Chat.id)).where(col(Chat.workflow) == workflow, col(Chat.status).in_(LIVE_STATUSES))
        async with session(_scope(principal)) as db:
            ids = (await db.execute(query.order_by(col(Chat.created_at).desc()))).scalars().all()
        return next((chat_id for chat_id in ids if self.bridge(principal, chat_id)), None)

    async def start(self, principal: Principal, workflow: str, *, new: bool) -> str:
        """Start a chat and open its run; without ``new`` an open run of that workflow is taken instead.

        One at a time per person and workflow, because a published runtime attaches a socket to the newest chat.
        """
        async with self._lock(principal, workflow):
            if not new and (chat_id := await self.newest(principal, workflow)) is not None:
                return chat_id
            if sum(bridge.principal.user_id == principal.user_id for bridge in self._bridges.values()) >= OPEN_RUNS_PER_USER:
                raise TooMany("Too many conversations are open. Please finish one first.", retry_after=60)
            started = await broker.start(principal, workflow)
            known = KnownChat(started.chat_id, started.runtime_chat_id, started.workflow, principal.user_id)
            await self._open(principal, known)
            return known.chat_id

    async def resume(self, principal: Principal, known: KnownChat) -> None:
        """Open the run of a chat that was started but never connected (by the HTTP API); does nothing for others."""
        async with self._lock(principal, known.workflow):
            if known.chat_id in self._bridges:
                return
            # Read only now: a run that ended has left the bridges after its end was committed, not before.
            async with session(_scope(principal)) as db:
                chat = await db.get(Chat, known.chat_id)
            if chat is not None and chat.status == "connecting":
                await self._open(principal, known)

    async def _open(self, principal: Principal, known: KnownChat) -> None:
        bridge = await self._make(principal, known)
        self._bridges[known.chat_id] = bridge
        try:
            await bridge.open()
        except ShellError:
            await self._forget(bridge)
            raise
        self._tasks[known.chat_id] = asyncio.create_task(self._live(bridge), name=f"run {known.chat_id}")

    async def _make(self, principal: Principal, known: KnownChat, title: str = "") -> Bridge:
        channel = await self.transcript.hold(principal.app_id, principal.user_id, known.chat_id)
        conversation = Conversation(
            channel,
            known.workflow,
            title,
            label_of(known.workflow),
            lambda path: self._hooks.allowed_path(principal, path),
        )
        return Bridge(principal, known, conversation, self.transcript, self._hooks.context)

    async def _live(self, bridge: Bridge) -> None:
        try:
            await bridge.run()
        except Exception:
            log.exception("run failed", chat=bridge.chat.chat_id)
        finally:
            await self._forget(bridge)

    async def _forget(self, bridge: Bridge) -> None:
        try:
            await bridge.channel.settled()
        except ShellError as error:
            log.error("end of run not saved", chat=bridge.chat.chat_id, code=error.code)
        self._bridges.pop(bridge.chat.chat_id, None)
        self._tasks.pop(bridge.chat.chat_id, None)
        self.transcript.release(bridge.channel)

    async def abandon(self, chat_id: str) -> None:
        """Let go of a run because its chat is deleted."""
        bridge, task = self._bridges.get(chat_id), self._tasks.get(chat_id)
        if bridge is not None and task is not None:
            await bridge.close()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Let go of every run because the process ends."""
        if self._checks is not None:
            self._checks.cancel()
        await asyncio.gather(*(self.abandon(chat_id) for chat_id in list(self._bridges)), return_exceptions=True)

    def metrics(self) -> dict[str, Any]:
        """Open runs, entries waiting for the writer, frames nobody knew by type."""
        unknown: dict[str, int] = {}
        for bridge in self._bridges.values():
            for name, count in bridge.conversation.unknown.items():
                unknown[name] = unknown.get(name, 0) + count
        return {"open_runs": len(self._bridges), "backlog": self.transcript.backlog, "unknown_frames": unknown}

    # -- after a restart ---------------------------------------------------------------------------------

    async def recover(self) -> int:
        """Tell the truth about chats whose run was open when the process died. Returns how many there were.

        What had arrived is there. The message that was being written ends as it stood, open questions and forms
        end, and the chat is interrupted; if a runtime of its own says that the run completed, it is completed.
        """
        async with system_session() as db:
            lost = (await db.execute(select(Chat).where(col(Chat.status).in_(LIVE_STATUSES)))).scalars().all()
        checks: list[tuple[Principal, KnownChat, str]] = []
        for chat in lost:
            principal = Principal(chat.user_id, chat.app_id)
            known = KnownChat(chat.id, chat.runtime_chat_id, chat.workflow, chat.user_id)
            bridge = await self._make(principal, known, chat.title)
            if chat.status != "connecting" or bridge.channel.next_offset > 0:
                unsent = await bridge.conversation.restore()
                for text in unsent:
                    bridge.conversation.notice(f"Not sent, because the app restarted: “{text}”")
                bridge.conversation.finish("interrupted", LOST_BY_RESTART, LOST_BY_RESTART)
                await bridge.channel.settled()
                checks.append((principal, known, chat.title))
            self.transcript.release(bridge.channel)
        if checks and get_settings().ai_url:
            self._checks = asyncio.create_task(self._check(checks), name="status of lost runs")
        return len(checks)

    async def _check(self, lost: list[tuple[Principal, KnownChat, str]]) -> None:
        for principal, known, title in lost:
            try:
                completed = await broker.runtime_status(principal, known) == 1
            except ShellError as error:
                log.info("status of a lost run unknown", chat=known.chat_id, code=error.code)
                continue
            if completed:
                bridge = await self._make(principal, known, title)
                bridge.conversation.set_status("completed")
                await self._forget(bridge)


def label_of(workflow: str) -> str:
    """The name people know a workflow by."""
    return next((one.display_name for one in broker.capabilities() if one.workflow_id == workflow), workflow)


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)
