"""All configuration files together: what is wrong with any of them, which one wins, and what stands in the folder unread."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mozaiks_shell.appconfig import live
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.appconfig.problems import Problem, nearest, ordered
from mozaiks_shell.foundation.settings import get_settings

_MODULES: Final = (
    "brand", "capabilities", "layout", "navigation_files", "notifications_config", "plans",
    "settings_config", "triggers_config", "ui_config", "usage_config",
)  # fmt: skip

# In the order in which ``doctor`` lists them.
NAMES: Final = (
    "brand.json", "branding.json", "theme_config.json", "navigation.json", "navigation_config.json", "ui.json",
    "settings_config.json", "notifications_config.json", "subscription_config.json", "ai_capabilities.json", "usage_config.json",
    "triggers.json", "apps.json",
)  # fmt: skip

# Files of MozaiksCore that this version does not read, and what does their work.
UNREAD: Final = {
    "app.json": "MOZAIKS_APP_ID, and the name in brand.json",
    "auth.json": "the MOZAIKS_OIDC_… variables",
    "entitlements.yaml": "subscription_config.json",
    "notification_templates.json": "nothing yet",
}


def configuration_problems() -> list[Problem]:
    """Every problem of every file, errors first. Cheap when nothing changed."""
    _register()
    from mozaiks_shell.appconfig.capabilities import capability_problems

    between = capability_problems()
    return ordered([*live.problems(), *between, *_folder_problems()])


def _register() -> None:
    for name in _MODULES:
        importlib.import_module(f"mozaiks_shell.appconfig.{name}")


def _folder_problems() -> Iterator[Problem]:
    folder = get_settings().configs_path
    if folder is None:
        return
    if not folder.is_dir():
        yield Problem(str(folder), "$", "warning", "is no folder; packaged defaults are used.", fix="Check MOZAIKS_CONFIGS_PATH.")
        return
    there = {one.name for one in folder.iterdir() if one.is_file()}
    missing = [name for name in NAMES if name not in there and (DEFAULTS / name).is_file()]
    if not there & set(NAMES) and not live.apps():
        yield Problem(str(folder), "$", "warning", "holds no configuration file; packaged defaults are used.")
    elif missing:
        yield Problem(str(folder), "$", "hint", f"has no {', '.join(missing)}; packaged defaults are used.")
    if {"navigation.json", "navigation_config.json"} <= there:
        message = "is not read, because navigation.json is there."
        yield Problem("navigation_config.json", "$", "hint", message, fix="Remove one of the two.")
    for name in sorted(there - set(NAMES)):
        if name in UNREAD:
            yield Problem(name, "$", "hint", f"is not read by this version; {UNREAD[name]} does its work.")
        elif name.endswith(".json") and (meant := nearest(name, NAMES)):
            yield Problem(
                name, "$", "warning", "is not the name of a configuration file and is not read.", fix=f"Did you mean {meant}?"
            )


@dataclass(frozen=True, slots=True)
class Standing:
    """One file in the order of precedence. ``state``: ``own`` (the operator's), ``packaged`` or ``absent``."""

    name: str
    file: Path | None
    state: str
    role: str


def standings(app_id: str = "") -> list[Standing]:
    """Every file, whether it counts, and why (C-27, C-28)."""
    _register()
    by_name = {one.name: one for one in live.files()}
    found = []
    own = {name: name in by_name and by_name[name].is_own(app_id) for name in NAMES}
    for name in NAMES:
        file = by_name[name].path(app_id) if name in by_name else None
        state = "own" if own[name] else "packaged" if file is not None else "absent"
        found.append(Standing(name, file, state, _role(name, own)))
    return found


def _role(name: str, own: dict[str, bool]) -> str:
    brands = [one for one in ("brand.json", "branding.json", "theme_config.json") if own[one]]
    winner = brands[0] if brands else "brand.json"
    match name:
        case "brand.json" | "branding.json" | "theme_config.json":
            role = "wins: name, images, colours" if name == winner else f"name, images and colours come from {winner}"
            extra = {"branding.json": "layout", "theme_config.json": "themes to choose from"}.get(name, "")
            return f"{role}; {extra} {'from here' if own[name] else 'not given'}" if extra else role
        case "navigation.json":
            return "wins: menu" if own[name] or not own["navigation_config.json"] else "menu comes from navigation_config.json"
        case "navigation_config.json":
            if not own[name]:
                return "not given"
            return "not read: navigation.json wins" if own["navigation.json"] else "wins: menu"
        case _:
            return ""
