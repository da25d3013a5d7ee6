"""The frame's State: who is here, which pages they may open, which notice is shown."""

from typing import ClassVar, TypedDict

import reflex as rx

from mozaiks_shell.billing.service import authorize
from mozaiks_shell.foundation.access import Access, Decision, Principal, current_principal
from mozaiks_shell.ui.page import pages
from mozaiks_shell.ui.state import ShellState, event


class NavEntry(TypedDict):
    """A line of the sidebar. ``gate`` is ``ok``, ``role`` or ``plan``."""

    title: str
    path: str
    icon: str
    group: str
    gate: str
    needed: str


async def entries_for(principal: Principal | None) -> tuple[list[NavEntry], dict[str, str], dict[str, str]]:
    """Navigation, gate verdict per route and what is needed per route, for this person.

    Plan-locked pages stay in the navigation (with a lock); pages of another role do not.
    """
    nav: list[NavEntry] = []
    gates: dict[str, str] = {}
    needed: dict[str, str] = {}
    for page in pages():
        decision: Decision = await authorize(principal, page.access)
        gates[page.route] = decision.reason
        if decision.needed:
            needed[page.route] = decision.needed
        if page.in_nav and decision.reason in {"ok", "plan"}:
            nav.append(
                NavEntry(
                    title=page.title, path=page.route, icon=page.icon, group=page.group, gate=decision.reason, needed=decision.needed
                )
            )
    return nav, gates, needed


class Frame(ShellState):
    """State of the frame around every page. Small on purpose: it rides on every navigation."""

    access: ClassVar[Access | None] = Access.public()

    signed_in: bool = False
    name: str = ""
    email: str = ""
    initials: str = ""
    is_admin: bool = False
    nav: list[NavEntry] = []
    gates: dict[str, str] = {}
    needed: dict[str, str] = {}
    ready: bool = False

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """Runs on every page visit: refresh who is here and what they may open."""
        principal = current_principal()
        self.nav, self.gates, self.needed = await entries_for(principal)
        self.signed_in = principal is not None
        self.name = principal.name if principal else ""
        self.email = principal.email if principal else ""
        self.initials = "".join(part[0] for part in self.name.split()[:2]).upper()
        self.is_admin = bool(principal and principal.has_role("admin"))
        self.ready = True
        route = self.router.page.path.rstrip("/") or "/"
        if self.gates.get(route) == "sign_in":
            yield rx.redirect(f"/sign-in?next={route}")
