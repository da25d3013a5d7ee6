"""Test a plugin alone: a temporary database, the real loader, the real migrations (F-328).

In ``plugins/tasks/tests/conftest.py``:

    from pathlib import Path
    from mozaiks_shell.sdk.testing import plugin_fixture

    tasks = plugin_fixture(Path(__file__).parents[1])

and in a test beside it:

    async def test_add(tasks):
        tasks.as_user("ada")
        answer = await tasks.execute(action="create", title="Milk")
        assert answer["title"] == "Milk"
"""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi import FastAPI

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal, current_principal, set_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.plugin_host import loader, registry, routes, service
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.ui.page import Page, pages
from mozaiks_shell.ui.state import ShellState


class InstalledPlugin:
    """The plugin under test, loaded and migrated. Nobody is signed in until :meth:`as_user`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def as_user(self, name: str, *roles: str) -> None:
        """Go on as this person (no roles: an ordinary user). An empty name signs out."""
        app = get_settings().app_id
        held = frozenset(roles or ("user",))
        set_principal(Principal(f"usr_{name}", app, name.title(), f"{name}@example.com", held, f"ses_{name}") if name else None)

    def module(self, name: str) -> Any:
        """One of the plugin's modules: ``module("service")``."""
        return importlib.import_module(f"{registry.live(self.name).module}.{name}")

    async def execute(self, **data: Any) -> dict[str, Any]:
        """What ``POST /api/execute/<name>`` with this body runs, as the current person.

        Raises:
            ShellError: what the API would answer as a problem.
        """
        return await service.execute(self.name, data, current_principal())

    def pages(self) -> list[Page]:
        """The plugin's declared pages."""
        return [one for one in pages() if one.owner == self.name]

    def state(self, form: type[ShellState]) -> Any:
        """A fresh instance of one of its State classes. Run handlers with :meth:`send`."""
        return form(_reflex_internal_init=True)  # type: ignore[call-arg]

    async def send(self, state: Any, handler: str, *arguments: Any) -> list[Any]:
        """Run a handler of a State as the browser's event would, and return what it yields or returns.

        A handler that is not declared with ``@sdk.event`` or begins with ``_`` cannot be reached.
        """
        answer = type(state).event_handlers[handler].fn(state, *arguments)
        if hasattr(answer, "__aiter__"):
            return [one async for one in answer]
        if asyncio.iscoroutine(answer):
            answer = await answer
        return list(answer) if hasattr(answer, "__next__") else [answer]

    def api(self) -> FastAPI:
        """The plugin host's HTTP API with this plugin's routes, for ``httpx.ASGITransport``."""
        api = FastAPI()
        install(api)
        api.include_router(routes.router)
        routes.mount_plugins(api)
        return api


@asynccontextmanager
async def installed(folder: Path) -> AsyncIterator[InstalledPlugin]:
    """Load one plugin against a temporary database, and take every trace away afterwards.

    Raises:
        PluginProblem: it would go to quarantine; the message says why.
    """
    with TemporaryDirectory() as data, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", data)
        patch.setenv("MOZAIKS_PLUGINS_PATH", str(folder.parent))
        get_settings.cache_clear()
        try:
            settings = get_settings()
            await asyncio.to_thread(upgrade, settings)
            plugin = loader.load(next(one for one in discover(settings) if one.name == folder.name))
            await start_plugins(settings)
            if plugin.problem is not None:
                raise plugin.problem
            yield InstalledPlugin(folder.name)
        finally:
            set_principal(None)
            loader.unload(folder.name)
            await db.dispose()
            get_settings.cache_clear()


def plugin_fixture(folder: Path) -> Any:
    """A pytest fixture that gives each test the plugin in this folder as an :class:`InstalledPlugin`."""

    @pytest.fixture
    async def plugin() -> AsyncIterator[InstalledPlugin]:
        async with installed(folder) as one:
            yield one

    return plugin


__all__ = ["InstalledPlugin", "installed", "plugin_fixture"]
