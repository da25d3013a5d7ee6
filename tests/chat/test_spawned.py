"""Chats that a run starts beside its own become the person's: listed, opened, scoped (F-189)."""

import pytest
from sqlmodel import select

from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import NotFound
from tests.chat.conftest import Browser, Person
from tests.chat.upstream import Line

CHILD = "chat_Summary_0a1b2c3d"


@pytest.fixture
async def eve(sign_up) -> Person:
    return await sign_up("eve")


def says(window: Browser, text: str) -> bool:
    return any(said == text for _, _, said in window.messages())


def notices(window: Browser) -> list[str]:
    return [text for role, _, text in window.messages() if role == "notice"]


async def owners() -> dict[str, str]:
    async with system_session() as db:
        return {row.id: row.user_id for row in (await db.execute(select(Chat))).scalars()}


@pytest.mark.parametrize("frame", ["one", "batch", "switch"])
async def test_f189_a_spawned_chat_is_owned_listed_and_shows_its_own_messages(upstream, shell, ada, eve, frame):
    async def parent(line: Line) -> None:
        await line.meta()
        ids = {"app_id": line.app_id, "user_id": line.user_id}
        child = {"chat_id": CHILD, "workflow_name": "Summary"}
        if frame == "one":
            await line.send("chat.workflow_started", **child, **ids)
            await line.send("chat.workflow_started", **child, **ids)
        elif frame == "batch":
            await line.send("chat.workflow_batch_started", count=1, parent_chat_id=line.chat_id, workflows=[{**child, **ids}])
        else:
            to = {"from_chat_id": line.chat_id, "to_chat_id": CHILD, "workflow_name": "Summary", "app_id": line.app_id}
            await line.send("chat.context_switched", **to)
        await line.text("Here is the parent")
        await line.idle()

    async def child(line: Line) -> None:
        assert line.chat_id == CHILD and line.workflow == "Summary"
        await line.meta()
        await line.text("Here is the child")
        await line.idle()

    upstream.plays = [parent, child]
    upstream.known[CHILD] = {"last_sequence": 0}
    async with shell() as running, running.browser(ada) as window:
        await window.open()
        await window.until(lambda: says(window, "Here is the parent"))
        assert len(notices(window)) == 1 and "Summary" in notices(window)[0]
        mine = {one.id: one.workflow for one in await chats.list_chats(ada.principal)}
        assert mine[CHILD] == "Summary" and len(mine) == 2
        assert await chats.list_chats(eve.principal) == []
        with pytest.raises(NotFound):
            await chats.find_chat(eve.principal, CHILD)
        async with running.browser(ada) as second:
            await second.open(chat=CHILD)
            await second.until(lambda: says(second, "Here is the child"))
            assert not says(second, "Here is the parent")
        assert not says(window, "Here is the child")
    assert not upstream.failures


async def test_chats_of_somebody_else_are_not_taken_over(upstream, shell, ada, eve):
    async with system_session() as db:
        db.add(Chat(id="eves", runtime_chat_id="eves", workflow="Summary", user_id=eve.principal.user_id))

    async def play(line: Line) -> None:
        await line.meta()
        theirs = {"app_id": line.app_id, "user_id": eve.principal.user_id}
        await line.send("chat.workflow_started", chat_id="new-1", workflow_name="Summary", **theirs)
        await line.send("chat.workflow_started", chat_id="new-2", workflow_name="Summary", app_id="other", user_id=line.user_id)
        mine = {"app_id": line.app_id, "user_id": line.user_id}
        await line.send("chat.workflow_started", chat_id="eves", workflow_name="Summary", **mine)
        await line.send("chat.workflow_started", chat_id=line.chat_id, workflow_name="Summary", **mine)
        await line.send("chat.workflow_started", chat_id="", workflow_name="Summary", **mine)
        await line.text("Done")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as window:
        await window.open()
        await window.until(lambda: says(window, "Done"))
        assert notices(window) == []
    found = await owners()
    assert found.pop("eves") == eve.principal.user_id
    assert list(found.values()) == [ada.principal.user_id]
