"""What a browser calls itself, in words a person knows: ``Firefox`` on ``Linux``."""

import re
from typing import Final, NamedTuple


class Device(NamedTuple):
    """A browser and what it runs on; empty where it does not say. ``icon`` is a Lucide name."""

    browser: str
    system: str
    icon: str


# The first that fits counts: browsers name their ancestors, too.
_BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Vivaldi", r"Vivaldi/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Version/[\d.]+ .*Safari/|Safari/"),
    ("curl", r"^curl/"),
    ("Python", r"^python-|^aiohttp|Python-urllib"),
)
_SYSTEMS: Final = (
    ("iPad", r"iPad", "tablet"),
    ("iPhone", r"iPhone|iPod", "smartphone"),
    ("Android", r"Android(?!.*Mobile)", "tablet"),
    ("Android", r"Android", "smartphone"),
    ("ChromeOS", r"CrOS", "laptop"),
    ("Windows", r"Windows", "monitor"),
    ("macOS", r"Mac OS X|Macintosh", "laptop"),
    ("Linux", r"Linux|X11", "monitor"),
)


def device(user_agent: str, kind: str = "browser") -> Device:
    """The device behind a ``User-Agent`` header.

    Args:
        user_agent: The header, as sent; nobody vouches for it.
        kind: Of the session: a ``token`` is a program's, whatever it says.
    """
    browser = next((name for name, sign in _BROWSERS if re.search(sign, user_agent)), "")
    system, icon = next(((name, icon) for name, sign, icon in _SYSTEMS if re.search(sign, user_agent)), ("", "globe"))
    return Device(browser, system, "key-round" if kind == "token" else icon)
