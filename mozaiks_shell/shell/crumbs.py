"""Breadcrumbs: from the top to here."""

from collections.abc import Sequence
from typing import TypedDict

from mozaiks_shell.shell.configured import any_page
from mozaiks_shell.shell.menu_view import domain_of, plugin_of
from mozaiks_shell.shell.nav_tree import Node
from mozaiks_shell.shell.navigation import tree


class Crumb(TypedDict):
    """A step from the top to here; the last one is where we are."""

    title: str
    path: str
    domain: str


def crumbs(path: str) -> list[Crumb]:
    """From the top to the page at this path: by the menu's nesting, the page's declared parent, else the address (F-003).

    Empty where there is no page.
    """
    path = path.rstrip("/") or "/"
    page = any_page(path)
    if page is None:
        return []
    line = _line_to(path, tree().side)
    if line:
        return [_crumb(node) for node in line]
    here = Crumb(title=page.title, path=path, domain=domain_of(page))
    above = page.parent or _shorter(path)
    seen = {page.route}
    chain = [here]
    while above and (upper := any_page(_filled(above, path))) is not None and upper.route not in seen:
        seen.add(upper.route)
        if line := _line_to(upper.route, tree().side):
            return [*[_crumb(node) for node in line], *chain]
        chain.insert(0, Crumb(title=upper.title, path=_filled(upper.route, path), domain=domain_of(upper)))
        above = upper.parent
    return chain


def _line_to(path: str, nodes: Sequence[Node]) -> list[Node]:
    for node in nodes:
        if node.path and node.path.rstrip("/") == path.rstrip("/"):
            return [node]
        if below := _line_to(path, node.children):
            return [node, *below]
    return []


def _crumb(node: Node) -> Crumb:
    return Crumb(title=node.title, path=node.path, domain=plugin_of(node))


def _shorter(path: str) -> str:
    """The nearest address above that has a page."""
    while path := path.rpartition("/")[0]:
        if any_page(path) is not None:
            return path
    return ""


def _filled(route: str, path: str) -> str:
    """``/projects/[id]`` with the parameters of ``/projects/7/tasks``."""
    given = path.strip("/").split("/")
    parts = route.strip("/").split("/")
    return "/" + "/".join(given[at] if "[" in part and at < len(given) else part for at, part in enumerate(parts))
