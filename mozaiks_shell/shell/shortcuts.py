"""Keyboard shortcuts: what pages and commands declare, what the shell keeps for itself, and who wants the same keys.

A shortcut is one key or a short sequence of keys (``g t``), pressed outside of text boxes; ``mod+e`` is Cmd-E on Apple
keyboards and Ctrl-E on others.
"""

import re
from typing import Final

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.commands import commands
from mozaiks_shell.ui.page import Page, pages

log = get_logger("shell")

PALETTE: Final = "mod+k"
SHEET: Final = "?"
# What the shell's own pages have unless their declaration says otherwise.
CORE: Final = {"/": "g h", "/settings": "g s", "/plans": "g p", "/admin": "g a", "/chat": "g c"}
_TOKEN: Final = r"(?:mod\+)?[!-~]"
_SHAPE: Final = re.compile(rf"{_TOKEN}(?: {_TOKEN}){{0,2}}")


def normal(shortcut: str) -> str:
    """The one spelling of a shortcut (``G  T`` is ``g t``); empty for what is none."""
    plain = " ".join(shortcut.lower().split())
    return plain if _SHAPE.fullmatch(plain) else ""


def of_page(page: Page) -> str:
    """The shortcut of a page, empty without one."""
    return normal(page.shortcut) or (CORE.get(page.route, "") if page.owner == "shell" else "")


def problems() -> list[str]:
    """One line for every two that want the same keys, every sequence that another one cuts short, every unusable one."""
    taken = {PALETTE: "the command palette", SHEET: "the list of shortcuts"}
    found: list[str] = []
    wishes = [(of_page(one) or one.shortcut, f"the page {one.title} ({one.route}, {one.owner})") for one in pages()]
    wishes += [(one.shortcut, f"the command {one.title} ({one.owner})") for one in commands()]
    for wish, who in wishes:
        keys = normal(wish)
        if not keys:
            found += [f"{wish!r} of {who} is no shortcut: keys like 'g t' or 'mod+e'"] if wish.strip() else []
            continue
        for other, holder in taken.items():
            if keys == other:
                found.append(f"{keys!r} is wanted by {holder} and by {who}; the first keeps it")
            elif keys.startswith(other + " ") or other.startswith(keys + " "):
                found.append(f"{keys!r} of {who} and {other!r} of {holder} begin alike: the shorter one hides the longer")
        taken.setdefault(keys, who)
    return found


def warn() -> None:
    """Write :func:`problems` to the log. Called once, when the frame is built."""
    for problem in problems():
        log.warning("shortcut", problem=problem)
