"""F-188: a chat as Markdown, JSON and AG-UI events: whole, streamed, without secrets, nobody else's."""

import json
import re
import tracemalloc

import httpx
import pytest
from ag_ui.core import Event, EventType
from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.export import export, file_name
from mozaiks_shell.chat.export_markdown import harmless, plain, quoted
from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.chat.protocol import read
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.chat.upstream_frames import Answered, Ask, Piece, Said
from mozaiks_shell.foundation.db import Scope, session
from tests.chat.conftest import Person, shell_app

EVENT = TypeAdapter(Event)
FORM = {
    "title": "Access",
    "fields": [
        {"name": "site", "type": "text", "label": "Site"},
        {"name": "pass_phrase", "type": "password", "default": "hunter1"},
    ],
    "api_key": "sk-live-1",
}


@pytest.fixture
async def told(ada: Person):
    """A chat of Ada's with one of everything, written as a run would write it."""
    transcript = Transcript()
    scope = Scope(ada.principal.app_id, ada.principal.user_id)
    async with session(scope) as db:
        db.add(Chat(id="c1", runtime_chat_id="c1", workflow="Assistant", title="Spring <b>relaunch</b> *now*", status="running"))
    channel = await transcript.hold(ada.principal.app_id, ada.principal.user_id, "c1")
    talk = Conversation(channel, "Assistant", "Spring", "Assistant", lambda _: True)
    hidden = {"type": "chat.text", "data": {"agent": "Planner", "content": "hidden trace", "ui_visibility": "trace"}}
    talk.take(read(json.dumps(hidden)))
    talk.take(Ask("q1", "What shall I do?", False))
    talk.user_said("# not a heading\n1. <script>alert(1)</script>", "u1")
    talk.answered("u1")
    for piece in ("Half of ", "the "):
        talk.take(Piece("Writer", piece))
    talk.take(Piece("Critic", "I object"))  # closes the other one's message early
    talk.take(Said("Critic", "I object.", None, False, False))
    talk.take(Said("Writer", "Half of the **truth** <img src=x onerror=alert(1)>", None, False, False))
    talk.take(Ask("q2", "Your password?", True))
    talk.user_said("correct horse", "u2", secret=True)
    talk.answered("u2")
    talk.take(Answered("q2"))
    frame = {"type": "chat.tool_call", "data": {"component_type": "core.form", "corr": "f1", "payload": FORM}}
    talk.take(read(json.dumps(frame)))
    tool = talk.tools["f1"]
    talk.tool_sent(tool, "Website")
    await channel.settled()
    async with session(scope) as db:
        row = await db.get(ChatTool, ("c1", "f1"))
        row.response = json.dumps({"data": {"site": "Website", "pass_phrase": "hunter2"}})
        chat = await db.get(Chat, "c1")
        chat.status = "running"
    talk.take(Piece("Writer", "still writing"))
    await channel.settled()
    yield ada
    transcript.release(channel)
    await transcript.close()


