"""Commands of the chat: who is offered which, what they may be called, and that one that misbehaves ends nothing but itself."""

import asyncio
from typing import Any

import httpx
import pytest

from mozaiks_shell.chat import slash
from mozaiks_shell.chat.slash import SlashCommand
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import running_shell


@pytest.fixture
def declared(monkeypatch) -> dict[str, SlashCommand]:
    commands: dict[str, SlashCommand] = {}
    monkeypatch.setattr(slash, "_commands", commands)
    return commands


async def told(words: str) -> str:
    return f"You typed {words!r}."


async def bad_input(_: str) -> str:
    raise Invalid("Say what is to be done.")


async def crash(_: str) -> str:
    raise RuntimeError("secret detail")


async def leave(_: str) -> str:
    raise SystemExit(1)


async def hang(_: str) -> str:
    await asyncio.sleep(60)
    return ""


def offer(name: str, run: Any = told, access: Access | None = None, **more: Any) -> None:
    slash.add(SlashCommand(name, f"Does {name}", "acme", access or Access.signed_in(), run=run, **more))


@pytest.fixture
async def root(sign_up) -> Any:
    """Whoever comes first is the administrator."""
    return await sign_up("root")


@pytest.fixture
async def talking(upstream, root, ada, declared) -> Any:
    """Ada's open chat; ``call(person, name, words)`` runs a command in it."""

    async def play(line: Any) -> None:
        await line.meta()
        await line.ask("q1")
        await line.idle()

    upstream.plays = [play]
    offer("echo")
    offer("bad", bad_input)
    offer("crash", crash)
    offer("leave", leave)
    offer("hang", hang)
    offer("operators", access=Access.role("admin"))
    offer("gone", in_service=lambda: False)
    slash.add(SlashCommand("sum", "Sum up", "acme", Access.signed_in(), "Sum up: {words}", hint="a text"))
    async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
        await tab.open(workflow="Assistant")

        async def call(person: Any, name: str, words: Any = "", chat: str = "") -> httpx.Response:
            headers = {"cookie": person.cookie, "origin": get_settings().origin} if person else {}
            return await client.post(
                f"/api/chats/{chat or tab.chat['chat']}/commands/{name}", json={"words": words}, headers=headers
            )

        yield call, tab


async def test_a_person_is_offered_what_they_may_use(talking):
    _, tab = talking
    (offers,) = [one for one in tab.frames if isinstance(one, dict) and one.get("t") == "offers"]
    assert [one["name"] for one in offers["commands"]] == ["bad", "crash", "echo", "hang", "leave", "sum"]
    assert offers["commands"][-1] == {"name": "sum", "description": "Sum up", "hint": "a text", "template": "Sum up: {words}"}
    assert offers["commands"][2]["template"] is None


async def test_a_handler_gets_the_words_and_its_answer_is_told(talking, ada):
    call, tab = talking
    answer = await call(ada, "echo", " two words ")
    assert (answer.status_code, answer.json()) == (200, {"text": "You typed 'two words'."})
    assert tab.messages() == [], "agents and the transcript hear nothing of it"


@pytest.mark.parametrize(("name", "status", "code"), [
    ("bad", 422, "VALIDATION_ERROR"), ("crash", 503, "COMMAND_FAILED"), ("leave", 503, "COMMAND_FAILED"), ("hang", 504, ""),
    ("operators", 404, "COMMAND_NOT_FOUND"), ("gone", 404, "COMMAND_NOT_FOUND"), ("sum", 404, "COMMAND_NOT_FOUND"),
    ("never", 404, "COMMAND_NOT_FOUND"),
])  # fmt: skip
async def test_what_fails_is_told_in_plain_words(talking, ada, monkeypatch, name, status, code):
    call, _ = talking
    monkeypatch.setattr(slash, "SECONDS", 0.2)
    answer = await call(ada, name)
    assert answer.status_code == status, answer.text
    assert not code or answer.json()["code"] == code
    assert "secret detail" not in answer.text
    assert (await call(ada, "echo", "still here")).status_code == 200


async def test_nobody_runs_one_in_somebody_elses_chat(talking, sign_up):
    call, _ = talking
    eve = await sign_up("eve")
    foreign, never = await call(eve, "echo"), await call(eve, "echo", chat="never")
    assert (foreign.status_code, foreign.json()) == (404, never.json())
    assert (await call(None, "echo")).status_code == 401


@pytest.mark.parametrize("words", ["x" * 4001, 7, None, ["a"]])
async def test_bad_input_is_refused(talking, ada, words):
    call, _ = talking
    assert (await call(ada, "echo", words)).status_code == 422


def test_what_a_command_may_be(declared):
    offer("task")
    offer("task")  # its module is imported anew
    for name in ("New", "a b", "", "x" * 33, "/task", "new", "stop", "export"):
        with pytest.raises(ValueError, match="/"):
            offer(name)
    with pytest.raises(ValueError, match="belongs to acme already"):
        slash.add(SlashCommand("task", "Mine", "other", Access.signed_in(), run=told))
    for both in ({"template": "x", "run": told}, {}):
        with pytest.raises(ValueError, match="either a template or a handler"):
            slash.add(SlashCommand("half", "Half", "acme", Access.signed_in(), **both))
    slash.withdraw("acme")
    assert declared == {}
