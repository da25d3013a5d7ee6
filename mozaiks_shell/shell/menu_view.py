"""How a person's menu looks: the lines of the tree that are shown to them, in groups (F-003, F-005)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict

from mozaiks_shell.foundation.access import Access, Decision
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.nav_tree import DEPTH, Node, Tree
from mozaiks_shell.ui.page import Page

_PLANS: Final = "/plans"


class NavEntry(TypedDict):
    """A line of the menu.

    ``gate`` is ``ok`` or ``plan`` (locked; ``needed`` names the plan). ``exact``: only this very path makes it the
    active one. ``depth`` 1 and 2 stand beneath the line before. ``kind`` is page, link (``href`` leads elsewhere),
    workflow (``path`` is its deep link) or group (a heading of its own). ``domain``: whose catalogue has the title.
    """

    id: str
    title: str
    path: str
    icon: str
    gate: str
    needed: str
    exact: bool
    badge: str
    depth: int
    kind: str
    href: str
    shortcut: str
    domain: str


class NavGroup(TypedDict):
    """Lines under one heading; the first group has none."""

    title: str
    entries: list[NavEntry]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of somebody's menu with what the palette and the API want to know besides."""

    entry: NavEntry
    description: str = ""
    keywords: str = ""
    workflow: str = ""
    plugin: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A person's navigation.

    Attributes:
        groups: The sidebar.
        top: The header.
        places: Every line of both once, locked ones too, in order.
        gates: Verdict per route of a page and key of a slot's piece: ok, sign_in, role or plan.
        needed: The role or plan that would open it, where it is not open.
        plan: Title of the person's plan; empty when nothing is gated by plan.
        landing: Where ``/`` leads this person.
    """

    groups: list[NavGroup]
    top: list[NavEntry]
    places: list[Place]
    gates: dict[str, str]
    needed: dict[str, str]
    plan: str = ""
    landing: str = "/"


@dataclass(frozen=True, slots=True)
class View:
    """How one person sees the tree."""

    opens: dict[str, Decision]
    verdict: Callable[[Access], Decision]
    workflows: dict[str, Decision]
    landing: str
    hide_locked: bool = False

    def decide(self, node: Node) -> Decision:
        """The first refusal of what the entry, its page or its workflow asks; ``sign_in`` for what does not exist."""
        asked = [self.verdict(access) for access in node.demands]
        if node.page is not None:
            asked.append(self.opens.get(node.page.route, Decision(False, "sign_in")))
        if node.kind == "workflow":
            asked.append(self.workflows.get(node.workflow, Decision(False, "sign_in")))
        return next((one for one in asked if not one.allowed), Decision(True))

    def shows(self, node: Node, decision: Decision) -> bool:
        """Locked lines are shown unless the operator hides them, those of another role are not; neither is a second line
        to the landing page, nor the plans where there is nothing to buy."""
        if node.path == "/" and self.landing != "/":
            return False
        if node.path == _PLANS and get_settings().billing_provider == "none":
            return False
        return decision.reason == "ok" or (decision.reason == "plan" and not self.hide_locked)


def menu_of(view: View, tree: Tree, gates: dict[str, str], needed: dict[str, str], plan: str) -> Menu:
    """The menu: what ``view`` shows of ``tree``. The other arguments are handed on as they are."""
    by_group: dict[str, list[Place]] = {"": []}
    for node in tree.side:
        by_group.setdefault(node.group, []).extend(_lines(node, view, 0))
    top = [place for node in tree.top for place in _lines(node, view, 0)]
    every = [place for lines in (*by_group.values(), top) for place in lines]
    places: dict[str, Place] = {}
    for place in every:
        places.setdefault(place.entry["id"], place)
    _set_exact([place.entry for place in every])
    groups = [NavGroup(title=title, entries=[line.entry for line in lines]) for title, lines in by_group.items() if lines]
    return Menu(groups, [place.entry for place in top], list(places.values()), gates, needed, plan, view.landing)


def _lines(node: Node, view: View, depth: int) -> list[Place]:
    """An entry and what is beneath it. What is beneath a line that is not shown moves up."""
    decision = view.decide(node)
    shown = view.shows(node, decision)
    below = [line for child in node.children for line in _lines(child, view, min(depth + 1, DEPTH) if shown else depth)]
    if not shown or (node.kind == "group" and not below):
        return below
    return [Place(_entry(node, decision, depth), node.description, node.keywords, node.workflow, plugin_of(node)), *below]


def _entry(node: Node, decision: Decision, depth: int) -> NavEntry:
    return NavEntry(
        id=node.id, title=node.title, path=node.path, icon=node.icon, gate=decision.reason, needed=decision.needed,
        exact=node.path == "/", badge=node.badge if isinstance(node.badge, str) and decision.allowed else "", depth=depth,
        kind=node.kind, href=node.href, shortcut=node.shortcut, domain=plugin_of(node),
    )  # fmt: skip


def _set_exact(entries: Sequence[NavEntry]) -> None:
    """A line with another one below its address is only active at its very own."""
    paths = [entry["path"] for entry in entries if entry["path"]]
    for entry in entries:
        entry["exact"] = entry["path"] == "/" or any(path.startswith(entry["path"] + "/") for path in paths if entry["path"])


def plugin_of(node: Node) -> str:
    """The plugin whose page it is, or an empty string."""
    return domain_of(node.page) if node.page is not None else ""


def domain_of(page: Page) -> str:
    """The plugin whose catalogue has the page's title; empty for the shell's own."""
    return "" if page.owner in {"shell", "config"} else page.owner
