"""What a person sees of a run and what she can do, against a double of the published runtime."""

import asyncio
import json

from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.models import Chat, ChatEvent
from mozaiks_shell.foundation import db, events
from mozaiks_shell.foundation.db import Scope, session

FORM = {
    "component_type": "core.form",
    "corr": "form_1",
    "awaiting_response": True,
    "display": "inline",
    "payload": {"title": "Brief"},
}


async def row_of(person, chat_id):
    async with session(Scope("dev-app", person.principal.user_id)) as opened:
        return await opened.get(Chat, chat_id)


async def test_streamed_message_is_live_then_final_and_its_pieces_leave_the_log(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.send("chat.select_speaker", agent="Helper")
        for word in ("Good ", "morning", ", ", "Ada."):
            await line.send("chat.print", agent="Helper", content=word)
        await line.text("Good morning, Ada.", sequence=2)
        await line.ask(
            "r1", "Please give feedback to chat_manager. Press enter to skip and use auto-reply, or type 'exit' to stop"
        )
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert tab.messages() == [("agent", "Helper", "Good morning, Ada.")]
        assert tab.asked()["prompt"] == ""
        assert tab.chat["status"] == "waiting"
        async with running.browser(ada) as second:
            await second.open(workflow="Assistant")
            assert second.chat["chat"] == tab.chat["chat"], "a second window made a second chat"
            assert second.messages() == tab.messages() and second.asked()
            assert not any(isinstance(frame, list) or frame.get("k") == "live" for frame in second.frames)
    async with session(Scope("dev-app", ada.principal.user_id)) as opened:
        kinds = (await opened.execute(select(col(ChatEvent.kind)).order_by(col(ChatEvent.offset)))).scalars().all()
    assert kinds == ["message", "ask"]
    assert upstream.count("ws") == 1


async def test_words_of_hidden_agents_seed_and_native_calls_stay_unseen(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("Please start: greet the user.", "user", sequence=1)
        await line.text("secret thoughts", "Hidden", sequence=2, ui_visibility="trace")
        await line.send("chat.print", agent="Hidden", content="secret", ui_visibility="trace")
        await line.send("chat.tool_call", event_type="ToolCallEvent", call_id=None, name=None)
        await line.send("text", agent="Helper", content="Without a prefix.", sequence=3)
        await line.frame({"type": "chat.text", "data": {"content": "\ud800 odd\x00 text", "agent": None}})
        await line.ask("r1", "Your name?")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert tab.messages() == [("agent", "Helper", "Without a prefix."), ("agent", "Agent", "\ufffd odd\ufffd text")]
        assert tab.asked()["prompt"] == "Your name?"


async def test_answer_is_shown_once_and_sent_with_the_question_id_and_context(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.ask("r1", "Name?")
        got.append(await line.receive())
        await line.send("chat.input_ack", request_id="r1", corr="r1")
        await line.text("Ada", "user", sequence=3)
        await line.text("Hello Ada.", sequence=4)
        await line.send("chat.run_complete", status=1)

    async def context(principal):
        return {"user": {"name": principal.name}}

    upstream.plays = [play]
    chats.configure(context=context)
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open(workflow="Assistant")
        await other.open(workflow="Assistant")
        await tab.until(tab.asked)
        for _ in range(2):  # sent again after a reconnect: the id makes it one
            await tab.send(t="say", text="Ada", id="m1")
        await tab.until(lambda: tab.saw_status("completed"))
        await other.until(lambda: other.saw_status("completed"))
        assert tab.messages() == [("user", "user", "Ada"), ("agent", "Helper", "Hello Ada.")] == other.messages()
        assert tab.items[1]["id"] == "m1"
        assert tab.chat["title"] == "Ada"
    assert got == [
        {
            "type": "user.input.submit",
            "chat_id": "chat-1",
            "text": "Ada",
            "request_id": "r1",
            "context": {"user": {"name": "ada"}},
        }
    ]


async def test_text_said_too_early_waits_for_the_question(upstream, shell, ada):
    got = []
    asks = asyncio.Event()

    async def play(line):
        await line.meta()
        await asks.wait()
        await line.ask("r1")
        got.append(await line.receive())
        await line.ask("r2")
        got.append(await line.receive())
        await line.send("chat.run_complete", status=1)

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        for number in range(7):
            await tab.send(t="say", text=f"text {number}", id=f"m{number}")
        await tab.until(lambda: len(tab.refusals()) == 2)
        assert tab.refusals() == ["NOT_LISTENING"] * 2
        assert "as soon as the agent asks" in tab.chat["detail"]
        asks.set()
        await tab.until(lambda: tab.saw_status("completed"))
        unsent = [text for role, _, text in tab.messages() if role == "notice"]
    assert [(one["text"], one["request_id"]) for one in got] == [("text 0", "r1"), ("text 1", "r2")]
    assert unsent == ["Not sent, because the run ended before the agent asked: “text 2”, “text 3”, and “text 4”"]


async def test_a_password_is_neither_shown_nor_stored(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.send("chat.input_request", request_id="r1", prompt="Password?", password=True)
        got.append(await line.receive())
        await line.text("hunter2", "user", sequence=2)  # the published runtime echoes it in clear
        await line.text("Thanks.", sequence=3)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="hunter2", id="m1")
        await tab.until(lambda: len(tab.messages()) == 2)
        assert got[0]["text"] == "hunter2"
        assert "hunter2" not in json.dumps(tab.frames)
        _, items = await chats.transcript(ada.principal, tab.chat["chat"])
        assert "hunter2" not in json.dumps(items)


async def test_a_form_is_answered_once_by_two_at_the_same_time(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", **FORM)
        got.append(await line.receive())
        await line.send("ack.ui_tool_response", eventId="form_1", status="accepted")
        await line.send("chat.ui_tool_complete", eventId="form_1", ui_tool_id="core.form", summary="core.form completed")
        await line.ask("r1")
        got.append(await line.receive())

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="ProjectBrief")
        await tab.until(lambda: tab.kind("tool"))
        chat = tab.chat["chat"]
        view = await chats.tool_view(ada.principal, chat, "form_1")
        assert (view.component, view.payload, view.state) == ("core.form", {"title": "Brief"}, "open")
        assert [one.id for one in await chats.open_tools(ada.principal, chat)] == ["form_1"]
        answers = [chats.answer_tool(ada.principal, chat, "form_1", {"n": n % 2}) for n in range(10)]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 5, "a repetition of the answer that won does nothing"
        assert sum(isinstance(outcome, chats.ToolClosed) for outcome in outcomes) == 5
        await tab.until(tab.asked)
        assert [one["state"] for one in tab.kind("tool_done")] == ["answered"]
        assert await chats.open_tools(ada.principal, chat) == []
        await tab.send(t="say", text="done", id="m1")
        await tab.until(lambda: tab.saw_status("interrupted", "completed"))
    assert [one["type"] for one in got] == ["ui_tool_response", "user.input.submit"], "answered more than once"


async def test_an_artifact_is_shown_until_it_is_dismissed(upstream, shell, ada):
    async def play(line):
        await line.meta()
        table = {
            "component_type": "core.table",
            "awaiting_response": True,
            "payload": {"display": "artifact", "title": "Options"},
        }
        await line.send("chat.tool_call", corr="table_1", **table)
        await line.send("chat.tool_call", corr="table_2", **table)
        await line.receive()
        await line.send("chat.ui_tool_dismiss", event_id="table_2", ui_tool_id="core.table")
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="CompareOptions")
        await tab.until(lambda: len(tab.kind("tool")) == 2)
        chat = tab.chat["chat"]
        assert [one.id for one in await chats.open_tools(ada.principal, chat)] == ["table_2"]
        await tab.send(t="answer", tool="table_2", response={"status": "success", "action": "accept"})
        await tab.until(tab.asked)
        done = [one for one in tab.items if one["k"] == "tool_done"]
        assert [(one["state"], one["summary"]) for one in done] == [("answered", "Use this")] * 2, "the answer is forgotten"
        assert [one.id for one in await chats.open_tools(ada.principal, chat)] == ["table_1"]
        await chats.answer_tool(ada.principal, chat, "table_2", {"status": "success", "action": "accept"})


async def test_stop_reaches_the_runtime_and_one_that_cannot_says_so(upstream, shell, ada):
    got = []

    async def can(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="Once upon")
        got.append(await line.receive())
        await line.text("Once upon", metadata={"cancelled": True})
        await line.ask("r1")
        await line.idle()

    async def cannot(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="Once upon")
        got.append(await line.receive())
        await line.send("chat.error", message="Invalid message schema", error_code="SCHEMA_VALIDATION_FAILED")
        await line.idle()

    upstream.plays = [can, cannot]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.live)
        await tab.send(t="stop")
        await tab.until(tab.asked)
        assert tab.kind("message")[0]["cancelled"] is True
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.live)
        await tab.send(t="stop")
        await tab.until(lambda: any("cannot be stopped" in text for _, _, text in tab.messages()))
        await tab.send(t="stop")
        await tab.until(lambda: tab.refusals() == ["CANNOT_STOP"])
    assert [one["type"] for one in got] == ["user.cancel", "user.cancel"]


