"""One tree of places: the pages as their code declares them, arranged as the operator's file says (F-002, F-003).

Pure: nothing here knows who is looking. What a person sees of the tree is :mod:`.navigation`'s matter.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, urlsplit

from mozaiks_shell.appconfig.brand_files import asset_file
from mozaiks_shell.appconfig.navigation import Navigation, NavItem
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.ui.icon_names import FALLBACK, known
from mozaiks_shell.ui.page import Badge, Page

Kind = Literal["page", "link", "workflow", "group"]
Finder = Callable[[str], Page | None]

DEPTH = 2  # deeper entries are shown at this depth


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the menu.

    Attributes:
        kind: ``page`` of this app, ``link`` elsewhere, ``workflow`` to start, or ``group``: a heading with children.
        path: Address within the app; a workflow's is its deep link. Empty for links and groups.
        page: The page behind ``path``: its access decides.
        demands: What the operator's file asks besides.
        in_header: Also shown in the header.
    """

    id: str
    kind: Kind
    title: str
    path: str = ""
    href: str = ""
    icon: str = ""
    order: float = 100
    group: str = ""
    badge: Badge = ""
    shortcut: str = ""
    description: str = ""
    keywords: str = ""
    page: Page | None = None
    workflow: str = ""
    demands: tuple[Access, ...] = ()
    in_header: bool = False
    children: tuple["Node", ...] = ()

    def family(self) -> Iterator["Node"]:
        """It and everything beneath it."""
        yield self
        for child in self.children:
            yield from child.family()


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole menu of an app. ``lost`` names entries of the file that lead nowhere."""

    side: tuple[Node, ...]
    top: tuple[Node, ...]
    lost: tuple[NavItem, ...] = ()

    def nodes(self) -> list[Node]:
        """Every place once, the sidebar's first."""
        return _once(node for root in (*self.side, *self.top) for node in root.family())


def in_navigation(page: Page) -> bool:
    """Pages with a parameter in their address cannot be linked to."""
    return page.in_nav and "[" not in page.route


def slug(route: str) -> str:
    """An entry's id where nobody gave it one."""
    return re.sub(r"[^a-z0-9]+", "-", route.lower()).strip("-") or "home"


def glyph(icon: str) -> str:
    """A file's name as it is, anything else as the Lucide name it means; the neutral glyph where there is neither (F-032)."""
    if "." in icon:
        return icon if asset_file(icon) else FALLBACK
    return known(icon) if icon else ""


def build(declared: Sequence[Page], file: Navigation, find: Finder) -> Tree:
    """Arrange ``declared`` (in order) as ``file`` says.

    Args:
        declared: Pages of the code.
        file: The operator's navigation.
        find: The page that answers a path, declared or made by the file.
    """
    return _Builder(declared, file, find).tree()


