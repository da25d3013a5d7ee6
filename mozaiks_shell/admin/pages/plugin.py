"""One plugin: how it stands and why, what to do, what it brings, how its calls go, what it wrote."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.admin.plugins_parts import copy_line, place, said, sign, state_badge
from mozaiks_shell.admin.plugins_state import LIST, PluginView
from mozaiks_shell.admin.plugins_view import FaultLine, Pair, Remark, Step
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t, t_date, t_number, tn
from mozaiks_shell.ui.kit import (
    badge,
    button,
    card,
    close_button,
    dialog,
    dialog_button,
    empty_state,
    icon,
    link,
    link_button,
    page_header,
    skeleton,
    stack,
)
from mozaiks_shell.ui.page import page

view: Final[Any] = PluginView  # in components its attributes are Vars
one: Final[Any] = PluginView.shown
_OFF: Final = "plugin-off"


@page(
    f"{LIST}/[plugin]",
    title=msg("Plugin"),
    icon="blocks",
    access=Access.role("admin"),
    description=msg("How a plugin stands, why, and what to do about it."),
    in_nav=False,
    parent=LIST,
    on_load=view.load,
)
def plugin() -> rx.Component:
    """Its standing above, then what it does and writes, with its facts beside."""
    missing = card(
        empty_state(
            "package-x",
            t("There is no plugin of this name"),
            t("It may have been renamed or removed."),
            link_button(t("All plugins"), LIST),
        )
    )
    return rx.el.div(
        rx.cond(
            view.loaded,
            rx.cond(view.missing, rx.fragment(page_header(t("Plugin")), missing), _all()),
            rx.fragment(page_header(t("Plugin")), card(skeleton(8))),
        ),
        class_name="mz-plug-page",
    )


def _all() -> rx.Component:
    return rx.fragment(
        _head(),
        said(view.said, view.said_tone),
        rx.cond(one["state"] != "loaded", _standing(), rx.fragment()),
        rx.el.div(
            stack(_activity(), _log(), _brings(), gap=5, class_name="mz-plug-main"),
            stack(_facts(), _may(), _steps(), gap=5, class_name="mz-plug-aside"),
            class_name="mz-plug-columns",
        ),
        _confirm(),
    )


def _head() -> rx.Component:
    busy = view.busy != ""
    actions = [
        rx.cond(one["path"] != "", link_button(t("Open"), one["path"].to(str), icon_name="arrow-up-right"), rx.fragment()),
        rx.cond(one["settings"] != "", link_button(t("Settings"), one["settings"].to(str)), rx.fragment()),
        rx.cond(
            one["can_disable"],
            dialog_button(_OFF, icon("power-off", 15), t("Switch off"), disabled=busy, aria_busy=view.busy == "disable"),
            rx.fragment(),
        ),
        rx.cond(
            one["can_retry"],
            button(
                icon("rotate-cw", 15),
                t("Try again"),
                variant="primary",
                on_click=view.retry,
                disabled=busy,
                aria_busy=view.busy == "retry",
            ),
            rx.fragment(),
        ),
        rx.cond(
            one["can_enable"],
            button(
                icon("power", 15),
                t("Switch on"),
                variant="primary",
                on_click=view.enable,
                disabled=busy,
                aria_busy=view.busy == "enable",
            ),
            rx.fragment(),
        ),
    ]
    title = rx.el.span(
        rx.el.span(icon(one["icon"], 20), class_name="mz-plug-icon mz-tone-" + one["tone"].to(str)),
        rx.el.span(one["title"]),
        rx.el.span(one["version"], class_name="mz-plug-version"),
        state_badge(one),
        class_name="mz-plug-heading",
    )
    return page_header(title, one["text"].to(str), actions=actions)


def _standing() -> rx.Component:
    """What is the matter, where, what helps, and whether it can come back."""
    cause = rx.el.div(
        place(one["where"]),
        rx.el.p(one["cause"], class_name="mz-plug-message", dir="auto"),
        class_name="mz-plug-what",
    )
    notes = rx.el.ul(rx.foreach(one["notes"].to(list[Remark]), _note), class_name="mz-plug-notes")
    return rx.el.section(
        rx.el.span(sign(one["sign"], 20), class_name="mz-plug-sign"),
        rx.el.div(
            rx.el.h2(one["meaning"], class_name="mz-plug-meaning"),
            rx.cond(one["cause"] != "", cause, rx.fragment()),
            rx.cond(one["notes"].length() > 0, notes, rx.fragment()),
            rx.cond(one["remedy"] != "", rx.el.p(one["remedy"], dir="auto"), rx.fragment()),
            rx.cond(one["pip"] != "", copy_line(one["pip"].to(str)), rx.fragment()),
            rx.cond(one["recover"] != "", rx.el.p(one["recover"], class_name="mz-muted"), rx.fragment()),
            class_name="mz-plug-says",
        ),
        aria_label=t("State"),
        class_name="mz-plug-standing mz-tone-" + one["tone"].to(str),
    )


def _note(note: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(class_name="mz-plug-dot mz-tone-" + note["tone"].to(str)),
        rx.el.div(
            rx.el.p(place(note["where"]), " ", note["text"], dir="auto"),
            rx.cond(note["remedy"] != "", rx.el.p(note["remedy"], dir="auto", class_name="mz-muted"), rx.fragment()),
        ),
    )


def _activity() -> rx.Component:
    """How its calls go, and what failed."""
    figures = rx.el.dl(rx.foreach(one["figures"].to(list[Pair]), _figure), class_name="mz-plug-figures")
    failed = rx.el.div(
        rx.el.h3(t("What failed lately"), class_name="mz-plug-sub"),
        rx.el.ul(rx.foreach(one["faults"].to(list[FaultLine]), _fault), class_name="mz-plug-faults"),
    )
    called, faulty = one["calls"] > 0, one["faults"].length() > 0
    quiet = rx.el.p(
        rx.cond(called, t("Nothing has failed lately."), t("No call since this process started, and nothing has failed.")),
        class_name="mz-muted mz-small",
    )
    return card(
        rx.el.div(
            rx.cond(called, figures, rx.fragment()), rx.cond(faulty, failed, quiet), class_name="mz-plug-brings"
        ),
        title=t("Activity"),
    )  # fmt: skip


def _figure(figure: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(figure["name"]), rx.el.dd(figure["value"], class_name="mz-figure"))


def _fault(fault: Any) -> rx.Component:
    times = rx.cond(fault["count"] > 1, badge(t("{count} times", count=t_number(fault["count"]))), rx.fragment())
    return rx.el.li(
        rx.el.div(
            badge(fault["kind"], "danger"),
            place(fault["where"]),
            times,
            rx.el.time(t_date(fault["at"]), class_name="mz-muted mz-tiny"),
            class_name="mz-plug-line",
        ),
        rx.el.p(fault["text"], class_name="mz-plug-message", dir="auto"),
    )


def _log() -> rx.Component:
    refresh = button(icon("refresh-cw", 14), t("Refresh"), small=True, variant="ghost", on_click=view.refresh)
    listed = rx.el.ol(rx.foreach(view.log, _logged))
    lines = rx.el.div(listed, tab_index=0, role="region", aria_label=t("Log"), dir="ltr", class_name="mz-plug-log")
    none = rx.el.p(t("Nothing was written since this process started."), class_name="mz-muted mz-small")
    return card(rx.cond(view.log, lines, none), title=t("Log"), actions=[refresh])


def _logged(line: Any) -> rx.Component:
    trace = rx.el.details(
        rx.el.summary(t("Traceback")), rx.el.pre(line["trace"], tab_index=0), dir="ltr", class_name="mz-plug-trace"
    )
    return rx.el.li(
        rx.el.time(t_date(line["at"], "time"), class_name="mz-muted"),
        rx.el.span(line["level"], class_name="mz-plug-level mz-tone-" + line["tone"].to(str)),
        rx.el.span(line["text"], " ", rx.el.span(line["facts"], class_name="mz-muted"), class_name="mz-plug-said-line"),
        rx.cond(line["trace"] != "", trace, rx.fragment()),
    )


def _brings() -> rx.Component:
    nothing = rx.el.p(t("Nothing is mounted while it is not loaded."), class_name="mz-muted mz-small")
    something = (one["pages"].length() > 0) | (one["routes"].length() > 0) | (one["tables"].length() > 0)
    return card(
        rx.cond(
            something,
            rx.el.div(
                _group(t("Pages"), one["pages"].length() > 0, rx.foreach(one["pages"].to(list[Pair]), _address)),
                _group(t("API"), one["routes"].length() > 0, rx.foreach(one["routes"].to(list[Pair]), _address)),
                _group(t("Tables"), one["tables"].length() > 0, rx.foreach(one["tables"].to(list[str]), _table)),
                class_name="mz-plug-brings",
            ),
            nothing,
        ),
        title=t("What it brings"),
    )


def _group(title: Any, there: Any, lines: Any) -> rx.Component:
    listed = rx.el.div(rx.el.h3(title, class_name="mz-plug-sub"), rx.el.ul(lines, class_name="mz-plug-addresses"))
    return rx.cond(there, listed, rx.fragment())


def _address(pair: Any) -> rx.Component:
    address = rx.el.code(pair["value"], dir="ltr", translate="no")
    return rx.el.li(
        rx.el.span(pair["name"], class_name="mz-plug-what-name"),
        rx.cond(pair["href"] != "", link(address, href=pair["href"].to(str)), address),
    )


def _table(name: Any) -> rx.Component:
    return rx.el.li(rx.el.code(name, dir="ltr", translate="no"))


def _facts() -> rx.Component:
    return card(rx.el.dl(rx.foreach(one["facts"].to(list[Pair]), _fact), class_name="mz-plug-facts"), title=t("About"))


def _fact(pair: Any) -> rx.Component:
    text = rx.cond(pair["mono"], rx.el.code(pair["value"], dir="ltr", translate="no"), rx.el.span(pair["value"], dir="auto"))
    linked = rx.el.a(pair["value"], href=pair["href"], target="_blank", rel="noreferrer", class_name="mz-link", dir="ltr")
    return rx.el.div(rx.el.dt(pair["name"]), rx.el.dd(rx.cond(pair["href"] != "", linked, text)))


def _may() -> rx.Component:
    asked = rx.el.ul(
        rx.foreach(one["may"].to(list[str]), lambda word: rx.el.li(icon("key-round", 14), rx.el.span(word))),
        class_name="mz-plug-may",
    )
    none = rx.el.p(t("It asks for nothing beyond its own pages and rows."), class_name="mz-muted mz-small")
    return card(rx.cond(one["may"].length() > 0, asked, none), title=t("Permissions"))


def _steps() -> rx.Component:
    steps = rx.el.ul(rx.foreach(one["steps"].to(list[Step]), _step), class_name="mz-plug-steps")
    total = rx.el.span(one["total"], class_name="mz-muted mz-small")
    return rx.cond(one["total"] != "", card(steps, title=t("Last start"), actions=[total]), rx.fragment())


def _step(step: Any) -> rx.Component:
    bar = rx.el.span(style={"inlineSize": step["share"]}, class_name="mz-plug-bar-fill")
    return rx.el.li(
        rx.el.span(step["name"]),
        rx.el.span(step["value"], class_name="mz-muted"),
        rx.el.span(bar, aria_hidden="true", class_name="mz-plug-meter"),
    )


def _confirm() -> rx.Component:
    pages = one["pages"].length()
    gone = rx.cond(
        pages > 0,
        tn("{count} page, its menu entries and its API are gone at once, for everybody.",
           "{count} pages, their menu entries and the API are gone at once, for everybody.", pages),
        t("Its API is gone at once, for everybody."),
    )  # fmt: skip
    return dialog(
        stack(
            rx.el.p(gone, class_name="mz-dialog-text"),
            rx.el.p(t("Its data and settings are kept. You can switch it on again at any time."), class_name="mz-dialog-text"),
            gap=2,
        ),
        id=_OFF,
        title=t("Switch {title} off?", title=one["title"]),
        actions=[
            close_button(_OFF, t("Cancel")),
            close_button(_OFF, icon("power-off", 15), t("Switch off"), variant="danger", on_click=view.disable),
        ],
    )
