"""Writing a plugin's next migration from its models."""

from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from alembic.util import rev_id
from sqlmodel import SQLModel

from mozaiks_shell.foundation.ddl import transaction
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host.migrations import run_scripts, scripts_in
from mozaiks_shell.plugin_host.registry import Plugin

_SCRIPT = '''"""{message}"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def draft(plugin: Plugin, settings: Settings, message: str) -> Path | None:
    """Write the migration that leads from the plugin's newest one to its models; None when nothing differs.

    Blocking. The database is only looked at: the scripts so far run in a transaction that is taken back. Read the draft before
    you keep it: a renamed column looks like one dropped and one added.

    Raises:
        PluginProblem: one of the scripts so far fails.
    """
    folder = plugin.folder / "migrations"
    with transaction(settings, keep=False) as connection:
        run_scripts(plugin, connection)
        options = {"include_name": lambda name, kind, _: kind != "table" or name in plugin.tables, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts={"compare_type": True, **options})
        found = produce_migrations(context, SQLModel.metadata)
    operations = [one for one in found.upgrade_ops.ops if getattr(one, "table_name", "") in plugin.tables]  # type: ignore[union-attr]
    if not operations:
        return None
    found.upgrade_ops.ops = operations  # type: ignore[union-attr]
    found.downgrade_ops = found.upgrade_ops.reverse()  # type: ignore[union-attr]
    head = scripts_in(folder).get_current_head() if folder.is_dir() else None
    count = len(list(folder.glob("*.py"))) if folder.is_dir() else 0
    revision = rev_id()
    text = _SCRIPT.format(
        message=message.replace('"""', "'''"),
        revision=revision,
        down=repr(head),
        upgrade=render_python_code(found.upgrade_ops, render_as_batch=True).strip(),  # type: ignore[arg-type]
        downgrade=render_python_code(found.downgrade_ops, render_as_batch=True).strip(),  # type: ignore[arg-type]
    )
    slug = "_".join(word for word in "".join(c if c.isalnum() else " " for c in message.lower()).split())[:40]
    folder.mkdir(exist_ok=True)
    path = folder / f"{count + 1:04d}_{slug}.py"
    path.write_text(text, encoding="utf-8")
    return path
