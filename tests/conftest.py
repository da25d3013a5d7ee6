"""Fixtures every test may use. A test gets its own database file, migrated by Alembic once and copied."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from argon2 import PasswordHasher

from mozaiks_shell.broker import keys
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.identity import passwords
from tests import servers
from tests.live import MAIN, Server, Site
from tests.people import People

# Every run tries the same examples, however slow the machine is; others: --hypothesis-profile=default
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """The marks ``./test`` selects by."""
    config.addinivalue_line("markers", "live: needs the built product or a browser (left out by ./test fast)")
    config.addinivalue_line("markers", "walk: looks at every page in every look (./test walk)")
    config.addinivalue_line("markers", "bare: makes a fresh venv from requirements.txt alone (./test bare)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the live server is ``live``; whatever asks axe-core is part of the ``walk``."""
    for item in items:
        needed = getattr(item, "fixturenames", ())
        if "live" in needed:
            item.add_marker(pytest.mark.live)
        if "axe" in needed:
            item.add_marker(pytest.mark.walk)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest revision, made once."""
    folder = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        upgrade(Settings())  # not get_settings: a test may be under way that has changed its own
    return folder / "mozaiks.db"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an empty installation in a folder of its own. Change variables with ``monkeypatch`` before use."""
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def sqlite_migrated(settings: Settings, migrated: Path) -> Path:
    """The SQLite file these settings name, with an empty database at the newest revision in it."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(migrated, settings.data_dir / "mozaiks.db")
    return settings.data_dir / "mozaiks.db"


@pytest.fixture
async def database(settings: Settings, sqlite_migrated: Path) -> AsyncIterator[Settings]:
    """The same settings, with a migrated database; connections are closed afterwards."""
    yield settings
    await db.dispose()


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm with the smallest parameters; the shipped ones are looked at in ``test_passwords.py``."""
    monkeypatch.setattr(passwords, "_hasher", _CHEAP)
    monkeypatch.setattr(passwords, "_DUMMY", _DUMMY)


_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_DUMMY = _CHEAP.hash("nobody")
_made: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def _keys_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing keys cost much time to make: every test starts with the same ones, in the same order."""
    make, waiting = keys._generate, list(_made)

    def generate() -> tuple[str, str]:
        if not waiting:
            _made.append(made := make())
            return made
        return waiting.pop(0)

    monkeypatch.setattr(keys, "_generate", generate)


@pytest.fixture
def as_person() -> Iterator[object]:
    """Call with a :class:`Principal` (or None) to run the rest of the test on that person's behalf."""
    yield lambda principal: set_principal(principal)
    set_principal(None)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product in production mode, built once per run. Every test that uses it is marked ``live``."""
    server = Site.copy(MAIN).serve(tmp_path_factory.mktemp("live"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def people(live: Server) -> People:
    """Root (the first account, an administrator), Ada and Eve, signed up on the live product over HTTP."""
    return People(live.base)


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    with servers.postgres() as url:
        yield url


@pytest.fixture
def postgres_url(_postgres_server: str) -> str:
    """URL of an empty database of its own on a real PostgreSQL."""
    return servers.create_database(_postgres_server, f"t{uuid4().hex}")


@pytest.fixture(scope="session")
def _postgres_template(_postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", str(tmp_path_factory.mktemp("template")))
        patch.setenv("DATABASE_URL", servers.create_database(_postgres_server, "migrated"))
        upgrade(Settings())
    return "migrated"


@pytest.fixture
def postgres_migrated(_postgres_server: str, _postgres_template: str) -> str:
    """URL of a database of its own on a real PostgreSQL: empty, at the newest revision."""
    return servers.create_database(_postgres_server, f"t{uuid4().hex}", _postgres_template)


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    with servers.redis_server() as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """URL of a real, empty Redis."""
    with servers.redis.Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


ADA = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")
EVE = Principal("usr_eve", "dev-app", "Eve Moreau", "eve@example.com", frozenset({"user"}), "ses_eve")
ROOT = Principal("usr_root", "dev-app", "Root Admin", "root@example.com", frozenset({"admin"}), "ses_root")
