"""The database from the command line: migrate, migration, db, backup, restore (F-090, F-263, F-266, F-286)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import Result
from sqlalchemy import create_engine, inspect, text
from typer.testing import CliRunner

from mozaiks_shell.cli.main import app
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import loader, registry
from tests.plugin_host.test_migrations import plugin

Run = Callable[..., Result]


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """``run("db", "--check-db")`` in an installation of its own, with the plugins of ``tmp_path/plugins``."""
    ours = {"MOZAIKS_DATA_DIR": str(tmp_path / "data"), "MOZAIKS_PLUGINS_PATH": str(tmp_path / "plugins")}
    if kind == "postgresql":
        ours["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    (tmp_path / "plugins").mkdir()

    def call(*arguments: str, **changed: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**ours, **changed}.items():
                patch.setenv(name, value)
            get_settings.cache_clear()
            try:
                return CliRunner().invoke(app, list(arguments))
            finally:
                for one in registry.all_plugins():
                    loader.unload(one.name)
                structlog.reset_defaults()

    yield call
    get_settings.cache_clear()


def make(tmp_path: Path, name: str, files: dict[str, str]) -> None:
    for path, content in files.items():
        (tmp_path / "plugins" / name / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plugins" / name / path).write_text(content)


def rows(url: str, query: str) -> list[tuple]:
    engine = create_engine(Settings(DATABASE_URL=url).sql_url_sync)  # type: ignore[call-arg]
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    engine = create_engine(Settings(DATABASE_URL=url).sql_url_sync)  # type: ignore[call-arg]
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def url_of(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgres_url") if kind == "postgresql" else f"sqlite:///{tmp_path / 'data' / 'mozaiks.db'}"


def test_f090_f263_f286_from_nothing_to_well_and_again(run, tmp_path, kind, request):
    """Dry run, migrate, check, seed, list: each says what it did, and twice does no harm."""
    make(tmp_path, "shop", plugin("shop"))
    url = url_of(tmp_path, kind, request)
    assert run("db", "--check-db").exit_code == 1
    planned = run("migrate", "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert "CREATE TABLE identity_user" in planned.stdout and "CREATE TABLE shop_item" in planned.stdout
    assert not (tmp_path / "data" / "mozaiks.db").exists() and (kind == "sqlite" or tables(url) == set())
    first = run("db", "--init-db", "--check-db", "--seed-test-data", "--list-plugins")
    assert first.exit_code == 0, first.stdout + first.stderr
    assert "shop: nothing -> 1" in first.stdout and "written  demo," in first.stdout and "ok       revision" in first.stdout
    assert any(line.split()[:2] == ["shop", "loaded"] and line.split()[-1] == "1" for line in first.stdout.splitlines())
    before = rows(url, "SELECT username, password_hash FROM identity_user ORDER BY username")
    again = run("db", "--init-db", "--seed-test-data")
    assert again.exit_code == 0 and "shop: up to date" in again.stdout and "there    demo" in again.stdout
    assert rows(url, "SELECT username, password_hash FROM identity_user ORDER BY username") == before
    assert len(rows(url, "SELECT id FROM notifications_notification WHERE type = 'welcome'")) == 2
    assert "shop: 1 -> nothing" in run("migrate", "--plugin", "shop", "--downgrade-to", "base").stdout
    assert "shop_item" not in tables(url) and "identity_user" in tables(url)


def test_f266_a_backup_restores_into_an_empty_database(run, tmp_path, kind, request):
    make(tmp_path, "shop", plugin("shop"))
    url = url_of(tmp_path, kind, request)
    assert run("backup", str(tmp_path / "early")).exit_code == 1
    assert run("db", "--init-db", "--seed-test-data").exit_code == 0
    person = rows(url, "SELECT id FROM identity_user WHERE username = 'demo'")[0][0]
    kept = tmp_path / "data" / "files" / "dev-app" / person / "fil_1"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"content")
    saved = run("backup", str(tmp_path / "saved"))
    assert saved.exit_code == 0, saved.stderr
    assert json.loads((tmp_path / "saved" / "backup.json").read_text())["database"] == kind
    assert (tmp_path / "saved").stat().st_mode & 0o077 == 0
    assert "not empty" in run("backup", str(tmp_path / "saved")).stderr
    refused = run("restore", str(tmp_path / "saved"))
    assert refused.exit_code == 1 and "The database is not empty" in refused.stderr
    fresh = {"MOZAIKS_DATA_DIR": str(tmp_path / "other")}
    if kind == "postgresql":
        from tests.servers import create_database

        fresh["DATABASE_URL"] = create_database(url.rsplit("/", 1)[0], url.rsplit("/", 1)[1] + "r")
    restored = run("restore", str(tmp_path / "saved"), **fresh)
    assert restored.exit_code == 0, restored.stderr
    there = fresh.get("DATABASE_URL", f"sqlite:///{tmp_path / 'other' / 'mozaiks.db'}")
    assert tables(there) == tables(url)
    for table in ("identity_user", "notifications_notification", "plugin_schema", "alembic_version_shop"):
        assert sorted(map(str, rows(there, f"SELECT * FROM {table}"))) == sorted(map(str, rows(url, f"SELECT * FROM {table}")))
    assert (tmp_path / "other" / "files" / "dev-app" / person / "fil_1").read_bytes() == b"content"
    smoke = run("db", "--check-db", "--init-db", **fresh)
    assert smoke.exit_code == 0 and "shop: up to date" in smoke.stdout, smoke.stdout + smoke.stderr


@pytest.mark.parametrize("kind", ["sqlite"])
def test_f286_exit_codes_of_a_broken_database(run, tmp_path, kind):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    assert run("db", "--check-db", DATABASE_URL=f"sqlite:///{broken}").exit_code == 2
    away = {"DATABASE_URL": "postgresql://nobody:secret-word@127.0.0.1:1/none"}
    for option in ("--check-db", "--init-db", "--seed-test-data"):
        answer = run("db", option, **away)
        assert answer.exit_code == 2, option
        assert "secret-word" not in answer.stdout + answer.stderr and "Traceback" not in answer.stderr
    assert run("db").exit_code == 2
    hole = run("db", "--seed-test-data", ENV="production", MOZAIKS_APP_ID="shop", MOZAIKS_PUBLIC_URL="https://shop.example.com")
    assert hole.exit_code == 1 and "not with ENV=production" in hole.stderr


@pytest.mark.parametrize("kind", ["sqlite"])
def test_f090_a_draft_leads_from_the_scripts_to_the_models(run, tmp_path, kind):
    files = plugin("shop")
    make(tmp_path, "shop", files)
    assert "nothing to write" in run("migration", "shop", "-m", "none").stdout
    make(tmp_path, "shop", {"models.py": files["models.py"] + '    colour: str = ""\n'})
    written = run("migration", "shop", "-m", "Colour of items")
    assert written.exit_code == 0, written.stderr
    script = tmp_path / "plugins" / "shop" / "migrations" / "0002_colour_of_items.py"
    assert 'down_revision = "1"' in script.read_text().replace("'", '"') and "colour" in script.read_text()
    assert not (tmp_path / "data" / "mozaiks.db").exists()
    assert run("migration", "nobody", "-m", "x").exit_code == 1


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URI", "MONGODB_URI", "MONGO_URI"])
def test_f258_a_mongodb_url_says_what_to_use_instead(run, name, kind):
    answer = run("db", "--check-db", **{name: "mongodb://u:secret-word@host/db"})
    assert answer.exit_code == 2
    assert "MongoDB URL" in answer.stderr and "postgresql://" in answer.stderr
    assert "secret-word" not in answer.stderr and "Traceback" not in answer.stderr
