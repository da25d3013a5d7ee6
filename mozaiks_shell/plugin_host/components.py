"""What stands in a plugin's place while it is out of service, and the wall around what it draws.

Whatever happens to a plugin happens here, inside the frame: navigation, chat and palette stay as they are.
"""

import re
from functools import wraps
from typing import Any, Final

import reflex as rx
from reflex_base.vars import VarData
from reflex_base.vars.base import Var
from reflex_components_core.base.error_boundary import ErrorBoundary

from mozaiks_shell.plugin_host.registry import loading
from mozaiks_shell.plugin_host.state import PluginCrash, PluginHealth
from mozaiks_shell.plugin_host.undrawn import not_drawn
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import Tone, button, icon, link_button, notice, row
from mozaiks_shell.ui.page import PageFunction

_RELOAD: Final = rx.call_function(Var(_js_expr="(() => window.location.reload())"))
_HERE: Final[Var[list[str]]] = Var(
    _js_expr="[mzPluginAt.pathname]",
    _var_type=list[str],
    _var_data=VarData(imports={"react-router": "useLocation"}, hooks={"const mzPluginAt = useLocation();": None}),
)


class PluginBoundary(ErrorBoundary):
    """Catches what a plugin's page breaks while it is drawn; going elsewhere makes it whole again."""

    reset_keys: rx.Var[list[str]]


def unless_unavailable(title: str, content: PageFunction) -> PageFunction:
    """A page function that shows ``content`` inside a boundary, or says why the plugin is not there.

    Args:
        title: What people call the plugin.
        content: The plugin's own page function.
    """
    plugin = loading()
    name = plugin.name if plugin else ""

    @wraps(content)
    def render() -> rx.Component:
        called = t(title, domain=name)
        kept = t("It can be switched on again at any time. Nothing is lost.")
        left = t("It was removed while this page was open.")
        return rx.match(
            PluginHealth.standing,
            ("", rx.fragment(_trouble(called), _bounded(name, called, content))),
            ("off", _panel("power-off", t("{title} is switched off", title=called), kept)),
            ("gone", _panel("package-x", t("{title} is not here any more", title=called), left)),
            _panel(
                "unplug",
                t("{title} is out of service", title=called),
                t("Something in it does not work. Nothing is lost, and the rest of the app goes on."),
                tone="warning",
            ),
        )

    return render


def bounded(name: str, content: PageFunction) -> rx.Component:
    """A part that a plugin puts on a page of the shell: what breaks in it breaks nothing around it."""
    said = t("This section stopped working.")
    told = t("Reference {reference}.", reference=PluginCrash.reference)
    number = rx.cond(PluginCrash.reference != "", told, rx.fragment())
    broken = notice(rx.fragment(said, " ", number), "danger", button(t("Reload"), small=True, on_click=_RELOAD))
    return _wall(name, content, broken)


def _bounded(name: str, title: Text, content: PageFunction) -> rx.Component:
    return _wall(name, content, _broken(title))


def _wall(name: str, content: PageFunction, broken: rx.Component) -> rx.Component:
    """What ``content`` draws, as a component of its own: only so does the boundary around it catch what breaks in it."""
    try:
        drawn = content()
    except Exception as error:  # noqa: BLE001 - a probe could draw it; where the pages are built it cannot be
        not_drawn(name, content, error)
        return broken

    def page() -> rx.Component:
        return drawn

    words = re.sub(r"\W+", "_", f"{name}_{content.__qualname__}")
    page.__name__ = page.__qualname__ = f"page_{words}"
    page.__module__ = content.__module__  # so that it goes when the plugin goes
    if not isinstance(drawn, rx.Component):
        return drawn  # the loader says what is wrong with it

    def report(error: Any, info: Any) -> Any:
        return PluginCrash.report(name, error, info)

    return PluginBoundary.create(
        rx.memo(page)(), on_error=report, fallback_render=Var.create(broken), reset_keys=_HERE
    )  # fmt: skip


def _broken(title: Text) -> rx.Component:
    told = rx.cond(
        PluginCrash.reference == "",
        t("The failure is being reported."),
        t("It has been reported. Reference {reference}.", reference=PluginCrash.reference),
    )
    heading = t("This page stopped working")
    text = rx.fragment(t("{title} could not show it; the rest of the app goes on.", title=title), " ", told)
    ways = [button(icon("rotate-cw"), t("Reload"), variant="primary", on_click=_RELOAD), link_button(t("Go home"), "/")]
    return rx.el.div(rx.el.title(heading), _words("unplug", heading, text, ways, "danger"), role="alert")


def _trouble(title: Text) -> rx.Component:
    """A part that did not load: told above what is there, which stays as it is."""
    of_here = PluginHealth.trouble["message"] != ""
    said = rx.fragment(
        rx.el.strong(t("{title} could not load everything.", title=title), class_name="mz-strong"),
        " ",
        PluginHealth.trouble["message"],
        rx.cond(
            PluginHealth.trouble["reference"] != "",
            rx.el.span(" ", t("Reference {reference}.", reference=PluginHealth.trouble["reference"]), class_name="mz-muted"),
            rx.fragment(),
        ),
    )
    ways = row(
        button(t("Try again"), small=True, on_click=_RELOAD),
        button(icon("x", 14), small=True, variant="ghost", aria_label=t("Close notice"), on_click=PluginHealth.close),
        gap=1,
    )
    return rx.cond(of_here, notice(said, "warning", ways, class_name="mz-plugin-trouble"), rx.fragment())


def _panel(sign: str, title: Text, text: Text, tone: Tone = "neutral") -> rx.Component:
    reason = rx.cond(
        PluginHealth.why != "", link_button(t("See why"), PluginHealth.why, variant="primary"), rx.fragment()
    )  # fmt: skip
    again = button(icon("rotate-cw"), t("Try again"), on_click=PluginHealth.check)
    return _words(sign, title, text, [reason, again, link_button(t("Go home"), "/")], tone)


def _words(sign: str, title: Text, text: Any, ways: list[rx.Component], tone: Tone) -> rx.Component:
    return rx.el.div(
        rx.el.span(icon(sign, 22), class_name=f"mz-panel-icon mz-tone-{tone}"),
        rx.el.h1(title, class_name="mz-title"),
        rx.el.p(text, class_name="mz-description"),
        row(*ways, gap=2, class_name="mz-panel-actions"),
        class_name="mz-panel",
    )
