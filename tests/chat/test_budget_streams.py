"""F-247, F-250, F-253: fifty runs of one person side by side against one budget, and a shell that is killed in the middle.

All parts are real and each has a process of its own: the shell with its bridges, the embedded runtime, the model it asks.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from sqlmodel import select

from mozaiks_shell.broker import tokens
from mozaiks_shell.broker.runtime_process import shared_config
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import service as usage
from mozaiks_shell.usage.models import UsageBudget, UsageEntry
from tests.chat.conftest import Shell
from tests.chat.model import Model
from tests.chat.processes import doomed
from tests.live import ROOT, clean_environment, free_port

APP, STREAMS, LIMIT, PIECE = "dev-app", 50, 8_000, 100  # tokens; each answer costs one piece


@dataclass
class Runtime:
    """The embedded runtime, alone."""

    url: str

    async def chats(self, person) -> list[dict]:
        """What it measured, by chat."""
        token = await tokens.mint(person.principal, workflow="", plan="")
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as web:
            return (await web.get(f"{self.url}/metrics/perf/chats", timeout=60)).json()["chats"]


@pytest.fixture
async def database(settings, postgres_migrated, monkeypatch) -> AsyncIterator[None]:
    """PostgreSQL, as it is advised for so many runs at a time."""
    monkeypatch.setenv("DATABASE_URL", postgres_migrated)
    get_settings.cache_clear()
    yield
    await db.dispose()
    get_settings.cache_clear()


@pytest.fixture
async def runtime(database, serve) -> AsyncIterator[tuple[Runtime, Model]]:
    """It asks a model of ours; its chats outlive the shell."""
    model = Model(costs=(40, 60), pause=0.05)
    async with serve(model.app) as url:
        told = {"port": 0, "token_delay_ms": 0, "jwks": await tokens.jwks(), **shared_config(get_settings())}
        told |= {"openai_base_url": f"{url}/v1", "database_url": None}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mozaiks_shell.runtime", stdin=-1, stdout=-1, cwd=ROOT, env=clean_environment()
        )
        process.stdin.write(json.dumps(told).encode() + b"\n")
        yield Runtime(json.loads(await process.stdout.readline())["url"]), model
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def process_of_shell(port: int, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    env = {"MOZAIKS_DATA_DIR": str(get_settings().data_dir), **variables}
    async with doomed(port, "-m", "tests.chat.budget_worker", str(port), **env) as process:
        yield process


async def budget() -> UsageBudget:
    async with system_session(APP) as session:
        return (await session.execute(select(UsageBudget))).scalars().one()


async def talk(tab) -> None:
    """Ask for one answer after the other until the run is stopped."""
    while not tab.saw_status("stopped"):
        question = await tab.until(lambda: tab.saw_status("stopped") or tab.asked(), 120)
        if question is True:
            return
        await tab.send(t="say", text="More.", id=f"{question['id'][:20]}-{question['o']}")
        await tab.until(lambda question=question: tab.saw_status("stopped") or tab.asked() != question, 120)


async def test_f253_fifty_runs_of_one_person_and_a_shell_that_dies_in_the_middle(ada, runtime, monkeypatch, tmp_path):
    engine, model = runtime
    (tmp_path / "usage_config.json").write_text(json.dumps({"budgets": {"default": {"limit": LIMIT}}, "reserve_tokens": PIECE}))
    variables = {
        "DATABASE_URL": get_settings().database_url, "MOZAIKS_CONFIGS_PATH": str(tmp_path),
        "MOZAIKS_AI_URL": engine.url, "MOZAIKS_RUNTIME_RECONNECTS": "true",
        "MOZAIKS_AI_STARTS_PER_USER": "1000", "WEBSOCKET_MAX_CONNECTIONS_PER_USER": str(STREAMS),
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    port = free_port()
    shell = Shell(f"http://127.0.0.1:{port}")
    watched: list[tuple[int, int]] = []

    async def watch() -> None:
        """What was spent and what is put aside, as anybody may find it at any time."""
        while True:
            found = await budget()
            watched.append((found.used, found.reserved))
            await asyncio.sleep(0.1)

    async def start(web) -> httpx.Response:
        return await web.post("/api/workflows/start", json={"workflow_name": "Assistant"}, timeout=90)

    mine = {"cookie": ada.cookie, "origin": get_settings().origin}
    async with process_of_shell(port, **variables) as process, contextlib.AsyncExitStack() as tabs:
        async with httpx.AsyncClient(base_url=shell.url, headers=mine) as web:
            started = await asyncio.gather(*(start(web) for _ in range(STREAMS)))
        assert {one.status_code for one in started} == {200}, [one.text for one in started if one.status_code != 200][:1]
        chats = [one.json()["chat_id"] for one in started]
        watching = asyncio.create_task(watch())
        browsers = [await tabs.enter_async_context(shell.browser(ada)) for _ in chats]
        await asyncio.gather(*(tab.open(chat=chat) for tab, chat in zip(browsers, chats, strict=True)))
        talking = [asyncio.create_task(talk(tab)) for tab in browsers]
        async with asyncio.timeout(90):
            while model.served < 25:  # noqa: ASYNC110 - the model has no event for it
                await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await asyncio.gather(*talking, return_exceptions=True)

    async with process_of_shell(port, **variables), contextlib.AsyncExitStack() as tabs:
        browsers = [await tabs.enter_async_context(shell.browser(ada)) for _ in chats]

        few = asyncio.Semaphore(5)  # a person reconnects one conversation after the other

        async def go_on(tab, chat) -> None:
            async with few:
                await tab.open(chat=chat)
                await tab.until(lambda: tab.kind("choice") or tab.saw_status("stopped", "waiting", "running"), 120)
                if tab.saw_status("interrupted"):
                    await tab.send(t="choose", option="reconnect")
                    await tab.until(lambda: not tab.saw_status("interrupted"), 120)
            await talk(tab)

        await asyncio.gather(*(go_on(tab, chat) for tab, chat in zip(browsers, chats, strict=True)))
        watching.cancel()
        assert all("budget for this month is used up" in tab.messages()[-1][2] for tab in browsers)
        known = await engine.chats(ada)
        async with httpx.AsyncClient(base_url=shell.url, headers=mine) as web:
            assert (await start(web)).status_code == 402
        assert len(await engine.chats(ada)) == len(known) == STREAMS, "the runtime heard of a start that was refused"

    spent = (await budget()).used
    assert LIMIT <= spent <= LIMIT + STREAMS * PIECE
    assert max(used + reserved for used, reserved in watched) <= LIMIT + STREAMS * PIECE
    assert min(min(one) for one in watched) >= 0
    (standing,) = await usage.standings(APP, ada.principal.user_id)
    assert standing.remaining == 0

    # Every call once: the ledger, the budget and the runtime's own books agree, chat by chat.
    async with system_session(APP) as session:
        rows = (await session.execute(select(UsageEntry))).scalars().all()
    assert len({one.event_id for one in rows}) == len(rows) == sum(one["turns"] for one in known)
    assert sum(one.prompt_tokens + one.completion_tokens for one in rows) == spent
    for one in known:
        counted = await usage.total(Scope(APP, ada.principal.user_id), usage.Span(), chat_id=one["chat_id"])
        assert (counted.calls, counted.prompt_tokens, counted.completion_tokens) == (
            one["turns"], one["prompt_tokens"], one["completion_tokens"],
        )  # fmt: skip