async def fetch(person: Person | None, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(shell_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3000") as client:
        return await client.get(path, headers={"cookie": person.cookie} if person else {})


async def test_f188_json_holds_all_that_was_shown_and_no_secret(told):
    answer = await fetch(told, "/api/chats/c1/export?format=json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith('attachment; filename="Spring-b-relaunch-b-now-20')
    assert answer.headers["content-disposition"].endswith('.json"')
    data = answer.json()
    assert data["chat"]["workflow"] == "Assistant" and data["format"] == "mozaiks-chat/1"
    said = [(one["role"], one["who"], one["text"]) for one in data["items"] if one["kind"] == "message"]
    assert said == [
        ("user", "user", "# not a heading\n1. <script>alert(1)</script>"),
        ("agent", "Writer", "Half of the **truth** <img src=x onerror=alert(1)>"),
        ("agent", "Critic", "I object."),
        ("user", "user", "••••••••"),
        ("agent", "Writer", "still writing"),
    ]
    assert data["items"][-1]["unfinished"] is True
    form = next(one for one in data["items"] if one["kind"] == "tool")
    assert form["payload"]["fields"][0] == FORM["fields"][0]
    done = next(one for one in data["items"] if one["kind"] == "tool_done")
    assert done["response"]["data"] == {"site": "Website", "pass_phrase": "••••••••"}
    for secret in ("hunter1", "hunter2", "sk-live-1", "correct horse", "hidden trace"):
        assert secret not in answer.text


async def test_f188_agui_events_are_those_of_the_protocol(told):
    answer = await fetch(told, "/api/chats/c1/export?format=agui")
    assert answer.headers["content-type"] == "application/x-ndjson"
    events = [EVENT.validate_json(line) for line in answer.text.splitlines()]
    kinds = [one.type for one in events]
    assert kinds[:2] == [EventType.RUN_STARTED, EventType.STATE_SNAPSHOT]
    opened, texts, calls = None, {}, {}
    for one in events:  # one message at a time, every piece inside its own, every result after its call
        match one.type:
            case EventType.TEXT_MESSAGE_START:
                assert opened is None
                opened, texts[one.message_id] = one.message_id, (one.role, one.name, "")
            case EventType.TEXT_MESSAGE_CONTENT:
                role, name, text = texts[one.message_id]
                assert opened == one.message_id and one.delta
                texts[one.message_id] = (role, name, text + one.delta)
            case EventType.TEXT_MESSAGE_END:
                assert opened == one.message_id
                opened = None
            case EventType.TOOL_CALL_START:
                calls[one.tool_call_id] = ""
            case EventType.TOOL_CALL_ARGS:
                calls[one.tool_call_id] += one.delta
            case EventType.TOOL_CALL_RESULT:
                assert json.loads(one.content)["response"]["data"]["site"] == "Website"
                assert json.loads(calls[one.tool_call_id])["title"] == "Access"
    assert [text for _, _, text in texts.values()][1:3] == ["Half of the **truth** <img src=x onerror=alert(1)>", "I object."]
    assert [(role, name) for role, name, _ in texts.values()][:2] == [("user", None), ("assistant", "Writer")]
    assert opened is not None, "the message that is being written has no end"
    assert EventType.RUN_FINISHED not in kinds and EventType.RUN_ERROR not in kinds
    assert "hunter" not in answer.text and "correct horse" not in answer.text


@pytest.mark.parametrize(
    ("status", "end", "outcome"),
    [
        ("completed", EventType.RUN_FINISHED, "success"),
        ("waiting", EventType.RUN_FINISHED, "interrupt"),
        ("failed", EventType.RUN_ERROR, None),
        ("interrupted", EventType.RUN_ERROR, None),
    ],
)
async def test_the_last_event_tells_how_the_run_ended(ada, status, end, outcome):
    async with session(Scope(ada.principal.app_id, ada.principal.user_id)) as db:
        db.add(Chat(id="c2", runtime_chat_id="c2", workflow="Assistant", status=status))
        db.add(ChatEvent(chat_id="c2", offset=0, kind="ask", body='{"id":"q","prompt":"Which one?","password":false}'))
    events = [EVENT.validate_json(line) for line in (await fetch(ada, "/api/chats/c2/export?format=agui")).text.splitlines()]
    assert events[-1].type == end
    if outcome:
        assert events[-1].outcome.type == outcome
    if outcome == "interrupt":
        assert [(one.id, one.message) for one in events[-1].outcome.interrupts] == [("q", "Which one?")]


async def test_f188_markdown_cannot_be_broken_out_of(told):
    answer = await fetch(told, "/api/chats/c1/export")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    text = answer.text
    assert text.startswith("# Spring \\<b\\>relaunch\\</b\\> \\*now\\*\n")
    assert "> \\# not a heading\\\n> 1\\. \\<script\\>alert(1)\\</script\\>" in text
    assert "> Half of the **truth** \\<img src=x onerror=alert(1)>" in text
    assert "(unfinished)" in text and "*Access*" in text and "Website" in text
    assert "hunter" not in text and "correct horse" not in text
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == 6, headings


@pytest.mark.parametrize(
    "nasty",
    [
        "<script>x</script>",
        "a ` b\nc ` <script>x</script> ` d",
        "- a ` b <script>\n- c ` d",
        "- ```\n  ```\n<script>x</script>",
        "> ```\n<script>",
        "   ```\n- x\n```\n<script>",
        "\\`<script>`",
        "````\n```\n````\n<script>",
        "``` `x`\n<script>",
    ],
)
def test_no_html_comes_through_whatever_is_around_it(nasty):
    """Where a strict reader sees a tag, a backslash or an invisible space stands before or in it."""
    shown = harmless(nasty)
    assert not re.search(r"(?<!\\)<script", shown)
    assert "<script" not in MarkdownIt("commonmark").render(quoted(shown))


def test_code_at_the_margin_stays_as_it_is():
    source = "See:\n```html\n<div>![x](y)</div>\n```\nand ![p](https://evil.example/?leak) [l]( JavaScript:alert(1))"
    assert harmless(source).startswith("See:\n```html\n<div>![x](y)</div>\n```\n")
    assert "\\![p]" in harmless(source) and "JavaScript" not in harmless(source)


def test_plain_text_reads_as_it_was_typed():
    assert plain("a\n\n\nb\nc") == "a\n\n\nb\\\nc"
    assert plain("    four") == "\u00a0\u00a0\u00a0\u00a0four"
    assert plain("+ 1\n= 2\n3) x") == "\\+ 1\\\n\\= 2\\\n3\\) x"


def test_file_names_suit_every_system():
    assert [file_name(one) for one in ("../../etc/passwd", "CON\r\nx: y", "Ünï", "…", "a" * 99)] == [
        "etc-passwd", "CON-x-y", "n", "chat", "a" * 60,
    ]  # fmt: skip


async def test_others_get_404(told, sign_up):
    eve = await sign_up("eve")
    for format in ("markdown", "json", "agui"):
        stranger = await fetch(eve, f"/api/chats/c1/export?format={format}")
        nobody = await fetch(eve, f"/api/chats/never/export?format={format}")
        assert (stranger.status_code, stranger.json()["code"]) == (404, "CHAT_NOT_FOUND")
        assert stranger.json()["detail"] == nobody.json()["detail"]
    assert (await fetch(None, "/api/chats/c1/export")).status_code == 401
    assert (await fetch(told, "/api/chats/c1/export?format=pdf")).status_code == 422


async def test_a_long_chat_is_never_in_memory_as_a_whole(ada):
    scope = Scope(ada.principal.app_id, ada.principal.user_id)
    body = {"role": "agent", "who": "Helper", "text": "x" * 20_000, "at": "2026-11-20T12:00:00+00:00"}
    async with session(scope) as db:
        db.add(Chat(id="long", runtime_chat_id="long", workflow="Assistant", status="completed"))
        for number in range(400):
            db.add(ChatEvent(chat_id="long", offset=number, kind="message", body=json.dumps({"id": f"m{number}", **body})))
    async with session(scope) as db:
        chat = await db.get(Chat, "long")
    for format in ("markdown", "json", "agui"):
        tracemalloc.start()
        size = 0
        async for part in export(chat, "Long", format).parts:
            size += len(part)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 8_000_000
        assert peak < 4_000_000, f"{format}: {peak:,} bytes"
