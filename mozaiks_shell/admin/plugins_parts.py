"""Pieces of the operator's plugin pages: the state's badge, a line to copy, places in code."""

from typing import Any

import reflex as rx

from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import icon, notice

_JS = "$/public" + rx.asset("plugins.js", shared=True)
SIGNS = ("octagon-x", "triangle-alert", "git-compare-arrows", "shield-ban", "scan-search", "circle-check", "power-off")


class _Copy(rx.Component):
    library = _JS
    tag = "MzCopy"

    text: rx.Var[str]
    words: rx.Var[dict[str, str]]


def copy_line(text: Text) -> rx.Component:
    """A line for a terminal, with a button that copies it."""
    words = {
        "copy": t("Copy"),
        "copied": t("Copied"),
        "selected": t("Selected"),
    }
    return _Copy.create(icon("copy", 14), text=text, words=words, class_name="mz-plug-pip")


def sign(name: Any, size: int = 14) -> rx.Component:
    """The icon of a state, by its name in State."""
    return rx.match(name, *[(one, icon(one, size)) for one in SIGNS[:-1]], icon(SIGNS[-1], size))


def state_badge(one: Any) -> rx.Component:
    """State in a word, with its icon: never by colour alone."""
    return rx.el.span(sign(one["sign"]), one["label"], class_name="mz-badge mz-plug-state mz-tone-" + one["tone"].to(str))


def place(where: Any) -> rx.Component:
    """``file:line`` in the plugin's folder; nothing when it is not known."""
    return rx.cond(where != "", rx.el.code(where, dir="ltr", translate="no", class_name="mz-plug-where"), rx.fragment())


def said(text: Any, tone: Any) -> rx.Component:
    """What the last act led to."""
    shown = rx.match(
        tone, ("success", notice(text, "success")), ("danger", notice(text, "danger")), notice(text)
    )  # fmt: skip
    return rx.el.div(rx.cond(text != "", shown, rx.fragment()), class_name="mz-plug-said")