async def test_navigation_only_to_pages_the_person_may_open(upstream, shell, ada):
    async def play(line):
        await line.meta()
        for path in ("https://evil.example", "//evil.example", "/\\evil", "/secret", "/settings", "javascript:alert(1)"):
            await line.send("chat.navigate", path=path)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    chats.configure(allowed_path=lambda _, path: path != "/secret")
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert [one["path"] for one in tab.kind("navigate")] == ["/settings"]


async def test_usage_is_published_once_per_event_and_is_no_message(upstream, shell, ada):
    heard = []

    @events.subscribe("chat.usage")
    async def listener(event):
        heard.append((event.user_id, event.data["event_id"], event.data["total_tokens"], event.data["workflow"]))

    async def play(line):
        await line.meta()
        for event_id in ("e1", "e2", "e1"):
            await line.send(
                "chat.usage_delta", event_id=event_id, agent_name="A", prompt_tokens=1, completion_tokens=2, total_tokens=3
            )
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    try:
        async with shell() as running, running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            assert tab.messages() == []
    finally:
        events._listeners["chat.usage"].remove(listener)
    assert heard == [(ada.principal.user_id, "e1", 3, "Assistant"), (ada.principal.user_id, "e2", 3, "Assistant")]


async def test_unknown_frames_are_counted_and_pings_unanswered(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        for _ in range(3):
            await line.send("chat.brand_new", x=1)
        await line.frame({"type": "ping", "timestamp": "now"})
        await line.send("chat.resume_boundary")
        await line.ask("r1")
        got.append(await line.receive())
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert chats.metrics()["unknown_frames"] == {"chat.brand_new": 3}
        await tab.send(t="say", text="hi", id="m1")
        await tab.until(lambda: got)
    assert got[0]["type"] == "user.input.submit"


async def test_the_chat_the_runtime_chose_is_followed(upstream, shell, ada):
    got = []

    async def play(line):
        line.chat_id = "elder"
        await line.meta()
        for index, (agent, text) in enumerate([("user", "seed"), ("Helper", "Earlier.")]):
            await line.text(text, agent, index=index, replay=True, role="assistant")
        await line.send("chat.resume_boundary")
        await line.ask("r1")
        got.append(await line.receive())
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert tab.messages() == [("agent", "Helper", "Earlier.")]
        await tab.send(t="say", text="hi", id="m1")
        await tab.until(lambda: got)
        assert (await row_of(ada, tab.chat["chat"])).runtime_chat_id == "elder"
    assert got[0]["chat_id"] == "elder"


async def test_loss_is_told_as_it_is_and_nobody_reconnects(upstream, shell, ada):
    async def lost(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="Half a sen")
        await line.send("chat.tool_call", **FORM)
        await line.send("chat.print", agent="Helper", content="Another half")
        await line.hang_up(1011)

    upstream.plays = [lost, lost]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("interrupted"))
        assert [text for _, _, text in tab.messages()][:2] == ["Half a sen", "Another half"]
        assert "connection to the run was lost" in tab.messages()[-1][2]
        assert [one["state"] for one in tab.kind("tool_done")] == ["expired"]
        assert tab.live == {}
        upstream.status["chat-2"] = 1
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.chat["chat"] == "chat-2" and tab.saw_status("completed"))
    assert upstream.count("ws") == 2


