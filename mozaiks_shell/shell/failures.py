"""What a person is told when something of ours fails: a sentence, a reference, a way on."""

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.base import Var
from reflex_components_core.core.banner import has_connection_errors

from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.frame_parts import HERE, PageBoundary
from mozaiks_shell.shell.state import Crash, notify
from mozaiks_shell.ui.kit import button, icon, link_button, row

log = get_logger("shell")


def handler_failed(exception: Exception) -> EventSpec:
    """For ``App(backend_exception_handler=...)``: our errors speak for themselves, others get a reference to search for."""
    if isinstance(exception, ShellError) and exception.status < 500:
        return notify(exception.message, "warning")
    reference = new_id("err")
    log.error("handler failed", reference=reference, exc_info=exception)
    message = exception.message if isinstance(exception, ShellError) else "Something went wrong on our side."
    return notify(f"{message} Reference {reference[-8:]}", "danger")


def panel(icon_name: str, title: str, text: rx.Var[str] | str, *actions: rx.Component) -> rx.Component:
    """A whole page that says one thing."""
    return rx.el.div(
        rx.el.span(icon(icon_name, 22), class_name="mz-empty-icon"),
        rx.el.h1(title, class_name="mz-title"),
        rx.el.p(text, class_name="mz-description"),
        row(*actions, gap=2, class_name="mz-panel-actions"),
        class_name="mz-panel",
    )


def page_boundary(_: bool) -> rx.Component:
    """App wrap around the routed page."""
    title = "This page stopped working"
    broken = panel(
        "unplug",
        title,
        rx.cond(
            Crash.reference == "", "The failure is being reported.", "It has been reported. Reference " + Crash.reference + "."
        ),
        button("Reload", variant="primary", on_click=rx.call_function(Var(_js_expr="(() => window.location.reload())"))),
        link_button("Go home", "/"),
    )
    told = rx.el.div(rx.el.title(title), broken, role="alert")
    return PageBoundary.create(on_error=Crash.report, fallback_render=Var.create(told), reset_keys=HERE)


def connection_banner() -> rx.Component:
    """Says so when the line to the server is down for more than a moment; goes away by itself."""
    note = rx.el.div(icon("wifi-off", 14), "Connection lost. Trying again…", class_name="mz-connection", role="status")
    return rx.cond(has_connection_errors, note, rx.fragment())
