"""Artifacts of one open run: the actions pressed in them, and the changes the runtime makes (F-182, F-183).

What is kept is the truth. A change is applied to it before anybody sees it; what only looks done already lives in the tab of
whoever pressed the button, and goes with the first word of how it ended.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from sqlalchemy import delete, update
from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import artifact_frames as frames
from mozaiks_shell.chat.actions import BadPatch, meant, patched
from mozaiks_shell.chat.artifact_frames import ActionTold, ArtifactNews, Change
from mozaiks_shell.chat.background import background
from mozaiks_shell.chat.components.payload import Under
from mozaiks_shell.chat.models import ChatEvent, ChatTool
from mozaiks_shell.chat.protocol import MAX_PAYLOAD, clean
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import session
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.json_text import checked, read_json
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

KIND: Final = "tool_state"  # of the line in the log: a tool that is shown has changed
_HELD = 16  # artifacts of a run whose payload is at hand
_LOOKED_THROUGH = 50  # tools of a chat, for one that calls itself by another name
_ACTIONS_KEPT = 12
_HEARD_WITHIN = 30.0  # seconds until an action the runtime said nothing about is given up
_DONE_WITHIN = 600.0  # seconds until one that began is


class CannotAct(Conflict):
    code = "CANNOT_ACT"


class Run(Protocol):
    """What the artifacts need of their run."""

    principal: Principal
    chat: KnownChat
    channel: Channel

    async def send_frame(self, frame: str) -> None:
        """Send a frame to the runtime, if the run may go on and spend."""


@dataclass(slots=True)
class _Kept:
    """An artifact as it is kept."""

    id: str
    payload: dict[str, Any]
    under: list[Under] = field(default_factory=list)
    stale: bool = False
    line: int = -1  # offset of the last line that told of a change
    asking: bool = False  # for the whole of it

    @property
    def name(self) -> str:
        """What the runtime calls it."""
        named = self.payload.get("artifact_id")
        return named if isinstance(named, str) and named else self.id


class Artifacts:
    """The artifacts of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._held: OrderedDict[str, _Kept] = OrderedDict()
        self._names: dict[str, str] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._able = True

    # -- what people press -------------------------------------------------------------------------------

    async def act(self, tool_id: str, key: str, row: str, action_id: str) -> None:
        """Have the tool behind a button called. A repeated id, or a button that is under way already, does nothing.

        Raises:
            NotFound: no such artifact, action or row. RunEnded: there is no run any more.
            CannotAct: this runtime said before that it has no way to.
        """
        kept = await self._kept(tool_id)
        if kept is None:
            raise NotFound(tr("There is no such form."), code="TOOL_NOT_FOUND")
        wanted = meant(kept.payload, key, row)
        if not self._able:
            raise CannotAct(tr(_NO_ACTIONS))
        if any(one["id"] == action_id or (one["key"], one["row"]) == (key, row) and _waits(one) for one in kept.under):
            return
        entry = Under(id=action_id, key=key, row=row, label=wanted.action.label, state="sent", message="", at=now().isoformat())
        kept.under = [*kept.under, entry][-_ACTIONS_KEPT:]
        self._write(kept)
        await self._run.channel.settled()
        person, chat = self._run.principal, self._run.chat
        artifact_id = kept.name
        context = {"chat_id": chat.runtime_chat_id, "app_id": person.app_id, "user_id": person.user_id, "row": row or None}
        frame = frames.action(chat.runtime_chat_id, action_id, artifact_id, wanted.action.tool, wanted.params, context)
        try:
            await self._run.send_frame(json.dumps(frame))
        except ShellError as error:
            self._became(kept, entry, "failed", error.message)
            raise
        self._give_up_after(_HEARD_WITHIN, kept, action_id)

    def refused(self, code: str, message: str) -> bool:
        """The runtime reported a problem. True when it was that of an action: published ones refuse the frame as such, and are
        not asked again.
        """
        if code not in {"SCHEMA_VALIDATION_FAILED", "ARTIFACT_ACTION_FAILED"}:
            return False
        waiting = [(kept, one) for kept in self._held.values() for one in kept.under if one["state"] == "sent"]
        if not waiting:
            return False
        self._able = code == "ARTIFACT_ACTION_FAILED"
        for kept, one in waiting:
            self._became(kept, one, "failed", message if self._able else tr(_NO_ACTIONS))
        return True

    def over(self) -> None:
        """The run has ended: nothing that was pressed will be done any more."""
        for timer in self._timers.values():
            timer.cancel()
        for kept in self._held.values():
            for one in [one for one in kept.under if _waits(one)]:
                self._became(kept, one, "failed", tr("The run ended before this was done."))

    # -- what the runtime tells --------------------------------------------------------------------------

    async def hear(self, news: ArtifactNews) -> None:
        """Take what the runtime tells of an artifact."""
        if isinstance(news, Change):
            kept = await self._kept(news.artifact_id)
            if kept is None:
                log.info("change of an artifact nobody knows", chat=self._run.chat.chat_id)
            elif self._change(kept, news):
                self._write(kept)
            return
        await self._action(news)

    async def _action(self, news: ActionTold) -> None:
        found = next(((kept, one) for kept in self._held.values() for one in kept.under if one["id"] == news.action_id), None)
        kept = found[0] if found else await self._kept(news.artifact_id)
        if kept is None:
            return
        if news.change is not None and news.state == "completed":
            target = (
                kept if news.change.artifact_id in {"", news.artifact_id, kept.id} else await self._kept(news.change.artifact_id)
            )
            if target is not None and self._change(target, news.change) and target is not kept:
                self._write(target)
        entry = found[1] if found else None
        if entry is None or not _waits(entry):
            self._write(kept)  # of another client: what it changed is to be seen
            return
        message = (news.error or tr("This did not work.")) if news.state == "failed" else ""
        self._became(kept, entry, news.state, message)
        if news.state == "started":
            self._give_up_after(_DONE_WITHIN, kept, news.action_id)

    def _change(self, kept: _Kept, change: Change) -> bool:
        """Apply a change; whether it did. One that does not fit has the whole asked for."""
        try:
            if change.mode == "patch":
                payload = patched(kept.payload, change.content)
            elif isinstance(change.content, dict):
                payload = checked(change.content)
            else:
                raise BadPatch(tr("This change cannot be understood."))
            if len(json.dumps(payload)) > MAX_PAYLOAD:
                raise BadPatch(tr("This change cannot be understood."))
        except Invalid as problem:
            log.warning("change of an artifact does not fit", chat=self._run.chat.chat_id, reason=str(problem.__cause__)[:200])
            self._ask_for_the_whole(kept)
            return False
        kept.payload, kept.stale = payload, False
        return True

    def _ask_for_the_whole(self, kept: _Kept) -> None:
        if not kept.asking:
            kept.asking = True
            background(self._whole(kept))

    async def _whole(self, kept: _Kept) -> None:
        """Ask the runtime how the artifact stands; if it cannot tell, say that what is shown may be out of date."""
        try:
            state = await snapshot(self._run.principal, self._run.chat, kept.name, kept.id)
        except ShellError as error:
            log.info("whole artifact not told", chat=self._run.chat.chat_id, code=error.code)
            state = None
        kept.asking = False
        if state is None:
            kept.stale = True
        elif not self._change(kept, Change(kept.id, "replace", state)):
            return
        self._write(kept)

    # -- what is kept ------------------------------------------------------------------------------------

    async def _kept(self, name: str) -> _Kept | None:
        """The artifact with this id, or that calls itself so."""
        tool_id = self._names.get(name, name)
        if tool_id in self._held:
            self._held.move_to_end(tool_id)
            return self._held[tool_id]
        if not name:
            return None
        await self._run.channel.settled()  # it may have been shown just now
        row = await self._row(name)
        if row is None:
            return None
        payload, standing = json.loads(row.payload), json.loads(row.standing) if row.standing else {}
        kept = self._held.setdefault(
            row.id, _Kept(row.id, payload, list(standing.get("actions", [])), bool(standing.get("stale")))
        )
        self._names[name] = row.id
        while len(self._held) > _HELD:
            oldest = next(iter(self._held))
            if any(_waits(one) for one in self._held[oldest].under) or self._held[oldest] is kept:
                break
            del self._held[oldest]
        return kept

    async def _row(self, name: str) -> ChatTool | None:
        chat_id = self._run.chat.chat_id
        async with session(self._run.channel.scope) as db:
            row = await db.get(ChatTool, (chat_id, name))
            if row is not None:
                return row
            newest = select(ChatTool).where(col(ChatTool.chat_id) == chat_id).order_by(col(ChatTool.created_at).desc())
            rows = (await db.execute(newest.limit(_LOOKED_THROUGH))).scalars().all()
        return next((row for row in rows if name in row.payload and json.loads(row.payload).get("artifact_id") == name), None)

    def _became(self, kept: _Kept, entry: Under, state: str, message: str) -> None:
        kept.under = [
            {**one, "state": state, "message": clean(message, 300)} if one["id"] == entry["id"] else one for one in kept.under
        ]
        if state != "started" and (timer := self._timers.pop(entry["id"], None)) is not None:
            timer.cancel()
        self._write(kept)

    def _give_up_after(self, seconds: float, kept: _Kept, action_id: str) -> None:
        def give_up() -> None:
            entry = next((one for one in kept.under if one["id"] == action_id and _waits(one)), None)
            if entry is not None:
                self._became(kept, entry, "failed", tr("The assistant's server did not say whether this was done."))

        if (before := self._timers.pop(action_id, None)) is not None:
            before.cancel()
        self._timers[action_id] = asyncio.get_running_loop().call_later(seconds, give_up)

    def _write(self, kept: _Kept) -> None:
        """Keep the artifact as it is now and tell everybody; of several lines that tell of it only the last is kept."""
        channel = self._run.channel
        standing = json.dumps({"actions": kept.under, "stale": kept.stale}) if kept.under or kept.stale else ""
        mine = (col(ChatTool.chat_id) == channel.chat_id, col(ChatTool.id) == kept.id)
        payload = json.dumps(kept.payload, separators=(",", ":"))
        before = kept.line
        kept.line = channel.append(
            KIND, {"id": kept.id}, update(ChatTool).where(*mine).values(payload=payload, standing=standing)
        )
        if before >= 0:
            line = (col(ChatEvent.chat_id) == channel.chat_id, col(ChatEvent.offset) == before, col(ChatEvent.kind) == KIND)
            channel.later(delete(ChatEvent).where(*line))


