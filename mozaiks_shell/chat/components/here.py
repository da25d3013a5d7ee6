"""Where the person is, as the browser knows it: pages without the chat, and pages that are about chats."""

import json
import re
from typing import Final

import reflex as rx
from reflex_base.vars.base import VarData

from mozaiks_shell.ui.page import Page

# An address without a prerendered page is served with the front page's HTML, which the first drawing has to match.
_LOCATION: Final = VarData(
    imports={"react-router": "useLocation", "react": ["useEffect", "useState"]},
    hooks={
        "const mzcHere = useLocation();": None,
        "const [mzcDrawn, mzcDraw] = useState(!globalThis.window?.__reactRouterContext?.isSpaMode);": None,
        "useEffect(() => mzcDraw(true), []);": None,
    },
)


def one_of(some: list[Page]) -> rx.Var[bool]:
    """Whether the address shown is one of these pages; decided in the browser, so that nothing flashes on the way."""
    shapes = "|".join(_shape(one.route) for one in some)
    return _matches(f"^(?:{shapes})/?$")


def among_chats() -> rx.Var[bool]:
    """Whether the page is about chats itself, and so has no bubble and no widget (F-172)."""
    return _matches("^/(?:chat|artifacts)(?:/|$)")


def in_a_frame() -> rx.Var[bool]:
    """Whether this is the page that others may frame."""
    return _matches("^/embed/?$")


def _matches(pattern: str) -> rx.Var[bool]:
    test = f"(mzcDrawn && new RegExp({json.dumps(pattern)}).test(mzcHere.pathname))"
    return rx.Var(test, _var_type=bool, _var_data=_LOCATION)


def _shape(route: str) -> str:
    """The pattern of a route's addresses, for both Python and JavaScript."""
    kinds = (("[[...", "(?:/.*)?"), ("[...", "/.+"), ("[[", "(?:/[^/]+)?"), ("[", "/[^/]+"))
    parts = [part for part in route.strip("/").split("/") if part]
    return "".join(next((shape for mark, shape in kinds if part.startswith(mark)), f"/{re.escape(part)}") for part in parts)
