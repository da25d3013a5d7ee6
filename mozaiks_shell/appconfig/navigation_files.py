"""The three shapes in which a menu may be written, and how each becomes a :class:`Navigation` (F-002, C-28).

=====================  ==========================================================================
shape                  told by
=====================  ==========================================================================
pages                  ``navigation.json`` with ``pages``, ``landing_spot`` or ``startup_mode``
routes                 ``navigation.json`` with ``routes``, ``sidebar`` or ``topNav``
default, plugins       ``navigation_config.json``
=====================  ==========================================================================
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, field_validator

from mozaiks_shell.appconfig.fields import (
    Entries,
    FileModel,
    Icon,
    Label,
    Link,
    MaybeIdent,
    MaybeRoute,
    OwnLink,
    Route,
    Sentence,
    part,
)
from mozaiks_shell.appconfig.late import navigation_findings
from mozaiks_shell.appconfig.live import LiveFile, Report
from mozaiks_shell.appconfig.navigation import Mode, Navigation, NavItem, Trigger, sorted_items
from mozaiks_shell.appconfig.problems import Location

DEEPEST: Final = 3  # levels of entries within entries

# The shell's own pages. A file may rename, move or hide their entries; it cannot put another page there (F-008).
CORE: Final = ("/", "/chat/*", "/app/*", "/admin", "/settings", "/sign-in", "/register", "/plans", "/profile")
# Addresses at which something else than a page answers.
RESERVED: Final = (
    "/api/*", "/auth/*", "/ws/*", "/assets/*", "/brand/*", "/fonts/*", "/plugins/*", "/artifacts/*", "/_event/*", "/_upload/*",
    "/__mozaiks/*", "/.well-known/*", "/login", "/health", "/ready", "/info", "/metrics", "/ping", "/_health", "/_all_routes",
    "/404", "/sitemap.xml", "/robots.txt", "/sw.js", "/register-worker.js", "/manifest.webmanifest", "/offline", "/offline.js",
)  # fmt: skip
# What MozaiksCore calls its own pages: naming one of them at a core path asks for what is there anyway.
UPSTREAM_PAGES: Final = frozenset({
    "AdminPage", "AdminPortal", "ArtifactPage", "ChatPage", "ConversationsPage", "DashboardPage", "DiscoverPage", "HomePage",
    "LoginPage", "MyWorkflowsPage", "PlansPage", "ProfilePage", "RegisterPage", "SettingsPage", "SubscriptionPage",
})  # fmt: skip
# Addresses of MozaiksCore under which this shell has the page.
MOVED: Final = {"/subscriptions": "/plans", "/subscription": "/plans", "/login": "/sign-in", "/ai": "/chat"}

WorkflowName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Order = Annotated[float | None, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]
Badge = Annotated[str, Field(max_length=24)]
Component = Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z0-9_.:/-]*$")]
Shortcut = Annotated[str, Field(max_length=24, pattern=r"^(?:[A-Za-z0-9?/.,+-]+(?: [A-Za-z0-9?/.,+-]+){0,2})?$")]
Name = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")]


class TriggerShape(FileModel):
    """Starts a workflow instead of opening the path."""

    type: Literal["workflow"] = Field("workflow", description="The one kind there is.")
    workflow: WorkflowName = Field(description="Workflow of the runtime, or of a capability.")
    input: dict[str, Any] = Field({}, max_length=50, description="Passed to the workflow.")
    mode: Mode = Field("workflow", description="`view`: artifact alone; `workflow`: beside the chat; `ask`: chat only.")
    cache_ttl: int = Field(0, ge=0, le=86_400, description="Seconds for which the started run is used again.")
    app_id: Name = Field("", description="App for which the workflow runs; empty for this one.")


class MetaShape(FileModel):
    """What concerns the page behind an entry."""

    title: Label = Field("", description="Document title.")
    requiresAuth: bool | None = Field(None, description="False opens the page for anyone; default true.")
    authRedirect: OwnLink = Field("", description="Where an anonymous visitor is sent; default the sign-in page.")
    description: Sentence = Field("", description="One sentence about the page.")


class PageShape(FileModel):
    """An entry of the menu, and with `component` a page."""

    id: MaybeIdent = Field("", description="Unique; made from the path when missing.")
    path: MaybeRoute = Field("", description="Route of this app. An existing one is renamed, moved or hidden by this entry.")
    component: Component = Field("", description="Registered component that makes the page at `path`.")
    label: Label = Field("", description="Name in the menu.")
    title: Label = Field("", description="Document title and heading; default the label.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    showInHeader: bool = Field(False, description="Also in the header.")
    order: Order = Field(None, description="Position, small first.")
    href: Link = Field("", description="Leads to this address instead of `path`.")
    external: bool = Field(False, description="Opens in a new tab.")
    trigger: TriggerShape | None = Field(None, description="Starts a workflow; wins over `path` and `href`.")
    meta: MetaShape = part(MetaShape, "Title and access of the page.")
    badge: Badge = Field("", description="Short text beside the name.")
    group: Label = Field("", description="Heading under which it stands.")
    hidden: bool = Field(False, description="Not in the menu; the page stays reachable.")
    description: Sentence = Field("", description="One sentence for the palette and the assistant.")
    shortcut: Shortcut = Field("", description="Keys that open it, `g t`.")
    requiresRole: Name = Field("", description="Shown only to people with this role.")
    requiresPlan: Name = Field("", description="Opened by this plan or a higher one.")
    children: "list[PageShape]" = Field([], description="Entries nested beneath it.")

    @field_validator("badge", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else "" if value is None else value


class PagesFile(FileModel):
    """`navigation.json`, newer shape."""

    version: str | int | float = Field("", description="Free; not read.")
    landing_spot: Route = Field("/", description="Where `/` leads.")
    startup_mode: Literal["ask", "workflow"] = Field("ask", description="Chat mode that opens first.")
    only_listed: bool = Field(False, description="True: pages that are not listed are not in the menu.")
    hide_locked: bool = Field(False, description="True: what a higher plan opens is not in the menu; else it is, with a lock.")
    pages: Annotated[list[PageShape], Entries] = Field([], description="Entries and pages.")


class RouteShape(FileModel):
    """A page of the older shape."""

    path: Route = Field(description="Where the page stands.")
    component: Component = Field("", description="Registered component that makes the page.")
    exact: bool = Field(True, description="Read and not needed: routes are always exact here.")
    meta: MetaShape = part(MetaShape, "Title and access of the page.")


class EntryShape(FileModel):
    """An entry of the older shape's sidebar or header."""

    id: MaybeIdent = Field("", description="Unique within its list.")
    label: Label = Field("", description="Name in the menu.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    path: MaybeRoute = Field("", description="Route of this app.")
    href: Link = Field("", description="Leads to this address instead of `path`.")
    external: bool = Field(False, description="Opens in a new tab.")
    order: Order = Field(None, description="Position, small first.")
    badge: Badge = Field("", description="Short text or number beside the name.")
    group: Label = Field("", description="Heading under which it stands.")
    hidden: bool = Field(False, description="Not in the menu.")
    trigger: TriggerShape | None = Field(None, description="Starts a workflow; wins over `path`.")
    children: "list[EntryShape]" = Field([], description="Entries nested beneath it.")

    _text = field_validator("badge", mode="before")(PageShape._text.__func__)  # type: ignore[attr-defined]


class ListShape(FileModel):
    """A list of entries."""

    items: Annotated[list[EntryShape], Entries] = Field([], description="Its entries.")


class RoutesFile(FileModel):
    """`navigation.json`, older shape."""

    told_by: ClassVar[tuple[str, ...]] = ("routes", "sidebar", "topNav")
    unless: ClassVar[tuple[str, ...]] = ("pages",)

    version: str | int | float = Field("", description="Free; not read.")
    landing_spot: Route = Field("/", description="Where `/` leads.")
    startup_mode: Literal["ask", "workflow"] = Field("ask", description="Chat mode that opens first.")
    only_listed: bool | None = Field(None, description="Default: true as soon as the sidebar has an entry.")
    hide_locked: bool = Field(False, description="True: what a higher plan opens is not in the menu; else it is, with a lock.")
    routes: Annotated[list[RouteShape], Entries] = Field([], description="Pages.")
    sidebar: ListShape = part(ListShape, "The menu.")
    topNav: ListShape = part(ListShape, "Entries of the header.")


class DefaultShape(FileModel):
    """An entry of `navigation_config.json`."""

    id: MaybeIdent = Field("", description="Unique; made from the path when missing.")
    label: Label = Field("", description="Name in the menu.")
    path: Route = Field(description="Route of this app.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    order: Order = Field(None, description="Position, small first.")


class PluginShape(DefaultShape):
    """A plugin's entry of `navigation_config.json`; shown when the plugin is there and the person's plan opens it."""

    plugin_name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")] = Field(
        description="Name of the plugin."
    )


class ConfigFile(FileModel):
    """`navigation_config.json`."""

    version: str | int | float = Field("", description="Free; not read.")
    only_listed: bool | None = Field(None, description="Default: true as soon as there is an entry.")
    default: Annotated[list[DefaultShape], Entries] = Field([], description="Entries for everybody.")
    plugins: Annotated[list[PluginShape], Entries] = Field([], description="Entries of plugins.")


def shape_of(raw: Any) -> type[PagesFile] | type[RoutesFile]:
    """The shape of a ``navigation.json``, told by its keys."""
    keys = set(raw) if isinstance(raw, dict) else set()
    return RoutesFile if keys & set(RoutesFile.told_by) and not keys & set(RoutesFile.unless) else PagesFile


def core_path(path: str) -> str:
    """What of :data:`CORE` and :data:`RESERVED` answers this path; empty when it is free (F-008)."""
    plain = path.rstrip("/") or "/"
    for one in (*CORE, *RESERVED):
        if plain == one.removesuffix("/*") or (one.endswith("/*") and plain.startswith(one[:-1])):
            return one
    return ""


Make = Callable[[Any, Location], NavItem]


class _Builder:
    """Turns shapes into entries; remembers what is taken."""

    def __init__(self, report: Report, name: str = "items") -> None:
        self.report, self.name = report, name
        self.ids: dict[str, Location] = {}
        self.paths: dict[str, Location] = {}

    def entries(self, shapes: Iterable[Any], where: Location, make: Make, depth: int = 1) -> list[NavItem]:
        """Entries of a list; those that clash with an earlier one are left out."""
        found: list[NavItem] = []
        for place, shape in enumerate(shapes):
            here = (*where, place)
            item = self.checked(make(shape, here), here, bool(shape.id), shape)
            if item is None:
                continue
            if inner := getattr(shape, "children", []):
                if depth == DEEPEST:
                    self.report("warning", (*here, "children"), f"is nested deeper than {DEEPEST} levels; not shown.")
                else:
                    item = replace(item, children=tuple(self.entries(inner, (*here, "children"), make, depth + 1)))
            found.append(item)
        return found

    def checked(self, given: NavItem, here: Location, named: bool, shape: Any = None) -> NavItem | None:
        """The entry as it can be used; None when it must be left out."""
        item = self._identified(given, here, named)
        if item is None:
            return None
        if item.path and not item.href and item.trigger is None:
            if (before := self.paths.get(item.path)) is not None:
                fix = "Remove one; one page has one place in the menu."
                self.report(
                    "warning", (*here, "path"), f"{item.path} is listed before at {self.report.path(before)}; left out here.", fix
                )
                return None
            self.paths[item.path] = here
        if not (item.label or item.path or item.href or item.trigger or item.title):
            self.report("error", here, "has neither label nor path, href or trigger; left out.")
            return None
        if not (item.path or item.href or item.trigger or getattr(shape, "children", [])):
            self.report("warning", here, "leads nowhere and holds no entries.", 'Add "path", "href", "trigger" or "children".')
        if not item.label and not item.title and (item.href or item.trigger):
            self.report("warning", here, "has no label; its id is shown.", 'Add "label".')
        return self._component(item, here)

    def _identified(self, item: NavItem, here: Location, named: bool) -> NavItem | None:
        if (before := self.ids.get(item.id)) is not None:
            if named:
                message = f"the id {item.id!r} is used before at {self.report.path((*before, 'id'))}; this entry is left out."
                self.report("error", (*here, "id"), message, "Give one of the two another id.")
                return None
            number = next(n for n in range(2, 10_000) if f"{item.id}-{n}" not in self.ids)
            item = replace(item, id=f"{item.id}-{number}")
        self.ids[item.id] = here
        self.report.mark(f"{self.name}:{item.id}", here)
        return item

    def _component(self, item: NavItem, here: Location) -> NavItem | None:
        if not item.component:
            return item
        if not item.path:
            self.report("error", (*here, "component"), f"{item.component!r} needs a path at which the page stands; left out.")
            return None
        if taken := core_path(item.path):
            place = (*here, "component")
            if item.component in UPSTREAM_PAGES:
                self.report("hint", place, f"is not needed: {taken} is a page of the shell and answers by itself.", "Remove it.")
            else:
                fix = 'Choose another path, or remove "component" to rename or move the entry only.'
                self.report(
                    "error", place, f"shadows a core page: {taken} belongs to the shell, which keeps answering there.", fix
                )
            return replace(item, component="")
        return replace(item, declares_page=True, requires_auth=True if item.requires_auth is None else item.requires_auth)


def _slug(*texts: str) -> str:
    text = next((one for one in texts if one), "entry")
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or ("home" if text == "/" else "entry")


def _path(builder: _Builder, path: str, here: Location) -> str:
    moved = MOVED.get(path)
    if moved:
        builder.report("hint", (*here, "path"), f"{path} is {moved} in this shell; read as that.", f'Write "{moved}".')
    return moved or path


def _trigger(shape: TriggerShape | None) -> Trigger | None:
    return None if shape is None else Trigger(**shape.model_dump())


def _external(shape: Any) -> bool:
    return shape.external or shape.href.startswith(("http://", "https://"))


def from_pages(file: PagesFile, report: Report) -> Navigation:
    """The newer shape."""
    builder = _Builder(report)

    def make(shape: PageShape, here: Location) -> NavItem:
        path = _path(builder, shape.path, here) if not shape.component else shape.path
        return NavItem(
            id=shape.id or _slug(shape.path, shape.label, shape.href),
            path=path,
            title=shape.meta.title or shape.title,
            show_in_header=shape.showInHeader,
            external=_external(shape),
            requires_auth=shape.meta.requiresAuth,
            auth_redirect=shape.meta.authRedirect,
            description=shape.description or shape.meta.description,
            role=shape.requiresRole,
            plan=shape.requiresPlan,
            trigger=_trigger(shape.trigger),
            label=shape.label, icon=shape.icon, order=shape.order, badge=shape.badge, group=shape.group, hidden=shape.hidden,
            component=shape.component, href=shape.href, shortcut=shape.shortcut,
        )  # fmt: skip

    items = sorted_items(tuple(builder.entries(file.pages, ("pages",), make)))
    return Navigation(file.landing_spot, file.startup_mode, items, (), file.only_listed, file.hide_locked)


def from_routes(file: RoutesFile, report: Report) -> Navigation:
    """The older shape: entries of the sidebar and the header take title, access and component from their route."""
    routes: dict[str, tuple[RouteShape, Location]] = {}
    for place, route in enumerate(file.routes):
        here: Location = ("routes", place)
        if (before := routes.get(route.path)) is not None:
            message = f"{route.path} is declared before at {report.path(before[1])}; left out here."
            report("error", (*here, "path"), message, "Remove one of the two.")
        else:
            routes[route.path] = (route, here)
    builder = _Builder(report)

    def make(shape: EntryShape, here: Location) -> NavItem:
        return NavItem(
            id=shape.id or _slug(shape.path, shape.label, shape.href),
            path=_path(builder, shape.path, here) if shape.path not in routes else shape.path,
            external=_external(shape),
            trigger=_trigger(shape.trigger),
            label=shape.label, icon=shape.icon, order=shape.order, badge=shape.badge, group=shape.group, hidden=shape.hidden,
            href=shape.href,
        )  # fmt: skip

    pages = _Builder(report)
    made: dict[str, NavItem] = {}
    for path, (route, here) in routes.items():
        item = NavItem(
            id=f"route-{_slug(path)}",
            path=_path(pages, path, here) if not route.component else path,
            title=route.meta.title,
            requires_auth=route.meta.requiresAuth,
            auth_redirect=route.meta.authRedirect,
            description=route.meta.description,
            component=route.component,
            hidden=True,
        )
        if (usable := pages.checked(item, here, named=False)) is not None:
            made[usable.path] = usable

    def joined(item: NavItem) -> NavItem:
        page = made.pop(item.path, None)
        inner = tuple(joined(one) for one in item.children)
        if page is None:
            return replace(item, children=inner)
        said = {"component", "declares_page", "requires_auth", "auth_redirect", "description", "title"}
        return replace(item, children=inner, **{name: getattr(page, name) for name in said})

    side = [joined(one) for one in builder.entries(file.sidebar.items, ("sidebar", "items"), make)]
    header = _Builder(report, "top")
    top = [joined(one) for one in header.entries(file.topNav.items, ("topNav", "items"), make)]
    only = bool(side) if file.only_listed is None else file.only_listed
    items = (*sorted_items(tuple(side)), *made.values())
    return Navigation(file.landing_spot, file.startup_mode, items, sorted_items(tuple(top)), only, file.hide_locked)


def from_navigation(file: PagesFile | RoutesFile, report: Report) -> Navigation:
    """Either shape of ``navigation.json``."""
    return from_routes(file, report) if isinstance(file, RoutesFile) else from_pages(file, report)


def from_config(file: ConfigFile, report: Report) -> Navigation:
    """``navigation_config.json``: everybody's entries, then the plugins'."""
    builder = _Builder(report)

    def make(shape: DefaultShape, here: Location) -> NavItem:
        plugin = shape.plugin_name if isinstance(shape, PluginShape) else ""
        path = _path(builder, shape.path, here)
        return NavItem(shape.id or _slug(path), shape.label, path, shape.icon, shape.order, plugin_name=plugin)

    items = builder.entries(file.default, ("default",), make) + builder.entries(file.plugins, ("plugins",), make)
    only = bool(items) if file.only_listed is None else file.only_listed
    return Navigation(items=sorted_items(tuple(items)), only_listed=only)


NAVIGATION: LiveFile[Navigation] = LiveFile(
    "navigation.json", (PagesFile, RoutesFile), choose=shape_of, build=from_navigation, late=navigation_findings
)
NAVIGATION_CONFIG: LiveFile[Navigation] = LiveFile(
    "navigation_config.json", ConfigFile, build=from_config, late=navigation_findings
)
