"""What a person is told when something of ours fails: a sentence, a reference, a way on."""

from typing import Any
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.base import Var
from reflex_components_core.core.banner import has_connection_errors

from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.faults import blamed
from mozaiks_shell.plugin_host.state import plugin_failed
from mozaiks_shell.shell.frame_parts import HERE, PageBoundary
from mozaiks_shell.shell.section_state import fallen, reported
from mozaiks_shell.shell.state import Crash, notify
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import Tone, button, icon, link_button, row
from mozaiks_shell.ui.page import page_at

RELOAD = rx.call_function(Var(_js_expr="(() => window.location.reload())"))


def handler_failed(exception: Exception) -> list[EventSpec]:
    """For ``App(backend_exception_handler=...)``: our errors speak for themselves, others get a reference to search for.

    What fails while a section of a page loads is told in that section, what fails while a plugin's page loads on that page.
    A plugin that goes out of service over it says so where its page was.
    """
    blamed(exception)
    failure = reported(exception)
    if in_its_place := fallen(exception, failure) or plugin_failed(exception, failure["message"], failure["reference"]):
        return in_its_place
    message, reference = failure["message"], failure["reference"]
    if not reference:
        return [notify(message, "warning")]
    return [notify(tr("{message} Reference {reference}", message=message, reference=reference), "danger")]


def panel(
    icon_name: str, title: Text, text: Any, *actions: rx.Component, tone: Tone = "neutral", before: Any = None, foot: Any = None
) -> rx.Component:
    """A whole page that says one thing.

    Args:
        icon_name: Lucide name.
        title: The page's one heading.
        text: What it means.
        *actions: Ways on, the best first.
        tone: Colour of the icon.
        before: What stands between text and actions.
        foot: What stands beneath them, small.
    """
    return rx.el.div(
        rx.el.span(icon(icon_name, 22), class_name=f"mz-panel-icon mz-tone-{tone}"),
        rx.el.h1(title, class_name="mz-title"),
        rx.el.p(text, class_name="mz-description"),
        *([before] if before is not None else []),
        row(*actions, gap=2, class_name="mz-panel-actions"),
        *([foot] if foot is not None else []),
        class_name="mz-panel",
    )


def support_address(subject: str = "") -> str:
    """Where people of this app ask for help, as a link; empty when the operator names nothing."""
    contact = get_settings().support_contact
    if contact.startswith("https://") or not contact:
        return contact
    return f"mailto:{contact}" + (f"?{urlencode({'subject': subject})}" if subject else "")


def ask_for_help() -> list[rx.Component]:
    """The way to a human, where the operator names one (``MOZAIKS_SUPPORT_CONTACT``)."""
    address = support_address()
    return [link_button(t("Ask for help"), address, icon_name="life-buoy")] if address else []


def plan_needed(title: Text, needed: Var[str]) -> rx.Component:
    """In place of a page that a bigger plan opens (F-031)."""
    plans = [link_button(t("See plans"), rx.Var.create(f"/plans?plan={needed}"), "primary")] if page_at("/plans") else []
    sentence = rx.cond(needed != "", t("The plan {needed} opens it.", needed=needed), t("A bigger plan opens it."))
    return panel("lock", t("{page} is not part of your plan", page=title), sentence, *plans, _home(), tone="accent")


def role_needed(title: Text, needed: Var[str]) -> rx.Component:
    """In place of a page that is for another role."""
    sentence = t("{page} needs the role {needed}, which an administrator of this app can give you.", page=title, needed=needed)
    return panel("shield", t("You may not open this"), sentence, *ask_for_help(), _home())


def _home() -> rx.Component:
    return link_button(t("Go home"), "/")


def page_boundary(_: bool) -> rx.Component:
    """App wrap around the routed page."""
    told = rx.cond(
        Crash.reference == "",
        t("The failure is being reported."),
        t("It has been reported. Reference {reference}.", reference=Crash.reference),
    )
    reload = button(t("Reload"), variant="primary", on_click=RELOAD)
    title = t("This page stopped working")
    broken = rx.el.div(rx.el.title(title), panel("unplug", title, told, reload, _home(), tone="danger"), role="alert")
    return PageBoundary.create(on_error=Crash.report, fallback_render=Var.create(broken), reset_keys=HERE)


def connection_banner() -> rx.Component:
    """Says so when the line to the server is down for more than a moment; goes away by itself."""
    note = rx.el.div(icon("wifi-off", 14), t("Connection lost. Trying again…"), class_name="mz-connection", role="status")
    return rx.cond(has_connection_errors, note, rx.fragment())
