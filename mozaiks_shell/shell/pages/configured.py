"""All addresses that no page of the code answers: a page of the operator's file, or none (F-004, F-027, F-031)."""

from typing import Any, ClassVar

import reflex as rx
from reflex_base.vars import VarData
from reflex_base.vars.base import Var

from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.configured import configured
from mozaiks_shell.shell.failures import panel, plan_needed, role_needed
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.ui.components import component_named, components
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import link_button, skeleton
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("shell")

# What this address is in the browser, in the form the server says it.
_HERE: Var[str] = Var(
    _js_expr='(mzAt.pathname.replace(/\\/+$/, "") || "/")',
    _var_type=str,
    _var_data=VarData(imports={"react-router": "useLocation as mzUseAt"}, hooks={"const mzAt = mzUseAt();": None}),
)


class FilePage(ShellState):
    """What stands at an address that is no route of the app.

    ``shows`` is ``none``, ``plan``, ``role``, ``sign_in``, ``unregistered``, or ``ok`` and then ``component`` says what.
    """

    access: ClassVar[Access | None] = Access.public()

    path: str = ""
    title: str = ""
    shows: str = ""
    component: str = ""
    needed: str = ""

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """Look what the file has at this address, and run what its component runs on every visit."""
        path = self.router.url.path.rstrip("/") or "/"
        found = configured(path)
        registered = component_named(found.component) if found is not None else None
        self.title, self.component, self.needed, self.shows = "", "", "", "none"
        if found is not None:
            menu = await menu_for(current_principal())
            verdict = menu.gates.get(found.page.route, "sign_in")
            self.title, self.component = found.page.title, found.component
            self.needed = menu.needed.get(found.page.route, "")
            self.shows = verdict if verdict != "ok" or registered else "unregistered"
        self.path = path
        if self.shows == "ok" and registered is not None:
            for handler in registered.on_load:
                yield handler


def file_page(not_found: rx.Component) -> rx.Component:
    """The content for every address that is no route."""
    title, needed = t(FilePage.title), rx.Var.create(FilePage.needed)
    drawn = [(one.name, rx.el.div(one.render(), class_name="mz-page")) for one in components()]
    return rx.cond(
        FilePage.path == _HERE,
        rx.match(
            FilePage.shows,
            ("ok", rx.match(FilePage.component, *drawn, _unregistered()) if drawn else _unregistered()),
            ("unregistered", _unregistered()),
            ("plan", plan_needed(title, needed)),
            ("role", role_needed(title, needed)),
            ("sign_in", skeleton(4)),
            not_found,
        ),
        rx.el.div(skeleton(4), class_name="mz-page"),
    )


def _unregistered() -> rx.Component:
    sentence = t(
        "The configuration puts the component {component} here, but no part of this app has registered it.",
        component=FilePage.component,
    )
    home: Any = link_button(t("Go home"), "/", "primary")
    return panel("unplug", t("This page is not available"), sentence, home, tone="warning")
