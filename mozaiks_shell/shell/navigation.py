"""What a person sees of the navigation, and which pages open to them (F-005, F-006, F-007).

One declaration per page feeds sidebar, header, Discover, palette, breadcrumbs, sitemap and gate: the code's
``@page`` or the operator's ``navigation.json``, merged in :mod:`.nav_tree`.

A person's menu is kept for 60 s in development and 300 s in production. It is kept together with all it was made
from: roles, the plan that counts now, the file as last read, the plan catalogue, the pages and which plugins run.
Roles come with every request from the session, the plan from one indexed query on every call; so another worker's
change of either is seen by the very next call, and time only bounds what is in no table (capability files). Events
of this process drop menus besides. Badges, and whether a line is shown to somebody yet (``shown`` of a page), are asked anew
after ten seconds or when something happened to the person.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from mozaiks_shell.appconfig.service import catalogue, navigation, on_change
from mozaiks_shell.billing import service as billing
from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Access, Decision, Principal
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.service import out_of_service
from mozaiks_shell.shell.configured import any_page, configured_page, configured_pages, way_in
from mozaiks_shell.shell.menu_view import Menu, NavEntry, NavGroup, Place, View, menu_of
from mozaiks_shell.shell.nav_tree import Tree, build
from mozaiks_shell.shell.slots import all_pieces
from mozaiks_shell.ui.page import Page, Shown, pages

__all__ = [
    "Menu", "NavEntry", "NavGroup", "Place", "any_page", "configured_page", "decide", "drop_menus", "expected_menu",
    "landing", "menu_for", "tree", "way_in",
]  # fmt: skip

log = get_logger("shell")

BADGE_SECONDS: Final = 1.0
BADGES_FOR: Final = 10.0
MOST_KEPT: Final = 4096


async def menu_for(principal: Principal | None) -> Menu:
    """The menu of this person, or of a visitor; from what is kept when nothing it depends on has changed (F-006)."""
    basis = await _basis(principal)
    who = (principal.app_id, principal.user_id) if principal else (get_settings().app_id, "")
    kept = _kept.get(who)
    if kept is None or kept.until <= time.monotonic() or not kept.basis.same(basis):
        age = _age
        kept = _Kept(basis, *await _compute(principal, basis), time.monotonic() + _keep_for())
        if age == _age:
            _kept[who] = kept
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    if who in _kept:
        _kept.move_to_end(who)
    return await _with_badges(kept, principal)


def drop_menus(app_id: str = "", user_id: str = "") -> None:
    """Forget what is kept: of one person, or of everybody."""
    global _age
    _age += 1
    if user_id:
        _kept.pop((app_id, user_id), None)
    else:
        _kept.clear()


async def decide(principal: Principal | None, page: Page) -> Decision:
    """Whether this page opens to this person: what it asks, and where it is a plugin's, whether their plan has the plugin."""
    own = await billing.authorize(principal, page.access)
    for demand in page.demands:
        own = await billing.authorize(principal, demand) if own.allowed else own
    return await _plugin(principal, page, own)


async def landing(principal: Principal | None) -> str:
    """Where ``/`` leads this person: the file's ``landing_spot`` if they may open it, else ``/`` (F-007)."""
    spot = navigation().landing_spot
    page = any_page(urlsplit(spot).path) if spot.startswith("/") and not spot.startswith(("//", "/\\")) else None
    if page is None or page.route == "/":
        return "/"
    return spot if (await decide(principal, page)).allowed else "/"


def tree() -> Tree:
    """The whole menu of this app, for nobody in particular."""
    file, declared = navigation(), tuple(pages())
    for known in _trees:
        if known[0] is file and known[1] == declared:
            return known[2]
    made = build(declared, file, any_page)
    for item in made.lost:
        log.warning("navigation entry leads nowhere", entry=item.id or item.label, path=item.path)
    _trees[:] = [*_trees[-15:], (file, declared, made)]
    return made


