"""F-192: what people think of answers: kept per person, one of each message, changeable, read by owners without names."""

import json
from typing import Any

import httpx
import pytest
from sqlmodel import select

from mozaiks_shell.chat.models import ChatFeedback
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.models import User
from mozaiks_shell.shell.account import export_stream
from tests.chat.conftest import running_shell


@pytest.fixture
async def rated(upstream, ada) -> Any:
    """Ada's chat with an answer; ``call(person, method, message, body)`` speaks to its feedback route."""

    async def play(line: Any) -> None:
        await line.meta()
        await line.ask("q1")
        await line.receive()
        await line.text("Here is the answer.")
        await line.ask("q2")
        await line.idle()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="tell me", id="mine")
        answer = await tab.until(lambda: next((one for one in tab.kind("message") if one["role"] == "agent"), None))

        async def call(person: Any, method: str, message: str = answer["id"], body: Any = None, chat: str = "") -> httpx.Response:
            headers = {"cookie": person.cookie, "origin": get_settings().origin} if person else {}
            path = f"/api/chats/{chat or tab.chat['chat']}/messages/{message}/feedback"
            return await client.request(method, path, json=body, headers=headers)

        yield call, tab, client, answer["id"]


async def rows() -> list[tuple[str, str, str]]:
    async with system_session() as db:
        return [(one.user_id, one.verdict, one.words) for one in (await db.execute(select(ChatFeedback))).scalars()]


async def test_f192_one_verdict_of_each_message_that_can_be_changed_and_taken_back(rated, ada):
    call, _, _, _ = rated
    me = ada.principal.user_id
    assert (await call(ada, "PUT", body={"verdict": "up"})).status_code == 204
    assert (await call(ada, "PUT", body={"verdict": "down", "words": " too short \x00"})).status_code == 204
    assert await rows() == [(me, "down", "too short \ufffd")]
    assert (await call(ada, "DELETE")).status_code == 204
    assert (await call(ada, "DELETE")).status_code == 204
    assert await rows() == []


async def test_f192_it_is_told_again_when_the_chat_is_opened_and_stands_in_the_exports(rated, ada):
    call, tab, client, message = rated
    await call(ada, "PUT", body={"verdict": "down", "words": "too *short*"})
    await tab.open(tab.chat["chat"])
    offers = [one for one in tab.frames if isinstance(one, dict) and one.get("t") == "offers"]
    assert offers[0]["feedback"] == {} and offers[-1]["feedback"] == {message: {"verdict": "down", "words": "too *short*"}}
    assert ada.principal.user_id not in json.dumps(offers), "who is there is a key that says nothing"
    headers = {"cookie": ada.cookie}
    where = f"/api/chats/{tab.chat['chat']}/export"
    written = (await client.get(where, headers=headers)).text
    assert "You did not find this helpful" in written and "too \\*short\\*" in written
    items = (await client.get(where, params={"format": "json"}, headers=headers)).json()["items"]
    (told,) = [one["feedback"] for one in items if "feedback" in one]
    assert told == {"verdict": "down", "words": "too *short*"}
    assert "too *short*" in "".join([part async for part in export_stream(ada.principal)])


async def test_f192_nobody_rates_in_somebody_elses_chat(rated, ada, sign_up):
    call, _, _, message = rated
    eve = await sign_up("eve")
    await call(ada, "PUT", body={"verdict": "up", "words": "mine"})
    for method, body in (("PUT", {"verdict": "down"}), ("DELETE", None)):
        foreign, never = await call(eve, method, body=body), await call(eve, method, body=body, chat="never")
        assert (foreign.status_code, foreign.json()["code"]) == (404, "CHAT_NOT_FOUND")
        assert foreign.json() == never.json(), "not even that it exists"
        assert (await call(None, method, body=body)).status_code == 401
    assert await rows() == [(ada.principal.user_id, "up", "mine")]


@pytest.mark.parametrize("message", ["mine", "never", "x" * 65, "%25"])
async def test_f192_only_answers_of_this_chat_are_rated(rated, ada, message):
    call, _, _, _ = rated
    answer = await call(ada, "PUT", message, {"verdict": "up"})
    assert (answer.status_code, answer.json()["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert await rows() == []


@pytest.mark.parametrize("body", [{}, {"verdict": "maybe"}, {"verdict": "up", "words": "x" * 2001}, {"verdict": ["up"]}, []])
async def test_f192_bad_input_is_refused(rated, ada, body):
    call, _, _, _ = rated
    assert (await call(ada, "PUT", body=body)).status_code == 422
    assert await rows() == []


async def test_f192_it_goes_with_its_chat(rated, ada):
    call, tab, client, _ = rated
    await call(ada, "PUT", body={"verdict": "up"})
    headers = {"cookie": ada.cookie, "origin": get_settings().origin}
    assert (await client.delete(f"/api/chats/{tab.chat['chat']}", headers=headers)).status_code == 204
    assert await rows() == []


async def test_f192_owners_read_it_without_names_and_others_do_not(rated, ada, sign_up):
    call, tab, client, _ = rated
    await call(ada, "PUT", body={"verdict": "down", "words": "too short"})
    where = "/__mozaiks/admin/chats/feedback"
    eve = await sign_up("eve")
    assert (await client.get(where, headers={"cookie": eve.cookie})).status_code in {403, 404}
    async with system_session() as db:
        row = (await db.execute(select(User).where(User.id == eve.principal.user_id))).scalars().one()
        secret = await identity.open_session(row)
        row.roles = "admin"
    answer = await client.get(where, headers={"cookie": f"{identity.cookie_name()}={secret}"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["workflows"] == [{"workflow_name": "Assistant", "up": 0, "down": 1}]
    (one,) = told["feedback"]
    assert (one["agent"], one["verdict"], one["words"]) == ("Helper", "down", "too short")
    assert ada.principal.user_id not in answer.text and tab.chat["chat"] not in answer.text
    assert "Here is the answer" not in answer.text
    for more, count in (({"verdict": "up"}, 0), ({"workflow": "Other"}, 0), ({"before": one["at"]}, 0), ({"limit": 1}, 1)):
        page = await client.get(where, params=more, headers={"cookie": f"{identity.cookie_name()}={secret}"})
        assert len(page.json()["feedback"]) == count, more
