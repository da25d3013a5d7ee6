"""Things to look at: cards, headings, lists, states of waiting and emptiness."""

from collections.abc import Sequence
from typing import Any, Literal

import reflex as rx

from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit._props import Child, classed, given
from mozaiks_shell.ui.kit.icons import icon

Cards = Literal["", "slim", "tall"]
Tone = Literal["neutral", "accent", "success", "warning", "danger"]
_TONE_ICON = {
    "neutral": "info", "accent": "info", "success": "circle-check", "warning": "triangle-alert", "danger": "circle-alert"
}  # fmt: skip


def stack(*children: Child, gap: int = 4, **props: Any) -> rx.Component:
    """Children beneath each other, ``gap`` (0 to 8) times 4 px apart."""
    return rx.el.div(*children, **classed(f"mz-stack mz-gap-{gap}", props))


def row(*children: Child, gap: int = 3, **props: Any) -> rx.Component:
    """Children beside each other, ``gap`` (0 to 8) times 4 px apart; wraps when there is no room."""
    return rx.el.div(*children, **classed(f"mz-row mz-gap-{gap}", props))


def grid(*children: Child, **props: Any) -> rx.Component:
    """Equal tiles, as many beside each other as fit (at least 16 rem wide)."""
    return rx.el.div(*children, **classed("mz-grid", props))


def card(*children: Child, title: Child = "", actions: Sequence[Child] = (), **props: Any) -> rx.Component:
    """A bordered group with an optional heading (level 2) and actions at its right."""
    head: list[Child] = []
    if given(title) or actions:
        head = [rx.el.div(rx.el.h2(title, class_name="mz-card-title"), *actions, class_name="mz-card-head")]
    return rx.el.section(*head, *children, **classed("mz-card", props))


def page_header(title: Child, description: Child = "", actions: Sequence[Child] = ()) -> rx.Component:
    """The page's one level-1 heading, a sentence beneath, actions at the right."""
    words: list[Child] = [rx.el.h1(title, class_name="mz-title")]
    if given(description):
        words.append(rx.el.p(description, class_name="mz-description"))
    parts: list[Child] = [rx.el.div(*words, class_name="mz-page-words")]
    if actions:
        parts.append(row(*actions, gap=2, class_name="mz-page-actions"))
    return rx.el.header(*parts, class_name="mz-page-header")


def empty_state(icon_name: str, title: Child, text: Child, action: Child = None) -> rx.Component:
    """Nothing here yet: what would be here, and how to get it."""
    return rx.el.div(
        rx.el.span(icon(icon_name, 20), class_name="mz-empty-icon"),
        rx.el.p(title, class_name="mz-empty-title"),
        rx.el.p(text, class_name="mz-empty-text"),
        *([action] if action is not None else []),
        class_name="mz-empty",
    )


def badge(text: Child, tone: Tone | rx.Var[str] = "neutral", **props: Any) -> rx.Component:
    """A short status word."""
    name = "mz-badge mz-tone-" + tone.to(str) if isinstance(tone, rx.Var) else f"mz-badge mz-tone-{tone}"
    props.setdefault("class_name", name)
    return rx.el.span(text, **props)


def notice(text: Child, tone: Tone = "neutral", action: Child = None, **props: Any) -> rx.Component:
    """A sentence that matters for what is around it. ``danger`` is announced at once, the rest politely."""
    role = "alert" if tone == "danger" else "status"
    content = [icon(_TONE_ICON[tone]), rx.el.div(text, class_name="mz-notice-text")]
    return rx.el.div(
        *content, *([action] if action is not None else []), role=role, **classed(f"mz-notice mz-tone-{tone}", props)
    )


def table(
    columns: Sequence[Child], *rows: Sequence[Child] | rx.Component | rx.Var[Any], caption: Child = "", cards: Cards = ""
) -> rx.Component:
    """A table that scrolls sideways within its frame when there is no room.

    Args:
        columns: The headings.
        *rows: Each a list of cells, or a ready ``rx.el.tr``, or an ``rx.foreach`` of them.
        caption: Its name, for screen readers.
        cards: On a phone each row is a card instead, and nothing scrolls sideways; rows are then made with :func:`card_row`.
            ``tall``: a line for each cell; ``slim``: the name and the last cell in one line, the others beneath.
    """
    lines = [rx.el.tr(*[rx.el.td(cell) for cell in one]) if isinstance(one, list | tuple) else one for one in rows]
    named = [rx.el.caption(caption, class_name="mz-hidden")] if given(caption) else []
    # With another display than a table's own, browsers forget what a table is made of.
    said = _role if cards else lambda _: {}
    heads = [rx.el.th(one, scope="col", **said("columnheader")) for one in columns]
    head = rx.el.thead(rx.el.tr(*heads, **said("row")), **said("rowgroup"))
    region = {"role": "region", "aria_label": caption} if given(caption) else {}
    inner = rx.el.table(
        *named,
        head,
        rx.el.tbody(*lines, **said("rowgroup")),
        class_name=f"mz-table{f' mz-cards mz-cards-{cards}' if cards else ''}",
        **said("table"),
    )
    return rx.el.div(inner, class_name="mz-table-frame", tab_index=0, **region)


def card_row(name: Child, *cells: tuple[Child, Child], class_name: str = "") -> rx.Component:
    """A row of a :func:`table` with ``cards``.

    Args:
        name: What the row is about; the card's title.
        *cells: Heading and value of each further cell; the heading stands before the value in the card.
        class_name: Of the name's cell.
    """
    values = [
        rx.el.td(rx.el.span(label, class_name="mz-cell-label", aria_hidden="true"), value, **_role("cell"))
        for label, value in cells
    ]
    return rx.el.tr(rx.el.th(name, scope="row", class_name=class_name, **_role("rowheader")), *values, **_role("row"))


def _role(name: str) -> dict[str, str]:
    return {"role": name}


def skeleton(lines: int = 3) -> rx.Component:
    """Grey lines where text will be."""
    bars = [rx.el.span(class_name="mz-bone") for _ in range(lines)]
    return rx.el.div(*bars, class_name="mz-skeleton", role="status", aria_label=t("Loading"))
