"""Fixtures every test may use. A test gets its own database file, migrated by Alembic once and copied."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting.migrate import upgrade


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest revision, made once."""
    folder = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", str(folder))
        get_settings.cache_clear()
        upgrade(get_settings())
    get_settings.cache_clear()
    return folder / "mozaiks.db"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an empty installation in a folder of its own. Change variables with ``monkeypatch`` before use."""
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
async def database(settings: Settings, migrated: Path) -> AsyncIterator[Settings]:
    """The same, with a migrated database; connections are closed afterwards."""
    settings.data_dir.mkdir(parents=True)
    await asyncio.to_thread(shutil.copy, migrated, settings.data_dir / "mozaiks.db")
    yield settings
    await db.dispose()


@pytest.fixture
def as_person() -> Iterator[object]:
    """Call with a :class:`Principal` (or None) to run the rest of the test on that person's behalf."""
    yield lambda principal: set_principal(principal)
    set_principal(None)


ADA = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")
EVE = Principal("usr_eve", "dev-app", "Eve Moreau", "eve@example.com", frozenset({"user"}), "ses_eve")
ROOT = Principal("usr_root", "dev-app", "Root Admin", "root@example.com", frozenset({"admin"}), "ses_root")
