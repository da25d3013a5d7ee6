"""The start page's chats: the last ones of this person, and the agents they can start, or could with another plan (F-146)."""

from typing import Any, ClassVar, Final, TypedDict

import reflex as rx

from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatItem, ChatState, chat_item, show_chat
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import button, card, dialog, empty_state, icon, link_button
from mozaiks_shell.ui.state import ShellState, event

_RECENT = 5
_AGENTS = 6


class Agent(TypedDict):
    """A workflow this person may start; ``needed`` names the plan that would open one they may not."""

    workflow: str
    title: str
    text: str
    icon: str
    needed: str


async def recent_chats(principal: Principal) -> list[ChatItem]:
    """The last chats of this person; ``when`` is ISO 8601."""
    return [chat_item(one, one.updated_at.isoformat()) for one in await chats.list_chats(principal, limit=_RECENT)]


async def agents_for(principal: Principal) -> list[Agent]:
    """What this person may start, then what a plan would open; nothing while there is no runtime to ask (the chat says why)."""
    try:
        known = await chats.launchable(principal)
    except ShellError:
        return []
    shown = [*(one for one in known if one.allowed), *(one for one in known if not one.allowed and one.needed)]
    return [
        Agent(
            workflow=one.workflow, title=one.title or one.workflow, text=one.description[:200], icon=one.icon,
            needed="" if one.allowed else one.needed,
        )
        for one in shown[:_AGENTS]
    ]  # fmt: skip


_NOTHING: Final = Agent(workflow="", title="", text="", icon="", needed="")


class Conversations(ShellState):
    """Opens chats from the start page."""

    access: ClassVar[Access | None] = Access.signed_in()

    locked: Agent = _NOTHING  # what somebody wanted to start and may not

    @event
    async def offer(self, workflow: str) -> None:
        """Say which plan opens this agent; empty: enough of that."""
        known = await agents_for(self._me()) if workflow else []
        self.locked = next((one for one in known if one["needed"] and one["workflow"] == workflow), _NOTHING)

    @event
    async def resume(self, chat_id: str):  # type: ignore[no-untyped-def]
        """Open one of this person's chats."""
        try:
            chat = await chats.find_chat(self._me(), chat_id) if isinstance(chat_id, str) else None
        except NotFound:
            return
        if chat is None:
            return
        pane = await self.get_state(ChatState)
        yield show_chat(pane, chat, surface="widget")


def recent(items: Any) -> rx.Component:
    """The list of chats, or how to begin one."""
    nothing = empty_state(
        "message-circle",
        t("No chats yet"),
        t("Ask the assistant anything about this app. Your chats are kept here."),
        button(t("Start a chat"), on_click=ChatState.new_chat("")),
    )
    rows = rx.el.ul(rx.foreach(items, _chat), class_name="mz-list")
    return card(rx.cond(items.length() == 0, nothing, rows), class_name="mz-card-flush")


def _chat(one: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(one["title"], class_name="mz-list-title mz-truncate", dir="auto"),
        rx.el.span(one["last_text"], class_name="mz-list-text mz-truncate", dir="auto"),
        class_name="mz-list-words",
    )
    when = rx.el.span(t_date(one["when"], "relative"), class_name="mz-muted mz-small")
    return rx.el.li(rx.el.button(words, when, type="button", on_click=Conversations.resume(one["id"]), class_name="mz-list-row"))


def agent_tile(agent: Any) -> rx.Component:
    """A tile that starts a workflow, or says which plan opens it."""
    words = rx.el.span(
        rx.el.span(t(agent["title"]), class_name="mz-tile-title mz-truncate"),
        rx.el.span(t(agent["text"]), class_name="mz-tile-text"),
        class_name="mz-tile-words",
    )
    sign = rx.el.span(icon(agent["icon"], 18), class_name="mz-tile-icon")
    start = ChatState.new_chat(agent["workflow"])
    plan = rx.el.span(icon("lock", 13), agent["needed"], class_name="mz-badge mz-tile-lock")
    tell = Conversations.offer(agent["workflow"])
    locked = rx.el.button(sign, words, plan, type="button", on_click=tell, aria_haspopup="dialog", class_name="mz-tile")
    opens = rx.el.button(sign, words, type="button", on_click=start, class_name="mz-tile")
    return rx.el.li(rx.cond(agent["needed"] != "", locked, opens))


def plan_dialog() -> rx.Component:
    """Which plan opens the agent that was pressed, and the way there."""
    locked: Any = Conversations.locked
    return dialog(
        rx.el.p(t(locked["text"]), class_name="mz-dialog-text"),
        id="agent-plan",
        title=t("{title} is part of the plan {plan}.", title=t(locked["title"]), plan=t(locked["needed"])),
        open=locked["workflow"] != "",
        on_close=Conversations.offer(""),
        actions=[
            button(t("Cancel"), on_click=Conversations.offer("")),
            link_button(t("See plans"), "/plans?plan=" + locked["needed"].to(str), variant="primary"),
        ],
    )
