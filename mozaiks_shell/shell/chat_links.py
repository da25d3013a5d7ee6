"""Deep links into conversations, and the page of one's chats behind them (F-011).

``/chat?chat_id=…`` opens that chat, ``/chat/{workflow}`` and ``/chat?workflow=…`` the newest one of that workflow (or a new
one), ``/artifacts/{id}`` an artifact on its own. What is not this person's is not there, whoever's it is.
"""

from typing import Any, ClassVar, Final, TypedDict
from urllib.parse import parse_qs, unquote

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatState, forget_chat, show_chat
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound, PlanNeeded, ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.state import notify
from mozaiks_shell.ui.kit.icons import known
from mozaiks_shell.ui.state import ShellState, event

MOST: Final = 100


class ChatRow(TypedDict):
    """A chat in the list. ``when`` is ISO 8601; ``workflow`` its name for people; ``status`` empty when it is over."""

    id: str
    title: str
    workflow: str
    icon: str
    text: str
    status: str
    when: str


class Missing(TypedDict):
    """What a link led to: ``kind`` empty (it is there), ``chat``, ``workflow``, ``plan`` (``needed`` opens it), ``artifact``."""

    kind: str
    title: str
    needed: str


NOTHING_MISSING: Final = Missing(kind="", title="", needed="")


class Chats(ShellState):
    """The page of one's chats."""

    access: ClassVar[Access | None] = Access.signed_in()

    on: bool = True
    loaded: bool = False
    search: str = ""
    rows: list[ChatRow] = []
    more: bool = False
    missing: Missing = NOTHING_MISSING
    editing: str = ""
    doomed: str = ""
    problem: str = ""

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """The page was opened: read the list, follow the link."""
        self.on, self.missing, self.editing, self.doomed, self.problem = get_settings().ai_enabled, NOTHING_MISSING, "", "", ""
        if not self.on:
            self.loaded = True
            return
        await _list(self)
        self.loaded = True
        chat_id, workflow = _wanted(self.router.url.path, self.router.url.query)
        if chat_id:
            try:
                chat = await chats.find_chat(self._me(), chat_id)
            except NotFound:
                await _lacking(self, "chat")
                return
            yield show_chat(await self.get_state(ChatState), chat)
        elif workflow:
            async for one in _of_workflow(self, workflow):
                yield one

    @event
    async def find(self, text: str) -> None:
        """Something was typed into the search field."""
        self.search = text[:100] if isinstance(text, str) else ""
        await _list(self)

    @event
    async def open(self, chat_id: str):  # type: ignore[no-untyped-def]
        """Show a chat over the page."""
        try:
            chat = await chats.find_chat(self._me(), chat_id if isinstance(chat_id, str) else "")
        except ShellError:
            yield notify(tr("This chat is not there any more."), "warning")
            await _list(self)
            return
        self.missing = NOTHING_MISSING
        yield show_chat(await self.get_state(ChatState), chat)

    @event
    def edit(self, chat_id: str) -> None:
        """Rename a chat; an empty id takes that back."""
        self.editing, self.doomed, self.problem = chat_id if isinstance(chat_id, str) else "", "", ""

    @event
    async def rename(self, form: dict[str, Any]) -> None:
        """The new name of the chat being renamed."""
        title = form.get("title") if isinstance(form, dict) else None
        try:
            await chats.rename_chat(self._me(), self.editing, title if isinstance(title, str) else "")
        except ShellError as problem:
            self.problem = problem.message
            return
        renamed, self.editing, self.problem = self.editing, "", ""
        await _list(self)
        pane = await self.get_state(ChatState)
        if pane.chat_id == renamed:
            pane.title = next((row["title"] for row in self.rows if row["id"] == renamed), pane.title)

    @event
    def doom(self, chat_id: str) -> None:
        """Ask before a chat is deleted; an empty id takes the question back."""
        self.doomed, self.editing, self.problem = chat_id if isinstance(chat_id, str) else "", "", ""

    @event
    async def delete(self):  # type: ignore[no-untyped-def]
        """Delete the chat that was asked about."""
        pane = await self.get_state(ChatState)
        doomed, self.doomed = self.doomed, ""
        try:
            await chats.delete_chat(self._me(), doomed)
        except NotFound:
            pass  # gone already: that is what was wanted
        except ShellError as problem:
            yield notify(problem.message, "warning")
            return
        await _list(self)
        yield notify(tr("The chat was deleted."), "success")
        if pane.chat_id == doomed:
            forget_chat(pane)


