"""A plugin's tables come and go with its own history, and a failing one leaves the schema as it was (F-090)."""

import pytest
from reflex_base.registry import RegistrationContext
from sqlalchemy import create_engine, inspect

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import drafts, migrations, service, startup
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.shell.event_gate import declared_access

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
EVE = Principal("usr_eve", "dev-app", "Eve", "eve@example.com", frozenset({"user"}), "ses_eve")
MODELS = """
from mozaiks_shell import sdk

class Item(sdk.Model, table=True):
    __tablename__ = "PLUGIN_item"
    id: str = sdk.Field(default_factory=sdk.new_id, primary_key=True)
    title: str = ""
"""
LOGIC = """
from mozaiks_shell import sdk
from .models import Item

async def execute(data):
    async with sdk.db.session() as session:
        if "add" in data:
            session.add(Item(title=data["add"]))
            await session.flush()
        rows = (await session.execute(sdk.select(Item))).scalars().all()
        return {"titles": [row.title for row in rows]}
"""
FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "1", None, None, None

def upgrade():
    op.create_table(
        "PLUGIN_item",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("app_id", sa.String(64), nullable=False, index=True),
        sa.Column("user_id", sa.String(64), nullable=False, index=True),
        sa.Column("title", sa.String(), nullable=False),
    )
    AFTER

def downgrade():
    op.drop_table("PLUGIN_item")
"""


def plugin(name: str, after: str = "pass") -> dict[str, str]:
    slug = name.replace("-", "_")
    files = {"models.py": MODELS, "logic.py": LOGIC, "migrations/0001_first.py": FIRST.replace("AFTER", after)}
    return {path: text.replace("PLUGIN", slug) for path, text in files.items()}


def tables() -> set[str]:
    engine = create_engine(get_settings().sql_url_sync)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


async def test_tables_of_a_plugin(write, either_database, load, as_person):
    before = tables()
    write("my-shop", plugin("my-shop"))
    shop = load()["my-shop"]
    await startup.start_plugins(either_database)
    assert shop.live, shop.problem
    assert tables() - before == {"my_shop_item", "alembic_version_my_shop"}
    for person, titles in ((ADA, ["Milk"]), (EVE, ["Tea"])):
        as_person(person)
        assert await service.execute("my-shop", {"add": titles[0]}, person) == {"titles": titles}
    await startup.start_plugins(either_database)
    migrations.downgrade(shop, either_database)
    assert tables() - before == {"alembic_version_my_shop"}


@pytest.mark.parametrize("after", ["op.execute('SELECT nothing FROM nowhere')", "raise SystemExit(1)"])
async def test_failing_migration(after, write, either_database, load, as_person):
    as_person(ADA)
    before = tables()
    folder = write("shop", plugin("shop", after))
    write("stall", plugin("stall"))
    loaded = load()
    await startup.start_plugins(either_database)
    assert loaded["shop"].problem.cause is Cause.MIGRATION
    assert loaded["shop"].problem.where == "migrations/0001_first.py:15"
    assert loaded["stall"].live
    assert tables() - before == {"stall_item", "alembic_version_stall"}
    assert [one.name for one in await service.plugins(ADA)] == ["stall"]
    with pytest.raises(Unavailable):
        await service.execute("shop", {}, ADA)

    (folder / "migrations/0001_first.py").write_text(plugin("shop")["migrations/0001_first.py"])
    assert (await startup.retry("shop", either_database)).live
    assert await service.execute("shop", {"add": "Milk"}, ADA) == {"titles": ["Milk"]}


async def test_forgotten_migration_is_named(write, database, load):
    files = plugin("shop")
    del files["migrations/0001_first.py"]
    write("shop", files)
    write("late", {**plugin("late"), "models.py": MODELS.replace("PLUGIN", "late") + "    due: int = 0\n"})
    loaded = load()
    await startup.start_plugins(database)
    assert loaded["shop"].problem.message == "no migration creates the table shop_item"
    assert loaded["late"].problem.message == "no migration adds due to late_item"


async def test_draft_of_a_migration(write, database, load, as_person):
    as_person(ADA)
    write("shop", {path: text for path, text in plugin("shop").items() if not path.startswith("migrations")})
    shop = load()["shop"]
    path = drafts.draft(shop, database, "First tables")
    assert path.name.endswith("_first_tables.py")
    await startup.start_plugins(database)
    assert shop.live, shop.problem
    assert await service.execute("shop", {"add": "Milk"}, ADA) == {"titles": ["Milk"]}
    assert drafts.draft(shop, database, "nothing") is None


PAGE = """
from mozaiks_shell import sdk

class Shop(sdk.State):
    n: int = 0

    @sdk.event
    def add(self): self.n += 1

    @sdk.event(access=sdk.Access.role("admin"))
    def wipe(self): self.n = 0
"""


async def test_handlers_of_a_quarantined_plugin_are_refused(write, database, load):
    write("shop", {**plugin("shop", "raise ValueError"), "page.py": PAGE})
    shop = load()["shop"]
    mine = [name for name in RegistrationContext.get().event_handlers if name.endswith(("shop.add", "shop.wipe"))]

    def declared() -> list[Access | None]:
        return [declared_access(name) for name in mine]

    assert declared() == [Access.signed_in(), Access.role("admin")]
    await startup.start_plugins(database)
    assert declared() == [None, None]
    (shop.folder / "migrations/0001_first.py").write_text(plugin("shop")["migrations/0001_first.py"])
    await startup.retry("shop", database)
    assert declared() == [Access.signed_in(), Access.role("admin")]
