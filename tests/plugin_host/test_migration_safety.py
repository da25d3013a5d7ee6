"""Abuse 43: whatever a migration does, one plugin is off and the schema is as it was; done once, by whoever is first."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine

from mozaiks_shell.foundation import ddl
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import migrations, startup
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest
from mozaiks_shell.plugin_host.registry import Plugin
from tests.live import ROOT, clean_environment
from tests.plugin_host.test_migrations import plugin, tables

SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "2", "1", None, None

def upgrade():
    op.add_column("shop_item", sa.Column("colour", sa.String()))
    op.create_table("shop_half", sa.Column("id", sa.String(64), primary_key=True))
    op.execute("INSERT INTO shop_half (id) VALUES ('x')")
    BREAKS

def downgrade():
    op.drop_table("shop_half")
    with op.batch_alter_table("shop_item") as batch:
        batch.drop_column("colour")
"""


def columns(settings: Settings, table: str) -> set[str]:
    engine = create_engine(settings.sql_url_sync)
    try:
        return {one["name"] for one in inspect(engine).get_columns(table)}
    finally:
        engine.dispose()


BREAKS = [
    ("raise ValueError('half way')", "ValueError: half way"),
    ("op.execute('SELECT nothing FROM nowhere')", "nowhere"),
    ("op.execute('COMMIT')", "may not execute COMMIT"),
    ("op.execute('ROLLBACK')", "may not execute ROLLBACK"),
    ("op.get_bind().commit()", "may not commit"),
    ("op.drop_table('identity_user')", "identity_user is not this plugin's"),
    ("op.execute('DELETE FROM identity_user')", "identity_user is not this plugin's"),
    ("op.execute(\"/* x */ update public.identity_user set roles = 'admin'\")", "identity_user is not this plugin's"),
    ("op.rename_table('shop_half', 'stolen')", "stolen is not this plugin's"),
    ("op.create_index('x', 'identity_user', ['email'])", "identity_user is not this plugin's"),
    ("import sys; sys.exit(3)", "SystemExit"),
]


async def test_abuse43_a_migration_that_fails_half_way_leaves_the_schema_as_it_was(write, either_database, load):
    folder = write("shop", plugin("shop"))
    write("stall", plugin("stall"))
    loaded = load()
    await startup.start_plugins(either_database)
    before, item = tables(), columns(either_database, "shop_item")
    for breaks, said in BREAKS:
        (folder / "migrations/2.py").write_text(SECOND.replace("BREAKS", breaks))
        with pytest.raises(PluginProblem, match=said) as refused:
            await asyncio.to_thread(migrations.migrate, loaded["shop"], either_database)
        assert refused.value.cause is Cause.MIGRATION and refused.value.where.startswith("migrations/2.py:"), breaks
        assert (tables(), columns(either_database, "shop_item")) == (before, item), breaks
        assert migrations.pending(loaded.values(), either_database) == [loaded["shop"]]
    await startup.start_plugins(either_database)
    assert not loaded["shop"].live and loaded["stall"].live


async def test_abuse43_a_database_of_a_newer_version_is_left_alone(write, either_database, load):
    folder = write("shop", plugin("shop") | {"migrations/2.py": SECOND.replace("BREAKS", "pass")})
    shop = load()["shop"]
    await startup.start_plugins(either_database)
    before = tables()
    newest = (folder / "migrations/2.py").read_text()
    (folder / "migrations/2.py").unlink()
    with pytest.raises(PluginProblem, match="revision 2, which this version of the plugin does not know.*--downgrade-to"):
        await asyncio.to_thread(migrations.migrate, shop, either_database)
    assert tables() == before and "colour" in columns(either_database, "shop_item")
    (folder / "migrations/2.py").write_text(newest)
    step = await asyncio.to_thread(migrations.downgrade, shop, either_database, "1")
    assert (step.before, step.after) == ("2", "1") and "colour" not in columns(either_database, "shop_item")


async def test_a_plan_shows_the_sql_and_changes_nothing(write, either_database, load):
    write("shop", plugin("shop"))
    write("stall", plugin("stall", "raise ValueError('no')"))
    loaded = load()
    before = tables()
    with ddl.transaction(either_database, keep=False) as connection:
        shop, stall = migrations.plan([loaded["shop"], loaded["stall"]], connection)
    assert tables() == before
    assert (shop.before, shop.after, shop.problem) == ("", "1", None)
    assert any(one.startswith("CREATE TABLE shop_item") for one in shop.statements)
    assert stall.problem is not None and "no" in stall.problem.message


# -- cost --------------------------------------------------------------------------------------------------------------


async def test_f090_nothing_to_do_is_found_with_one_connection_for_all(write, either_database, load):
    names = [f"shop{n}" for n in range(12)]
    for name in names:
        write(name, plugin(name))
    loaded = load()
    await startup.start_plugins(either_database)
    assert all(one.live for one in loaded.values())
    opened, asked = [], []

    def count(connection: object, record: object) -> None:
        opened.append(connection)

    def note(*arguments: object) -> None:
        asked.append(arguments[2])

    event.listen(Engine, "connect", count)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert migrations.pending(loaded.values(), either_database) == []
    finally:
        event.remove(Engine, "connect", count)
        event.remove(Engine, "before_cursor_execute", note)
    assert len(opened) == 1 and len(asked) < len(names)
    folder = loaded["shop3"].folder / "migrations" / "2.py"
    folder.write_text(SECOND.replace("shop_", "shop3_").replace("BREAKS", "pass"))
    assert migrations.pending(loaded.values(), either_database) == [loaded["shop3"]]
    engine = create_engine(either_database.sql_url_sync)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE shop5_item"))
    engine.dispose()
    assert migrations.pending(loaded.values(), either_database) == [loaded["shop3"], loaded["shop5"]]


def test_f090_plugins_without_tables_ask_nothing(tmp_path, settings):
    bare = [Plugin(f"p{n}", tmp_path, Manifest(name=f"p{n}")) for n in range(1000)]
    assert migrations.pending(bare, settings) == []
    assert not (settings.data_dir / "mozaiks.db").exists()


# -- two at once -------------------------------------------------------------------------------------------------------

ONCE = """
    op.execute("CREATE TABLE shop_once (n INTEGER)")
    op.execute("INSERT INTO shop_once VALUES (1)")
    import time; time.sleep(0.5)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    more = {"DATABASE_URL": request.getfixturevalue("postgres_url")} if request.param == "postgresql" else {}
    return clean_environment(
        MOZAIKS_DATA_DIR=str(tmp_path / "data"), MOZAIKS_PLUGINS_PATH=str(tmp_path / "plugins"), PYTHONPATH=str(ROOT), **more
    )


def test_abuse43_two_replicas_starting_at_once_migrate_once(environment, write, monkeypatch):
    write("shop", plugin("shop", ONCE.strip()))
    command = [sys.executable, "-m", "mozaiks_shell.cli", "migrate"]
    both = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [child.communicate(timeout=300) for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    assert sorted("nothing -> 1" in out for out, _ in said) == [False, True], said
    for name in ("DATABASE_URL", "MOZAIKS_DATA_DIR"):
        if name in environment:
            monkeypatch.setenv(name, environment[name])
    get_settings.cache_clear()
    engine = create_engine(get_settings().sql_url_sync)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM shop_once")).scalar_one() == 1
    engine.dispose()
    get_settings.cache_clear()
