"""What is wrong with the configuration, on screen: for everybody in development, for administrators in production (F-025).

Its words stay English, as the log's and the doctor's do: they are for whoever edits the files.
"""

from typing import Any, ClassVar, TypedDict

import reflex as rx
from reflex.utils.exec import is_prod_mode

from mozaiks_shell.appconfig.service import Problem, configuration_problems
from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.ui.kit import badge, button, link_button, notice, row
from mozaiks_shell.ui.state import ShellState, event

_MOST = 20
_AGAIN, _HIDE = "Check again", "Hide"
_SAFE, _SAFE_WAY = "Safe mode: no plugin was loaded.", "Plugins"
_SAFE_MORE = "Their data, settings and switches are kept. Start without MOZAIKS_SAFE_MODE to have them back."
_LINE = {
    "display": "grid",
    "gap": "2px 10px",
    "gridTemplateColumns": "auto minmax(0, 1fr)",
    "alignItems": "baseline",
    "paddingBlock": "6px",
    "borderBlockStart": "1px solid var(--color-line)",
}
_CODE = {"overflowWrap": "anywhere", "fontSize": ".8125rem"}
_KEPT = {
    "danger": "Entries with an error are left out; an edit with an error is refused and the old content stays.",
    "warning": "All of it is used as far as possible.",
}
_TEXT = {"gridColumn": "2", "overflowWrap": "anywhere"}


class ConfigLine(TypedDict):
    """One problem as it is shown."""

    level: str
    tone: str
    place: str
    text: str


class ConfigBanner(ShellState):
    """State of the banner: empty for whom it does not concern."""

    access: ClassVar[Access | None] = Access.public()

    heading: str = ""
    tone: str = "warning"
    lines: list[ConfigLine] = []
    rest: str = ""
    safe_mode: bool = False

    @event
    def look(self) -> None:
        """Read the problems anew. Runs when the frame appears and on "Check again"."""
        found = [one for one in configuration_problems() if one.level != "hint"] if _concerns() else []
        errors = sum(one.level == "error" for one in found)
        self.heading = heading(errors, len(found) - errors)
        self.tone = "danger" if errors else "warning"
        self.lines = [_line(one) for one in found[:_MOST]]
        self.safe_mode = get_settings().safe_mode and _concerns()
        self.rest = f"{len(found) - _MOST} more; mozaiks-shell doctor lists them all." if len(found) > _MOST else ""

    @event
    def close(self) -> None:
        """Put the banner away until the page is loaded again."""
        self.reset()


def _concerns() -> bool:
    principal = current_principal()
    developing = get_settings().env == "development" and not is_prod_mode()
    return developing or bool(principal and principal.has_role("admin"))


def heading(errors: int, warnings: int) -> str:
    """``2 errors and 1 warning in the configuration``; empty when there is nothing."""
    words = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((errors, "error"), (warnings, "warning")) if count]
    return f"{' and '.join(words)} in the configuration" if words else ""


def _line(problem: Problem) -> ConfigLine:
    tone = "danger" if problem.level == "error" else "warning"
    text = f"{problem.message} {problem.fix}".strip()
    return ConfigLine(level=problem.level, tone=tone, place=problem.place, text=text[:400])


def config_banner() -> rx.Component:
    """The banner. It takes no room while there is nothing to say."""
    return rx.el.div(
        rx.cond(ConfigBanner.safe_mode, _safe_mode(), rx.fragment()),
        rx.cond(
            ConfigBanner.heading != "",
            rx.match(ConfigBanner.tone, ("danger", _notice("danger")), _notice("warning")),
            rx.fragment(),
        ),
        on_mount=ConfigBanner.look,
        lang="en",
        dir="ltr",
        class_name="mz-config-banner",
    )


def _safe_mode() -> rx.Component:
    """The app was started without its plugins: everybody who could wonder about it is told, and where to look."""
    text = rx.fragment(
        rx.el.strong(_SAFE),
        rx.el.p(_SAFE_MORE, class_name="mz-small mz-muted", style={"margin": "2px 0 0"}),
    )
    way = link_button(_SAFE_WAY, "/admin/plugins", small=True)
    look = {"marginBlockEnd": "20px", "flexWrap": "wrap", "& > .mz-notice-text": {"flex": "1 1 15rem"}}
    return notice(text, "warning", way, style=look)


def _notice(tone: str) -> rx.Component:
    shown = rx.el.details(
        rx.el.summary(
            rx.el.strong(ConfigBanner.heading), style={"cursor": "pointer", "borderRadius": "4px", "overflowWrap": "anywhere"}
        ),
        rx.el.ul(rx.foreach(ConfigBanner.lines, _shown), style={"listStyle": "none", "padding": "0", "margin": "8px 0 0"}),
        rx.cond(
            ConfigBanner.rest != "",
            rx.el.p(ConfigBanner.rest, class_name="mz-small mz-muted"),
            rx.fragment(),
        ),
        rx.el.p(_KEPT[tone], class_name="mz-small mz-muted", style={"margin": "6px 0 0"}),
        open=tone == "danger",
        style={"paddingBlock": "3px"},
    )
    ways = row(
        button(_AGAIN, variant="secondary", small=True, type="button", on_click=ConfigBanner.look),
        button(_HIDE, variant="ghost", small=True, type="button", on_click=ConfigBanner.close),
    )
    look = {
        "marginBlockEnd": "20px",
        "flexWrap": "wrap",
        "& > .mz-notice-text": {"flex": "1 1 15rem"},
        "& > .mz-icon": {"marginBlockStart": "6px"},
    }
    return notice(shown, tone, ways, style=look)  # type: ignore[arg-type]


def _shown(line: Any) -> rx.Component:
    return rx.el.li(
        badge(line["level"].to(str), line["tone"].to(str)),
        rx.el.code(line["place"].to(str), style=_CODE),
        rx.el.span(line["text"].to(str), style=_TEXT),
        style=_LINE,
    )
