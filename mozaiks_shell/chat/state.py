"""The pane's State: which surface, which chat, which tools are open. Messages never pass through here (D4)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, TypedDict

import reflex as rx
from reflex.event import EventSpec

from mozaiks_shell.appconfig.service import NO_LOOK, ChatLook, chat_look, navigation
from mozaiks_shell.chat import search, service, surfaces, threads, tool_state
from mozaiks_shell.chat.components.fields import TOOL_FIELD, checked
from mozaiks_shell.chat.components.payload import CANCELLING, ToolItem
from mozaiks_shell.chat.components.wording import humane, text
from mozaiks_shell.chat.standing import NONE, StandingItem, standing
from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.ui.state import ShellState, event

LISTED: Final = 50  # chats of one page of the history
_OF_CHATS: Final = re.compile(r"/(chat|artifacts)(/|$)")  # pages that are about chats themselves have no widget (F-172)


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
    mode: str = rx.SessionStorage("ask", name="mozaiks.conversation_mode")
    layout: str = rx.SessionStorage("full", name="mozaiks.chat.layout")
    before: str = rx.SessionStorage("split", name="mozaiks.chat.layout_before")
    place: str = rx.SessionStorage("hidden", name="mozaiks.chat.drawer")
    chat_id: str = rx.SessionStorage("", name="mozaiks.current_chat_id")
    workflow: str = rx.SessionStorage("", name="mozaiks.current_workflow_name")
    ask_chat: str = rx.SessionStorage("", name="mozaiks.chat.ask")
    work_chat: str = rx.SessionStorage("", name="mozaiks.chat.workflow")
    ready: bool = False
    signed_in: bool = False
    opened: bool = False
    asked_for: int = 0
    unread: int = 0
    fresh: int = 0
    title: str = ""
    look: ChatLook = NO_LOOK
    menu: bool = False
    sought: str = ""
    following: str = ""
    handled: str = ""
    handling: str = ""
    chats: list[ChatItem] = []
    starters: list[StarterItem] = []
    tools: list[ToolItem] = []
    artifact: list[ToolItem] = []
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
        principal = current_principal()
        self.signed_in = principal is not None
        self.ready = True
        _put(self, surfaces.restored(_view(self)))
        if principal is None:
            self.surface = "closed"
        self.look = chat_look(principal.app_id if principal else "")
        self.opened = self.surface != "closed"
        self.menu, self.handled, self.problem, self.answering = False, "", "", ""
        return ChatState.refresh_tools(self.chat_id) if self.opened and self.chat_id else None

    # -- surfaces ----------------------------------------------------------------------------------------

    @event
    async def open_widget(self) -> None:
        """Bubble to widget. The first time in a tab the app's start mode decides what stands in it (F-007)."""
        first = not (self.opened or self.chat_id or self.workflow)
        _show(self, surfaces.opened(_view(self), widget=_widget_here(self)))
        if first and navigation().startup_mode == "workflow" and (workflow := await threads.first_workflow(self._me())):
            self.workflow = workflow
            _show(self, surfaces.working(surfaces.expanded(_view(self))))

    @event
    def expand(self) -> None:
        """Widget to overlay."""
        _show(self, surfaces.expanded(_view(self)))

    @event
    def fill(self) -> None:
        """Overlay to the whole window, and back."""
        view = _view(self)
        _show(self, surfaces.shrunk(view) if view.surface == "page" else surfaces.filled(view))

    @event
    def minimise(self) -> None:
        """One step down: window to overlay, overlay to widget, widget to bubble."""
        self.menu = False
        _put(self, surfaces.shrunk(_view(self), widget=_widget_here(self)))

    @event
    def close(self) -> None:
        """To the bubble. The conversation goes on; the bubble tells of news."""
        self.menu = False
        _put(self, surfaces.closed(_view(self)))

    @event
    def escape(self) -> None:
        """The Escape key: the innermost open thing closes."""
        if self.menu:
            self.menu = False
        else:
            _put(self, surfaces.shrunk(_view(self), widget=_widget_here(self)))

    @event
    def notice(self) -> None:
        """The stream received a message while only the bubble was there."""
        self.unread = self.unread + 1 if self.surface == "closed" else 0

    @event
    def show_artifact(self) -> None:
        """The person wants to see what lies beside the conversation, from wherever they are."""
        _show(self, surfaces.shown(_view(self)))
        _keep(self)

    @event
    def lay(self, layout: str) -> None:
        """Another layout of conversation and artifact."""
        _put(self, surfaces.laid(_view(self), layout))

    @event
    def toggle_conversation(self) -> None:
        """The artifact alone, or the conversation beside it."""
        view = _view(self)
        _put(self, surfaces.laid(view, view.before if view.layout == "view" else "view"))

    @event
    def slide(self, place: str) -> None:
        """Small screens: where the artifact's drawer is."""
        _put(self, surfaces.drawn(_view(self), place))

    # -- for the page around it (F-176) --------------------------------------------------------------------

    @event
    async def host_open(self, mode: str = "", chat_id: str = "", workflow_name: str = "") -> None:
        """``window.mozaiksChat.open`` and ``sdk.chat.open``: a chat, a workflow's newest open one, or a mode."""
        self.asked_for += 1
        me, wanted = self._me(), mode if mode in surfaces.MODES else ""
        workflow = text(workflow_name, 120)
        found = (
            await threads.find(me, text(chat_id, 80)) if chat_id else await threads.running(me, workflow) if workflow else None
        )
        if chat_id and found is None:
            _show(self, surfaces.opened(_view(self), widget=_widget_here(self)))
            await _fill_menu(self)
            self.menu, self.problem = True, tr("This chat is not here. It may have been deleted.")
            return
        if found is not None or workflow:
            _turn(self, found, workflow, wanted)
        elif wanted:
            await _switch(self, wanted)
        large = self.mode == "workflow" or not _widget_here(self)
        _show(self, surfaces.expanded(_view(self)) if large else surfaces.opened(_view(self)))

    @event
    def host_close(self) -> None:
        """``window.mozaiksChat.close`` and ``sdk.chat.close``."""
        self.menu = False
        _put(self, surfaces.closed(_view(self)))

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
        _keep(self)

    @event
    def new_chat(self, workflow: str = "") -> None:
        """Begin a new chat of this workflow (empty: the default one) and show it."""
        _turn(self, None, text(workflow, 120))
        _show(self, surfaces.opened(_view(self), widget=_widget_here(self)))

    @event
    async def switch_mode(self, mode: str):  # type: ignore[no-untyped-def]
        """Ask or workflow; each keeps its own chat (F-173)."""
        if mode in surfaces.MODES and mode != self.mode:
            left = self.chat_id
            await _switch(self, mode)
            if self.mode == mode:
                return ChatState.tell_mode(left if mode == "ask" else self.chat_id, mode)
        return None

    @event(background=True)
    async def tell_mode(self, chat_id: str, mode: str) -> None:
        """Let the run of a workflow know that its person turned to the assistant, or back."""
        if mode in surfaces.MODES and chat_id:
            await threads.tell_mode(self._me(), text(chat_id, 80), mode)

    @event
    def pick_chat(self, chat_id: str) -> None:
        """Show another chat."""
        picked = next((one for one in self.chats if one["id"] == chat_id), None)
        self.menu = False
        if picked is not None and chat_id != self.chat_id:
            _turn(self, threads.Thread(picked["id"], picked["workflow"], picked["title"]))

    # -- the history -------------------------------------------------------------------------------------

    @event
    async def toggle_menu(self) -> None:
        """Show or hide the list of chats and of workflows to start."""
        self.menu, self.handled, self.handling, self.problem, self.sought = not self.menu, "", "", "", ""
        if self.menu:
            await _fill_menu(self)

    @event
    async def seek(self, words: str) -> None:
        """Find chats by words in their names and in what was said in them."""
        self.sought, self.handled = text(words, 200), ""
        await _tried(self, _list(self))

    @event
    async def older(self) -> None:
        """The next page of the list."""
        if self.following:
            await _tried(self, _list(self, self.following))

    @event
    def handle(self, chat_id: str, how: str = "tools") -> None:
        """What may be done with a line of the list: ``tools`` offers it, ``rename`` and ``delete`` ask; an empty id ends it."""
        again = chat_id == self.handled and how == "tools" == self.handling
        self.handled = "" if again else text(chat_id, 80)
        self.handling = how if self.handled and how in {"tools", "rename", "delete"} else ""

    @event
    async def rename(self, form: dict[str, Any]) -> None:
        """Give the chat that is being renamed another name."""
        title = text(form.get("title"), 120).strip() if isinstance(form, Mapping) else ""
        chat_id = self.handled if self.handling == "rename" else ""
        if title and chat_id and await _tried(self, service.rename_chat(self._me(), chat_id, title)):
            self.handled = self.handling = ""
            self.title = title if chat_id == self.chat_id else self.title
            self.chats = [{**one, "title": title} if one["id"] == chat_id else one for one in self.chats]

    @event
    async def delete(self) -> None:
        """Delete the chat that was asked about."""
        chat_id = self.handled if self.handling == "delete" else ""
        self.handled = self.handling = ""
        if chat_id and await _tried(self, service.delete_chat(self._me(), chat_id)):
            self.chats = [one for one in self.chats if one["id"] != chat_id]
            self.ask_chat = "" if self.ask_chat == chat_id else self.ask_chat
            self.work_chat = "" if self.work_chat == chat_id else self.work_chat
            if chat_id == self.chat_id:
                menu = self.menu
                _turn(self, None, "" if self.mode == "ask" else self.workflow)
                self.menu = menu

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
        if newest and newest != self._seen_artifact and arrived is True:
            alone = next(view.display for view in views if view.id == newest) == "view"
            _put(self, surfaces.arrived(_view(self), alone=alone))
            _keep(self)
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
    state: ChatState,
    chat: service.ChatSummary,
    *,
    surface: str = "overlay",
    layout: str = "split",
    mode: str = "",
    artifact: str = "",
) -> EventSpec:
    """Open the pane on a chat that is known to be this person's, from a handler of another State; yield the result.

    Args:
        state: The tab's, from ``await self.get_state(ChatState)``.
        surface: ``widget`` or ``overlay``; a widget only where there is one.
        layout: What a workflow is shown in: ``full``, ``split``, ``minimized`` or ``view``.
        mode: ``ask`` or ``workflow``; default: by the chat's workflow.
        artifact: Id of an artifact of this chat to show instead of the newest.
    """
    _turn(state, threads.Thread(chat.id, chat.workflow, text(chat.title, 200)), mode=mode or ("workflow" if artifact else ""))
    state._wanted_artifact = artifact
    view = surfaces.laid(_view(state), layout)
    if surface == "widget" and _widget_here(state):
        _show(state, replace(view, surface="widget"))
    else:
        _show(state, surfaces.expanded(replace(view, surface="overlay")))
    return ChatState.refresh_tools(chat.id)


