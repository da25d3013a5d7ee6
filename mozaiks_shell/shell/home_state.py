"""What the start page shows, gathered on each visit: which sections, in which order, and the numbers in them (F-028)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from mozaiks_shell.appconfig import service as appconfig
from mozaiks_shell.chat.state import ChatItem
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.conversations import Agent, agents_for, recent_chats
from mozaiks_shell.shell.dashboard import Arrangement, arranged
from mozaiks_shell.shell.home_facts import (
    Action,
    PlanCard,
    Spent,
    Standing,
    Step,
    actions_for,
    available,
    first_steps,
    overview_for,
    plan_for,
    spent_by,
)
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.shell.section_state import Sections, reported
from mozaiks_shell.shell.slots import dashboard
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("shell")

# Section -> (var it fills, what gathers it).
_GATHER: dict[str, tuple[str, Callable[[Principal], Awaitable[Any]]]] = {
    "recent_chats": ("recent", recent_chats),
    "agents": ("agents", agents_for),
    "quick_actions": ("actions", actions_for),
    "usage": ("spent", spent_by),
    "budget": ("plan", plan_for),
    "admin_overview": ("overview", overview_for),
    "getting_started": ("steps", first_steps),
}
_told: set[tuple[str, ...]] = set()


async def arrangement_for(principal: Principal) -> Arrangement:
    """The sections this person sees, in the order ``ui.json`` gives."""
    wanted = appconfig.ui_config().dashboard.sections
    found = arranged(wanted, dashboard.pieces())
    if found.unknown and found.unknown not in _told:
        _told.add(found.unknown)
        log.warning("ui.json names dashboard sections that do not exist", sections=", ".join(found.unknown))
    gates = (await menu_for(principal)).gates
    seen = tuple(piece for piece in found.pieces if gates.get(piece.key) == "ok" and available(piece, principal))
    return Arrangement(seen, found.unknown if principal.has_role("admin") else (), found.titles)


class Home(ShellState):
    """The start page. ``main`` and ``side`` are keys of sections, in order."""

    access: ClassVar[Access | None] = Access.signed_in()

    main: list[str] = []
    side: list[str] = []
    titles: dict[str, str] = {}
    unknown: list[str] = []
    loaded: bool = False

    recent: list[ChatItem] = []
    agents: list[Agent] = []
    actions: list[Action] = []
    spent: Spent = Spent(total=0, calls=0, month=0, days=[])
    plan: PlanCard = PlanCard(title="", state="", until="", features=[], more=0)
    overview: Standing = Standing(figures=[], broken=[])
    steps: list[Step] = []

    @event
    async def enter(self) -> None:
        """Gather it anew. A section that fails says so itself."""
        me = self._me()
        found = await arrangement_for(me)
        sections = await self.get_state(Sections)
        mine = [piece for piece in found.pieces if piece.owner == "shell" and piece.name in _GATHER]
        results = await asyncio.gather(*[_GATHER[piece.name][1](me) for piece in mine], return_exceptions=True)
        failed = {}
        for piece, result in zip(mine, results, strict=True):
            if isinstance(result, Exception):
                failed[piece.key] = reported(result)
            elif isinstance(result, BaseException):
                raise result
            else:
                setattr(self, _GATHER[piece.name][0], result)
        sections.failed = failed
        empty = {piece.key for piece in mine if piece.key not in failed and _silent(self, piece.name)}
        shown = [piece for piece in found.pieces if piece.key not in empty]
        self.main = [piece.key for piece in shown if piece.place == "main"]
        self.side = [piece.key for piece in shown if piece.place == "side"]
        self.titles, self.unknown = found.titles, list(found.unknown)
        self.loaded = True


def _silent(home: Home, name: str) -> bool:
    """Sections without an empty state of their own: they stand there only when there is something in them."""
    return (name == "agents" and not home.agents) or (name == "getting_started" and not home.steps)
