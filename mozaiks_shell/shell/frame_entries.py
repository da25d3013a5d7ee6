"""One entry of the navigation as a line to press, wherever it stands: sidebar, drawer, header."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A

from mozaiks_shell.shell.frame_icons import sign
from mozaiks_shell.shell.frame_parts import NavLink, titled
from mozaiks_shell.shell.triggers import Triggers
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon


def entry_line(entry: Any, *, class_name: str = "mz-nav-link", icon_size: int = 17) -> rx.Component:
    """What a ``NavEntry`` leads to: a page, an address elsewhere (a new tab), a workflow. A ``group`` is only its words:
    whoever stands around it folds it."""
    nameless = (entry["icon"] == "") & (entry["depth"] == 0)  # collapsed to icons, it would be nothing
    words = [
        sign(rx.cond(nameless, "folder", entry["icon"]).to(str), icon_size),
        rx.el.span(
            rx.el.span(titled(entry), dir="auto", class_name="mz-nav-label mz-truncate"),
            rx.cond(entry["shortcut"] != "", _keys(entry["shortcut"]), rx.fragment()),
            class_name="mz-nav-words",
        ),
        rx.cond(entry["badge"] != "", rx.el.span(entry["badge"], class_name="mz-nav-badge mz-truncate"), rx.fragment()),
    ]
    return rx.match(
        entry["kind"],
        ("link", _outside(words, entry, class_name)),
        ("workflow", _starter(words, entry, class_name)),
        ("group", rx.fragment(*words)),
        NavLink.create(*words, _lock(entry), to=entry["path"], exact=entry["exact"], class_name=class_name),
    )


def _outside(words: list[rx.Component], entry: Any, class_name: str) -> rx.Component:
    new_tab = rx.el.span(t("(opens in a new tab)"), class_name="mz-hidden")
    away = rx.el.span(icon("arrow-up-right", 14), new_tab, class_name="mz-nav-sign mz-flip")
    return A.create(*words, away, href=entry["href"], target="_blank", rel="noopener noreferrer", class_name=class_name)


def _starter(words: list[rx.Component], entry: Any, class_name: str) -> rx.Component:
    return rx.el.button(
        *words,
        type="button",
        on_click=Triggers.run(entry["id"]),
        aria_busy=Triggers.starting == entry["id"],
        class_name=class_name,
        custom_attrs={"data-done": ""},
    )


def _lock(entry: Any) -> rx.Component:
    needed = rx.cond(entry["needed"] != "", t("Part of the plan {plan}", plan=entry["needed"]), t("Not part of your plan"))
    lock = rx.el.span(icon("lock", 13), rx.el.span(needed, class_name="mz-hidden"), title=needed, class_name="mz-nav-sign")
    return rx.cond(entry["gate"] == "plan", lock, rx.fragment())


def _keys(shortcut: Any) -> rx.Component:
    keys = rx.foreach(shortcut.to(str).split(" "), lambda key: rx.el.kbd(key, class_name="mz-kbd"))
    return rx.el.span(keys, aria_hidden="true", class_name="mz-keys")
