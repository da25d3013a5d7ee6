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
        rx.cond(ChatState.unread, rx.el.span(aria_hidden="true", class_name="mzc-dot")),
        type="button",
        id=BUBBLE_ID,
        aria_label=labels.OPEN,
        aria_description=rx.cond(ChatState.unread, labels.UNREAD, ""),
        class_name="mzc-bubble",
        hidden=ChatState.surface != "closed",
        on_click=ChatState.open_widget,
    )


def _visitor() -> rx.Component:
    return rx.fragment(
        rx.el.button(
            icon("message-circle", 24),
            type="button",
            aria_label=labels.OPEN,
            class_name="mzc-bubble",
            custom_attrs={"popoverTarget": "mzc-visitor"},
        ),
        rx.el.div(
            rx.el.h2(labels.SIGN_IN_TITLE),
            rx.el.p(labels.SIGN_IN_TEXT),
            rx.el.a(labels.SIGN_IN, href="/sign-in", class_name="mz-button mz-primary"),
            id="mzc-visitor",
            class_name="mzc-visitor",
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
    box = rx.el.div(dock, class_name="mzc-dock")
    return rx.fragment(rx.cond(_silent_here(silent), rx.fragment(), box) if silent else box)
