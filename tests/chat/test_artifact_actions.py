"""Actions and changes of artifacts on the wire (F-182, F-183) and the second dialect (F-184), through the real bridge."""

import asyncio

import pytest

from mozaiks_shell.chat import service
from mozaiks_shell.foundation.errors import NotFound

TABLE = {
    "artifact_id": "inv",
    "title": "Invoices",
    "columns": [{"key": "n"}, {"key": "status"}],
    "rows": [{"id": "i1", "n": "2041", "status": "open"}, {"id": "i2", "n": "2042", "status": "open"}],
    "row_actions": [{"label": "Remind", "tool": "remind", "params": {"id": "{{id}}", "by": "mail"}}],
    "actions": [{"label": "Export", "tool": "export", "params": {"all": "{{title}} of today"}}],
}


async def shown(line) -> None:
    await line.meta()
    await line.send(
        "chat.tool_call", component_type="core.table", corr="t1", awaiting_response=False, display="artifact", payload=TABLE
    )


async def kept(ada, chat):
    return await service.tool_view(ada.principal, chat, "t1")


async def until(check, seconds: float = 60.0):
    async with asyncio.timeout(seconds):
        while not (found := await check()):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)
    return found


async def opened(tab):
    await tab.open(workflow="Assistant", new=True)
    await tab.until(lambda: tab.kind("tool"))
    return tab.chat["chat"]


async def test_f182_an_action_reaches_the_runtime_once_with_what_the_payload_says_and_its_end_is_kept(upstream, shell, ada):
    acted = asyncio.Event()
    got: list[dict] = []

    async def play(line):
        await shown(line)
        got.append(await line.receive())
        ids = {"action_id": got[0]["action_id"], "artifact_id": "inv", "tool": "remind"}
        await line.send("artifact.action.started", **ids)
        patch = [{"op": "replace", "path": "/rows/0/status", "value": "reminded"}]
        await line.send("artifact.action.completed", **ids, result={}, artifact_update={"mode": "patch", "payload": patch})
        acted.set()
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)
        for _ in range(2):  # a double click
            await service.act(ada.principal, chat, "t1", "r0", "i1", "act-1")
        await acted.wait()
        view = await until(lambda: _ended(ada, chat))
        assert view.payload["rows"][0]["status"] == "reminded" and view.under[-1]["state"] == "completed"
        assert [(one["type"], one["tool"], one["params"], one["artifact_id"]) for one in got] == [
            ("artifact.action", "remind", {"id": "i1", "by": "mail"}, "inv")
        ]
        await tab.until(lambda: tab.kind("tool_state"))
    assert upstream.failures == []


async def _ended(ada, chat):
    view = await kept(ada, chat)
    return view if view.under and view.under[-1]["state"] in {"completed", "failed"} else None


async def test_f182_a_failed_action_says_why_and_changes_nothing(upstream, shell, ada):
    async def play(line):
        await shown(line)
        asked = await line.receive()
        assert asked["params"] == {"all": "Invoices of today"}
        ids = {"action_id": asked["action_id"], "artifact_id": "inv", "tool": "export"}
        await line.send("artifact.action.failed", **ids, error="The printer is on fire.", rollback=True)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)
        await service.act(ada.principal, chat, "t1", "a0", "", "act-1")
        view = await until(lambda: _ended(ada, chat))
        assert (view.under[-1]["message"], view.payload) == ("The printer is on fire.", TABLE)
    assert upstream.failures == []


async def test_f182_a_published_runtime_that_refuses_the_frame_is_told_of_in_the_artifact_and_not_asked_again(
    upstream, shell, ada
):
    heard: list[dict] = []

    async def play(line):
        await shown(line)
        while True:
            heard.append(await line.receive(None))
            await line.send("chat.error", message="Invalid message schema", error_code="SCHEMA_VALIDATION_FAILED")

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)
        await service.act(ada.principal, chat, "t1", "a0", "", "act-1")
        view = await until(lambda: _ended(ada, chat))
        assert view.under[-1]["message"] == "This assistant's server has no way to carry this out."
        with pytest.raises(Exception, match="no way to carry this out"):
            await service.act(ada.principal, chat, "t1", "a0", "", "act-2")
        assert len(heard) == 1 and not [text for role, _, text in tab.messages() if role == "notice"]


@pytest.mark.parametrize(("key", "row"), [("a9", ""), ("r0", "nobody"), ("a0", "i1"), ("__class__", ""), ("9.a0", "")])
async def test_f182_what_the_payload_does_not_offer_is_not_sent(upstream, shell, ada, sign_up, key, row):
    async def play(line):
        await shown(line)
        await line.idle()

    upstream.plays = [play]
    eve = await sign_up("eve")
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)
        with pytest.raises(NotFound):
            await service.act(ada.principal, chat, "t1", key, row, "act-1")
        with pytest.raises(NotFound):
            await service.act(eve.principal, chat, "t1", "a0", "", "act-2")
    assert upstream.failures == []


async def test_f183_a_patch_gives_the_expected_table_and_a_replacement_another(upstream, shell, ada):
    async def play(line):
        await shown(line)
        await line.send(
            "agui.state.StateDelta", artifact_id="t1", patch=[{"op": "add", "path": "/rows/-", "value": {"id": "i3"}}]
        )
        await line.send("artifact.state.patched", artifact_id="inv", patch=[{"op": "remove", "path": "/rows/0"}])
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)

        async def changed():
            return [row["id"] for row in (await kept(ada, chat)).payload["rows"]] == ["i2", "i3"]

        await until(changed)
        await upstream.lines[-1].send("artifact.state.updated", artifact_id="inv", state={"rows": [], "title": "None left"})

        async def replaced():
            return (await kept(ada, chat)).payload == {"rows": [], "title": "None left"}

        await until(replaced)
        lines = [one async for one in _lines(ada, chat)]
        assert lines.count("tool_state") <= 3
    assert upstream.failures == []