async def test_a_run_that_ends_without_a_frame_is_found_by_asking(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("Done.", sequence=2)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.messages())
        bridge = chats.runs().bridge(ada.principal, "chat-1")
        await bridge.poll()
        assert tab.chat["status"] == "running"
        upstream.status["chat-1"] = 1
        await bridge.poll()
        await tab.until(lambda: tab.saw_status("completed"))


async def test_a_broken_run_is_failed_unless_it_goes_on(upstream, shell, ada):
    python = "An internal error occurred: cannot access local variable 'asyncio' where it is not associated with a value"

    async def broken(line):
        await line.meta()
        await line.send("error", message=python, error_code="WORKFLOW_EXECUTION_FAILED")
        await line.hang_up()

    async def goes_on(line):
        await line.meta()
        await line.send("error", message=python, error_code="WORKFLOW_EXECUTION_FAILED")
        await line.send("chat.error", message="The quota of <class 'str'> is {'a': 1}", error_code="X")
        await line.send("chat.error", message="The model is overloaded.", error_code="Y")
        await line.ask("r1")
        await line.idle()

    upstream.plays = [broken, goes_on]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("failed"))
        assert [text for _, _, text in tab.messages()] == ["The run stopped because of an error in the workflow."]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("waiting"))
        assert [text for _, _, text in tab.messages()][1:] == ["The assistant reported a problem.", "The model is overloaded."]