def expected_menu() -> Menu:
    """The menu of a plain signed-in person on the lowest plan: what prerendered pages show before anybody is known."""
    kinds = {"public": Decision(True), "signed_in": Decision(True), "plan": Decision(False, "plan")}
    free = get_settings().billing_provider == "none"

    def verdict(access: Access) -> Decision:
        return Decision(True) if free and access.kind == "plan" else kinds.get(access.kind, Decision(False, "role"))

    made = tree()
    usual = [node.page for node in made.nodes() if node.page is not None and node.page.shown is None]
    opens = {page.route: verdict(page.access) for page in usual}
    workflows = {one.workflow_id: Decision(True) for one in broker.capabilities() if one.enabled and one.visibility == "user"}
    view = View(opens, verdict, workflows, "/", navigation().hide_locked)
    return menu_of(view, made, {}, {}, "")


# Keeping -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Basis:
    """All that a person's menu is made from, as far as it can change while the process runs."""

    roles: frozenset[str]
    plan: tuple[str, int, str]
    file: Any
    catalogue: Any
    pages: tuple[Page, ...]
    dead: frozenset[str]

    def same(self, other: "_Basis") -> bool:
        return (
            self.file is other.file
            and self.catalogue is other.catalogue
            and (self.roles, self.plan, self.dead) == (other.roles, other.plan, other.dead)
            and self.pages == other.pages
        )


Badges = dict[str, Callable[[Principal], Awaitable[str]]]
Asked = dict[str, Shown]


@dataclass(slots=True)
class _Kept:
    basis: _Basis
    menu: Menu
    badges: Badges
    shown: Asked
    until: float
    texts: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    drawn: Menu | None = None  # with the badges, without what is not shown yet
    asked: float = float("-inf")
    failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hidden = set(self.shown)


_kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
_trees: list[tuple[Any, tuple[Page, ...], Tree]] = []
_age = 0  # grows whenever something is dropped, so that nothing computed from older facts is kept


on_change(drop_menus)


def _keep_for() -> float:
    return 300.0 if get_settings().env == "production" else 60.0


async def _basis(principal: Principal | None) -> _Basis:
    plan = ("", 0, "")
    if principal is not None:
        view = await billing.plan_of(principal)
        plan = (view.name, view.rank, view.title)
    dead = out_of_service()
    roles = principal.roles if principal else frozenset()
    return _Basis(roles, plan, navigation(), catalogue(), tuple(pages()), dead)


@events.subscribe("*")
async def _something_happened(event: events.Event) -> None:
    """A person's menu goes when it may have changed; their badges are asked anew after anything they did."""
    person = (event.app_id, event.user_id)
    if event.name == "user.active":
        return
    if event.name.startswith(("subscription.", "user.", "settings.", "plugin.changed")):
        drop_menus(*person)
    elif (kept := _kept.get(person)) is not None:
        kept.asked = float("-inf")


# Deciding ----------------------------------------------------------------------------------------------------------


async def _compute(principal: Principal | None, basis: _Basis) -> tuple[Menu, Badges, Asked]:
    made = tree()
    declared = [*basis.pages, *(one.page for one in configured_pages())]
    offered = [page for page in declared if page.owner not in basis.dead]
    pieces = all_pieces()
    asked = {page.access for page in declared} | {piece.access for piece in pieces}
    asked |= {access for page in declared for access in page.demands}
    asked |= {access for node in made.nodes() for access in node.demands}
    known = dict(zip(asked, await billing.authorize_all(principal, asked), strict=True))
    opens: dict[str, Decision] = {}
    for page in offered:
        own = next((known[one] for one in (page.access, *page.demands) if not known[one].allowed), known[page.access])
        opens[page.route] = await _plugin(principal, page, own)
    gates: dict[str, str] = {page.route: opens.get(page.route, known[page.access]).reason for page in declared}
    gates |= {piece.key: known[piece.access].reason for piece in pieces}
    needed = {route: decision.needed for route, decision in opens.items() if decision.needed}
    workflows = await _workflows(principal, made)
    view = View(opens, known.__getitem__, workflows, await landing(principal), navigation().hide_locked)
    shown = "" if principal is None or get_settings().billing_provider == "none" else basis.plan[2]
    menu = menu_of(view, made, gates, needed, shown)
    ids = {place.entry["id"] for place in menu.places if place.entry["gate"] == "ok"}
    asked_later = {node.id: node.badge for node in made.nodes() if node.id in ids and callable(node.badge)}
    shown_later = {node.id: node.page.shown for node in made.nodes() if node.page is not None and node.page.shown is not None}
    return (menu, asked_later, shown_later) if principal is not None else (menu, {}, {})


