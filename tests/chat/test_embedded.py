"""End to end against the runtime that ships with the shell: every workflow, through the real child process."""

import os
import signal

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import service as chats


async def test_assistant_greets_answers_and_ends(ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        greeting = tab.messages()
        assert greeting and all(role == "agent" for role, _, _ in greeting)
        await tab.send(t="say", text="What can you do?", id="m1")
        await tab.until(lambda: len(tab.messages()) >= len(greeting) + 2)
        assert tab.messages()[len(greeting)] == ("user", "user", "What can you do?")
        assert any(isinstance(frame, list) for frame in tab.frames), "the answer did not stream"
        await tab.until(tab.asked)
        await tab.send(t="say", text="exit", id="m2")
        await tab.until(lambda: tab.saw_status("completed"))
        await tab.send(t="say", text="are you there?", id="m3")
        await tab.until(lambda: tab.refusals() == ["RUN_ENDED"])


async def test_project_brief_asks_with_a_form_and_writes_from_it(ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="ProjectBrief")
        (form,) = await tab.until(lambda: tab.kind("tool"))
        assert (form["component"], form["display"]) == ("core.form", "inline")
        view = await chats.tool_view(ada.principal, tab.chat["chat"], form["id"])
        assert {field["name"] for field in view.payload["fields"]} >= {"name", "kind"}
        answer = {"status": "success", "action": "submit", "data": {"name": "Spring relaunch", "kind": "website"}}
        for _ in range(2):
            await tab.send(t="answer", tool=form["id"], response=answer)
        await tab.until(lambda: any("Spring relaunch" in text for _, _, text in tab.messages()))
        assert [(one["state"], one["summary"]) for one in tab.kind("tool_done")] == [("answered", "Spring relaunch · Website")]
        assert len(tab.kind("tool")) == 1, "the form was answered twice"
        await tab.until(tab.asked)
        await tab.send(t="say", text="Our customers", id="m1")
        await tab.until(lambda: tab.saw_status("completed"))


async def test_compare_options_shows_a_table_and_follows_the_answer(ada, shell):
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open(workflow="CompareOptions")
        await tab.until(tab.asked)
        await tab.send(t="say", text="hosting plans", id="m1")
        await tab.until(lambda: tab.kind("tool") and tab.asked())
        await tab.send(t="say", text="price", id="m2")
        await tab.until(lambda: len(tab.kind("tool")) == 2 and tab.asked())
        first, second = tab.kind("tool")
        assert first["display"] == second["display"] == "artifact"
        assert [one["id"] for one in tab.kind("tool_done")] == [first["id"]]
        chat = tab.chat["chat"]
        assert [one.id for one in await chats.open_tools(ada.principal, chat)] == [second["id"]]
        await tab.send(t="answer", tool=second["id"], response={"status": "success", "action": "accept", "data": {}})
        await tab.until(lambda: tab.saw_status("completed"))
        assert "comes first" in tab.messages()[-1][2]
        assert [one["state"] for one in tab.kind("tool_done")] == ["dismissed", "answered"]
        listed = next(one for one in await chats.list_chats(ada.principal) if one.id == chat)
        assert listed.last_text.startswith("Result ") and not set("*#`[") & set(listed.last_text)
        assert tab.asked() is None
        await other.open(chat=chat)
        assert other.messages() == tab.messages()


async def test_stop_keeps_what_was_written(ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="What can you do?", id="m1")
        await tab.until(lambda: any(tab.live.values()))
        await tab.send(t="stop")
        await tab.until(tab.asked)
        assert tab.kind("message")[-1]["cancelled"] is True


async def test_the_runtime_dies_and_the_conversation_goes_on_without_a_reload(ada, shell):
    """F-187: it is shown that the connection is made again, then the same conversation waits for the same person."""
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        before = tab.messages()
        os.kill(broker._broker.embedded.pid, signal.SIGKILL)
        await tab.until(lambda: "Connecting again" in tab.chat["detail"])
        await tab.until(lambda: tab.asked() and tab.saw_status("waiting"), 30)
        assert tab.messages() == before
        await tab.send(t="say", text="What can you do?", id="m1")
        await tab.until(lambda: len(tab.messages()) >= len(before) + 2 and tab.asked(), 30)
        assert tab.messages()[len(before)] == ("user", "user", "What can you do?")
