"""Texts that people see and no catalogue knows: found in the code, without running it."""

import ast
import re
from collections.abc import Collection, Iterator
from typing import Final

# Calls whose texts are shown, and keywords that are shown wherever they stand.
SHOWN: Final = frozenset({
    "badge", "button", "card", "checkbox", "close_button", "dialog_button", "empty_state", "field", "link", "link_button",
    "menu_item", "notice", "notify", "page_header", "panel", "section", "switch",
})  # fmt: skip
ELEMENTS: Final = frozenset({
    "a", "button", "caption", "dd", "div", "dt", "figcaption", "h1", "h2", "h3", "h4", "label", "legend", "li", "option", "p",
    "small", "span", "strong", "summary", "td", "th",
})  # fmt: skip
SPOKEN: Final = frozenset({"aria_label", "aria_description", "placeholder", "help", "caption", "alt"})
ERRORS: Final = frozenset({"Conflict", "Forbidden", "Invalid", "NotFound", "NotSignedIn", "TooLarge", "TooMany", "Unavailable"})
_WORD: Final = re.compile(r"[^\W\d_]{2}")
_NO_WORDS: Final = re.compile(r"[a-z0-9-]+|/.*")  # the name of an icon, an id, an address


def untranslated(tree: ast.Module, also: Collection[str] = ()) -> Iterator[tuple[int, str]]:
    """``(line, text)`` of every text of a component that is shown as it is written.

    Args:
        also: Further calls whose first argument is shown, such as errors.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, shown = _name(node.func), list[ast.expr]()
        if _is_element(node.func) and name in ELEMENTS or not _is_element(node.func) and name in SHOWN:
            shown += node.args
        elif name in also:
            shown += node.args[:1]
        shown += [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN]
        for text in (text for one in shown for text in _literals(one)):
            if _WORD.search(text) and not _NO_WORDS.fullmatch(text):
                yield node.lineno, text


def _literals(node: ast.expr) -> list[str]:
    """Texts written here that would be shown as they are."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    if isinstance(node, ast.Call) and _name(node.func) == "cond":
        return [text for one in node.args[1:] for text in _literals(one)]
    if isinstance(node, ast.BinOp):
        return [*_literals(node.left), *_literals(node.right)]
    return []


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _is_element(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Attribute) and function.value.attr == "el"
