"""The start page of a signed-in person: a dashboard of registered sections (F-028)."""

from typing import Any

import reflex as rx

from mozaiks_shell.appconfig import service as appconfig
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell import home_sections
from mozaiks_shell.shell.dashboard import arranged
from mozaiks_shell.shell.home_frame import chosen, empty_place, framed
from mozaiks_shell.shell.home_state import Home
from mozaiks_shell.shell.slots import Piece, dashboard
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.shell.waiting import outline
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import empty_state, notice, page_header, stack
from mozaiks_shell.ui.page import page

__all__ = ["home", "home_sections"]

_DESCRIPTION = msg("Pick up where you left off, ask an agent, or open any part of the app.")


@outline("/")
def waiting() -> rx.Component:
    """The page before anything is known: the same heading and the same places, so that nothing jumps."""
    return rx.fragment(page_header(t("Welcome"), t(_DESCRIPTION)), _waiting(dashboard.pieces()))


@page("/", title=msg("Home"), icon="house", access=Access.signed_in(), description=_DESCRIPTION, order=0, on_load=Home.enter)
def home() -> rx.Component:
    """Greeting, and the sections in the order the operator wants, wide ones beside narrow ones."""
    pieces = dashboard.pieces()
    wide, narrow = _placed(pieces, "main"), _placed(pieces, "side")
    unknown: Any = Home.unknown
    columns = _columns(chosen(Home.main, wide, framed), chosen(Home.side, narrow, framed))
    missing = t("ui.json names sections that do not exist: {names}", names=unknown.join(", "))
    hint = notice(missing, "warning", class_name="mz-home-hint")
    why = t("This app shows no sections on its start page. The menu leads to everything.")
    nothing = empty_state("layout-dashboard", t("Nothing to show here"), why)
    shown = rx.cond((Home.main.length() > 0) | (Home.side.length() > 0), columns, nothing)  # type: ignore[attr-defined]
    greeting = rx.cond(Frame.name != "", t("Welcome, {name}", name=Frame.name), t("Welcome"))
    return rx.fragment(
        page_header(greeting, t(_DESCRIPTION)),
        rx.cond(unknown.length() > 0, hint, rx.fragment()),
        rx.cond(Home.loaded, shown, _waiting(pieces)),
    )


def _placed(pieces: list[Piece], place: str) -> list[Piece]:
    return [piece for piece in pieces if piece.place == place]


def _columns(main: Any, side: Any) -> rx.Component:
    return rx.el.div(
        stack(main, gap=6, class_name="mz-home-main"), stack(side, gap=4, class_name="mz-home-side"), class_name="mz-home"
    )


def _waiting(pieces: list[Piece]) -> rx.Component:
    """What most people will see, without its content: the same places, so that nothing jumps."""
    expected = [
        piece
        for piece in arranged(appconfig.ui_config().dashboard.sections, pieces).pieces
        if piece.access.kind in {"public", "signed_in"} and piece.name != "agents"
    ]
    main, side = (
        [empty_place(piece) for piece in _placed(expected, "main")],
        [empty_place(piece) for piece in _placed(expected, "side")],
    )
    busy = rx.el.span(t("Loading"), class_name="mz-hidden", role="status")
    return rx.fragment(busy, _columns(rx.fragment(*main), rx.fragment(*side)))
