"""A run's child workflows as its person meets them (F-189, F-201): the runtime that ships with the shell, the real bridge."""

import asyncio
import json

import pytest
from sqlalchemy import select

from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import service as usage
from mozaiks_shell.usage.models import UsageEntry
from tests.chat.upstream import Line
from tests.runtime.test_children import graph, write_family


@pytest.fixture
def family(tmp_path, monkeypatch):
    """A workflow that starts two others, on offer to everybody."""
    folder = tmp_path / "configs"
    folder.mkdir()
    named = [{"id": "trip", "display_name": "Plan a trip", "workflow_id": "Trip"}]
    named.append({"id": "looker", "display_name": "Look around", "workflow_id": "Looker"})
    (folder / "ai_capabilities.json").write_text(json.dumps({"capabilities": named}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    monkeypatch.setenv("MOZAIKS_WORKFLOWS_PATH", str(write_family(tmp_path / "workflows", text=graph())))
    get_settings.cache_clear()


assert usage, "imported so that it counts"


def texts(tab) -> list[str]:
    return [text for _, _, text in tab.messages()]


async def test_f189_a_person_sees_the_children_answers_one_and_the_run_goes_on(family, ada, sign_up, shell):
    eve = await sign_up("eve")
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open(workflow="Trip")
        await tab.until(lambda: "It started Asker and waits for it. The conversation is in your list." in texts(tab))
        await tab.until(lambda: "Look around is done (1 of 2)." in texts(tab))
        assert "It started Look around and waits for it. The conversation is in your list." in texts(tab)
        listed = {one.workflow: one.id for one in await chats.list_chats(ada.principal)}
        assert set(listed) == {"Trip", "Looker", "Asker"}
        assert await chats.list_chats(eve.principal) == []
        assert not any(text.startswith("I got") for text in texts(tab)), "the run did not wait"
        await other.open(chat=listed["Asker"])
        await other.until(other.asked)
        assert other.asked()["prompt"] == "When in Rome?"
        await other.send(t="say", text="May", id="m1")
        await other.until(lambda: other.saw_status("completed"))
        await tab.until(lambda: tab.saw_status("completed"))
        assert texts(tab)[-2] == "Everything it waited for is done. It goes on with the results."
        assert texts(tab)[-1].startswith("I got 2 of two:") and "In May, then." in texts(tab)[-1]
        await other.open(chat=listed["Looker"], new=True)
        await other.until(lambda: any("I looked at Oslo for Trip" in text for text in texts(other)))
        expected = {(chat_id, workflow) for workflow, chat_id in listed.items()}
        async with asyncio.timeout(60):  # who nobody looked at counts, too
            while await spent() != expected:  # noqa: ASYNC110 - another task writes it
                await asyncio.sleep(0.05)


async def spent() -> set[tuple[str, str]]:
    """The chats in the ledger, with their workflows."""
    async with system_session() as db:
        return {(row.chat_id, row.workflow) for row in (await db.execute(select(UsageEntry))).scalars()}


async def test_f189_a_completed_child_of_a_runtime_that_would_run_it_again_is_not_connected_to(upstream, shell, ada):
    async def parent(line: Line) -> None:
        await line.meta()
        child = {"chat_id": "chat_Summary_1", "workflow_name": "Summary", "app_id": line.app_id, "user_id": line.user_id}
        await line.send("chat.workflow_batch_started", count=1, parent_chat_id=line.chat_id, workflows=[child])
        await line.text("Here is the parent")
        await line.idle()

    upstream.plays = [parent]
    upstream.known["chat_Summary_1"] = {"last_sequence": 3, "status": 1}
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open()
        await tab.until(lambda: "Here is the parent" in texts(tab))
        await other.open(chat="chat_Summary_1")
        await other.until(lambda: other.saw_status("completed"))
        await other.until(lambda: any("done before this conversation was opened" in text for text in texts(other)))
    assert len(upstream.lines) == 1 and not upstream.failures
