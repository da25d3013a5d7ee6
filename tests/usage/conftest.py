"""A migrated database of either kind, prices and budgets of a test, and what a runtime would report."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mozaiks_shell.foundation import clock, db
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import Settings, get_settings

APP = "dev-app"
PRICES = [
    {"model": "known", "input": "0.15", "output": 0.6, "cached_input": "0.075"},
    {"model": "fam*", "input": "1", "output": "2"},
    {"model": "fam-big*", "input": "10", "output": "20"},
]


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger_db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """Settings of an installation with an empty, migrated database; the test runs on SQLite and on PostgreSQL."""
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), tmp_path / "data" / "mozaiks.db")
    else:
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    get_settings.cache_clear()
    yield get_settings()
    await db.dispose()
    get_settings.cache_clear()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write ``usage_config.json`` and read the settings anew; variables by keyword in capitals."""

    def write(**content: Any) -> None:
        folder = tmp_path / "configs"
        folder.mkdir(exist_ok=True)
        variables = {name: content.pop(name) for name in list(content) if name.isupper()}
        (folder / "usage_config.json").write_text(json.dumps(content))
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    return write


@pytest.fixture
def at() -> Iterator[Callable[[Any], None]]:
    """Set the clock."""
    yield lambda moment: clock.use(lambda: moment)
    clock.use(None)


def report(user: str = "usr_ada", tokens: int = 10, **data: Any) -> Event:
    """A model call as the bridge tells it: ``tokens`` written, nothing read."""
    given = {
        "event_id": uuid4().hex[:12],
        "chat_id": f"chat-{user}",
        "workflow": "W",
        "prompt_tokens": 0,
        "completion_tokens": tokens,
    }
    return Event("chat.usage", APP, user, {**given, **data})


async def gather(*work: Any) -> list[Any]:
    """All at once; exceptions are results."""
    return list(await asyncio.gather(*work, return_exceptions=True))
