"""What a start asks of the database and the runtime: little, all at once, and nothing twice (F-140, F-151, F-309)."""

import asyncio
import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

import mozaiks_shell.audit.service  # noqa: F401 - it writes down who started what
from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.adapters import runtime_http
from mozaiks_shell.broker.models import StartClaim
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.keeper import Keeper
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.foundation import turns
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.settings import get_settings

ADA = Principal("usr_ada", "dev-app", "Ada", "", frozenset({"user"}), "ses")


@pytest.fixture
async def ready(tmp_path, monkeypatch, upstream):
    configs = tmp_path / "configs"
    configs.mkdir()
    own = [{"id": name.lower(), "display_name": name, "workflow_id": name} for name in ("Assistant", "Gone")]
    (configs / "ai_capabilities.json").write_text(json.dumps({"capabilities": own}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    get_settings.cache_clear()
    stop_runtime = await broker.start_runtime()
    stop_chats = await chats.start_chats()
    yield upstream
    await stop_chats()
    await stop_runtime()


async def _kept() -> tuple[list[str], list[str], list[str]]:
    """Ids of the chats, of those on the audit's record, and claims that are left."""
    async with system_session() as db:
        started = select(AuditEntry).where(col(AuditEntry.act) == "chat.started")
        audited = [row.facts["chat_id"] for row in (await db.execute(started)).scalars()]
        made = list((await db.execute(select(Chat.id))).scalars())
        return made, audited, list((await db.execute(select(StartClaim.id))).scalars())


async def test_a_start_writes_twice_and_audits_once(ready, monkeypatch):
    await broker.start(ADA, "Assistant")
    taken, take = [], turns.take_turn

    async def count(url):
        taken.append(url)
        return await take(url)

    monkeypatch.setattr(turns, "take_turn", count)
    await broker.start(ADA, "Assistant", idempotency_key="click")
    assert len(taken) == 2, "the claim, then chat, record and end of the claim"
    await broker.start(ADA, "Assistant")
    assert len(taken) == 3
    made, audited, claims = await _kept()
    assert len(made) == 3 and sorted(made) == sorted(audited) and claims == []


async def test_chat_record_and_end_of_the_claim_are_one(ready, monkeypatch):
    add = Keeper.add

    async def fails(self, principal, chat_id, workflow, start_key, *, capability_id="", along=()):
        return await add(
            self, principal, chat_id, workflow, start_key, capability_id=capability_id, along=[*along, text("BROKEN")]
        )

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "add", fails)
        with pytest.raises(OperationalError, match="BROKEN"):
            await broker.start(ADA, "Assistant", idempotency_key="click")
    assert await _kept() == ([], [], []), "half a start is left"
    assert (await broker.start(ADA, "Assistant", idempotency_key="click")).chat_id


async def test_a_workflow_the_runtime_does_not_have_is_not_found(ready, monkeypatch):
    with pytest.raises(NotFound) as refused:
        await broker.start(ADA, "Gone")
    assert refused.value.code == "WORKFLOW_NOT_FOUND"
    assert ready.count("start") == 0
    ready.workflows.add("Gone")
    monkeypatch.setattr(runtime_http, "_LIST_AGAIN", 0.0)
    assert (await broker.start(ADA, "Gone")).chat_id, "one that was added is found at once"


async def test_the_runtime_is_asked_once_what_it_has(ready):
    await asyncio.gather(*(broker.start(ADA, "Assistant") for _ in range(4)))
    await broker.start(ADA, "Assistant")
    assert ready.listed == 1


async def test_a_runtime_that_does_not_tell_is_believed(ready):
    ready.workflows.clear()
    assert (await broker.start(ADA, "Gone")).chat_id