class ArtifactLink(ShellState):
    """The page of one artifact."""

    access: ClassVar[Access | None] = Access.signed_in()

    loaded: bool = False
    title: str = ""
    chat_id: str = ""
    chat_title: str = ""
    missing: Missing = NOTHING_MISSING

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """The page was opened: show its artifact over it."""
        self.title, self.chat_id, self.chat_title, self.missing, self.loaded = "", "", "", NOTHING_MISSING, True
        artifact_id = _segment(self.router.url.path)
        try:
            tool = await chats.find_artifact(self._me(), artifact_id)
            chat = await chats.find_chat(self._me(), tool.chat_id)
        except NotFound:
            await _lacking(self, "artifact")
            return
        self.title, self.chat_id, self.chat_title = tool.title or chat.title, chat.id, chat.title
        yield show_chat(await self.get_state(ChatState), chat, layout="view", artifact=tool.id)

    @event
    async def conversation(self):  # type: ignore[no-untyped-def]
        """Show the chat beside its artifact."""
        try:
            tool = await chats.find_artifact(self._me(), _segment(self.router.url.path))
            chat = await chats.find_chat(self._me(), tool.chat_id)
        except NotFound:
            await _lacking(self, "artifact")
            return
        yield show_chat(await self.get_state(ChatState), chat, layout="split", artifact=tool.id)


def _segment(path: str) -> str:
    """What stands behind ``/chat/`` or ``/artifacts/``; empty without anything."""
    parts = path.strip("/").split("/", 1)
    return unquote(parts[1])[:128] if len(parts) > 1 else ""


def _wanted(path: str, query: str) -> tuple[str, str]:
    """Chat id and workflow that an address names, by any of their spellings (F-320)."""
    said = parse_qs(query, max_num_fields=50)

    def value(*names: str) -> str:
        return next((said[name][0][:128] for name in names if name in said), "")

    return value("chat_id", "chatId"), _segment(path) or value("workflow", "workflow_name", "workflowName")


async def _lacking(state: Chats | ArtifactLink, kind: str, title: str = "", needed: str = "") -> None:
    """Say what a link did not lead to; an open chat goes down, so that it can be read."""
    state.missing = Missing(kind=kind, title=title, needed=needed)
    pane = await state.get_state(ChatState)
    if pane.surface in {"overlay", "page"}:
        pane.surface = "closed"


async def _of_workflow(state: Chats, workflow: str):  # type: ignore[no-untyped-def]
    """Open this person's newest chat of a workflow; without one, a new chat if they may start it."""
    pane = await state.get_state(ChatState)
    if (last := await chats.last_chat(state._me(), workflow)) is not None:
        yield show_chat(pane, last)
        return
    try:
        await broker.authorize_launch(state._me(), workflow)
    except PlanNeeded as problem:
        title = next((one.title for one in await chats.launchable(state._me()) if one.workflow == workflow), workflow)
        await _lacking(state, "plan", title, str(problem.details.get("needed", "")))
        return
    except ShellError:
        await _lacking(state, "workflow")
        return
    yield ChatState.new_chat(workflow)
    yield ChatState.expand()


async def _list(state: Chats) -> None:
    found = await chats.list_chats(state._me(), limit=MOST + 1, search=state.search)
    names = {one.workflow_id: (one.display_name, known(one.icon or "message-circle")) for one in broker.capabilities()}
    state.rows = [_row(one, *names.get(one.workflow, ("", "message-circle"))) for one in found[:MOST]]
    state.more = len(found) > MOST


def _row(chat: chats.ChatSummary, workflow: str, icon: str) -> ChatRow:
    told = chat.status if chat.status in {"running", "waiting", "failed", "interrupted", "stopped"} else ""
    return ChatRow(
        id=chat.id, title=chat.title, workflow=workflow if workflow != chat.title else "", icon=icon, text=chat.last_text,
        status=told, when=chat.updated_at.isoformat(),
    )  # fmt: skip
