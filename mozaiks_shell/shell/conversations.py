"""The start page's chats: the last ones of this person, and the agents they can start."""

from datetime import UTC, datetime
from typing import Any, ClassVar, TypedDict

import reflex as rx

from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatItem, ChatState, chat_item
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.ui.kit import button, card, empty_state, icon
from mozaiks_shell.ui.state import ShellState, event

_RECENT = 5
_AGENTS = 6


class Agent(TypedDict):
    """A workflow this person may start."""

    workflow: str
    title: str
    text: str
    icon: str


def ago(moment: datetime, at: datetime) -> str:
    """How long before ``at``, in the fewest words."""
    minutes = int((at - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    if minutes < 14 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{moment:%-d %b %Y}"


class Conversations(ShellState):
    """What of the chat stands on the start page."""

    access: ClassVar[Access | None] = Access.signed_in()

    on: bool = True
    loaded: bool = False
    recent: list[ChatItem] = []
    agents: list[Agent] = []

    @event
    async def enter(self) -> None:
        """Gather it anew."""
        self.on = get_settings().ai_enabled
        if not self.on:
            self.loaded = True
            return
        at = now()
        self.recent = [chat_item(one, ago(one.updated_at, at)) for one in await chats.list_chats(self._me(), limit=_RECENT)]
        try:
            offered = [one for one in await chats.launchable(self._me()) if one.allowed]
        except ShellError:  # no runtime to ask: there is nothing to start, and the chat itself says why
            offered = []
        self.agents = [
            Agent(workflow=one.workflow, title=one.title or one.workflow, text=one.description[:200], icon=one.icon)
            for one in offered[:_AGENTS]
        ]
        self.loaded = True

    @event
    async def resume(self, chat_id: str):  # type: ignore[no-untyped-def]
        """Open one of the chats shown."""
        if not any(one["id"] == chat_id for one in self.recent):
            return
        pane = await self.get_state(ChatState)
        pane.chats = list(self.recent)
        yield ChatState.pick_chat(chat_id)
        yield ChatState.open_widget()


def conversations() -> rx.Component:
    """Recent chats, then agents."""
    return rx.cond(Conversations.on, rx.fragment(_recent(), _agents()), rx.fragment())


def _recent() -> rx.Component:
    recent: Any = Conversations.recent
    nothing = empty_state(
        "message-circle",
        "No chats yet",
        "Ask the assistant anything about this app. Your chats are kept here.",
        button("Start a chat", on_click=ChatState.new_chat("")),
    )
    rows = rx.el.ul(rx.foreach(recent, _chat), class_name="mz-list")
    return rx.el.section(
        rx.el.h2("Recent chats", class_name="mz-section-title"),
        card(rx.cond(recent.length() == 0, nothing, rows), class_name="mz-card-flush"),
        aria_label="Recent chats",
    )


def _chat(one: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(one["title"], class_name="mz-list-title mz-truncate"),
        rx.el.span(one["last_text"], class_name="mz-list-text mz-truncate"),
        class_name="mz-list-words",
    )
    when = rx.el.span(one["when"], class_name="mz-muted mz-small")
    return rx.el.li(rx.el.button(words, when, type="button", on_click=Conversations.resume(one["id"]), class_name="mz-list-row"))


def _agents() -> rx.Component:
    agents: Any = Conversations.agents
    tiles = rx.el.section(
        rx.el.h2("Agents", class_name="mz-section-title"),
        rx.el.ul(rx.foreach(agents, _agent), class_name="mz-grid mz-tiles"),
        aria_label="Agents",
    )
    return rx.cond(agents.length() > 0, tiles, rx.fragment())


def _agent(agent: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(agent["title"], class_name="mz-tile-title mz-truncate"),
        rx.el.span(agent["text"], class_name="mz-tile-text"),
        class_name="mz-tile-words",
    )
    sign = rx.el.span(icon(agent["icon"], 18), class_name="mz-tile-icon")
    start = ChatState.new_chat(agent["workflow"])
    return rx.el.li(rx.el.button(sign, words, type="button", on_click=start, class_name="mz-tile"))
