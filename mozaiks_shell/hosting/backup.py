"""Everything an installation must not lose, in one folder; and back again (F-266)."""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, inspect, pool
from sqlalchemy.engine import URL, make_url

import mozaiks_shell
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import make_private
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.migrate import only_one, revision_of, upgrade

FORMAT: Final = 1
_TOLD: Final = "backup.json"
_NOT_KEPT: Final = ("*.db", "*.db-wal", "*.db-shm", "*.lock", "*.part", "plugin-probes*")


class BackupProblem(Exception):
    """A backup could not be made or put back; nothing was overwritten."""


def backup(settings: Settings, folder: Path) -> dict[str, Any]:
    """Write the database and the private files to a folder of their own. The app may go on meanwhile. Blocking.

    Returns:
        What ``backup.json`` in the folder says.

    Raises:
        BackupProblem: the folder is not empty, the database is, or ``pg_dump`` fails.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupProblem(f"{folder} is not empty.")
    revision = _revision(settings)
    if not revision:
        raise BackupProblem("There is nothing to save: the database has no tables of this app.")
    url = make_url(settings.sql_url_sync)
    kind = url.get_backend_name()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if kind == "sqlite":
        target = folder / "database.sqlite"
        os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(str(url.database))) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    else:
        _run("pg_dump", url, ["--format=custom", "--no-owner", "--no-privileges", f"--file={folder / 'database.dump'}"])
    if settings.data_dir.is_dir():
        shutil.copytree(settings.data_dir, folder / "data", ignore=shutil.ignore_patterns(*_NOT_KEPT))
    told = {
        "format": FORMAT, "database": kind, "revision": revision, "version": mozaiks_shell.__version__, "app_id": settings.app_id,
        "at": now().isoformat(),
    }  # fmt: skip
    (folder / _TOLD).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    return told


def restore(settings: Settings, folder: Path) -> dict[str, Any]:
    """Put a backup back into an empty database, and bring that to this version's revision. Blocking.

    Raises:
        BackupProblem: it is no backup, comes from the other kind of database, the database is not empty, or ``pg_restore`` fails.
    """
    try:
        told: dict[str, Any] = json.loads((folder / _TOLD).read_text("utf-8"))
    except (OSError, ValueError):
        raise BackupProblem(f"{folder} is not a backup: there is no readable {_TOLD}.") from None
    url = make_url(settings.sql_url_sync)
    kind = url.get_backend_name()
    if told.get("format") != FORMAT or told.get("database") != kind:
        raise BackupProblem(f"This is a backup of a {told.get('database')} database; DATABASE_URL names a {kind} one.")
    with only_one(settings):
        if _tables(settings):
            raise BackupProblem("The database is not empty. Restore into an empty one, so that nothing is mixed or overwritten.")
        if kind == "sqlite":
            make_private(settings.sql_url_sync)
            with (
                closing(sqlite3.connect(folder / "database.sqlite")) as source,
                closing(sqlite3.connect(str(url.database))) as copy,
            ):
                source.backup(copy)
        else:
            options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
            _run("pg_restore", url, [*options, str(folder / "database.dump")])
        if (folder / "data").is_dir():
            shutil.copytree(folder / "data", settings.data_dir, dirs_exist_ok=True)
    upgrade(settings)
    return told


def _run(program: str, url: URL, options: list[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise BackupProblem(f"{program} is not installed; it comes with the PostgreSQL client (Debian: postgresql-client).")
    with tempfile.TemporaryDirectory() as private:
        child = subprocess.run([found, *options, f"--dbname={_libpq(url, Path(private))}"], capture_output=True, text=True)
    if child.returncode:
        raise BackupProblem(f"{program} failed: {child.stderr.strip()[-500:]}")


def _libpq(url: URL, private: Path) -> str:
    """The URL as PostgreSQL's programs take it. The password goes by a file: everybody can read a command line."""
    plain = url.set(drivername="postgresql", password=None)
    if isinstance(url.password, str):
        escaped = url.password.replace("\\", "\\\\").replace(":", "\\:")
        file = private / "pgpass"
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        file.write_text(f"*:*:*:*:{escaped}\n", "utf-8")
        plain = plain.update_query_dict({"passfile": str(file)})
    return plain.render_as_string(hide_password=False)


def _tables(settings: Settings) -> list[str]:
    url = make_url(settings.sql_url_sync)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        return []
    engine = create_engine(settings.sql_url_sync, poolclass=pool.NullPool)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _revision(settings: Settings) -> str:
    if not _tables(settings):
        return ""
    engine = create_engine(settings.sql_url_sync, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            return revision_of(connection)
    finally:
        engine.dispose()