class _Builder:
    def __init__(self, declared: Sequence[Page], file: Navigation, find: Finder) -> None:
        self.file, self.find = file, find
        self.declared = [page for page in declared if in_navigation(page)]
        self.mentioned: set[str] = set()
        self.ids: set[str] = set()
        self.lost: list[NavItem] = []

    def tree(self) -> Tree:
        arranged = self._siblings(self.file.items)
        beside = set(self.mentioned)
        left = [] if self.file.only_listed else [self._page(one) for one in self.declared if one.route not in beside]
        side = self._nested(arranged, left)
        header = [node for root in side for node in root.family() if node.in_header]
        top = [*self._siblings(self.file.top), *(replace(node, children=()) for node in header)]
        return Tree(_sorted(side), tuple(_once(top)), tuple(self.lost))

    def _siblings(self, items: Sequence[NavItem]) -> list[Node]:
        """Entries of the file; one without ``order`` follows the one before it."""
        nodes: list[Node] = []
        for item in items:
            node = self._item(item, before=nodes[-1].order if nodes else 0)
            if node is not None:
                nodes.append(node)
        return nodes

    def _item(self, item: NavItem, before: float) -> Node | None:
        page = self._page_of(item)
        if item.hidden or "[" in item.path:  # what has a parameter in its address cannot be linked to
            if page is not None and not item.id.startswith("route-"):  # the older shape's routes say nothing of the menu
                self.mentioned.add(page.route)
            return None
        children = _sorted(self._siblings(item.children))
        kind: Kind
        if item.trigger is not None:
            kind = "workflow"
        elif page is not None:
            kind = "page"
            self.mentioned.add(page.route)
        elif item.href and not item.href.startswith("/"):
            kind = "link"
        elif children:
            kind = "group"
        else:
            self.lost.append(item)
            return None
        return replace(self._node(item, kind, before, page), children=children)

    def _page_of(self, item: NavItem) -> Page | None:
        """``href`` wins over ``path``; a plugin is found by its name, too."""
        if item.trigger is not None:
            return None
        target = item.href or item.path
        page = self.find(urlsplit(target).path) if target.startswith("/") else None
        return page or (self.find(f"/plugins/{item.plugin_name}") if item.plugin_name else None)

    def _node(self, item: NavItem, kind: Kind, before: float, page: Page | None) -> Node:
        icons: dict[Kind, str] = {"page": page.icon if page else "", "link": "external-link", "workflow": "sparkles", "group": ""}
        listed = self.file.only_listed
        natural: float = before if listed else page.order if page is not None else 100
        return Node(
            id=self._id(item.id or slug(item.path or item.label)),
            kind=kind,
            title=item.label or item.title or (page.title if page else item.id),
            path=_address(item, page),
            href=item.href if kind == "link" else "",
            icon=glyph(item.icon or icons[kind]),
            order=natural if item.order is None else item.order,
            group=item.group or (page.group if page is not None and not listed else ""),
            badge=item.badge or (page.badge if page is not None else ""),
            shortcut=item.shortcut or (page.shortcut if page is not None else ""),
            description=item.description or (page.description if page is not None else ""),
            keywords=page.keywords if page is not None else "",
            page=page,
            workflow=item.trigger.workflow if item.trigger else "",
            demands=_demands(item, page),
            in_header=item.show_in_header or (page is not None and page.show_in_header),
        )

    def _page(self, page: Page) -> Node:
        return Node(
            id=self._id(slug(page.route)), kind="page", title=page.title, path=page.route, icon=glyph(page.icon),
            order=page.order, group=page.group, badge=page.badge, shortcut=page.shortcut, description=page.description,
            keywords=page.keywords, page=page, in_header=page.show_in_header,
        )  # fmt: skip

    def _nested(self, arranged: list[Node], left: list[Node]) -> list[Node]:
        """Pages that only their code declares go beneath the parent it names."""
        ours = {node.path: node for node in left}
        placed = set(ours) | {node.page.route for root in arranged for node in root.family() if node.page is not None}
        beneath: dict[str, list[Node]] = {}
        roots = list(arranged)
        for node in left:
            parent = node.page.parent if node.page is not None else ""
            if parent in placed and not _loops(node, ours):
                beneath.setdefault(parent, []).append(node)
            else:
                roots.append(node)

        def grown(node: Node) -> Node:
            own = beneath.pop(node.page.route, []) if node.page is not None else []
            return replace(node, children=_sorted([grown(one) for one in (*node.children, *own)]))

        return [grown(node) for node in roots]

    def _id(self, wished: str) -> str:
        taken, number = wished, 2
        while taken in self.ids:
            taken, number = f"{wished}-{number}", number + 1
        self.ids.add(taken)
        return taken


def _loops(node: Node, others: dict[str, Node]) -> bool:
    seen: set[str] = set()
    at: Node | None = node
    while at is not None and at.page is not None:
        if at.path in seen:
            return True
        seen.add(at.path)
        at = others.get(at.page.parent)
    return False


def _once(nodes: Iterable[Node]) -> list[Node]:
    """The first entry for every address."""
    found: dict[tuple[str, str], Node] = {}
    for node in nodes:
        found.setdefault((node.kind, node.path or node.href or node.id), node)
    return list(found.values())


def _sorted(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: node.order))


def _address(item: NavItem, page: Page | None) -> str:
    if item.trigger is not None:
        return f"/chat/{quote(item.trigger.workflow, safe='')}"
    if page is None:
        return ""
    return page.route if item.plugin_name and "[" not in page.route else item.href or item.path


def _demands(item: NavItem, page: Page | None) -> tuple[Access, ...]:
    """What the file asks for the entry to be shown. On a page it only ever adds to what the page asks itself."""
    asked: list[Access] = []
    if item.role:
        asked.append(Access.role(item.role))
    if item.plan:
        asked.append(Access.plan(item.plan))
    if not asked and page is None and item.requires_auth is not False:
        asked.append(Access.signed_in())
    return tuple(asked)
