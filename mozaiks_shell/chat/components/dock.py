"""What every page carries of the chat: a bubble. The pane is fetched when somebody opens it."""

import json
import re
from typing import Final

import reflex as rx
from reflex_base.vars.base import VarData

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.pane import BUBBLE_ID, LazyPane
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.kit import icon
from mozaiks_shell.ui.page import Page, pages

# In the markup and not in a stylesheet: a page that never opens the chat fetches nothing for it.
_BUBBLE: Final = {
    "position": "fixed", "inset_inline_end": "max(1.25rem, env(safe-area-inset-right))",
    "bottom": "max(1.25rem, env(safe-area-inset-bottom))",
    "z_index": "60", "width": "3.25rem", "height": "3.25rem", "place_items": "center", "border": "0",
    "border_radius": "999px", "cursor": "pointer", "color": "var(--color-on-fill)", "background": "var(--color-fill)",
    "box_shadow": "var(--shadow-lg)",
}  # fmt: skip
_DOT: Final = {
    "position": "absolute", "top": "0", "inset_inline_end": "0",
    "width": "0.875rem", "height": "0.875rem", "border_radius": "999px",
    "background": "var(--color-danger)", "border": "2px solid var(--color-bg)",
}  # fmt: skip
_CARD: Final = {
    "position": "fixed", "inset_block": "auto 5.25rem", "inset_inline": "auto max(1.25rem, env(safe-area-inset-right))",
    "margin": "0", "width": "17rem",
    "padding": "1.25rem", "border": "1px solid var(--color-line)", "border_radius": "var(--radius-lg)",
    "background": "var(--color-elevated)", "color": "var(--color-text)", "box_shadow": "var(--shadow-lg)",
}  # fmt: skip

# An address without a prerendered page is served with the front page's HTML, which the first drawing has to match.
_LOCATION: Final = VarData(
    imports={"react-router": "useLocation", "react": ["useEffect", "useState"]},
    hooks={
        "const mzcHere = useLocation();": None,
        "const [mzcDrawn, mzcDraw] = useState(!globalThis.window?.__reactRouterContext?.isSpaMode);": None,
        "useEffect(() => mzcDraw(true), []);": None,
    },
)


def _silent_here(silent: list[Page]) -> rx.Var[bool]:
    """Whether the address shown is one of these pages; decided in the browser, so that nothing flashes on the way."""
    shapes = "|".join(_shape(one.route) for one in silent)
    test = f"(mzcDrawn && new RegExp({json.dumps(f'^(?:{shapes})/?$')}).test(mzcHere.pathname))"
    return rx.Var(test, _var_type=bool, _var_data=_LOCATION)


def _shape(route: str) -> str:
    """The pattern of a route's addresses, for both Python and JavaScript."""
    kinds = (("[[...", "(?:/.*)?"), ("[...", "/.+"), ("[[", "(?:/[^/]+)?"), ("[", "/[^/]+"))
    parts = [part for part in route.strip("/").split("/") if part]
    return "".join(next((shape for mark, shape in kinds if part.startswith(mark)), f"/{re.escape(part)}") for part in parts)


def _bubble() -> rx.Component:
    return rx.el.button(
        icon("message-circle", 24),
        rx.cond(ChatState.unread, rx.el.span(style=_DOT, aria_hidden="true", class_name="mzc-dot")),
        type="button",
        id=BUBBLE_ID,
        aria_label=labels.OPEN,
        aria_description=rx.cond(ChatState.unread, labels.UNREAD, ""),
        style=_BUBBLE | {"display": rx.cond(ChatState.surface == "closed", "grid", "none")},
        on_click=ChatState.open_widget,
    )


def _visitor() -> rx.Component:
    return rx.fragment(
        rx.el.button(
            icon("message-circle", 24),
            type="button",
            aria_label=labels.OPEN,
            style=_BUBBLE | {"display": "grid"},
            custom_attrs={"popoverTarget": "mzc-visitor"},
        ),
        rx.el.div(
            rx.el.h2(labels.SIGN_IN_TITLE, style={"margin": "0 0 0.25rem", "font_size": "1rem"}),
            rx.el.p(labels.SIGN_IN_TEXT, style={"margin": "0 0 1rem", "color": "var(--color-muted)", "font_size": "0.875rem"}),
            rx.el.a(labels.SIGN_IN, href="/sign-in", class_name="mz-button mz-primary"),
            id="mzc-visitor",
            style=_CARD,
            custom_attrs={"popover": "auto"},
        ),
    )


def chat_dock(_: bool) -> rx.Component:
    """The app-level wrapper: bubble and pane first, the page after them (Reflex appends it).

    Pages declared with ``chat=False`` have neither in their DOM (F-034). What was typed is kept in the tab's session
    storage and what was open in the State, so both are there again on the next page.
    """
    silent = [one for one in pages() if not one.chat]
    wake = rx.el.span(hidden=True, on_mount=ChatState.enter)  # again when the server forgot this tab (restart, expiry)
    wanted = ChatState.opened | (ChatState.surface != "closed")
    dock = rx.fragment(
        rx.cond(ChatState.ready, rx.cond(ChatState.signed_in, _bubble(), _visitor()), wake),
        rx.cond((ChatState.signed_in | ~ChatState.ready) & wanted, LazyPane.create()),
    )
    box = rx.el.div(dock, class_name="mzc-dock", style={"display": "contents"})
    return rx.fragment(rx.cond(_silent_here(silent), rx.fragment(), box) if silent else box)
