"""Use cases of the conversation: start and watch chats, speak, answer forms, list, rename, delete (F-153, F-167 ff.).

Every function takes the person first and answers :class:`NotFound` for a chat that is not theirs.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult, delete, update
from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.bridge import Bridge, RunEnded
from mozaiks_shell.chat.conversation import status_frame
from mozaiks_shell.chat.keeper import Keeper
from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.chat.protocol import Tool, clean
from mozaiks_shell.chat.runs import Hooks, Runs, label_of
from mozaiks_shell.chat.summary import answer_summary
from mozaiks_shell.chat.transcript import Channel, Transcript, dumps
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError, TooLarge, Unavailable
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.signals import before_server_stops

log = get_logger("chat")

MAX_SAY = 32_000  # characters; what the published runtime's submit takes without complaint
MAX_RESPONSE = 64_000  # characters of a UI tool's answer as JSON
_CONTEXT_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat in a list. ``status``: connecting, running, waiting, completed, interrupted or failed."""

    id: str
    workflow: str
    title: str
    status: str
    updated_at: datetime
    last_text: str


@dataclass(frozen=True, slots=True)
class ToolView:
    """A UI tool with its payload. ``state``: open, answered, dismissed or expired."""

    id: str
    chat_id: str
    component: str
    display: str
    title: str
    payload: dict[str, Any]
    state: str
    response: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Launchable:
    """A workflow this person may see. ``needed`` names the plan that opens a locked one."""

    workflow: str
    title: str
    description: str
    icon: str
    allowed: bool
    needed: str


class ToolClosed(Conflict):
    code = "TOOL_CLOSED"


async def _no_context(_: Principal) -> dict[str, Any]:
    return {}


_hooks = Hooks(_no_context, lambda _, __: False)
_runs: Runs | None = None
_before_stop: list[Callable[[], Awaitable[None]]] = []


def configure(
    *,
    context: Callable[[Principal], Awaitable[dict[str, Any]]] | None = None,
    allowed_path: Callable[[Principal, str], bool] | None = None,
) -> None:
    """Wiring, called by the front door.

    Args:
        context: What the runtime may know of the person and the app; sent with every text. Failing or slow: left out.
        allowed_path: Whether a run may send this person to this path. Asked only for same-origin paths.
    """
    if context is not None:
        _hooks.context = context
    if allowed_path is not None:
        _hooks.allowed_path = allowed_path


def before_stop(farewell: Callable[[], Awaitable[None]]) -> None:
    """Run this when the process is told to stop, and before the runs are let go of."""
    _before_stop.append(farewell)


async def start_chats() -> Callable[[], Awaitable[None]]:
    """Lifespan step, after the runtime's: open the transcript, tell the truth about chats of the last life. Returns its undo."""
    global _runs
    broker.use_keeper(Keeper())
    transcript = Transcript()
    runs = _runs = Runs(transcript, Hooks(_context, _allowed))
    if recovered := await runs.recover():
        log.info("chats of the last life recovered", chats=recovered)
    before_server_stops(_farewell)

    async def undo() -> None:
        global _runs
        await _farewell()
        await runs.close()
        await transcript.close()
        _runs = None

    return undo


async def _farewell() -> None:
    for one in _before_stop:
        await one()


async def _context(principal: Principal) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_CONTEXT_WITHIN):
            return await _hooks.context(principal)
    except Exception:
        log.warning("chat context left out", exc_info=True)
        return {}


def _allowed(principal: Principal, path: str) -> bool:
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return ours and _hooks.allowed_path(principal, path)


def runs() -> Runs:
    """The runs of this process.

    Raises:
        Unavailable: the process is starting or stopping.
    """
    if _runs is None:
        raise Unavailable("The chat is starting.", code="CHAT_NOT_READY")
    return _runs


# -- watching and speaking -----------------------------------------------------------------------------------


