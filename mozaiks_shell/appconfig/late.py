"""Problems that only show once the pages are declared: an entry that leads nowhere, a component that nobody registered."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mozaiks_shell.appconfig.problems import Finding, Location, nearest, shown
from mozaiks_shell.ui.components import components
from mozaiks_shell.ui.page import page_at, pages

if TYPE_CHECKING:
    from mozaiks_shell.appconfig.navigation import Navigation, NavItem


def navigation_findings(value: "Navigation", marks: Mapping[str, Location]) -> Iterator[Finding]:
    """Entries whose path no page answers. Says nothing before the start page is declared, and with it all others."""
    declared = [page.route for page in pages()]
    if "/" not in declared:
        return
    known = [one.name for one in components()]
    own = {item.path for item in value.every() if item.declares_page}
    if value.landing_spot not in own and page_at(value.landing_spot) is None:
        yield _missing(("landing_spot",), value.landing_spot, declared, "so / stays the start page")
    for name, items in (("items", value.items), ("top", value.top)):
        for item in _all(items):
            if (at := marks.get(f"{name}:{item.id}")) is None:
                continue
            if item.declares_page and item.component not in known:
                meant = nearest(item.component, known)
                said = f"the component {shown(item.component)} is not registered; its page says so."
                yield Finding((*at, "component"), "warning", said, f"Did you mean {meant!r}?" if meant else "")
            leads = bool(item.path) and not item.href and item.trigger is None and item.path not in own
            if leads and page_at(item.path) is None:
                so = "so it is shown once that plugin is there" if item.plugin_name else "so it is not shown"
                yield _missing((*at, "path"), item.path, declared, so)


def _all(items: "tuple[NavItem, ...]") -> "Iterator[NavItem]":
    for item in items:
        yield item
        yield from _all(item.children)


def _missing(where: Location, path: str, declared: list[str], so: str) -> Finding:
    meant = nearest(path, declared)
    fix = f"Did you mean {meant}?" if meant else 'Add the plugin that has this page, or a "component".'
    return Finding(where, "warning", f"no page answers {path}, {so}.", fix)
