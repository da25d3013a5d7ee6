"""Use cases of the conversation: start and watch chats, speak, answer forms, list, rename, delete (F-153, F-167 ff.).

Every function takes the person first and answers :class:`NotFound` for a chat that is not theirs.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import places, recovery, tools, uploads
from mozaiks_shell.chat.activity import Price
from mozaiks_shell.chat.bridge import Bridge, RunEnded
from mozaiks_shell.chat.conversation import status_frame
from mozaiks_shell.chat.exchange import Verb
from mozaiks_shell.chat.keeper import Keeper
from mozaiks_shell.chat.labels import label_of
from mozaiks_shell.chat.models import Chat, ChatEvent, ChatFeedback, ChatTool
from mozaiks_shell.chat.ownership import lease_of
from mozaiks_shell.chat.processes import Process
from mozaiks_shell.chat.processes import start as start_process
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.chat.runs import Hooks, Runs
from mozaiks_shell.chat.tools import (  # noqa: F401 - part of this room's use cases
    ToolClosed,
    ToolView,
    action_meant,
    find_artifact,
    tool_view,
)
from mozaiks_shell.chat.transcript import Channel, dumps
from mozaiks_shell.foundation import outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Invalid, NotFound, ShellError, TooLarge, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Lease
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.signals import before_server_stops

log = get_logger("chat")

MAX_SAY = 32_000  # characters; what the published runtime's submit takes without complaint
MAX_RESPONSE = 64_000  # characters of a UI tool's answer as JSON
MAX_INPUT = 16_000  # characters of a workflow's input as JSON
_CONTEXT_WITHIN = 2.0
_LOOK = 10.0  # seconds between two looks for events that nobody told


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat in a list. ``status``: connecting, running, waiting, completed, interrupted, stopped or failed."""

    id: str
    workflow: str
    title: str
    status: str
    updated_at: datetime
    last_text: str


@dataclass(frozen=True, slots=True)
class Launchable:
    """A workflow this person may see. ``needed`` names the plan that opens a locked one."""

    workflow: str
    title: str
    description: str
    icon: str
    allowed: bool
    needed: str


async def _no_context(_: Principal) -> dict[str, Any]:
    return {}


_hooks = Hooks(_no_context, lambda _, __: False)
_running: Process | None = None
_before_stop: list[Callable[[], Awaitable[None]]] = []


def configure(
    *,
    context: Callable[[Principal], Awaitable[dict[str, Any]]] | None = None,
    allowed_path: Callable[[Principal, str], bool] | None = None,
    price: Price | None = None,
) -> None:
    """Wiring, called by the front door.

    Args:
        context: What the runtime may know of the person and the app; sent with every text. Failing or slow: left out.
        allowed_path: Whether a run may send this person to this path. Asked only for same-origin paths.
        price: What a call of a model costs, for the line below an answer.
    """
    if context is not None:
        _hooks.context = context
    if allowed_path is not None:
        _hooks.allowed_path = allowed_path
    if price is not None:
        _hooks.price = price


def before_stop(farewell: Callable[[], Awaitable[None]]) -> None:
    """Run this when the process is told to stop, and before the runs are let go of."""
    _before_stop.append(farewell)


async def start_chats() -> Callable[[], Awaitable[None]]:
    """Lifespan step, after the runtime's: open the transcript, tell the truth about chats of the last life. Returns its undo."""
    global _running
    broker.use_keeper(Keeper())
    process = _running = await start_process(Hooks(_context, _allowed, _price), _VERBS)
    if recovered := await process.runs.recover():
        log.info("chats of the last life recovered", chats=recovered)
    before_server_stops(_farewell)
    telling = asyncio.create_task(_tell_what_is_left(), name="events of chats")

    async def undo() -> None:
        global _running
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await _farewell()
        await process.stop()
        with contextlib.suppress(SQLAlchemyError):
            await outbox.noted()
        _running = None

    return undo


async def _tell_what_is_left() -> None:
    """That chats began and ended is told also when the process that knew it died before it could (F-202)."""
    while True:
        try:
            await outbox.deliver(get_settings().app_id, "chat.started", "chat.ended")
        except Exception as error:  # noqa: BLE001 - the database may be away for a while; this must outlive it
            log.warning("events of chats not told yet", error=repr(error)[:200])
        await asyncio.sleep(_LOOK)


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


def _price(model: str, prompt: int, completion: int, cached: bool) -> tuple[int, str] | None:
    return _hooks.price(model, prompt, completion, cached)


def runs() -> Runs:
    """The runs of this process.

    Raises:
        Unavailable: the process is starting or stopping.
    """
    return _process().runs


def _process() -> Process:
    if _running is None:
        raise Unavailable(tr("The chat is starting."), code="CHAT_NOT_READY")
    return _running


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
    await _process().followers.attach(channel)
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


