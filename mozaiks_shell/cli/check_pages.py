"""Accessibility of a page as far as its components tell: names, labels, headings, order (WCAG 1.1.1, 1.3.1, 2.4.3, 4.1.2)."""

from collections.abc import Iterator
from typing import Any, Final

from reflex.components.component import BaseComponent
from reflex_base.vars.base import LiteralVar, Var

_FIELDS: Final = frozenset({"input", "select", "textarea"})
_NO_FIELDS: Final = frozenset({"hidden", "submit", "button", "reset", "image"})
_NAMED: Final = frozenset({"button", "a", "ReactRouterLink", "summary"})
_SILENT: Final = frozenset({"svg", "path", "Fragment", "div", "span", "p", "i", "b", "strong", "em", "small", "img"})
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}

Said = tuple[str, str, Any]  # rule, message, the component


def findings(page: BaseComponent) -> Iterator[Said]:
    """What is wrong with the page, in the order of its components."""
    labels = {_key(one) for node in _every(page) if _tag(node) == "label" and (one := _said(node, "html_for")) is not None}
    yield from _look(page, labels, labelled=False)
    yield from _headings(page)


def _look(node: Any, labels: set[str], labelled: bool) -> Iterator[Said]:
    tag = _tag(node)
    if tag == "img" and _said(node, "alt") is None and not _hidden(node):
        yield "a11y-image", "An image has no alt.", node
    if tag in _FIELDS and _literal(_said(node, "type")) not in _NO_FIELDS and not labelled and not _has_name(node):
        identity = _said(node, "id")
        if identity is None or _key(identity) not in labels:
            name = _literal(_said(node, "name"))
            yield "a11y-label", f"The {tag}{f' {name!r}' if name else ''} has no label.", node
    if tag in _NAMED and not _has_name(node) and not _hidden(node) and not any(_speaks(one) for one in node.children):
        yield "a11y-name", f"A {'link' if tag == 'a' or 'Link' in tag else 'button'} has no name.", node
    order = _literal(_said(node, "tab_index", "tabIndex", "tabindex"))
    if isinstance(order, int | float) and order > 0:
        yield "a11y-tabindex", f"tab_index is {order}.", node
    for inner in node.children:
        yield from _look(inner, labels, labelled or tag == "label")


def _headings(page: Any) -> Iterator[Said]:
    found: list[Said] = []
    seen: list[Any] = []

    def walk(node: Any, before: set[int]) -> set[int]:
        """The levels that may come last in this part, of those that may come before it."""
        if (level := _HEADINGS.get(_tag(node))) is not None:
            if not seen and level != 1:
                found.append(("a11y-heading", f"The first heading is of level {level}.", node))
            elif seen and all(level > one + 1 for one in before):
                found.append(("a11y-heading", f"A heading of level {level} follows one of level {max(before)}.", node))
            seen.append(node)
            return {level}
        if type(node).__name__ in {"Cond", "Match"}:  # one of them is shown
            return set().union(*(walk(one, before) for one in node.children)) or before
        for inner in node.children:
            before = walk(inner, before)
        return before

    walk(page, {0})
    if not seen:
        found.append(("a11y-heading", "The page has no heading.", page))
    yield from found


def _every(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.children:
        yield from _every(inner)


def _tag(node: Any) -> str:
    return str(getattr(node, "tag", "") or "")


def _said(node: Any, *names: str) -> Any:
    """An attribute of the element, however it was given; None when it was not."""
    for name in names:
        if (value := getattr(node, name, None)) is not None:
            return value
    custom = {key.replace("-", "_").strip('"'): value for key, value in (getattr(node, "custom_attrs", None) or {}).items()}
    return next((custom[name] for name in names if custom.get(name) is not None), None)


def _literal(value: Any) -> Any:
    if isinstance(value, LiteralVar):
        return getattr(value, "_var_value", None)
    return None if isinstance(value, Var) else value


def _key(value: Any) -> str:
    """An id, so that a text and a Var that holds it are the same."""
    said = _literal(value)
    return str(value) if said is None else str(said)


def _has_name(node: Any) -> bool:
    return any(_said(node, name) not in {None, ""} for name in ("aria_label", "aria_labelledby", "title"))


def _hidden(node: Any) -> bool:
    return str(_literal(_said(node, "aria_hidden")) or "").lower() == "true"


def _speaks(node: Any) -> bool:
    """Whether something in this part gives its surroundings a name."""
    if (contents := getattr(node, "contents", None)) is not None:
        said = _literal(contents)
        return said is None or bool(str(said).strip())
    tag = _tag(node)
    if _hidden(node):
        return False
    if tag == "img":
        return _said(node, "alt") not in {None, ""}
    if _has_name(node):
        return True
    if tag and tag not in _SILENT and not node.children:
        return True  # somebody else's component: it may well say something
    return any(_speaks(one) for one in node.children)
