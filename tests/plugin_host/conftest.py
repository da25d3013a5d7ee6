"""A plugins folder to fill, and what loads it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

import mozaiks_shell.sdk  # noqa: F401 - its tables are there before a test counts them
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.plugin_host import loader, registry, routes

Write = Callable[..., Path]


@pytest.fixture
def plugins_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty plugins folder that the settings point to. Use before ``settings`` or ``database``."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", str(folder))
    get_settings.cache_clear()
    return folder


@pytest.fixture
def write(plugins_path: Path) -> Write:
    """``write("hello", {"logic.py": "..."})`` makes a plugin folder."""

    def make(name: str, files: dict[str, str]) -> Path:
        folder = plugins_path / name
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        folder.mkdir(exist_ok=True)
        return folder

    return make


@pytest.fixture
def load(plugins_path: Path, settings: Settings) -> Iterator[Callable[[], dict[str, registry.Plugin]]]:
    """Loads everything in the folder; all of it is forgotten afterwards."""

    def run() -> dict[str, registry.Plugin]:
        return {plugin.name: plugin for plugin in loader.load_all(get_settings())}

    yield run
    for plugin in registry.all_plugins():
        loader.unload(plugin.name)


@pytest.fixture
def api() -> FastAPI:
    """An API like the front door's, with the plugin host's routes but no plugin's yet."""
    api = FastAPI()
    install(api)
    api.include_router(routes.router)
    return api


@pytest.fixture(params=["sqlite", "postgresql"])
async def either_database(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Settings]:
    """A migrated database, once on SQLite and once on a real PostgreSQL."""
    if request.param == "postgresql":
        monkeypatch.setattr(settings, "database_url", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    yield settings
    await db.dispose()
