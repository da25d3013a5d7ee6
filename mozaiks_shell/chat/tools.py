"""UI tools of a chat: what the runtime shows, and the one answer it gets."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, update
from sqlmodel import col, select

from mozaiks_shell.chat.actions import Meant, meant
from mozaiks_shell.chat.bridge import Bridge
from mozaiks_shell.chat.components.payload import Under
from mozaiks_shell.chat.models import LIVE_STATUSES, Chat, ChatTool
from mozaiks_shell.chat.summary import answer_summary, without_secrets
from mozaiks_shell.chat.upstream_frames import Tool
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Conflict, NotFound, ShellError
from mozaiks_shell.foundation.i18n import tr

_FORGOTTEN: Final = timedelta(minutes=11)


@dataclass(frozen=True, slots=True)
class ToolView:
    """A UI tool with its payload. ``state``: open, answered, dismissed or expired.

    ``under``: the actions that were pressed in it, oldest first; ``stale``: a change of it was lost; ``live``: its run goes on;
    ``awaited``: the agent waits for an answer.
    """

    id: str
    chat_id: str
    component: str
    display: str
    title: str
    payload: dict[str, Any]
    state: str
    response: dict[str, Any] | None
    under: tuple[Under, ...] = ()
    stale: bool = False
    live: bool = True
    awaited: bool = True


class ToolClosed(Conflict):
    code = "TOOL_CLOSED"


async def tool_view(principal: Principal, chat_id: str, tool_id: str) -> ToolView:
    """A UI tool of a chat, whatever its state.

    Raises:
        NotFound: no such tool in a chat of this person.
    """
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        row, chat = await db.get(ChatTool, (chat_id, tool_id)), await db.get(Chat, chat_id)
    if row is None or chat is None:
        raise NotFound(tr("There is no such form."), code="TOOL_NOT_FOUND")
    return _view(row, live=chat.status in LIVE_STATUSES)


async def action_meant(principal: Principal, chat_id: str, tool_id: str, key: str, row: str) -> Meant:
    """What pressing a button of a tool means, read from the tool as it is kept.

    Raises:
        NotFound: no such tool in a chat of this person, or it offers no such action (any more).
    """
    view = await tool_view(principal, chat_id, tool_id)
    return meant(view.payload, key, row)


async def tools_of(principal: Principal, chat_id: str) -> list[ToolView]:
    """Inline tools that still wait, oldest first, then the newest artifact that was not dismissed."""
    query = select(ChatTool).where(col(ChatTool.chat_id) == chat_id, col(ChatTool.state) != "dismissed")
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        rows = (await db.execute(query.order_by(col(ChatTool.created_at)))).scalars().all()
        chat = await db.get(Chat, chat_id)
    live = chat is not None and chat.status in LIVE_STATUSES
    inline = [_view(row, live=live) for row in rows if row.display == "inline" and row.state == "open"]
    return inline + [_view(row, live=live) for row in rows if row.display != "inline"][-1:]


async def find_artifact(principal: Principal, tool_id: str) -> ToolView:
    """The newest artifact with this id in any chat of this person, dismissed ones too (F-011).

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    query = select(ChatTool).where(col(ChatTool.id) == tool_id, col(ChatTool.display) != "inline")
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        row = (await db.execute(query.order_by(col(ChatTool.created_at).desc()).limit(1))).scalars().first()
    if row is None:
        raise NotFound(tr("There is no such artifact."), code="ARTIFACT_NOT_FOUND")
    return _view(row)


async def answer(bridge: Bridge, tool_id: str, response: dict[str, Any]) -> None:
    """Answer a tool in the process that owns its run: the first answer wins in the database, repeating it does nothing.

    Raises:
        NotFound: no such tool in this chat. ToolClosed: it was answered otherwise, dismissed, or its run has ended.
    """
    principal, chat_id = bridge.principal, bridge.chat.chat_id
    row = await tool_view(principal, chat_id, tool_id)
    # What is kept says that there was a password, not which.
    encoded = json.dumps(without_secrets(row.payload, response), separators=(",", ":"), sort_keys=True)
    open_row = (col(ChatTool.chat_id) == chat_id, col(ChatTool.id) == tool_id, col(ChatTool.state) == "open")
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        change = update(ChatTool).where(*open_row, col(ChatTool.user_id) == principal.user_id)
        result: CursorResult[Any] = await db.execute(change.values(state="answered", response=encoded))  # type: ignore[assignment]
        first = result.rowcount == 1
    if not first:
        kept = await tool_view(principal, chat_id, tool_id)
        if kept.response == json.loads(encoded):
            return
        late = tr("This was answered already.") if kept.state == "answered" else tr("This is no longer waiting for an answer.")
        raise ToolClosed(late)
    tool = bridge.conversation.tools.get(tool_id)
    if tool is None or not tool.awaiting:
        bridge.conversation.tool_state(tool_id, "dismissed")
        return
    try:
        answered = Tool(tool_id, row.component, row.display, row.title, "", True)
        await bridge.answer_tool(answered, response, answer_summary(row.payload, response))
    except ShellError as error:
        bridge.conversation.tool_state(tool_id, "expired")
        raise ToolClosed(error.message) from error


def _view(row: ChatTool, *, live: bool = True) -> ToolView:
    standing = json.loads(row.standing) if row.standing else {}
    return ToolView(
        id=row.id,
        chat_id=row.chat_id,
        component=row.component,
        display=row.display,
        title=row.title,
        payload=json.loads(row.payload),
        state=row.state,
        response=json.loads(row.response) if row.response else None,
        under=tuple(_told(one, live) for one in standing.get("actions", ())),
        stale=standing.get("stale") is True,
        live=live,
        awaited=row.awaiting,
    )


def _told(one: Under, live: bool) -> Under:
    """An action that nobody will hear of again (its run ended, or the process that waited for it) did not work."""
    if one["state"] not in {"sent", "started"}:
        return one
    late = now() - datetime.fromisoformat(one["at"]) > _FORGOTTEN
    return {**one, "state": "failed", "message": tr("It is not known whether this was done.")} if late or not live else one
