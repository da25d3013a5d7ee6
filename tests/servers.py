"""Real PostgreSQL and Redis for the tests that talk to them: found on this machine, started in a folder of their own."""

import contextlib
import os
import shutil
import subprocess
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
def postgres(folder: Path) -> Iterator[str]:
    """An empty PostgreSQL cluster; gives the URL of its server, without a database name."""
    port = free_port()
    command: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        for above in folder.parents:
            if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)
        command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    data = folder / "cluster"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([*command, find("initdb"), "-D", data, "-U", "shell", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet)
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c full_page_writes=off"
    control = [*command, find("pg_ctl"), "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **quiet)
    try:
        yield f"postgresql://shell@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def create_database(server: str, name: str) -> str:
    """Make a database on that server; its URL."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis without persistence; gives its URL."""
    port = free_port()
    program = find("redis-server", "valkey-server")
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *arguments], cwd=folder, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:

            def answers() -> bool:
                with contextlib.suppress(redis.ConnectionError):
                    return bool(client.ping())
                return False

            until(answers, 10, "Redis")
        yield url
    finally:
        process.terminate()
        process.wait(10)
