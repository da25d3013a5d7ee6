"""The pane's State: which surface, which chat, which tools are open. Messages never pass through here (D4)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypedDict

import reflex as rx
from reflex.event import EventSpec

from mozaiks_shell.appconfig.service import navigation
from mozaiks_shell.chat import service, tool_state
from mozaiks_shell.chat.components.fields import TOOL_FIELD, checked
from mozaiks_shell.chat.components.payload import CANCELLING, ToolItem
from mozaiks_shell.chat.components.wording import humane, text
from mozaiks_shell.chat.standing import NONE, StandingItem, standing
from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.ui.state import ShellState, event

SURFACES: Final = ("closed", "widget", "overlay")
LAYOUTS: Final = ("split", "view", "ask")  # conversation beside artifact; artifact alone; conversation alone (F-009)


class ChatItem(TypedDict):
    """A line of the list of chats; also on the start page. ``when`` is for people; ``last_text`` has no markup."""

    id: str
    title: str
    workflow: str
    status: str
    last_text: str
    when: str


class StarterItem(TypedDict):
    """A workflow that can be started. ``needed`` names the plan that would open a locked one."""

    workflow: str
    title: str
    description: str
    icon: str
    allowed: bool
    needed: str


class Asking(TypedDict):
    """An action that is to be confirmed before it is carried out; with an empty ``tool`` there is none."""

    tool: str
    action: str
    row: str
    label: str
    text: str
    danger: bool


_NOTHING_ASKED: Final = Asking(tool="", action="", row="", label="", text="", danger=False)


class ChatState(ShellState):
    """State of the chat pane.

    ``surface``, ``layout``, ``chat_id`` and ``workflow`` live in the tab's session storage for convenience only;
    the browser may put anything there, ownership is checked in :mod:`mozaiks_shell.chat.service`.
    """

    access: ClassVar[Access | None] = Access.signed_in()

    surface: str = rx.SessionStorage("closed", name="mozaiks.chat.surface")
    layout: str = rx.SessionStorage("split", name="mozaiks.chat.layout")
    chat_id: str = rx.SessionStorage("", name="mozaiks.current_chat_id")
    workflow: str = rx.SessionStorage("", name="mozaiks.current_workflow_name")
    ready: bool = False
    signed_in: bool = False
    opened: bool = False
    unread: bool = False
    fresh: int = 0
    title: str = ""
    menu: bool = False
    doomed: str = ""
    chats: list[ChatItem] = []
    starters: list[StarterItem] = []
    tools: list[ToolItem] = []
    artifact: list[ToolItem] = []
    drawer: bool = True
    answering: str = ""
    asking: Asking = _NOTHING_ASKED
    problem: str = ""
    standing: StandingItem = NONE
    _pressed: dict[str, dict[str, Any]] = {}  # actions of this tab that are under way: tool, what is shown of them, patch
    _sorted: dict[str, tuple[str, bool]] = {}
    _stay_small: bool = False
    _seen_artifact: str = ""
    _wanted_artifact: str = ""
    _left: str = ""

    @event(access=Access.public())
    def enter(self):  # type: ignore[no-untyped-def]
        """The dock appeared in the page, or the server forgot this tab: is anybody signed in, what was open?"""
        self.signed_in = current_principal() is not None
        self.ready = True
        if self.surface not in SURFACES or not self.signed_in:
            self.surface = "closed"
        if self.layout not in LAYOUTS:
            self.layout = "split"
        self.opened = self.surface != "closed"
        self.menu, self.doomed, self.problem, self.answering = False, "", "", ""
        return ChatState.refresh_tools(self.chat_id) if self.opened and self.chat_id else None

    # -- surfaces ----------------------------------------------------------------------------------------

    @event
    async def open_widget(self) -> None:
        """Bubble to widget. The first time in a tab the app's start mode decides what stands in it (F-007)."""
        first = not (self.opened or self.chat_id or self.workflow)
        self.surface, self.opened, self.unread = "widget", True, False
        if first and navigation().startup_mode == "workflow" and (workflow := await _first_workflow(self._me())):
            self.surface, self.layout, self.workflow = "overlay", "split", workflow

    @event
    def expand(self) -> None:
        """Widget to overlay. Who asks for more room wants to see the artifact."""
        self.surface, self.opened, self.unread, self._stay_small = "overlay", True, False, False
        if self.layout == "ask":
            self.layout = "split"

    @event
    def toggle_conversation(self) -> None:
        """The artifact alone, or the conversation beside it."""
        self.layout = "split" if self.layout == "view" else "view"

    @event
    def minimise(self) -> None:
        """One step down: overlay to widget, widget to bubble."""
        self._stay_small = bool(self.artifact)
        self.surface = "widget" if self.surface == "overlay" else "closed"
        self.menu = False

    @event
    def close(self) -> None:
        """To the bubble. The conversation goes on; the bubble tells of news."""
        self.surface, self.menu = "closed", False

    @event
    def escape(self) -> None:
        """The Escape key: the innermost open thing closes."""
        if self.menu:
            self.menu = False
        else:
            self._stay_small = bool(self.artifact)
            self.surface = "widget" if self.surface == "overlay" else "closed"

    @event
    def notice(self) -> None:
        """The stream received a message while only the bubble was there."""
        self.unread = self.surface == "closed"

    # -- which chat --------------------------------------------------------------------------------------

    @event
    def entered(self, chat_id: str, workflow: str, title: str) -> None:
        """The stream is attached to this chat. Late word of a chat that was left meanwhile is ignored."""
        if chat_id and chat_id == self._left:
            return
        if chat_id != self.chat_id:
            _forget(self)
        self._left = ""
        self.chat_id, self.workflow = text(chat_id, 80), text(workflow, 120)
        self.title, self.fresh = text(title, 200), 0

    @event
    def new_chat(self, workflow: str = "") -> None:
        """Begin a new chat of this workflow (empty: the default one) and show it."""
        _forget(self)
        self._left = self.chat_id or self._left
        self.workflow, self.chat_id, self.layout, self.fresh = text(workflow, 120), "", "split", self.fresh + 1
        self.title, self.menu, self.opened, self.unread = "", False, True, False
        if self.surface == "closed":
            self.surface = "widget"

    @event
    def pick_chat(self, chat_id: str) -> None:
        """Show another chat."""
        picked = next((one for one in self.chats if one["id"] == chat_id), None)
        self.menu = False
        if picked is not None and chat_id != self.chat_id:
            _forget(self)
            self._left = self.chat_id
            self.chat_id, self.workflow, self.title = picked["id"], picked["workflow"], picked["title"]
            self.layout = "split"

    @event
    async def toggle_menu(self) -> None:
        """Show or hide the list of chats and of workflows to start."""
        self.menu, self.doomed, self.problem = not self.menu, "", ""
        if self.menu:
            self.chats = [chat_item(one) for one in await service.list_chats(self._me(), limit=50)]
            self.starters = [
                StarterItem(
                    workflow=one.workflow,
                    title=one.title or humane(one.workflow),
                    description=text(one.description, 300),
                    icon=one.icon,
                    allowed=one.allowed,
                    needed=one.needed,
                )  # fmt: skip
                for one in await service.launchable(self._me())
            ]

    @event
    async def rename(self, form: dict[str, Any]) -> None:
        """Give the current chat another name."""
        title = text(form.get("title"), 120).strip() if isinstance(form, Mapping) else ""
        if title and self.chat_id and await _tried(self, service.rename_chat(self._me(), self.chat_id, title)):
            self.title = title
            self.chats = [{**one, "title": title} if one["id"] == self.chat_id else one for one in self.chats]

    @event
    def doom(self, chat_id: str) -> None:
        """Ask before a chat is deleted; an empty id takes the question back."""
        self.doomed = text(chat_id, 80)

    @event
    async def delete(self) -> None:
        """Delete the chat that was asked about."""
        chat_id, self.doomed = self.doomed, ""
        if chat_id and await _tried(self, service.delete_chat(self._me(), chat_id)):
            self.chats = [one for one in self.chats if one["id"] != chat_id]
            if chat_id == self.chat_id:
                _forget(self)
                self._left = chat_id
                self.chat_id, self.title, self.fresh = "", "", self.fresh + 1

    # -- tools and artifacts -----------------------------------------------------------------------------

    @event
    async def refresh_tools(self, chat_id: str, arrived: bool = False) -> None:
        """The stream told of tools that came or went: read the open ones anew.

        Args:
            chat_id: The chat the stream is attached to; another one is ignored.
            arrived: A tool came just now (not: was there when the chat was opened).
        """
        if not chat_id or chat_id != self.chat_id:
            return
        try:
            views = await service.open_tools(self._me(), chat_id)
            if self._wanted_artifact:
                views.append(await service.tool_view(self._me(), chat_id, self._wanted_artifact))
        except ShellError:
            _forget(self)
            return
        items = [tool_state.item_of(self, view) for view in views]
        self.tools = [item for item in items if item["display"] == "inline"]
        self.artifact = [item for item in items if item["display"] != "inline"][-1:]
        self.answering = ""
        newest = self.artifact[0]["id"] if self.artifact else ""
        if newest and newest != self._seen_artifact:
            self.drawer = True
            if arrived is True and self.surface == "widget" and self.layout != "ask" and not self._stay_small:
                self.surface = "overlay"
        self._seen_artifact = newest or self._seen_artifact
        if arrived is True:
            self._wanted_artifact = ""

    @event
    async def answer_tool(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """A form was submitted. Its hidden field says which tool it answers."""
        item = tool_state.find(self, form.get(TOOL_FIELD) if isinstance(form, Mapping) else None)
        if item is None or self.answering or not item["open"]:
            return
        values, wrong = checked([field for block in (item, *item["parts"]) for field in block["fields"]], form)
        tool_state.mark_fields(self, item, wrong)
        if wrong:
            return
        action = next((one["id"] for one in item["actions"] if one["primary"] and not one["tool"]), "submit")
        self.answering = item["id"]
        yield
        await tool_state.answer(self, item["id"], {"status": "success", "action": action, "data": values})

    @event
    async def press(self, tool_id: str, action: str, row: str = ""):  # type: ignore[no-untyped-def]
        """A button that has a tool called: at once, or when the person has confirmed it (F-182)."""
        item = tool_state.find(self, tool_id)
        if item is None:
            return
        action, row = text(action, 40), text(row, 200)
        try:
            meant = await service.action_meant(self._me(), self.chat_id, item["id"], action, row)
        except ShellError as error:
            tool_state.set_error(self, item["id"], error.message)
            return
        if meant.action.confirm:
            said, danger = meant.action.confirm, meant.action.style == "danger"
            self.asking = Asking(
                tool=item["id"], action=action, row=row, label=meant.action.label, text=said, danger=danger
            )  # fmt: skip
            return
        number = await tool_state.show_at_once(self, item["id"], action, row)
        yield
        await tool_state.carry_out(self, number)

    @event
    async def confirm_action(self):  # type: ignore[no-untyped-def]
        """The person confirmed what was asked about."""
        asked, self.asking = self.asking, _NOTHING_ASKED
        if tool_state.find(self, asked["tool"]) is None:
            return
        number = await tool_state.show_at_once(self, asked["tool"], asked["action"], asked["row"])
        yield
        await tool_state.carry_out(self, number)

    @event
    def forget_action(self) -> None:
        """The person thought better of it."""
        self.asking = _NOTHING_ASKED

    @event
    async def choose(self, tool_id: str, action: str):  # type: ignore[no-untyped-def]
        """A button of a tool was pressed. ``cancel``, ``dismiss`` and the like end it without a result."""
        item = tool_state.find(self, tool_id)
        offered = [one for block in (item, *item["parts"]) for one in block["actions"]] if item else []
        known = {one["id"] for one in offered if not one["tool"]}
        if item is None or self.answering or action not in {*known, "accept", "cancel", "dismiss"}:
            return
        self.answering = item["id"]
        yield
        status = "cancelled" if action.casefold() in CANCELLING else "success"
        await tool_state.answer(self, item["id"], {"status": status, "action": action, "data": {}})

    @event
    async def dismiss(self, tool_id: str) -> None:
        """Put a tool away. An answered artifact simply goes; an open one is answered with ``dismiss``."""
        item = tool_state.find(self, tool_id)
        if item is None:
            return
        if item["open"]:
            await tool_state.answer(self, item["id"], {"status": "cancelled", "action": "dismiss", "data": {}})
        else:
            self.artifact = []
            self._wanted_artifact = ""

    @event
    async def stands(self, chat_id: str, workflow: str, code: str, reason: str) -> None:
        """The stream told that the chat does not go on, or could not be opened; an empty code: it does (F-194)."""
        chat_id, workflow, code = text(chat_id, 80), text(workflow, 120), text(code, 60)
        if chat_id and chat_id != self.chat_id and chat_id == self._left:
            return
        self.standing = await standing(self._me(), chat_id, workflow or self.workflow, code, reason) if code else NONE

    @event
    def toggle_drawer(self) -> None:
        """Small screens: the artifact up or down."""
        self.drawer = not self.drawer

    @event
    def sort(self, tool_id: str, key: str) -> None:
        """Order the artifact's table by a column; again for the other direction."""
        item = tool_state.find(self, tool_id)
        if item is None or key not in {one["key"] for one in item["columns"]}:
            return
        before, down = self._sorted.get(item["id"], ("", False))
        self._sorted[item["id"]] = (key, before == key and not down)
        tool_state.replace(self, tool_state.in_order(self, item))


def chat_item(summary: service.ChatSummary, when: str = "") -> ChatItem:
    """A chat as the lists show it."""
    return ChatItem(
        id=summary.id,
        title=text(summary.title, 120) or humane(summary.workflow),
        workflow=summary.workflow,
        status=text(summary.status, 20),
        last_text=text(summary.last_text, 200),
        when=when,
    )


def show_chat(
    state: ChatState, chat: service.ChatSummary, *, surface: str = "overlay", layout: str = "split", artifact: str = ""
) -> EventSpec:
    """Open the pane on a chat that is known to be this person's, from a handler of another State; yield the result.

    Args:
        state: The tab's, from ``await self.get_state(ChatState)``.
        surface: ``widget`` or ``overlay``.
        layout: One of :data:`LAYOUTS`.
        artifact: Id of an artifact of this chat to show instead of the newest.
    """
    if chat.id != state.chat_id:
        _forget(state)
        state._left = state.chat_id
    state.chat_id, state.workflow, state.title, state.fresh = chat.id, chat.workflow, text(chat.title, 200), 0
    state.surface, state.layout, state._wanted_artifact = surface, layout, artifact
    state.opened, state.menu, state.unread, state.drawer = True, False, False, True
    return ChatState.refresh_tools(chat.id)


async def _first_workflow(principal: Principal) -> str:
    """The first workflow in the operator's order, besides the assistant, that this person may start; empty without one."""
    assistant = get_settings().assistant_workflow
    offered = await service.launchable(principal)
    return next((one.workflow for one in offered if one.allowed and one.workflow != assistant), "")


def _forget(state: ChatState) -> None:
    """Empty what belongs to one chat."""
    state.tools, state.artifact, state.answering, state.problem, state.standing = [], [], "", "", NONE
    state.asking, state._pressed, state._sorted = _NOTHING_ASKED, {}, {}
    state._seen_artifact, state._wanted_artifact, state._stay_small = "", "", False


async def _tried(state: ChatState, call: Any) -> bool:
    try:
        await call
    except ShellError as error:
        state.problem = error.message
        return False
    state.problem = ""
    return True


__all__ = ["ChatItem", "ChatState", "StarterItem", "chat_item", "show_chat"]