async def launch(principal: Principal, workflow: str, given: dict[str, Any] | None = None, *, within: float = 0.0) -> ChatSummary:
    """Start a workflow with an input; within so many seconds the same workflow and input give the same chat (F-009, F-010).

    Args:
        given: A JSON object; sent to the run as ``context.input`` with every text.
        within: Seconds; 0 makes a chat for every call.

    Raises:
        Invalid: the input is no object, nested too deep, or over 16,000 characters as JSON.
        ShellError: whatever forbids a start; see :func:`mozaiks_shell.broker.service.start`.
    """
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise Invalid(tr("The input of a workflow must be an object."))
    try:
        size = len(json.dumps(checked(given), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Invalid(tr("The input of a workflow is not JSON.")) from error
    if size > MAX_INPUT:
        raise Invalid(tr("The input of a workflow may have at most {count} characters as JSON.", count=MAX_INPUT))
    try:
        chat_id = await runs().launch(principal, workflow, given, within)
    except ShellError as error:
        told = error.details.get("chat_id")
        if not isinstance(told, str):
            raise
        chat_id = told  # started, but its run could not be opened: the chat tells why
    return await find_chat(principal, chat_id)


@contextlib.asynccontextmanager
async def place(principal: Principal) -> AsyncIterator[bool]:
    """A place for one more chat socket of this person; False when they hold as many as they may, in all processes (F-198)."""
    if _running is None:
        yield True
        return
    async with places.place(_running.leases, principal.user_id, get_settings().sockets_per_user) as free:
        yield free


def unwatch(channel: Channel) -> None:
    """Give back what :func:`watch` returned."""
    if _running is not None:
        _running.runs.transcript.release(channel)


async def say(principal: Principal, chat_id: str, text: str, message_id: str) -> None:
    """Say something in a chat. A repeated ``message_id`` does nothing.

    Raises:
        Invalid, TooLarge: empty or too long.
        RunEnded, NotListening: nobody would hear it.
    """
    text = clean(text, MAX_SAY + 1)
    if not text.strip():
        raise Invalid(tr("An empty message was not sent."), code="EMPTY_MESSAGE")
    if len(text) > MAX_SAY:
        raise TooLarge(f"A message may have at most {MAX_SAY} characters.")
    await _do(principal, chat_id, "say", text=text, id=message_id)


async def stop(principal: Principal, chat_id: str, turn: str = "") -> None:
    """Stop what is being written.

    Args:
        turn: Id of the text of the person whose answer is meant; when another one is being answered by now, nothing happens.

    Raises:
        RunEnded, CannotStop: there is nothing to stop, or this runtime has no way to.
    """
    await _do(principal, chat_id, "stop", turn=turn)


async def attach(principal: Principal, chat_id: str, line: dict[str, Any]) -> None:
    """Tell in the transcript that a file was put into the chat (F-190); the line comes from :func:`uploads.take`.

    Raises:
        RunEnded: there is no run any more.
    """
    await _do(principal, chat_id, "attach", **line)


async def turn_to(principal: Principal, chat_id: str, mode: str) -> None:
    """Tell the run of a chat that its person went to the assistant (``ask``) or came back to it (``workflow``) (F-173).

    Raises:
        RunEnded: there is no run any more.
    """
    await _do(principal, chat_id, "mode", mode=mode)


async def choose(principal: Principal, chat_id: str, option: str) -> str:
    """What becomes of a run whose connection was lost: ``reconnect``, ``check``, ``restart`` or ``leave``, as an item of kind
    ``choice`` offered it. Returns the id of the chat to show, another one after ``restart``.

    Raises:
        NotFound: not a chat of this person. Invalid: no such choice.
        NotSafe: it is not one of the safe ones now.
        ShellError: whatever forbids a start.
    """
    return await recovery.choose(runs(), principal, await _chat(principal, chat_id), option)


async def _do(principal: Principal, chat_id: str, verb: str, **body: Any) -> None:
    await _process().exchange.perform(principal, chat_id, verb, body)


async def _say(bridge: Bridge, body: Mapping[str, Any]) -> None:
    await bridge.say(body["text"], body["id"])


async def _stop(bridge: Bridge, body: Mapping[str, Any]) -> None:
    await bridge.channel.settled()  # a process that lost the chat stops nothing
    await bridge.stop(body.get("turn", ""))


async def _answer(bridge: Bridge, body: Mapping[str, Any]) -> None:
    await tools.answer(bridge, body["tool"], body["response"])


async def _act(bridge: Bridge, body: Mapping[str, Any]) -> None:
    await bridge.artifacts.act(body["tool"], body["key"], body["row"], body["id"])


async def _rename(bridge: Bridge, body: Mapping[str, Any]) -> None:
    bridge.conversation.set_title(body["title"])
    await bridge.channel.settled()


async def _mode(bridge: Bridge, body: Mapping[str, Any]) -> None:
    await bridge.turn_to(body["mode"])


async def _abandon(bridge: Bridge, _: Mapping[str, Any]) -> None:
    await runs().abandon(bridge.chat.chat_id)


_VERBS: dict[str, Verb] = {
    "say": _say, "stop": _stop, "answer": _answer, "act": _act, "rename": _rename, "abandon": _abandon, "mode": _mode,
    "attach": uploads.attached,
}  # fmt: skip


# -- UI tools ------------------------------------------------------------------------------------------------


async def open_tools(principal: Principal, chat_id: str) -> list[ToolView]:
    """Inline tools that still wait, oldest first, then the newest artifact that was not dismissed."""
    await _chat(principal, chat_id)
    return await tools.tools_of(principal, chat_id)


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
        raise Invalid(tr("The answer is not an object."))
    encoded = json.dumps(checked(response), separators=(",", ":"), sort_keys=True)
    if len(encoded) > MAX_RESPONSE:
        raise TooLarge(tr("This answer is too large."))
    await tool_view(principal, chat_id, tool_id)
    try:
        await _do(principal, chat_id, "answer", tool=tool_id, response=response)
    except RunEnded:
        raise ToolClosed(tr("This run has ended, so nobody waits for the answer.")) from None


async def act(principal: Principal, chat_id: str, tool_id: str, key: str, row: str, action_id: str) -> None:
    """Have the tool behind a button of an artifact called (F-182). What became of it is told in the chat.

    Args:
        key: Names the action within the payload, as :mod:`mozaiks_shell.chat.actions` gave it.
        row: Id of the row it is about; empty for the artifact.
        action_id: Ours, up to 64 letters; repeated, it does nothing.

    Raises:
        NotFound: no such tool in a chat of this person, or it offers no such action.
        RunEnded: there is no run that could carry it out.
        CannotAct: this runtime has no way to.
    """
    await tool_view(principal, chat_id, tool_id)
    await _do(principal, chat_id, "act", tool=tool_id, key=key, row=row, id=clean(action_id, 64))


# -- the list ------------------------------------------------------------------------------------------------


async def list_chats(principal: Principal, limit: int = 50, search: str = "") -> list[ChatSummary]:
    """This person's chats, the last used first.

    Args:
        limit: At most this many, up to 200.
        search: Every word of it occurs in the name, the workflow or the last message; case does not matter.
    """
    query = select(Chat).order_by(col(Chat.updated_at).desc()).limit(max(1, min(limit, 200)))
    for word in clean(search, 200).split()[:8]:
        places = (col(Chat.title), col(Chat.workflow), col(Chat.last_text))
        query = query.where(or_(*(place.icontains(word, autoescape=True) for place in places)))
    async with session(_scope(principal)) as db:
        return [_summary(row) for row in (await db.execute(query)).scalars()]


async def find_chat(principal: Principal, chat_id: str) -> ChatSummary:
    """One chat.

    Raises:
        NotFound: not a chat of this person.
    """
    return _summary(await _chat(principal, chat_id))


async def last_chat(principal: Principal, workflow: str) -> ChatSummary | None:
    """This person's newest chat of a workflow that has not failed; None without one."""
    query = select(Chat).where(col(Chat.workflow) == workflow, col(Chat.status) != "failed")
    async with session(_scope(principal)) as db:
        row = (await db.execute(query.order_by(col(Chat.created_at).desc()).limit(1))).scalars().first()
    return _summary(row) if row is not None else None


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
        raise Invalid(tr("A chat needs a name."))
    chat = await _chat(principal, chat_id)
    try:
        await _do(principal, chat_id, "rename", title=wanted)
    except RunEnded:
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
    await let_go(principal, chat_id)
    async with session(_scope(principal)) as db:
        lease = (col(Lease.name) == lease_of(chat_id), col(Lease.user_id) == principal.user_id)
        await db.execute(delete(Lease).where(*lease))  # whoever still writes to the chat can no more
        files = await uploads.files_of(db, [chat_id])
        rows = (ChatEvent, ChatEvent.chat_id), (ChatTool, ChatTool.chat_id), (ChatFeedback, ChatFeedback.chat_id), (Chat, Chat.id)
        for table, column in rows:
            await db.execute(delete(table).where(col(column) == chat_id, col(table.user_id) == principal.user_id))
    await uploads.remove_files(principal.app_id, files)


async def let_go(principal: Principal, chat_id: str) -> None:
    """Let go of the run of a chat, whichever process holds it; nothing where none does."""
    with contextlib.suppress(RunEnded):
        await _do(principal, chat_id, "abandon")


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
        raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
    return chat


def _summary(chat: Chat) -> ChatSummary:
    at = chat.updated_at if chat.updated_at.tzinfo else chat.updated_at.replace(tzinfo=UTC)
    return ChatSummary(chat.id, chat.workflow, chat.title or label_of(chat.workflow), chat.status, at, chat.last_text)


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)