def forget_chat(state: ChatState) -> None:
    """The chat that is shown was deleted elsewhere: nothing is shown any more."""
    state.ask_chat = "" if state.ask_chat == state.chat_id else state.ask_chat
    state.work_chat = "" if state.work_chat == state.chat_id else state.work_chat
    state.chat_id, state.title, state.workflow, state.surface = "", "", "", "closed"
    state.opened = False


# -- helpers of the handlers above -------------------------------------------------------------------------------------------


def _view(state: ChatState) -> surfaces.View:
    return surfaces.View(state.surface, state.mode, state.layout, state.before, state.place, state._stay_small)


def _put(state: ChatState, view: surfaces.View) -> None:
    state.surface, state.mode, state.layout = view.surface, view.mode, view.layout
    state.before, state.place, state._stay_small = view.before, view.drawer, view.small


def _show(state: ChatState, view: surfaces.View) -> None:
    """The same, of a pane that is to be seen."""
    _put(state, view)
    state.opened, state.unread = True, 0


def _widget_here(state: ChatState) -> bool:
    return _OF_CHATS.match(state.router.url.path) is None


def _keep(state: ChatState) -> None:
    """Each mode remembers the chat it shows."""
    if state.mode == "ask":
        state.ask_chat = state.chat_id
    else:
        state.work_chat = state.chat_id


