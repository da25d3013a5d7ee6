"""The start page of a signed-in person."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.shell.conversations import Conversations, conversations
from mozaiks_shell.shell.home_state import Home
from mozaiks_shell.shell.slots import dashboard
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.kit import card, empty_state, icon, link, link_button, page_header, skeleton, stack
from mozaiks_shell.ui.page import page, page_at

_DESCRIPTION = "Where you left off, and the way to everything."


@page(
    "/",
    title="Home",
    icon="house",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=0,
    on_load=(Home.enter, Conversations.enter),
)
def home() -> rx.Component:
    """Greeting, the way to everything, what rooms and plugins add, the plan."""
    pieces = [rx.cond(Frame.gates[piece.key] == "ok", piece.render(), rx.fragment()) for piece in dashboard.pieces()]
    plan = [rx.cond(Frame.plan != "", _plan(), rx.fragment())] if page_at("/plans") else []
    columns = rx.el.div(
        stack(conversations(), _actions(), *pieces, gap=6, class_name="mz-home-main"),
        stack(rx.cond(_some(Home.steps), _first_steps(), rx.fragment()), *plan, gap=4, class_name="mz-home-side"),
        class_name="mz-home",
    )
    return rx.fragment(
        page_header(rx.cond(Frame.name != "", "Welcome, " + Frame.name, "Welcome"), _DESCRIPTION),
        rx.cond(Home.loaded & Conversations.loaded, columns, skeleton(4)),  # all at once, so that nothing jumps
    )


def _count(items: Any) -> rx.Var[int]:
    return items.length()


def _some(items: Any) -> rx.Var[bool]:
    return items.length() > 0


def _actions() -> rx.Component:
    tiles = rx.el.ul(rx.foreach(Home.actions, _tile), class_name="mz-grid mz-tiles")
    nothing = card(
        empty_state(
            "puzzle",
            "No pages to open yet",
            "Pages of installed plugins appear here and in the sidebar.",
        )
    )
    return rx.el.section(
        rx.el.h2("Pages", class_name="mz-section-title"),
        rx.cond(_some(Home.actions), tiles, nothing),
        aria_label="Pages",
    )


def _tile(action: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(action["title"], class_name="mz-tile-title mz-truncate"),
        rx.cond(action["text"] != "", rx.el.span(action["text"], class_name="mz-tile-text"), rx.fragment()),
        class_name="mz-tile-words",
    )
    sign = rx.el.span(icon(action["icon"], 18), class_name="mz-tile-icon")
    return rx.el.li(link(sign, words, href=action["path"], class_name="mz-tile"))


def _plan() -> rx.Component:
    return card(
        rx.el.p(Frame.plan, class_name="mz-figure"),
        rx.el.p("See what it includes, or change it.", class_name="mz-muted mz-small"),
        link_button("See plans", "/plans", small=True, class_name="mz-card-action"),
        title="Your plan",
    )


def _first_steps() -> rx.Component:
    count = rx.el.span(Home.steps_done, " of ", _count(Home.steps), class_name="mz-muted mz-small")
    return card(rx.el.ol(rx.foreach(Home.steps, _step), class_name="mz-steps"), title="Getting started", actions=[count])


def _step(step: Any) -> rx.Component:
    mark = rx.cond(step["done"], icon("circle-check", 17, "Done", "mz-done"), icon("circle-dashed", 17, "To do", "mz-todo"))
    words = rx.el.div(
        rx.el.p(step["title"], class_name="mz-strong"),
        rx.cond(step["done"], rx.fragment(), rx.el.p(step["text"], class_name="mz-muted mz-small")),
    )
    return rx.el.li(mark, words, class_name="mz-step")
