"""F-188: a chat is deleted also while its run is open, and nothing comes after; a password of a form is not kept."""

import asyncio

import httpx
from sqlmodel import select

from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import running_shell


async def rows(person, *tables):
    async with session(Scope(person.principal.app_id, person.principal.user_id)) as db:
        return [row for table in tables for row in (await db.execute(select(table))).scalars()]


async def test_a_chat_is_deleted_while_its_run_writes(upstream, ada, sign_up):
    eve = await sign_up("eve")
    left = asyncio.Event()

    async def play(line):
        await line.meta()
        number = 0
        try:
            while True:
                await line.send("chat.print", agent="Helper", content=f"word{number} ")
                number += 1
                await asyncio.sleep(0.002)
        finally:
            left.set()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
        await tab.open(workflow="Assistant")
        chat = tab.chat["chat"]
        await tab.until(lambda: "word20" in "".join(tab.live.values()))

        async def delete(person):
            return await client.delete(f"/api/chats/{chat}", headers={"cookie": person.cookie, "origin": get_settings().origin})

        assert (await delete(eve)).status_code == 404
        assert not left.is_set()
        assert (await delete(ada)).status_code == 204
        async with asyncio.timeout(60):
            await left.wait()  # the run was let go of
        assert await rows(ada, Chat, ChatEvent, ChatTool) == []
        assert (await delete(ada)).status_code == 404
        assert (await client.get(f"/api/chats/{chat}", headers={"cookie": ada.cookie})).status_code == 404
    assert await rows(ada, Chat, ChatEvent, ChatTool) == [], "written after the end"


async def test_a_password_in_a_form_reaches_the_run_and_not_the_database(upstream, ada):
    fields = [{"name": "site", "type": "text"}, {"name": "phrase", "type": "password"}]
    heard = []

    async def play(line):
        await line.meta()
        await line.send(
            "chat.tool_call", component_type="core.form", corr="form_1", payload={"title": "Access", "fields": fields}
        )
        heard.append(await line.receive())
        await line.idle()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.kind("tool"))
        response = {"status": "success", "data": {"site": "example.com", "phrase": "hunter2"}}
        await tab.send(t="answer", tool="form_1", response=response)
        await tab.until(lambda: tab.kind("tool_done"))
        await tab.send(t="answer", tool="form_1", response=response)  # a repetition does nothing
        await tab.send(t="ping")
        await tab.until(lambda: any(isinstance(one, dict) and one.get("t") == "pong" for one in tab.frames))
        assert tab.refusals() == []
        while not heard:  # noqa: ASYNC110 - the double has no event for it
            await asyncio.sleep(0.01)
        assert heard[0]["response"]["data"] == response["data"]
        everything = " ".join(str(row) for row in await rows(ada, Chat, ChatEvent, ChatTool))
        assert "example.com" in everything and "hunter2" not in everything