_NO_ACTIONS: Final = msg("This assistant's server has no way to carry this out.")


def _waits(one: Mapping[str, Any]) -> bool:
    return one["state"] in {"sent", "started"}


async def snapshot(principal: Principal, chat: KnownChat, artifact_id: str, tool_id: str) -> dict[str, Any] | None:
    """An artifact as the runtime holds it: ``GET /api/artifacts/{id}/cached``, else the chat's ``last_artifact``.

    Raises:
        ShellError: the runtime cannot be asked.
    """
    opened = await broker.connect(principal, chat)
    client = await broker.runtime()
    query = urlencode({"app_id": principal.app_id, "chat_id": chat.runtime_chat_id})
    where = f"/api/artifacts/{quote(artifact_id, safe='')}/cached?{query}"
    status, body = await client.fetch(where, opened.token, 2 * MAX_PAYLOAD)
    if status == 200:
        told = read_json(body)
        state = told.get("state") if isinstance(told, dict) else None
        if isinstance(state, dict):
            return state
    meta = await client.meta(principal.app_id, chat.workflow, chat.runtime_chat_id, opened.token)
    last = meta.get("last_artifact")
    if isinstance(last, dict) and last.get("event_id") == tool_id and isinstance(last.get("payload"), dict):
        return dict(last["payload"])
    return None
