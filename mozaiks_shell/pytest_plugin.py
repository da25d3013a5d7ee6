"""Fixtures for plugin authors (F-328). pytest loads this by itself where the package is installed (entry point ``pytest11``),
so nothing heavy is imported before a test asks for a fixture. :mod:`mozaiks_shell.sdk.testing` says what they give."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

later: Any = pytest.fixture
with suppress(ImportError):  # without pytest-asyncio the plain fixtures still work
    from pytest_asyncio import fixture as later

if TYPE_CHECKING:
    from mozaiks_shell.sdk.testing import Clock, FakeBilling, FakeRuntime, InstalledPlugin, Person, Recorder, Tab

_MARKS = ("manifest.json", "logic.py", "page.py", "pages", "routes.py", "backend/logic.py")


def plugin_folder(test: Path) -> Path:
    """The plugin a test file belongs to: the nearest folder above it with a manifest, or else with code of a plugin.

    Raises:
        LookupError: there is none.
    """
    above = [folder for folder in test.resolve().parents if folder.name != "tests"]
    for marks in (_MARKS[:1], _MARKS[1:]):
        for folder in above[:4]:
            if any((folder / mark).exists() for mark in marks):
                return folder
    raise LookupError(f"{test} is not in a plugin's folder; give it a manifest.json, or use plugin_fixture(folder)")


@later
async def app(request: pytest.FixtureRequest) -> AsyncIterator["InstalledPlugin"]:
    """The plugin the test belongs to, installed on a temporary database. Nobody is signed in yet."""
    from mozaiks_shell.sdk.testing import installed

    async with installed(plugin_folder(request.path)) as one:
        yield one


@pytest.fixture
def user(app: "InstalledPlugin") -> Callable[..., Awaitable["Person"]]:
    """``ada = await user("ada", "editor", plan="pro")``: make an account, sign it in and go on as this person."""
    return app.user


@pytest.fixture
def tab(app: "InstalledPlugin") -> Callable[..., "Tab"]:
    """``page = tab(Tasks)``: a browser tab of the current person at one of the plugin's States."""
    return app.tab


@pytest.fixture
def plan(app: "InstalledPlugin") -> Callable[[str], Awaitable[None]]:
    """``await plan("pro")``: switch the current person's plan."""
    return app.plan


@pytest.fixture
def settings(app: "InstalledPlugin") -> Callable[..., Awaitable[dict[str, Any]]]:
    """``await settings(currency="USD")``: change the current person's settings of the plugin; gives all of them."""
    return app.settings


@pytest.fixture
def events(app: "InstalledPlugin") -> "Recorder":
    """Every event published since the plugin was loaded."""
    return app.events


@pytest.fixture
def clock() -> Iterator["Clock"]:
    """Time that stands still when told, and moves on when told."""
    from mozaiks_shell.sdk.testing import Clock

    with Clock() as one:
        yield one


@pytest.fixture
def billing(app: "InstalledPlugin") -> Iterator["FakeBilling"]:
    """A payment provider that sells every plan, and asks nobody for money."""
    from mozaiks_shell.sdk.testing import FakeBilling

    with FakeBilling() as one:
        yield one


@later
async def runtime(app: "InstalledPlugin") -> AsyncIterator["FakeRuntime"]:
    """A MozaiksAI runtime on the wire: answers as told, remembers every call."""
    from mozaiks_shell.sdk.testing import FakeRuntime

    async with FakeRuntime() as one:
        yield one
