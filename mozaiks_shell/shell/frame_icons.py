"""Icons of entries that arrive with State (F-032)."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.appconfig.service import ui_config
from mozaiks_shell.shell.menus import header_actions
from mozaiks_shell.shell.navigation import tree
from mozaiks_shell.ui.kit import icon
from mozaiks_shell.ui.kit.icons import COMMON, known, named_icon
from mozaiks_shell.ui.page import pages

_OURS: Final = ("external-link", "folder", "log-out")


def sign(name: Any, size: int = 17) -> rx.Component:
    """A Lucide drawing, an image file of the app's assets, or nothing for an empty name."""
    edges = {"width": size, "height": size}
    image = rx.el.img(src="/brand/assets/" + name, alt="", class_name="mz-icon mz-icon-file", custom_attrs=edges)
    return rx.cond(name.contains("."), image, rx.cond(name != "", drawn_icon(name=name, size=size), rx.fragment()))


@rx.memo
def drawn_icon(name: rx.Var[str], size: rx.Var[int]) -> rx.Component:
    """As the kit draws a name of State, plus the names of the operator's files as they were when this was built."""
    common = named_icon(name=name, size=size)
    named = {known(page.icon) for page in pages() if "." not in page.icon}
    more = sorted(_configured() - named - set(COMMON))
    return rx.match(name, *[(one, icon(one, size)) for one in more], common)  # type: ignore[arg-type]


def _configured() -> set[str]:
    entries = [node.icon for node in tree().nodes()]
    actions = [icon for one in header_actions() for icon in (one["icon"], *(item["icon"] for item in one["items"]))]
    person = ui_config().profile
    lines = [known(one) for one in (person.icon, *(item.icon for item in person.menu)) if one and "." not in one]
    return {name for name in (*_OURS, *entries, *actions, *lines) if name and "." not in name}