async def _lines(ada, chat):
    _, items = await service.transcript(ada.principal, chat)
    for item in items:
        yield item["k"]


BAD = [
    [{"op": "replace", "path": "/nowhere/0", "value": 1}],
    [{"op": "test", "path": "/title", "value": "Other"}],
    [{"op": "replace", "path": "", "value": []}],
    [{"op": "explode"}],
    {"op": "add"},
    ["x"],
    [{"op": "replace", "path": "/title", "value": "half\ud800"}],
]


@pytest.mark.parametrize("patch", BAD, ids=range(len(BAD)))
async def test_f183_a_bad_patch_asks_for_the_whole(upstream, shell, ada, patch):
    whole = {**TABLE, "title": "Whole"}

    async def play(line):
        await shown(line)
        await line.send("agui.state.StateDelta", artifact_id="t1", patch=patch)
        await line.idle()

    upstream.plays = [play]
    upstream.known_by_default = {"last_sequence": 2, "last_artifact": {"event_id": "t1", "payload": whole}}
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)

        async def asked():
            return (await kept(ada, chat)).payload == whole

        await until(asked)
        assert not (await kept(ada, chat)).stale


async def test_f183_when_nobody_can_tell_the_whole_the_person_is_told_that_it_may_be_out_of_date(upstream, shell, ada):
    async def play(line):
        await shown(line)
        await line.send("agui.state.StateDelta", artifact_id="t1", patch=BAD[0])
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        chat = await opened(tab)

        async def stale():
            view = await kept(ada, chat)
            return view.stale and view.payload == TABLE

        await until(stale)


FORM = {"title": "Your name", "fields": [{"name": "name"}]}


async def native(line):
    await line.send("chat.select_speaker", agent="Helper")
    await line.send("chat.print", agent="Helper", content="Hello ")
    await line.send("chat.print", agent="Helper", content="there.")
    await line.text("Hello there.")
    await line.text("Second.", agent="Other")
    await line.send("chat.tool_call", component_type="core.form", corr="f1", awaiting_response=True, payload=FORM)
    await line.send("chat.run_complete", status=1)


async def agui(line):
    run = {"runId": line.chat_id, "threadId": f"app:{line.chat_id}"}
    await line.send("agui.lifecycle.RunStarted", **run)
    await line.send("agui.lifecycle.StepStarted", agent="Helper", **run)
    await line.send("agui.text.TextMessageStart", messageId="m1", agent="Helper", **run)
    await line.send("agui.text.TextMessageContent", messageId="m1", agent="Helper", content="Hello ", **run)
    await line.send("agui.text.TextMessageContent", messageId="m1", agent="Helper", content="there.", **run)
    await line.send("agui.text.TextMessageEnd", messageId="m1", agent="Helper", **run)
    for kind, more in (("Start", {}), ("Content", {"content": "Second."}), ("End", {})):
        await line.send(f"agui.text.TextMessage{kind}", messageId="m2", agent="Other", **more, **run)
    tool = {"component_type": "core.form", "callId": "f1", "tool": "core.form", "awaiting_response": True, "payload": FORM}
    await line.send("agui.tool.ToolCallStart", **tool, **run)
    await line.send("agui.lifecycle.RunFinished", **run)


async def both(line):
    """As mozaiks-core does: everything twice, the native frame first."""
    sent: list[tuple[str, dict]] = []

    class Recorder:
        chat_id = line.chat_id

        async def send(self, type_, **data):
            sent.append((type_, data))

        async def text(self, content, agent="Helper"):
            await self.send("chat.text", kind="text", agent=agent, content=content)

    for speak in (native, agui):
        await speak(Recorder())
    ended = [one for one in sent if one[0] in {"chat.run_complete", "agui.lifecycle.RunFinished"}]
    for kind, data in [one for one in sent if one not in ended] + ended:
        await line.send(kind, **data)


@pytest.mark.parametrize("speak", [native, agui, both])
async def test_f184_the_same_conversation_in_every_dialect_is_the_same(upstream, shell, ada, speak):
    async def play(line):
        await line.meta()
        await speak(line)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("completed", "failed", "interrupted"))
        assert tab.chat["status"] == "completed"
        assert tab.messages() == [("agent", "Helper", "Hello there."), ("agent", "Other", "Second.")]
        assert [(one["component"], one["title"], one["id"]) for one in tab.kind("tool")] == [("core.form", "Your name", "f1")]
        assert tab.live == {}
    assert upstream.failures == []


async def test_f184_a_broken_run_and_a_replay_are_understood(upstream, shell, ada):
    async def play(line):
        await line.meta()
        said = [{"role": "assistant", "agent": "Helper", "content": "Before."}, {"role": "user", "content": "Mine."}]
        await line.send("agui.state.MessagesSnapshot", messages=said, mode="auto", total_messages=2)
        await line.send("agui.lifecycle.RunError", message="KeyError: 'x'")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("failed"))
        assert ("agent", "Helper", "Before.") in tab.messages() and "KeyError" not in str(tab.items)
    assert upstream.failures == []
