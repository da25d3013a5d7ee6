"""Entries of the menu that start a workflow instead of opening a page (F-009, F-010)."""

from typing import Any, ClassVar, Final

import reflex as rx

from mozaiks_shell.appconfig.service import Trigger, navigation
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatState, show_chat
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound, PlanNeeded, ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.navigation import Place, menu_for
from mozaiks_shell.shell.state import notify
from mozaiks_shell.ui.page import page_at
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("shell")

# Presses so close together are one: a double click, a retry, the same press in two tabs. Seconds after the chat was made.
ONE_PRESS: Final = 3.0
LOOKS: Final = {
    "view": ("overlay", "workflow", "view"), "workflow": ("overlay", "workflow", "split"), "ask": ("widget", "ask", "full"),
}  # fmt: skip


def trigger_of(place: Place) -> Trigger | None:
    """What the operator's file says an entry of the menu starts."""
    found = [item for item in navigation().every() if item.trigger is not None and item.trigger.workflow == place.workflow]
    same = [item for item in found if item.id == place.entry["id"]] or [
        item for item in found if place.entry["title"] in {item.label, item.title}
    ]
    return (same or found)[0].trigger if found else None


async def launch(principal: Principal, entry_id: str) -> tuple[chats.ChatSummary, Trigger]:
    """Start what an entry of this person's menu starts, or give what it started a moment or ``cache_ttl`` seconds ago.

    The entry, the workflow's capability and the input are checked anew, whatever the browser showed.

    Raises:
        NotFound: no such entry in this person's menu, or it is another app's.
        PlanNeeded: it is locked.
        ShellError: whatever forbids a start; see :func:`mozaiks_shell.chat.service.launch`.
    """
    places = (await menu_for(principal)).places
    place = next((one for one in places if one.entry["id"] == entry_id and one.entry["kind"] == "workflow"), None)
    trigger = trigger_of(place) if place is not None else None
    if place is None or trigger is None:
        raise NotFound(tr("This entry is not there any more."))
    if trigger.app_id not in {"", principal.app_id}:
        log.warning("trigger of another app", entry=entry_id, app=trigger.app_id)
        raise NotFound(tr("This entry is not there any more."))
    if place.entry["gate"] == "plan":
        needed = place.entry["needed"]
        raise PlanNeeded(tr("This is part of the plan {plan}.", plan=needed), needed=needed)
    chat = await chats.launch(principal, trigger.workflow, trigger.input, within=max(float(trigger.cache_ttl), ONE_PRESS))
    return chat, trigger


class Triggers(ShellState):
    """Runs entries. ``starting`` is the id of the one that is being started, empty for none."""

    access: ClassVar[Access | None] = Access.signed_in()

    starting: str = ""

    @event
    async def run(self, entry_id: str):  # type: ignore[no-untyped-def]
        """An entry was pressed: start its workflow and open the pane in the layout its mode asks for."""
        if not isinstance(entry_id, str) or not 0 < len(entry_id) <= 200:
            return
        self.starting = entry_id
        yield
        try:
            chat, trigger = await launch(self._me(), entry_id)
        except PlanNeeded as problem:
            yield _told(problem)
            return
        except ShellError as problem:
            yield notify(problem.message, "warning")
            return
        finally:
            self.starting = ""
        surface, mode, layout = LOOKS[trigger.mode]
        yield show_chat(await self.get_state(ChatState), chat, surface=surface, layout=layout, mode=mode)


def _told(problem: PlanNeeded) -> Any:
    """A locked entry leads to the plans; where there are none, a sentence has to do."""
    if page_at("/plans") is None:
        return notify(problem.message, "warning")
    return rx.redirect(f"/plans?plan={problem.details.get('needed', '')}")
