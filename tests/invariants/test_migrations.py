"""The chain of migrations builds exactly what the models say, and can be walked back, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect
from sqlmodel import SQLModel

from alembic import command
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting.migrate import alembic_config, upgrade
from tests.invariants.product import import_models


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(tmp_path))
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_url"))
    get_settings.cache_clear()
    request.addfinalizer(get_settings.cache_clear)
    return get_settings()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_upgrade_matches_the_models_and_downgrade_leaves_nothing(empty):
    import_models()
    upgrade(empty)
    upgrade(empty)
    engine = create_engine(empty.sql_url_sync)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
        assert compare_metadata(context, SQLModel.metadata) == []
    assert "identity_user" in tables(engine)
    command.downgrade(alembic_config(empty), "base")
    assert tables(engine) == set()
    engine.dispose()


def ours(found, name, kind, reflected, other):  # type: ignore[no-untyped-def]
    """Tables of the shell's own modules; plugins bring their own chain."""
    table = found if kind == "table" else getattr(found, "table", None)
    return table is None or table.name in shell_tables()


def shell_tables() -> set[str]:
    return {name for name in SQLModel.metadata.tables if not name.startswith(("plg_", "plugin_x_"))}
