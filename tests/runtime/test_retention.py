"""Ended chats go after the days the shell keeps its own, with messages and files; open ones stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from mozaiks_shell.runtime import retention, uploads
from mozaiks_shell.runtime.app import Services, build_services
from mozaiks_shell.runtime.chat import COMPLETED, Chat
from mozaiks_shell.runtime.config import RuntimeConfig
from mozaiks_shell.runtime.models import RuntimeChat, RuntimeLine, RuntimePending, RuntimeThread

TABLES = [
    SQLModel.metadata.tables[str(table.__tablename__)] for table in (RuntimeChat, RuntimeLine, RuntimePending, RuntimeThread)
]
DAY = 86_400 * 10**9


@pytest.fixture
async def services(tmp_path: Path) -> Any:
    """A runtime without its sockets, on a database of its own."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'runtime.db'}"
    engine = create_engine(url.replace("+aiosqlite", ""))
    SQLModel.metadata.create_all(engine, tables=TABLES)
    engine.dispose()
    async with httpx.AsyncClient() as http:
        made = build_services(RuntimeConfig(database_url=url, uploads_path=str(tmp_path / "files")), http)
        yield made
        made.chats.close()
        if made.archive is not None:
            await made.archive.close()


def _file(services: Services, name: str) -> str:
    """A file of the chat, as an upload leaves it."""
    target = Path(services.config.uploads_path or "", "app1", name, f"{name}.txt")
    target.parent.mkdir(parents=True)
    target.write_text(name)
    return f"uploads/app1/{name}/{name}.txt"


async def chat_of(services: Services, name: str, days: float, *, status: int = COMPLETED, said: str = "2020-01-01") -> Chat:
    """A chat made so many days ago in which something was said on that day."""
    chat = services.chats.create("app1", "u1", "Assistant", name)
    chat.born -= int(days * DAY)
    chat.add_message("user", "user", f"Hello {name}")
    chat.attach_file({"stored_path": _file(services, name)})
    chat.take_missed()
    chat.status, chat.updated_at = status, f"{said}T00:00:00.000000" if said else chat.updated_at
    chat.touch()
    await services.chats.saved(chat)
    return chat


async def test_what_ended_long_ago_is_gone_with_all_that_belongs_to_it(services: Services, tmp_path: Path) -> None:
    await chat_of(services, "old", 40)
    await chat_of(services, "older", 50)
    await chat_of(services, "young", 10)
    await chat_of(services, "used", 40, said="")  # made long ago, used today
    await chat_of(services, "open", 40, status=0)
    busy = await chat_of(services, "watched", 40)
    busy.listeners[object()] = None  # type: ignore[index]
    assert services.archive is not None
    assert await retention.retire(services, 30) == 2
    left = {"young", "used", "open", "watched"}
    assert {chat.chat_id for chat in services.chats} == left
    assert {file.stem for file in (tmp_path / "files").rglob("*.txt")} == left
    async with services.archive.database.session("app1") as session:
        for table in ("runtime_chat", "runtime_line"):
            rows = (await (await session.connection()).execute(text(f"SELECT DISTINCT chat_id FROM {table}"))).scalars()
            assert set(rows) == left, table
    assert await retention.retire(services, 30) == 0
    assert await services.chats.find("app1", "old") is None


async def test_batches_go_past_what_stays(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(7):
        await chat_of(services, f"c{number}", 40, said="" if number % 2 else "2020-01-01")
    assert await retention.retire(services, 30) == 4
    assert sorted(chat.chat_id for chat in services.chats) == ["c1", "c3", "c5"]


def test_a_file_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    config = RuntimeConfig(uploads_path=str(tmp_path))
    uploads.forget(config, [{"stored_path": "uploads/app1/c1/gone.txt"}])
    uploads.forget(RuntimeConfig(), [{"stored_path": "uploads/app1/c1/gone.txt"}])
