"""The frame's smaller parts, as ``ui.json`` and ``branding.json`` want them: profile menu, header buttons, footer,
layout, logo (F-012 to F-016). Where a file says nothing, what stands here counts."""

from typing import Final, TypedDict

from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.appconfig.service import layout, ui_config
from mozaiks_shell.appconfig.ui_config import MenuItem
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.nav_tree import glyph
from mozaiks_shell.ui.page import page_at


class MenuEntry(TypedDict):
    """A line of the profile menu. ``type`` is item or divider, ``action`` navigate, signout or custom."""

    id: str
    type: str
    label: str
    icon: str
    href: str
    action: str
    variant: str


class HeaderLink(TypedDict):
    """A line of a header button's menu."""

    id: str
    label: str
    icon: str
    href: str


class HeaderAction(TypedDict):
    """A button of the header. With ``items`` it opens a menu, with ``href`` it is a link, ``discover`` lists all pages."""

    id: str
    label: str
    icon: str
    variant: str
    href: str
    items: list[HeaderLink]


class FooterLink(TypedDict):
    """A link of the footer; ``external`` opens in a new tab."""

    label: str
    href: str
    external: bool


class FooterView(TypedDict):
    """The footer; not ``visible`` when there is nothing in it."""

    visible: bool
    powered_by: str
    links: list[FooterLink]


class LayoutView(TypedDict):
    """Where things stand. ``side`` is left or right, as read from left to right; ``profile`` shows the profile menu,
    ``face`` is the icon of a person without a picture or a name."""

    side: str
    collapsible: bool
    collapsed: bool
    header: bool
    sticky: bool
    profile: bool
    face: str


class BrandView(TypedDict):
    """What stands in the header: addresses of images (``wordmark`` may be empty), what they say, where a click leads."""

    logo: str
    wordmark: str
    alt: str
    href: str


NO_FOOTER: Final = FooterView(visible=False, powered_by="", links=[])
USUAL_LAYOUT: Final = LayoutView(
    side="left", collapsible=True, collapsed=False, header=True, sticky=True, profile=True, face="user"
)
NO_BRAND: Final = BrandView(logo="/brand/logo", wordmark="", alt="", href="/")


def profile_menu(principal: Principal | None, app_id: str = "") -> list[MenuEntry]:
    """The profile menu of this person: what another role may see is not in it (F-014). Nobody has none."""
    if principal is None:
        return []
    file = ui_config(app_id).profile
    if not file.menu:
        return _usual(principal.has_role("admin"))
    return _tidy([_entry(item) for item in file.menu if not item.requiresRole or principal.has_role(item.requiresRole)])


def named(principal: Principal | None, app_id: str = "") -> tuple[str, str]:
    """Who stands at the top of the profile menu: the person's name, and a second line (F-014)."""
    if principal is None:
        return "", ""
    file = ui_config(app_id).profile
    return principal.name or file.defaultLabel, file.sublabel or principal.email


def expected_profile_menu() -> list[MenuEntry]:
    """That of a person without any role."""
    file = ui_config().profile
    return _tidy([_entry(item) for item in file.menu if not item.requiresRole]) if file.menu else _usual(False)


def header_actions(app_id: str = "") -> list[HeaderAction]:
    """The header's buttons; without any in the file, the one that lists all pages (F-012)."""
    actions = ui_config(app_id).header.actions
    if not actions:
        return [HeaderAction(id="discover", label=msg("Discover"), icon="compass", variant="ghost", href="", items=[])]
    return [
        HeaderAction(
            id=one.id, label=one.label or one.id, icon=glyph(one.icon), variant=one.variant, href=one.href,
            items=[
                HeaderLink(id=item.id, label=item.label or item.id, icon=glyph(item.icon), href=item.href) for item in one.items
            ],
        )
        for one in actions
        if one.visible
    ]  # fmt: skip


def footer(app_id: str = "") -> FooterView:
    """The footer (F-015)."""
    file = ui_config(app_id).footer
    links = [
        FooterLink(label=one.label, href=one.href, external=one.external or one.href.startswith(("http://", "https://")))
        for one in file.links
    ]
    return FooterView(visible=file.visible and bool(links or file.poweredBy), powered_by=file.poweredBy, links=links)


def layout_view(app_id: str = "") -> LayoutView:
    """Where sidebar and header stand (F-016)."""
    file, person = layout(app_id), ui_config(app_id).profile
    return LayoutView(
        side=file.sidebar.position, collapsible=file.sidebar.collapsible, collapsed=file.sidebar.defaultCollapsed,
        header=file.header.visible, sticky=file.header.sticky, profile=person.show, face=glyph(person.icon) or "user",
    )  # fmt: skip


def brand_view(landing: str = "/", app_id: str = "") -> BrandView:
    """Logo and name in the header (F-013, F-017); ``ui.json`` wins over the brand.

    Args:
        landing: Where ``/`` leads this person.
        app_id: Whose brand.
    """
    said, look = ui_config(app_id).header.logo, brand(app_id)
    wordmark = said.wordmark or look.assets.wordmark or ""
    return BrandView(
        logo=_image(said.src) if said.src else "/brand/logo",
        wordmark=_image(wordmark) if wordmark else "",
        alt=said.alt or look.name,
        href=landing if said.href in {"", "/"} else said.href,
    )


def _image(name: str) -> str:
    return f"/brand/assets/{name.removeprefix('/').removeprefix('assets/')}"


def _usual(admin: bool) -> list[MenuEntry]:
    """Profile, settings, plans where there are any, admin for who may, sign out."""
    sold = get_settings().billing_provider != "none"
    ways = [
        ("profile", msg("Profile"), "user", "/profile"),
        ("settings", msg("Settings"), "settings", "/settings"),
        *([("plans", msg("Plans"), "credit-card", "/plans")] if sold else []),
        *([("admin", msg("Admin"), "shield-check", "/admin")] if admin else []),
    ]
    entries = [
        MenuEntry(id=name, type="item", label=label, icon=icon, href=path, action="navigate", variant="")
        for name, label, icon, path in ways
        if page_at(path) is not None
    ]
    line = MenuEntry(id="line", type="divider", label="", icon="", href="", action="", variant="")
    return [
        *entries, line,
        MenuEntry(id="sign-out", type="item", label=msg("Sign out"), icon="log-out", href="", action="signout", variant=""),
    ]  # fmt: skip


def _entry(item: MenuItem) -> MenuEntry:
    label = "" if item.type == "divider" else item.label or item.id
    return MenuEntry(
        id=item.id, type=item.type, label=label, icon=glyph(item.icon), href=item.href, action=item.action, variant=item.variant
    )  # fmt: skip


def _tidy(entries: list[MenuEntry]) -> list[MenuEntry]:
    """No line at an end and no two in a row: what stood between may be gone."""
    kept: list[MenuEntry] = []
    for entry in entries:
        if entry["type"] == "divider" and (not kept or kept[-1]["type"] == "divider"):
            continue
        kept.append(entry)
    return kept[:-1] if kept and kept[-1]["type"] == "divider" else kept
