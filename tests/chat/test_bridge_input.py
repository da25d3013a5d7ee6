"""Nothing a person says is sent into the void (protocol §0 fact 6), and a used-up budget stops a run (F-192, F-253, abuse 55)."""

import asyncio
import json

import pytest

from mozaiks_shell.chat import bridge as bridges
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation import events


async def test_a_workflow_that_waits_for_a_text_is_begun_over_the_input_route(upstream, shell, ada):
    """UserDriven: nothing runs on connect, and a text over the socket would only be stored and echoed."""
    began, stray = asyncio.Event(), []

    async def play(line):
        await line.meta()
        await began.wait()
        for _ in range(2):  # the published runtime echoes a text of this route twice
            await line.text("plan my week", "user", index=0, sequence=1)
        await line.send("chat.run_start", message="Workflow run initialized")
        await line.text("Gladly.", sequence=3)
        await line.ask("r1", "Which day?")
        stray.append(await line.receive())
        await line.send("chat.run_complete", status=1)

    async def hears(_):
        began.set()
        await asyncio.sleep(0.3)  # open until the run pauses

    upstream.plays, upstream.hears = [play], hears
    upstream.modes["Assistant"] = "UserDriven"
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.send(t="say", text="plan my week", id="m1")
        await tab.until(tab.asked)
        assert tab.messages() == [("user", "user", "plan my week"), ("agent", "Helper", "Gladly.")]
        await tab.send(t="say", text="Monday", id="m2")
        await tab.until(lambda: tab.saw_status("completed"))
    (said,) = [body for name, body in upstream.calls if name == "input"]
    assert (said["message"], said["workflow_name"], said["chat_id"]) == ("plan my week", "Assistant", "chat-1")
    assert [(one["text"], one["request_id"]) for one in stray] == [("Monday", "r1")]


async def test_a_begin_that_is_refused_keeps_the_text_and_may_be_tried_again(upstream, shell, ada):
    from fastapi import HTTPException

    async def play(line):
        await line.meta()
        await line.idle()

    heard = asyncio.Event()

    async def refuses(body):
        if body["message"] == "first":
            raise HTTPException(500, "Failed to submit user input: 400: no such thing")
        heard.set()

    upstream.plays, upstream.hears = [play], refuses
    upstream.modes["Assistant"] = "UserDriven"
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.send(t="say", text="first", id="m1")
        await tab.until(lambda: any("not delivered" in text for _, _, text in tab.messages()))
        kept = tab.kind("message")[0]
        assert (kept["id"], kept["text"], kept["undelivered"]) == ("m1", "first", True)
        await tab.send(t="say", text="second", id="m2")
        await asyncio.wait_for(heard.wait(), 60)
        assert upstream.count("input") == 2


async def test_a_rejected_answer_is_told_and_its_text_kept(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.ask("r1", "Name?")
        await line.receive()
        await line.send("ack.input", input_request_id="r1", status="rejected")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="Ada", id="m1")
        await tab.until(lambda: len(tab.kind("message")) == 2)
        mine, notice = tab.kind("message")
        assert (mine["id"], mine["text"], mine["undelivered"]) == ("m1", "Ada", True)
        assert "no longer waiting" in notice["text"]


async def test_two_tabs_that_answer_at_once_are_heard_one_after_the_other(upstream, shell, ada):
    got, more = [], asyncio.Event()

    async def play(line):
        await line.meta()
        await line.ask("r1", "Name?")
        got.append(await line.receive())
        await more.wait()
        await line.ask("r2", "And your family name?")
        got.append(await line.receive())
        await line.send("chat.run_complete", status=1)

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open(workflow="Assistant")
        await other.open(workflow="Assistant")
        await tab.until(tab.asked)
        await asyncio.gather(tab.send(t="say", text="Ada", id="m1"), other.send(t="say", text="Lovelace", id="m2"))
        await tab.until(lambda: len(tab.messages()) == 2 and "as soon as the agent asks" in tab.chat["detail"])
        more.set()
        await tab.until(lambda: tab.saw_status("completed"))
    assert [one["request_id"] for one in got] == ["r1", "r2"]
    assert {one["text"] for one in got} == {"Ada", "Lovelace"}


async def test_a_form_answered_too_late_says_so(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", component_type="core.form", corr="f1", payload={"title": "Brief"})
        await line.receive()
        await line.send("ack.ui_tool_response", eventId="f1", status="rejected")
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.kind("tool"))
        await tab.send(t="answer", tool="f1", response={"status": "success"})
        await tab.until(tab.asked)
        assert [one["state"] for one in tab.items if one["k"] == "tool_done"] == ["answered", "expired"]
        assert "no longer waiting for this answer" in tab.messages()[-1][2]


@pytest.mark.parametrize("can", [True, False], ids=["a runtime that stops", "one that cannot"])
async def test_a_used_up_budget_stops_the_run_and_keeps_what_was_written(upstream, shell, ada, can, monkeypatch):
    monkeypatch.setattr(bridges, "_CUT_WITHIN", 0.5)
    got, left = [], asyncio.Event()

    async def play(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="Once upon a")
        got.append(await line.receive())
        if can:
            await line.text("Once upon a time", metadata={"cancelled": True})
        else:
            await line.send("chat.error", message="Invalid message schema", error_code="SCHEMA_VALIDATION_FAILED")
        await line.idle()
        left.set()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.live)
        told = {"chat_id": tab.chat["chat"], "reason": "Your monthly tokens are used up."}
        await events.publish(events.Event("usage.exhausted", "dev-app", "usr_other", told))
        await events.publish(events.Event("usage.exhausted", "dev-app", ada.principal.user_id, {**told, "chat_id": "another"}))
        for _ in range(3):
            await events.publish(events.Event("usage.exhausted", "dev-app", ada.principal.user_id, told))
        await tab.until(lambda: tab.saw_status("stopped"))
        assert tab.chat["detail"] == "Your monthly tokens are used up."
        (_, _, partial), (role, _, notice) = tab.messages()
        assert partial == ("Once upon a time" if can else "Once upon a")
        assert role == "notice" and notice.startswith("Your monthly tokens are used up. What was written so far is kept.")
        assert ("no way to stop" in notice) is not can
        await asyncio.wait_for(left.wait(), 60)
        chat = await chats.find_chat(ada.principal, tab.chat["chat"])
        assert chat.status == "stopped"
        await tab.send(t="say", text="go on", id="m1")
        await tab.until(lambda: tab.refusals() == ["RUN_ENDED"])
    assert [one["type"] for one in got] == ["user.cancel"]
    assert "undelivered" not in json.dumps(tab.items)