async def _plugin(principal: Principal | None, page: Page, own: Decision) -> Decision:
    """A page of a plugin opens when the catalogue unlocks the plugin, too (F-103)."""
    if not own.allowed or page.owner in {"shell", "config"}:
        return own
    return await billing.plugin_allowed(principal, page.owner, Access.public())


async def _workflows(principal: Principal | None, made: Tree) -> dict[str, Decision]:
    """What a launch of each workflow in the menu would answer; who may start unnamed ones is an administrator."""
    wanted = {node.workflow for node in made.nodes() if node.kind == "workflow"}
    if principal is None or not wanted or not get_settings().ai_enabled:
        return {}
    offers = {offer.capability.workflow_id: offer.decision for offer in await broker.offers(principal)}
    unnamed = Decision(True) if principal.has_role("admin") else Decision(False, "role")
    named = {one.workflow_id for one in broker.capabilities()}
    hidden = Decision(False, "role")
    return {name: offers.get(name, hidden if name in named else unnamed) for name in wanted}


async def _with_badges(kept: _Kept, principal: Principal | None) -> Menu:
    if principal is None or not (kept.badges or kept.shown):
        return kept.menu
    if time.monotonic() - kept.asked >= BADGES_FOR:
        kept.asked = time.monotonic()
        wanted = [name for name in kept.badges if name not in kept.failed]
        texts = await asyncio.gather(*[_badge(name, kept, principal) for name in wanted])
        kept.texts = {name: text for name, text in zip(wanted, texts, strict=True) if text}
        answers = await asyncio.gather(*[_is_shown(name, shown, principal) for name, shown in kept.shown.items()])
        kept.hidden = {name for name, answer in zip(kept.shown, answers, strict=True) if not answer}
        kept.drawn = None
    if not (kept.texts or kept.hidden):
        return kept.menu
    kept.drawn = kept.drawn or _drawn(kept)
    return kept.drawn


def _drawn(kept: _Kept) -> Menu:
    """The menu with what was asked besides."""

    def marked(entry: NavEntry) -> NavEntry:
        return {**entry, "badge": kept.texts[entry["id"]]} if entry["id"] in kept.texts else entry

    menu = kept.menu

    def seen(entries: Sequence[NavEntry]) -> list[NavEntry]:
        return [marked(entry) for entry in entries if entry["id"] not in kept.hidden]

    groups = [NavGroup(title=group["title"], entries=seen(group["entries"])) for group in menu.groups]
    places = [
        Place(marked(one.entry), one.description, one.keywords, one.workflow, one.plugin)
        for one in menu.places
        if one.entry["id"] not in kept.hidden
    ]
    filled = [group for group in groups if group["entries"]]
    return Menu(filled, seen(menu.top), places, menu.gates, menu.needed, menu.plan, menu.landing)


async def _is_shown(name: str, shown: Shown, principal: Principal) -> bool:
    """Whether a line is shown to this person yet, within a second; not when that cannot be told."""
    try:
        return await asyncio.wait_for(shown(principal), BADGE_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises: the menu comes without its line
        log.warning("a line of the menu is left out", entry=name, error=f"{type(error).__name__}: {error}")
        return False


async def _badge(name: str, kept: _Kept, principal: Principal) -> str:
    """One badge, within a second. One that fails is left out until the menu is made anew."""
    try:
        return str(await asyncio.wait_for(kept.badges[name](principal), BADGE_SECONDS) or "")[:12]
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises: the menu comes without its badge
        kept.failed.add(name)
        log.warning("badge failed", entry=name, error=f"{type(error).__name__}: {error}")
        return ""