async def watch(principal: Principal, chat_id: str | None, workflow: str | None, *, new: bool = False) -> Channel:
    """The channel of a chat, held for the caller, who gives it back with :func:`unwatch`.

    With ``chat_id`` that chat; else this person's newest open chat of the workflow (default: the assistant's), else
    a new one. A chat whose run could not be opened is returned as well; its status says why.

    Raises:
        NotFound: not a chat of this person.
        ShellError: whatever forbids a start; see :func:`mozaiks_shell.broker.service.start`.
    """
    held = runs()
    if chat_id is None:
        chat_id = await _started(principal, workflow or get_settings().assistant_workflow, new=new)
    chat = await _chat(principal, chat_id)
    if chat.status == "connecting":
        try:
            await held.resume(principal, KnownChat(chat.id, chat.runtime_chat_id, chat.workflow, chat.user_id))
        except ShellError as error:
            log.info("run not opened", chat=chat_id, code=error.code)
    channel = await held.transcript.hold(principal.app_id, principal.user_id, chat_id)
    try:
        chat = await _chat(principal, chat_id)  # read again: only now would a change reach us through the channel
    except NotFound:
        unwatch(channel)
        raise
    if not channel.frame:
        title = chat.title or label_of(chat.workflow)
        channel.frame = dumps(status_frame(channel, chat.workflow, title, chat.status, chat.detail))
    return channel


async def _started(principal: Principal, workflow: str, *, new: bool) -> str:
    try:
        return await runs().start(principal, workflow, new=new)
    except ShellError as error:
        chat_id = error.details.get("chat_id")
        if isinstance(chat_id, str):
            return chat_id  # started, but its run could not be opened: the chat tells why
        raise


def unwatch(channel: Channel) -> None:
    """Give back what :func:`watch` returned."""
    if _runs is not None:
        _runs.transcript.release(channel)


async def say(principal: Principal, chat_id: str, text: str, message_id: str) -> None:
    """Say something in a chat. A repeated ``message_id`` does nothing.

    Raises:
        Invalid, TooLarge: empty or too long.
        RunEnded, NotListening: nobody would hear it.
    """
    text = clean(text, MAX_SAY + 1)
    if not text.strip():
        raise Invalid("An empty message was not sent.", code="EMPTY_MESSAGE")
    if len(text) > MAX_SAY:
        raise TooLarge(f"A message may have at most {MAX_SAY} characters.")
    await _bridge(principal, chat_id).say(text, message_id)


async def stop(principal: Principal, chat_id: str) -> None:
    """Stop what is being written.

    Raises:
        RunEnded, CannotStop: there is nothing to stop, or this runtime has no way to.
    """
    await _bridge(principal, chat_id).stop()


def _bridge(principal: Principal, chat_id: str) -> Bridge:
    bridge = runs().bridge(principal, chat_id)
    if bridge is None:
        raise RunEnded("This run has ended. Start a new chat to go on.")
    return bridge


# -- UI tools ------------------------------------------------------------------------------------------------


async def tool_view(principal: Principal, chat_id: str, tool_id: str) -> ToolView:
    """A UI tool of a chat, whatever its state.

    Raises:
        NotFound: no such tool in a chat of this person.
    """
    async with session(_scope(principal)) as db:
        row = await db.get(ChatTool, (chat_id, tool_id))
    if row is None:
        raise NotFound("There is no such form.", code="TOOL_NOT_FOUND")
    return _view(row)


async def open_tools(principal: Principal, chat_id: str) -> list[ToolView]:
    """Inline tools that still wait, oldest first, then the newest artifact that was not dismissed."""
    await _chat(principal, chat_id)
    query = select(ChatTool).where(col(ChatTool.chat_id) == chat_id, col(ChatTool.state) != "dismissed")
    async with session(_scope(principal)) as db:
        rows = (await db.execute(query.order_by(col(ChatTool.created_at)))).scalars().all()
    inline = [_view(row) for row in rows if row.display == "inline" and row.state == "open"]
    return inline + [_view(row) for row in rows if row.display != "inline"][-1:]


async def answer_tool(principal: Principal, chat_id: str, tool_id: str, response: dict[str, Any]) -> None:
    """Answer a UI tool, once: the first answer wins in the database, repeating it does nothing.

    A tool that expects no answer is put away instead.

    Raises:
        NotFound: no such tool in a chat of this person.
        ToolClosed: it was answered otherwise, dismissed, or its run has ended.
        TooLarge: the response is over 64,000 characters as JSON.
        Invalid: it is nested too deep, or holds text that cannot be stored.
    """
    if not isinstance(response, dict):
        raise Invalid("The answer is not an object.")
    encoded = json.dumps(checked(response), separators=(",", ":"), sort_keys=True)
    if len(encoded) > MAX_RESPONSE:
        raise TooLarge("This answer is too large.")
    row = await tool_view(principal, chat_id, tool_id)
    bridge = runs().bridge(principal, chat_id)
    if bridge is None:
        raise ToolClosed("This run has ended, so nobody waits for the answer.")
    open_row = (col(ChatTool.chat_id) == chat_id, col(ChatTool.id) == tool_id, col(ChatTool.state) == "open")
    async with session(_scope(principal)) as db:
        change = update(ChatTool).where(*open_row, col(ChatTool.user_id) == principal.user_id)
        result: CursorResult[Any] = await db.execute(change.values(state="answered", response=encoded))  # type: ignore[assignment]
        first = result.rowcount == 1
    if not first:
        now = await tool_view(principal, chat_id, tool_id)
        if now.response == json.loads(encoded):
            return
        raise ToolClosed("This was answered already." if now.state == "answered" else "This is no longer waiting for an answer.")
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


