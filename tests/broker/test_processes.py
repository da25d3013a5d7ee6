"""Several processes on one database, of either kind: one set of keys, one chat per key, one registry (F-149, F-151, F-159)."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from mozaiks_shell.broker import keys, tokens
from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings
from tests.broker.strict import StrictUpstream
from tests.chat.conftest import listening

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = [Principal(f"usr_{name}", "dev-app", name, "", frozenset({"user"}), "ses") for name in ("ada", "eve")]

# What each process does: rotate, register, start chats with the same keys; then say what it saw.
WORK = """
import asyncio, json, sys
from mozaiks_shell.broker import keys, service as broker, tokens
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.access import Principal

keys.REFRESH = 0.05

async def main():
    number = sys.argv[1]
    stop_runtime, stop_chats = await broker.start_runtime(), await chats.start_chats()
    service = Principal("usr_gen", "dev-app", "Generator", "", frozenset({"service"}), "ses")
    people = [Principal(f"usr_{name}", "dev-app", name, "", frozenset({"user"}), "ses") for name in ("ada", "eve")]
    print("ready", flush=True)
    sys.stdin.readline()
    found = {}
    for click in range(3):
        for person in people:
            session = await broker.start(person, "Assistant", idempotency_key=f"click-{click}")
            found[f"{person.user_id} {click}"] = session.chat_id
        await keys.rotate(at_once=True)
        made = {"id": f"own_{number}_{click}", "display_name": "Own", "workflow_id": f"Own{number}{click}"}
        await broker.register_workflow(service, made)
        await broker.register_workflow(service, {"id": "shared", "display_name": number, "workflow_id": "Shared"})
    print(json.dumps(found), flush=True)
    await stop_chats()
    await stop_runtime()

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def either_database(request, settings, monkeypatch, tmp_path):
    """Both kinds, migrated; one capability and a strict runtime."""
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    configs = tmp_path / "configs"
    configs.mkdir()
    own = [{"id": "assistant", "display_name": "Assistant", "workflow_id": "Assistant"}]
    (configs / "ai_capabilities.json").write_text(json.dumps({"capabilities": own}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    get_settings.cache_clear()
    keys.forget()
    double = StrictUpstream(tokens.jwks)
    double.rules.cache_seconds = 0.05
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        get_settings.cache_clear()
        yield double
    await db.dispose()
    keys.forget()


async def test_two_processes_agree(either_database, monkeypatch):
    monkeypatch.setattr(keys, "REFRESH", 0.05)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = asyncio.subprocess.PIPE
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORK, str(number), cwd=ROOT, env=env, stdin=pipe, stdout=pipe, limit=1 << 20
        )
        for number in range(2)
    ]

    async def until(process, begins: bytes) -> str:
        async with asyncio.timeout(60):
            while not (line := await process.stdout.readline()).startswith(begins):
                assert line, "a process ended"
            return line.decode()

    await asyncio.gather(*(until(one, b"ready") for one in started))
    for one in started:
        one.stdin.write(b"go\n")
    answers = [json.loads(line) for line in await asyncio.gather(*(until(one, b"{") for one in started))]
    assert [await one.wait() for one in started] == [0, 0]

    assert answers[0] == answers[1], "one key made two chats"
    assert len(set(answers[0].values())) == 6 == either_database.count("start")
    assert either_database.refused == [], "a token was refused while keys changed"
    kept = {chat.id for person in PEOPLE for chat in await chats.list_chats(person)}
    assert kept == set(answers[0].values())

    standing = [one.state for one in await broker.signing_keys()]
    assert standing.count("active") == standing.count("next") == 1
    registered = [one for one in await broker.entries() if one.source == "registered"]
    assert len(registered) == 7, "six of their own and one shared"
