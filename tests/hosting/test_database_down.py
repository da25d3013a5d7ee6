"""F-262: with the database down the process lives, says so at /ready, and comes back by itself. Nothing is lost meanwhile."""

import asyncio
import multiprocessing

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting import routes, startup
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.state import process
from mozaiks_shell.notifications.models import Notification
from tests import servers

ADA = db.Scope("dev-app", "usr_ada")


@pytest.fixture
async def client(monkeypatch):
    monkeypatch.setattr(process, "not_ready", "")
    api = FastAPI()
    api.include_router(routes.router)
    async with AsyncClient(transport=ASGITransport(api), base_url="http://test") as opened:
        yield opened


async def status(client: AsyncClient) -> tuple[int, str, int]:
    ready, health = await client.get("/ready"), await client.get("/health")
    return ready.status_code, ready.json().get("reason", ""), health.status_code


async def test_f262_a_database_that_goes_down(client, settings, monkeypatch):
    with servers.postgres() as server:
        monkeypatch.setattr(settings, "database_url", f"{server}/postgres")
        assert await status(client) == (200, "", 200)
    code, reason, health = await status(client)
    assert (code, health) == (503, 200) and reason.startswith("database: ")
    await db.dispose()


async def test_f262_a_database_that_hangs_is_down_too(client, settings, monkeypatch):
    """A server that takes the connection and never says anything."""
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(3600), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    monkeypatch.setattr(settings, "database_url", f"postgresql://shell@127.0.0.1:{port}/x")
    monkeypatch.setattr(routes, "DATABASE_SECONDS", 0.3)
    assert await status(client) == (503, "database: TimeoutError", 200)
    silent.close()


def away(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next so many migrations find no database."""
    left = [count]

    def look(settings: Settings) -> None:
        if left[0]:
            left[0] -= 1
            raise OperationalError("SELECT 1", {}, Exception("connection refused\nto nobody"))
        upgrade(settings)

    monkeypatch.setattr(startup, "upgrade", look)


async def test_f262_in_development_it_may_come_later(client, settings, monkeypatch, capsys):
    done: list[str] = []

    async def step():
        done.append("started")

        async def undo() -> None:
            done.append("ended")

        return undo

    monkeypatch.setattr(startup, "RETRY_SECONDS", 0.05)
    away(3, monkeypatch)
    with pytest.raises(OperationalError):
        async with startup.lifespan(settings, [("one", step)], list)():
            pass
    assert "cannot be reached: database: connection refused" in capsys.readouterr().err and done == []
    monkeypatch.setattr(settings, "allow_no_db", True)
    async with startup.lifespan(settings, [("one", step)], list)():
        assert await status(client) == (503, "database: connection refused", 200)
        for _ in range(600):
            if process.not_ready == "":
                break
            await asyncio.sleep(0.05)
        assert await status(client) == (200, "", 200)
        assert done == ["started"]
    assert done == ["started", "ended"]


def test_f262_production_does_not_start_without(settings, monkeypatch):
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setenv("MOZAIKS_ALLOW_NO_DB", "true")
    monkeypatch.setenv("MOZAIKS_APP_ID", "shop")
    monkeypatch.setenv("MOZAIKS_PUBLIC_URL", "https://shop.example.com")
    with pytest.raises(ValueError, match="MOZAIKS_ALLOW_NO_DB: for development only"):
        Settings()  # type: ignore[call-arg]


# -- many writers ------------------------------------------------------------------------------------------------------


async def write(times: int, who: str) -> None:
    for n in range(times):
        async with db.session(ADA) as session:
            seen = len((await session.execute(select(Notification.id).limit(5))).all())  # read first, then write
            session.add(Notification(type="t", title=f"{who} {n} {seen}"))


def _writer(folder: str, who: str) -> None:
    import os

    os.environ["MOZAIKS_DATA_DIR"] = folder
    get_settings.cache_clear()

    async def work() -> None:
        await asyncio.gather(*[write(10, f"{who}.{n}") for n in range(3)])
        await db.dispose()

    asyncio.run(work())


async def test_sqlite_writers_wait_for_each_other_and_nothing_is_lost(database):
    """Three processes with three tasks each read and write in one transaction; a long one holds them all up."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_writer, args=(str(database.data_dir), f"p{n}")) for n in range(2)]
    for one in others:
        one.start()
    async with db.session(ADA) as session:
        session.add(Notification(type="t", title="long"))
        await session.flush()
        await asyncio.sleep(0.5)
    await asyncio.gather(*[write(10, f"here.{n}") for n in range(3)])
    for one in others:
        await asyncio.to_thread(one.join, 180)
    assert [one.exitcode for one in others] == [0, 0]
    async with db.session(ADA) as session:
        assert len((await session.execute(select(Notification.title))).scalars().all()) == 1 + 9 * 10


async def test_what_is_shown_is_written(database):
    """After the block another connection reads what was written; after an error nothing of it is there."""
    async with db.session(ADA) as session:
        session.add(Notification(type="t", title="kept"))
    with pytest.raises(RuntimeError):
        async with db.session(ADA) as session:
            session.add(Notification(type="t", title="lost"))
            await session.flush()
            raise RuntimeError("half way")
    with pytest.raises(asyncio.CancelledError):
        async with db.session(ADA) as session:
            session.add(Notification(type="t", title="cancelled"))
            await session.flush()
            raise asyncio.CancelledError
    await db.dispose()
    async with db.session(ADA) as session:
        assert (await session.execute(select(Notification.title))).scalars().all() == ["kept"]