def _view(row: ChatTool) -> ToolView:
    return ToolView(
        id=row.id,
        chat_id=row.chat_id,
        component=row.component,
        display=row.display,
        title=row.title,
        payload=json.loads(row.payload),
        state=row.state,
        response=json.loads(row.response) if row.response else None,
    )


# -- the list ------------------------------------------------------------------------------------------------


async def list_chats(principal: Principal, limit: int = 50) -> list[ChatSummary]:
    """This person's chats, the last used first."""
    query = select(Chat).order_by(col(Chat.updated_at).desc()).limit(max(1, min(limit, 200)))
    async with session(_scope(principal)) as db:
        return [_summary(row) for row in (await db.execute(query)).scalars()]


async def transcript(principal: Principal, chat_id: str) -> tuple[ChatSummary, list[dict[str, Any]]]:
    """A chat and its items (messages, questions, forms), in order.

    Raises:
        NotFound: not a chat of this person.
    """
    chat = await _chat(principal, chat_id)
    return _summary(chat), [item async for item in _items(principal, chat_id)]


async def _items(principal: Principal, chat_id: str) -> AsyncIterator[dict[str, Any]]:
    channel = await runs().transcript.hold(principal.app_id, principal.user_id, chat_id)
    try:
        async for _, text in channel.replay(-1):
            item = json.loads(text)
            yield item if isinstance(item, dict) else {"o": item[0], "k": "text", "text": item[1]}
    finally:
        unwatch(channel)


async def rename_chat(principal: Principal, chat_id: str, title: str) -> None:
    """Give a chat another name, at most 120 characters.

    Raises:
        NotFound, Invalid.
    """
    wanted = " ".join(clean(title, 120).split())
    if not wanted:
        raise Invalid("A chat needs a name.")
    chat = await _chat(principal, chat_id)
    bridge = runs().bridge(principal, chat_id)
    if bridge is not None:
        bridge.conversation.set_title(wanted)
        await bridge.channel.settled()
        return
    async with session(_scope(principal)) as db:
        row = await db.get(Chat, chat.id)
        if row is not None:
            row.title = wanted


async def delete_chat(principal: Principal, chat_id: str) -> None:
    """Delete a chat with everything in it; a run that is open is let go of.

    Raises:
        NotFound: not a chat of this person.
    """
    await _chat(principal, chat_id)
    if runs().bridge(principal, chat_id) is not None:
        await runs().abandon(chat_id)
    async with session(_scope(principal)) as db:
        for table, column in ((ChatEvent, ChatEvent.chat_id), (ChatTool, ChatTool.chat_id), (Chat, Chat.id)):
            await db.execute(delete(table).where(col(column) == chat_id, col(table.user_id) == principal.user_id))


async def launchable(principal: Principal) -> list[Launchable]:
    """The workflows this person may start, and those a plan would open."""
    return [
        Launchable(
            workflow=offer.capability.workflow_id,
            title=offer.capability.display_name,
            description=offer.capability.description,
            icon=offer.capability.icon,
            allowed=offer.allowed,
            needed=offer.decision.needed,
        )
        for offer in await broker.offers(principal)
    ]


def metrics() -> dict[str, Any]:
    """For operators: open runs, entries waiting for the writer, frames nobody knew."""
    return runs().metrics()


async def _chat(principal: Principal, chat_id: str) -> Chat:
    async with session(_scope(principal)) as db:
        chat = await db.get(Chat, chat_id)
    if chat is None:
        raise NotFound("There is no such chat.", code="CHAT_NOT_FOUND")
    return chat


def _summary(chat: Chat) -> ChatSummary:
    at = chat.updated_at if chat.updated_at.tzinfo else chat.updated_at.replace(tzinfo=UTC)
    return ChatSummary(chat.id, chat.workflow, chat.title or label_of(chat.workflow), chat.status, at, chat.last_text)


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)