def _turn(state: ChatState, thread: threads.Thread | None, workflow: str = "", mode: str = "") -> None:
    """Show this chat, or a new one of a workflow, in the mode that is asked for or that suits it."""
    here = thread.workflow if thread is not None else workflow
    if thread is None or thread.id != state.chat_id:
        _forget(state)
        state._left = state.chat_id or state._left
    if not mode:
        asks = threads.assists(here) or (thread is not None and thread.id == state.ask_chat)
        mode = "ask" if asks else "workflow"
    view = _view(state)
    _put(state, surfaces.asking(view) if mode == "ask" else surfaces.working(view))
    state.menu, state.workflow = False, here
    if thread is None:
        state.chat_id, state.title, state.fresh = "", "", state.fresh + 1
    else:
        state.chat_id, state.title, state.fresh = thread.id, thread.title, 0
        _keep(state)


async def _switch(state: ChatState, mode: str) -> None:
    """The other mode with its own chat. Without a workflow to go back to the list offers some to start."""
    me = state._me()
    thread = await threads.of_mode(me, mode, state.ask_chat if mode == "ask" else state.work_chat)
    if thread is not None or mode == "ask":
        _turn(state, thread, mode=mode)
        return
    await _fill_menu(state)
    state.menu = True


async def _fill_menu(state: ChatState) -> None:
    me = state._me()
    state.sought, state.handled, state.handling = "", "", ""
    await _list(state)
    state.starters = [
        StarterItem(
            workflow=one.workflow,
            title=one.title or humane(one.workflow),
            description=text(one.description, 300),
            icon=one.icon,
            allowed=one.allowed,
            needed=one.needed,
        )  # fmt: skip
        for one in await service.launchable(me)
    ]


async def _list(state: ChatState, cursor: str = "") -> None:
    page = await search.history(state._me(), limit=LISTED, search=state.sought, cursor=cursor)
    items = [
        chat_item(one, one.updated_at.isoformat()) | ({"last_text": one.snippet} if one.snippet else {}) for one in page.chats
    ]
    state.chats, state.following = [*(state.chats if cursor else []), *items], page.cursor


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


__all__ = ["ChatItem", "ChatState", "StarterItem", "chat_item", "forget_chat", "show_chat"]