async def test_refused_handshake_and_refused_start_are_explained(upstream, shell, ada):
    upstream.handshake_refused = True
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        assert tab.chat["status"] == "failed"
        assert "does not accept this app's credentials" in tab.chat["detail"]
        upstream.start_refusal = (409, "Finish the tour first.")
        await tab.send(t="open", workflow="Assistant", new=True)
        await tab.until(lambda: tab.refusals() == ["PREREQUISITES_NOT_MET"])
        assert tab.frames[-1]["message"] == "Finish the tour first."
    await db.dispose()


async def test_a_chat_started_over_http_is_opened_once_when_somebody_looks(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("Hello.", sequence=2)
        await line.hang_up()

    upstream.plays = [play, play]
    upstream.known_by_default = {"last_sequence": 0, "last_artifact": None}  # nothing was said in it yet
    async with shell() as running:
        started = await broker.start(ada.principal, "Assistant")
        assert upstream.count("ws") == 0
        async with running.browser(ada) as tab, running.browser(ada) as other:
            await asyncio.gather(tab.open(chat=started.chat_id), other.open(chat=started.chat_id))
            await tab.until(lambda: tab.saw_status("interrupted"))
        for _ in range(3):
            async with running.browser(ada) as tab:
                await tab.open(chat=started.chat_id)
    assert upstream.count("ws") == 1


async def test_a_run_that_ends_at_once_is_not_opened_again(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", **FORM)
        await line.hang_up()

    async with shell() as running, running.browser(ada) as tab:
        for number in range(1, 16):
            upstream.plays = [play]
            await tab.open(workflow="Assistant", new=True)
            await tab.until(lambda: tab.saw_status("interrupted") and tab.kind("choice"))  # the last of this chat
            assert upstream.count("ws") == number
