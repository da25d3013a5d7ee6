"""The runs this process holds open: at most one bridge per chat, opened one after another per person and workflow.

Both across all processes: a chat belongs to the process that has its lease, a start to the one that has the start's.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from weakref import WeakValueDictionary

from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import loss
from mozaiks_shell.chat.activity import Price, unpriced
from mozaiks_shell.chat.bridge import Bridge
from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.follow import Followers
from mozaiks_shell.chat.labels import label_of
from mozaiks_shell.chat.models import LIVE_STATUSES, Chat
from mozaiks_shell.chat.ownership import CHAT, PLACE, START, lease_of, start_lease
from mozaiks_shell.chat.transcript import Channel, Transcript
from mozaiks_shell.chat.writer import Entry
from mozaiks_shell.foundation import outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.errors import ShellError, TooMany, Unavailable
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.leases import Leases, Orphan
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

OPEN_RUNS_PER_USER = 20
_START_WITHIN = 60.0  # seconds to wait for somebody else's start of the same workflow by the same person
_ASK_AGAIN = 10  # times
_OWN_WITHIN = 2.0  # seconds to wait for a chat that should be free
LOST_BY_RESTART = msg("The connection to the run was lost when the app restarted.")
UNSENT_BY_RESTART = msg("Not sent, because the app restarted: “{text}”")
LOST_WITH_OWNER = msg("The connection to the run was lost, because the server process that held it is gone.")
UNSENT_WITH_OWNER = msg("Not sent, because the server process that held the run is gone: “{text}”")


@dataclass
class Hooks:
    """What the rooms above lend us: the context for the runtime, which pages it may open, and what a call of a model costs."""

    context: Callable[[Principal], Awaitable[dict[str, Any]]]
    allowed_path: Callable[[Principal, str], bool]
    price: Price = unpriced


class Runs:
    """All bridges of this process."""

    def __init__(self, transcript: Transcript, hooks: Hooks, leases: Leases, followers: Followers) -> None:
        self.transcript = transcript
        self.leases = leases
        self.followers = followers
        self._hooks = hooks
        self._bridges: dict[str, Bridge] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._background: set[asyncio.Task[None]] = set()
        self._taking_over = asyncio.Lock()
        self._stopping = False

    def bridge(self, principal: Principal, chat_id: str) -> Bridge | None:
        """The open run of this chat in this process, if this person owns it."""
        return self.find(chat_id, principal.user_id)

    def find(self, chat_id: str, user_id: str) -> Bridge | None:
        """The same, by the person's id."""
        bridge = self._bridges.get(chat_id)
        if bridge is None or bridge.principal.user_id != user_id or bridge.over or bridge.channel.moved:
            return None
        return bridge

    @asynccontextmanager
    async def _turn(self, principal: Principal, workflow: str) -> AsyncIterator[None]:
        """One start at a time per person and workflow, in all processes."""
        name = start_lease(principal.user_id, workflow)
        async with self._lock(principal, workflow):
            if await self.leases.acquire_within(_START_WITHIN, name, principal.user_id) is None:
                raise Unavailable(tr("The chat is being started elsewhere. Please try again."), code="CHAT_BUSY")
            try:
                yield
            finally:
                await self.leases.release(name)

    def _lock(self, principal: Principal, workflow: str) -> asyncio.Lock:
        return self._locks.setdefault((principal.user_id, workflow), asyncio.Lock())

    async def newest(self, principal: Principal, workflow: str) -> str | None:
        """This person's newest chat of a workflow whose run is open, here or in another process."""
        query = select(col(Chat.id)).where(col(Chat.workflow) == workflow, col(Chat.status).in_(LIVE_STATUSES))
        async with session(_scope(principal)) as db:
            ids = (await db.execute(query.order_by(col(Chat.created_at).desc()))).scalars().all()
        held = await self.leases.holders(lease_of(chat_id) for chat_id in ids[:50]) if ids else {}
        others = {name for name, holder in held.items() if holder != self.leases.id}
        return next((one for one in ids if self.bridge(principal, one) or lease_of(one) in others), None)

    async def start(self, principal: Principal, workflow: str, *, new: bool) -> str:
        """Start a chat and open its run; without ``new`` an open run of that workflow is taken instead.

        One at a time per person and workflow, because a published runtime attaches a socket to the newest chat.
        """
        async with self._turn(principal, workflow):
            if not new and (chat_id := await self.newest(principal, workflow)) is not None:
                return chat_id
            await self._room_for_one(principal)
            started = await broker.start(principal, workflow)
            known = KnownChat(started.chat_id, started.runtime_chat_id, started.workflow, principal.user_id)
            await self._open(principal, known)
            return known.chat_id

    async def launch(self, principal: Principal, workflow: str, given: Mapping[str, Any], seconds: float) -> str:
        """Start a chat with an input, or take the one started with the same input within so many seconds (F-010).

        Callers wait for each other, and the start key makes the runtime and the database see a repeated start as one.
        """
        key = launch_key(workflow, given)
        async with self._turn(principal, workflow):
            earlier = await self._launched(principal, key)
            if earlier is not None and earlier.status not in {"failed", "interrupted"}:
                made = earlier.created_at if earlier.created_at.tzinfo else earlier.created_at.replace(tzinfo=UTC)
                if (now() - made).total_seconds() < seconds:
                    return earlier.id
            number = int(str(earlier.start_key).rpartition(":")[2]) + 1 if earlier is not None else 0
            await self._room_for_one(principal)
            started = await broker.start(principal, workflow, idempotency_key=f"{key}:{number}")
            known = KnownChat(started.chat_id, started.runtime_chat_id, started.workflow, principal.user_id)
            if known.chat_id not in self._bridges:
                await self._open(principal, known, given)
            return known.chat_id

    async def _launched(self, principal: Principal, key: str) -> Chat | None:
        query = select(Chat).where(col(Chat.start_key).startswith(key + ":")).order_by(col(Chat.created_at).desc()).limit(1)
        async with session(_scope(principal)) as db:
            return (await db.execute(query)).scalars().first()

    async def _room_for_one(self, principal: Principal) -> None:
        if await self.leases.count(principal.user_id, CHAT) >= OPEN_RUNS_PER_USER:
            raise TooMany(tr("Too many conversations are open. Please finish one first."), retry_after=60)

    async def resume(self, principal: Principal, known: KnownChat) -> None:
        """Open the run of a chat that was started but never connected (by the HTTP API); does nothing for others."""
        async with self._turn(principal, known.workflow):
            if known.chat_id in self._bridges or await self.leases.holder(lease_of(known.chat_id)):
                return
            # Read only now: a run that ended has left the bridges after its end was committed, not before.
            async with session(_scope(principal)) as db:
                chat = await db.get(Chat, known.chat_id)
            if chat is None or chat.status != "connecting":
                return
            if await self._begun(principal, known.chat_id):  # nobody connects again on a guess
                await self._tell_truth(chat, LOST_WITH_OWNER, UNSENT_WITH_OWNER)
            else:
                await self._open(principal, known, fresh=False)

    async def reopen(self, principal: Principal, known: KnownChat, title: str) -> None:
        """Connect to a lost run again, because its person chose so and it is safe (:mod:`.recovery`)."""
        async with self._turn(principal, known.workflow):
            if known.chat_id not in self._bridges:
                await self._open(principal, known, fresh=False, title=title)

    @asynccontextmanager
    async def holding(self, principal: Principal, known: KnownChat, title: str) -> AsyncIterator[Conversation]:
        """The conversation of a chat without an open run, to tell something in it.

        Raises:
            Unavailable: its run is open, here or elsewhere, or what was told could not be saved.
        """
        fence = await self._own(principal, known.chat_id) if known.chat_id not in self._bridges else None
        if fence is None:
            raise Unavailable(tr("The chat is busy. Please try again."), code="CHAT_BUSY")
        bridge = await self._make(principal, known, fence, title)
        try:
            yield bridge.conversation
            await bridge.channel.settled()
        finally:
            await self._let_go(bridge)

    async def _open(
        self,
        principal: Principal,
        known: KnownChat,
        given: Mapping[str, Any] | None = None,
        *,
        fresh: bool = True,
        title: str = "",
    ) -> None:
        """Open the run, unless another process did; never without the chat's lease.

        Args:
            fresh: The chat was made just now; any other is asked about first, and what it holds is read back.
        """
        fence = await self._own(principal, known.chat_id)
        if fence is None:
            log.info("run is open in another process", chat=known.chat_id)
            return
        opening = asyncio.create_task(self._connect(principal, known, fence, dict(given or {}), fresh, title))
        opening.add_done_callback(lambda task: task.cancelled() or task.exception())  # seen, even when nobody waits any more
        await asyncio.shield(opening)

    async def _connect(
        self, principal: Principal, known: KnownChat, fence: int, given: dict[str, Any], fresh: bool, title: str
    ) -> None:
        """Not given up when whoever asked for it leaves: half an open run would belong to nobody."""
        bridge = await self._make(principal, known, fence, title)
        bridge.given = given
        self._bridges[known.chat_id] = bridge
        try:
            if not fresh:
                await bridge.conversation.restore()
            await bridge.open(fresh=fresh)
        except ShellError:
            await self._forget(bridge)
            raise
        self._tasks[known.chat_id] = asyncio.create_task(self._live(bridge), name=f"run {known.chat_id}")

    async def _own(self, principal: Principal, chat_id: str) -> int | None:
        return await self.leases.acquire_within(_OWN_WITHIN, lease_of(chat_id), principal.user_id)

    async def _make(self, principal: Principal, known: KnownChat, fence: int, title: str = "") -> Bridge:
        channel = await self.transcript.hold(principal.app_id, principal.user_id, known.chat_id)
        await self.followers.adopt(channel, fence)
        conversation = Conversation(
            channel,
            known.workflow,
            title,
            label_of(known.workflow),
            lambda path: self._hooks.allowed_path(principal, path),
            self._hooks.price,
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
        chat_id = bridge.chat.chat_id
        try:
            await bridge.channel.settled()
        except ShellError as error:
            log.error("end of run not saved", chat=chat_id, code=error.code)
        self._bridges.pop(chat_id, None)
        self._tasks.pop(chat_id, None)
        await self._let_go(bridge)

    async def _let_go(self, bridge: Bridge) -> None:
        """Give the chat back. When the process ends it keeps what it has, so that another finds it without an owner."""
        channel = bridge.channel
        if channel.broken is not None:
            self._leave(channel)
        if not self._stopping:
            channel.fence = 0
            await self.leases.release(lease_of(bridge.chat.chat_id))
        self.transcript.release(channel)

    def _leave(self, channel: Channel) -> None:
        """What this channel holds is not what stands in the database: whoever watches starts again, from there."""
        if not channel.moved:
            channel.moved = True
            self.transcript.forget(channel)
            channel.publish(Entry(channel, -1, "", channel.frame))  # wakes them

    async def abandon(self, chat_id: str) -> None:
        """Let go of a run of this process because its chat is deleted."""
        bridge, task = self._bridges.get(chat_id), self._tasks.get(chat_id)
        if bridge is not None and task is not None:
            await bridge.close()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Let go of every run because the process ends."""
        self._stopping = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(self.abandon(chat_id) for chat_id in list(self._bridges)), return_exceptions=True)

    def metrics(self) -> dict[str, Any]:
        """Open runs, entries waiting for the writer, frames nobody knew by type."""
        unknown: dict[str, int] = {}
        for bridge in self._bridges.values():
            for name, count in bridge.conversation.unknown.items():
                unknown[name] = unknown.get(name, 0) + count
        return {"open_runs": len(self._bridges), "backlog": self.transcript.backlog, "unknown_frames": unknown}

    # -- chats that change hands ---------------------------------------------------------------------------

    def lost(self, name: str) -> None:
        """Another process took this lease: stop writing, close the socket, and send the browsers to the log."""
        if not name.startswith(CHAT) or (bridge := self._bridges.get(name.removeprefix(CHAT))) is None:
            return
        self._leave(bridge.channel)
        self._run(self.abandon(bridge.chat.chat_id))

    async def orphans(self, found: list[Orphan]) -> None:
        """Processes died. Returns at once; what they had is taken over one by one."""
        if not self._taking_over.locked() and not self._stopping:
            self._run(self._take_over(found))

    async def _take_over(self, found: list[Orphan]) -> None:
        async with self._taking_over:
            for orphan in found:
                if orphan.name.startswith(CHAT):
                    async with system_session() as db:
                        chat = await db.get(Chat, orphan.name.removeprefix(CHAT))
                    if chat is not None and await self._tell_truth(chat, LOST_WITH_OWNER, UNSENT_WITH_OWNER):
                        continue
                ours = orphan.name.startswith((CHAT, START, PLACE))
                if ours and await self.leases.acquire(orphan.name, orphan.user_id) is not None:
                    await self.leases.release(orphan.name)

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def recover(self) -> int:
        """Tell the truth about chats whose owner died, at the start of this process. Returns how many there were.

        Chats of a process that lives are left alone.
        """
        async with system_session() as db:
            lost = (await db.execute(select(Chat).where(col(Chat.status).in_(LIVE_STATUSES)))).scalars().all()
        async with self._taking_over:
            return sum([await self._tell_truth(chat, LOST_BY_RESTART, UNSENT_BY_RESTART) for chat in lost])

    async def _tell_truth(self, lost: Chat, why: str, unsent: str) -> bool:
        """Take over a chat nobody owns. Returns whether there was something to tell.

        What had arrived is there. The message that was being written ends as it stood, open questions and forms
        end, and the chat is interrupted; if a runtime of its own says that the run completed, it is completed.
        """
        principal = Principal(lost.user_id, lost.app_id)
        known = KnownChat(lost.id, lost.runtime_chat_id, lost.workflow, lost.user_id)
        if lost.status == "connecting" and not await self._begun(principal, lost.id):
            return False  # started, and never connected to: whoever opens it opens its run
        fence = await self.leases.acquire(lease_of(lost.id), lost.user_id)
        if fence is None:
            return False
        bridge = await self._make(principal, known, fence, lost.title)
        try:
            async with session(_scope(principal)) as db:
                chat = await db.get(Chat, lost.id)
            if chat is None or chat.status not in LIVE_STATUSES:
                return False
            for text in await bridge.conversation.restore():
                bridge.conversation.notice(tr(unsent, text=text))
            ended = bridge.conversation.finish("interrupted", tr(why), tr(why))
            await bridge.channel.settled()
        finally:
            await self._let_go(bridge)
        log.info("chat taken over", chat=lost.id)
        await outbox.tell(ended)
        self._run(self._check(principal, known, lost.title))
        return True

    async def _begun(self, principal: Principal, chat_id: str) -> bool:
        channel = await self.transcript.hold(principal.app_id, principal.user_id, chat_id)
        self.transcript.release(channel)
        return channel.next_offset > 0

    async def _check(self, principal: Principal, known: KnownChat, title: str) -> None:
        """Ask the runtime about a run that was taken over, and offer what is safe; nobody connects to it unasked.

        An embedded runtime may have died with the same process: then each question waits for the one that is being started.
        """
        standing = await loss.how_it_stands(principal, known)
        for _ in range(_ASK_AGAIN if loss.may_reconnect() else 0):
            if standing.state != "unknown" or self._stopping:
                break
            await asyncio.sleep(1.0)
            standing = await loss.how_it_stands(principal, known)
        try:
            async with self.holding(principal, known, title) as conversation:
                if standing.state == "completed":
                    conversation.set_status("completed")
                else:
                    conversation.offer(loss.choice(standing))
        except ShellError as error:
            log.info("nothing offered for a lost run", chat=known.chat_id, code=error.code)


def launch_key(workflow: str, given: Mapping[str, Any]) -> str:
    """Beginning of the start keys of one workflow with one input; the order of the input's keys does not matter."""
    written = json.dumps([workflow, given], sort_keys=True, separators=(",", ":"))
    return "trigger-" + hashlib.sha256(written.encode()).hexdigest()[:40]


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)
