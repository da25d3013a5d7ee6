"""F-226: free keys of profiles, which an older version kept beside the account, move into the one store, and back."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from alembic import command
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting.migrate import alembic_config, upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(tmp_path))
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_url"))
    get_settings.cache_clear()
    request.addfinalizer(get_settings.cache_clear)
    return get_settings()


def test_f226_profiles_move_into_the_preferences_and_back(empty):
    upgrade(empty, "0005")
    engine = create_engine(empty.sql_url_sync)
    add = text(
        "INSERT INTO identity_user (app_id, id, username, full_name, password_hash, roles, issuer_roles, disabled, profile,"
        " created_at) VALUES ('dev-app', :id, :id, '', '', 'user', '', :no, :profile, '2026-01-01 00:00:00+00:00')"
    )
    kept = {"usr_ada": {"city": "Zürich", "tags": ["a", {"b": 1}]}, "usr_eve": {}}
    with engine.begin() as connection:
        for user, profile in kept.items():
            connection.execute(add, {"id": user, "profile": json.dumps(profile), "no": False})
    upgrade(empty)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT app_id, user_id, scope, data FROM identity_preferences")).all()
    moved = [(*row[:3], row[3] if isinstance(row[3], dict) else json.loads(row[3])) for row in rows]
    assert moved == [("dev-app", "usr_ada", "", kept["usr_ada"])]
    command.downgrade(alembic_config(empty), "0005")
    with engine.connect() as connection:
        back = dict(connection.execute(text("SELECT id, profile FROM identity_user")).tuples().all())
    assert {user: one if isinstance(one, dict) else json.loads(one) for user, one in back.items()} == kept
    upgrade(empty)
    engine.dispose()
