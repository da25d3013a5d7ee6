"""F-253 end to end: the embedded runtime in its own process, the real bridge, the ledger; an answer that passes the budget
while it is being written."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from mozaiks_shell.foundation import jobs
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.runtime.models import RuntimeChat
from mozaiks_shell.usage import service as usage
from mozaiks_shell.usage.models import UsageEntry
from tests.chat.model import LINE, Model

APP = "dev-app"
USED_UP = "Your budget for this month is used up."


@pytest.fixture
async def counting(database, monkeypatch, tmp_path) -> AsyncIterator[Callable[..., None]]:
    """Call with ``usage_config.json`` before the shell starts; the token engine runs beside it."""
    folder = tmp_path / "budgets"
    folder.mkdir()

    def configure(model: str = "", **content) -> None:
        (folder / "usage_config.json").write_text(json.dumps(content))
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        if model:
            monkeypatch.setenv("OPENAI_BASE_URL", f"{model}/v1")
        get_settings.cache_clear()

    stop = await usage.start_usage()
    yield configure
    await stop()


async def start(url, person, **body):
    async with httpx.AsyncClient(base_url=url, headers={"cookie": person.cookie, "origin": get_settings().origin}) as web:
        return await web.post("/api/workflows/start", json={"workflow_name": "Assistant", **body}, timeout=60)


async def settled(person):
    """The person's budget once nothing is put aside any more: what ended is measured then."""
    async with asyncio.timeout(60):
        while True:
            (found,) = await usage.standings(APP, person.principal.user_id)
            if not found.reserved:
                return found
            await asyncio.sleep(0.05)


async def count(what) -> int:
    async with system_session(APP) as db:
        return int((await db.execute(select(func.count(what)))).scalar_one())


@pytest.mark.parametrize("unit", ["tokens", "money"])
async def test_f253_an_answer_is_cut_where_the_budget_ends_and_nothing_starts_after_it(ada, shell, serve, counting, unit):
    """The model would write for ever and report nothing: what is seen of the answer has to do."""
    limit, chunk = 4000, 1000
    model = Model(endless=True)
    budget = {"limit": limit} if unit == "tokens" else {"limit": "0.004", "unit": "money"}
    async with serve(model.app) as url:
        counting(
            url, budgets={"default": budget}, reserve_tokens=chunk, prices=[{"model": "*", "input": 1, "output": 1}]
        )  # a token costs a millionth, so both budgets are as large
        async with shell() as running, running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            await tab.send(t="say", text="Tell me a story.", id="m1")
            await tab.until(lambda: tab.saw_status("stopped"), 120)
            chat = tab.chat["chat"]
            *_, (_, _, partial), (role, _, said) = tab.messages()
            assert partial.startswith(f"Once upon a time {LINE}")
            assert role == "notice" and said.startswith(USED_UP) and said.endswith("What was written so far is kept.")
            assert tab.chat["detail"].startswith(USED_UP)
            async with asyncio.timeout(60):
                await model.left.wait()  # the runtime let go of the model: it was asked to stop, not only hidden

            # The answer that was cut is in the ledger too, and has not passed the limit by more than what is put aside at once.
            mine = await settled(ada)
            assert limit <= mine.used <= limit + chunk and mine.remaining == 0
            assert len(partial) // 4 <= (await usage.total(Scope(APP, ada.principal.user_id), usage.Span())).completion_tokens

            known, asked = await count(col(RuntimeChat.chat_id)), model.asked
            refused = await start(running.url, ada)
            assert (refused.status_code, refused.json()["code"]) == (402, "TOKEN_BUDGET_EXCEEDED")
            assert refused.json()["detail"].startswith(USED_UP) and "larger plan" in refused.json()["detail"]
            assert (await start(running.url, ada, chat_id=chat)).status_code == 402
            assert (await count(col(RuntimeChat.chat_id)), model.asked) == (known, asked), "the runtime heard of it"

            await tab.open(chat=chat, new=True)  # a tab that comes later sees the same
            assert tab.messages()[-1][2] == said and tab.messages()[-2][2] == partial
        worker = jobs.Worker()
        while await worker.step():
            pass
        notes, _ = await notifications.listing(Scope(APP, ada.principal.user_id))
        assert [one.title for one in notes if one.type == "usage"][0] == USED_UP


async def test_f253_what_a_cut_answer_cost_is_counted_also_when_it_is_told_after_the_text(upstream, ada, shell, counting):
    """A runtime tells the costs of an answer behind its text; hanging up in between would lose them."""

    async def play(line):
        await line.meta()
        await line.send("chat.usage_delta", event_id="e1", completion_tokens=90, total_tokens=90)
        await line.send("chat.print", agent="Helper", content="Once upon")
        await line.send("chat.usage_delta", event_id="e2", completion_tokens=60, total_tokens=60)
        assert (await line.receive())["type"] == "user.cancel"
        await line.text("Once upon", metadata={"cancelled": True})
        await asyncio.sleep(0.2)
        await line.send("chat.usage_delta", event_id="e3", completion_tokens=7, total_tokens=7)
        await line.idle()

    upstream.plays = [play]
    counting(budgets={"default": {"limit": 100}}, reserve_tokens=10)
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.saw_status("stopped"))
        async with asyncio.timeout(30):
            while (await usage.totals(APP)).completion_tokens != 157:  # noqa: ASYNC110 - the ledger has no event for it
                await asyncio.sleep(0.05)
        assert (await settled(ada)).used == 157
    assert await count(col(UsageEntry.id)) == 3


async def test_f253_a_run_that_waits_is_ended_at_once_when_its_budget_is_used_up(upstream, ada, shell, counting):
    """Nothing is written, so there is nothing to wait for; the question goes with the run."""

    async def play(line):
        await line.meta()
        await line.ask("r1")
        await line.receive()
        await line.ask("r2")
        await line.send("chat.usage_delta", event_id="e1", completion_tokens=150, total_tokens=150)
        await line.idle()

    upstream.plays = [play]
    counting(budgets={"default": {"limit": 100}})
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="Go on.", id="m1")
        await tab.until(lambda: tab.saw_status("stopped"))
        assert tab.asked() is None and tab.messages()[-1][2].startswith(USED_UP)
