"""The frame around a section of the start page: its heading, what is shown while it loads, and what when it failed."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.failures import RELOAD
from mozaiks_shell.shell.frame_parts import HERE, PageBoundary
from mozaiks_shell.shell.home_state import Home
from mozaiks_shell.shell.section_state import Sections
from mozaiks_shell.shell.slots import Piece
from mozaiks_shell.shell.state import Crash
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import button, card, icon

log = get_logger("shell")


def framed(piece: Piece) -> rx.Component:
    """The section as it stands on the page: failed, or its content within a boundary of its own."""
    failure: Any = Sections.failed[piece.key]
    again = button(t("Try again"), small=True, on_click=[Sections.forget(piece.key), *(piece.on_load or (Home.enter,))])
    told = _trouble(failure["message"].to(str), failure["reference"].to(str), again)
    broken = _trouble(t("This section stopped working."), Crash.reference, button(t("Reload"), small=True, on_click=RELOAD))
    content = PageBoundary.create(
        _content(piece), on_error=Crash.report, fallback_render=Var.create(_bodied(piece, broken)), reset_keys=HERE
    )
    return _around(piece, rx.cond(Sections.failed.contains(piece.key), _bodied(piece, told), content))  # type: ignore[attr-defined]


def empty_place(piece: Piece) -> rx.Component:
    """The same place before anything is known: heading and lines, as high as the content is expected to be."""
    bones = [rx.el.span(class_name="mz-bone") for _ in range(piece.rows)]
    lines = rx.el.div(*bones, class_name="mz-skeleton mz-home-bones", custom_attrs={"aria-hidden": "true"})
    return _around(piece, _bodied(piece, lines))


def _around(piece: Piece, body: rx.Component) -> rx.Component:
    given: Any = Home.titles
    title = rx.cond(given.contains(piece.key), given[piece.key], t(piece.title, domain=piece.domain))
    if piece.place == "side":
        return rx.el.section(
            rx.el.h2(title, class_name="mz-card-title mz-home-title"), body, class_name="mz-card", aria_label=title
        )  # fmt: skip
    return rx.el.section(rx.el.h2(title, class_name="mz-section-title"), body, aria_label=title)


def _bodied(piece: Piece, body: rx.Component) -> rx.Component:
    return body if piece.place == "side" else card(body)


def _content(piece: Piece) -> rx.Component:
    """What the section returns, as a component of its own: only so does the boundary around it catch what breaks in it."""
    try:
        drawn = piece.render()
    except Exception as error:
        log.error("section cannot be drawn", section=piece.name, owner=piece.owner, exc_info=error)
        return _bodied(piece, _trouble(t("This section stopped working."), "", None))

    def section() -> rx.Component:
        return drawn

    words = re.sub(r"[^a-z0-9]+", "_", piece.name)
    section.__name__ = section.__qualname__ = f"section_{words}_{hashlib.sha256(piece.key.encode()).hexdigest()[:6]}"
    return rx.memo(section)()


def _trouble(message: Any, reference: Any, action: rx.Component | None) -> rx.Component:
    number = rx.el.p(t("Reference {reference}", reference=reference), class_name="mz-muted mz-small")
    words = rx.el.div(rx.el.p(message), rx.cond(reference != "", number, rx.fragment()), class_name="mz-trouble-words")
    return rx.el.div(icon("circle-alert", 17), words, *([action] if action else []), class_name="mz-trouble", role="alert")


def chosen(keys: Any, pieces: list[Piece], draw: Callable[[Piece], rx.Component]) -> rx.Component:
    """The sections that ``keys`` (a Var) names, in its order; all of them are compiled, none twice."""
    drawn = {piece.key: draw(piece) for piece in pieces}

    def one(key: Any) -> rx.Component:
        return rx.match(key, *drawn.items(), rx.fragment()) if drawn else rx.fragment()

    return rx.foreach(keys, one)
