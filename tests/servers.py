"""Real PostgreSQL and Redis for the tests that talk to them: found on this machine, started in a folder of their own."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import redis

from tests.live import free_port, until

_EXTRA = ["/usr/sbin", "/usr/local/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]


def find(*names: str) -> str:
    """Path of the first of these programs that is installed.

    Raises:
        AssertionError: none is; ``./test`` installs them.
    """
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_EXTRA])):
            return found
    raise AssertionError(f"{' or '.join(names)} is not installed; ./test installs it on Debian")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """An empty PostgreSQL cluster; gives the URL of its server, without a database name."""
    port, prefix = free_port(), []
    with tempfile.TemporaryDirectory(prefix="mozaiks-postgres-", ignore_cleanup_errors=True) as folder:
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
            prefix = [find("setpriv"), "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        data = f"{folder}/cluster"
        make = [*prefix, find("initdb"), "-D", data, "-U", "shell", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = ["-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off", "-c", "full_page_writes=off"]
        process = subprocess.Popen([*prefix, find("postgres"), "-D", data, *options], stderr=subprocess.DEVNULL, cwd=folder)
        server = f"postgresql://shell@127.0.0.1:{port}"
        try:
            until(lambda: _accepts(server), 120, "PostgreSQL")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(60)


def _accepts(server: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(f"{server}/postgres", connect_timeout=20):
        return True
    return False


def create_database(server: str, name: str, template: str = "template1") -> str:
    """Make a database on that server, empty or a copy of another of its databases; its URL."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    return f"{server}/{name}"


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """A Redis without persistence; gives its URL."""
    port = free_port()
    program = find("redis-server", "valkey-server")
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:

            def answers() -> bool:
                with contextlib.suppress(redis.ConnectionError):
                    return bool(client.ping())
                return False

            until(answers, 60, "Redis")
        yield url
    finally:
        process.terminate()
        process.wait(60)
