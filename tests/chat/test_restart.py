"""The process dies in the middle of an answer: what had arrived is there, what waited has ended, the status is true."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import Shell
from tests.chat.processes import doomed
from tests.live import free_port

ROOT = Path(__file__).resolve().parents[2]


@contextlib.asynccontextmanager
async def worker(port: int, **more: str):
    """A shell process that answers on the port; killed with SIGKILL at the end."""
    settings = get_settings()
    env = {"MOZAIKS_DATA_DIR": str(settings.data_dir), "MOZAIKS_AI_URL": settings.ai_url, **more}
    async with doomed(port, "-m", "tests.chat.worker", str(port), **env) as process:
        yield process


@pytest.mark.parametrize("completed", [False, True], ids=["the run is gone", "the run completed meanwhile"])
async def test_kill_nine_in_the_middle_of_an_answer(upstream, ada, completed):
    async def play(line):
        await line.meta()
        await line.text("First.", sequence=2)
        await line.send("chat.tool_call", component_type="core.form", corr="form_1", payload={"title": "Brief"})
        for number in range(100):
            await line.send("chat.print", agent="Helper", content=f"word{number} ")
        await line.idle()

    upstream.plays = [play]
    port = free_port()
    shell = Shell(f"http://127.0.0.1:{port}")
    async with worker(port), shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        chat = tab.chat["chat"]
        await tab.send(t="say", text="too early", id="m1")
        await tab.until(lambda: "word99" in "".join(tab.live.values()) and len(tab.messages()) == 2)
        written = "".join(tab.live.values())
        seen = tab.offset
    upstream.status[chat] = int(completed)
    async with worker(port), shell.browser(ada) as tab, shell.browser(ada) as resumed:
        await tab.open(chat=chat)
        await tab.until(lambda: tab.saw_status("completed" if completed else "interrupted"))
        assert tab.messages()[:2] == [("agent", "Helper", "First."), ("user", "user", "too early")]
        assert ("agent", "Helper", written) in tab.messages()
        notices = [text for role, _, text in tab.messages() if role == "notice"]
        assert notices == [
            "Not sent, because the app restarted: “too early”",
            "The connection to the run was lost when the app restarted.",
        ]
        assert [one["state"] for one in tab.kind("tool_done")] == ["expired"]
        assert tab.live == {}
        await tab.send(t="say", text="still there?", id="m2")
        await tab.until(lambda: tab.refusals() == ["RUN_ENDED"])
        # The page that was open all the time comes back with what it had seen.
        resumed.offset = seen
        await resumed.open(chat=chat)
        assert ("agent", "Helper", written) in resumed.messages()
        assert ("agent", "Helper", "First.") not in resumed.messages()
    assert upstream.count("ws") == 1, "a lost run was connected to again"


async def test_a_second_life_keeps_the_first_ones_conversations(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("Hello.", sequence=2)
        await line.send("chat.run_complete", status=1)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.saw_status("completed"))
        chat = tab.chat["chat"]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(chat=chat)
        assert tab.chat["status"] == "completed"
        assert tab.messages() == [("agent", "Helper", "Hello.")]


async def test_an_answer_the_runtime_never_got_is_sent_when_it_asks_again(upstream, ada):
    """The process dies between writing the answer down and sending it; the run must not wait for ever."""
    heard = []

    async def before(line):
        await line.meta()
        await line.ask("r1")
        await line.idle()

    async def after(line):
        await line.meta()
        await line.ask("r1")
        heard.append(await line.receive())
        await line.send("chat.input_ack", request_id="r1")
        await line.text("Thank you.", sequence=3)
        await line.ask("r2")
        await line.idle()

    upstream.plays = [before, after]
    port = free_port()
    shell = Shell(f"http://127.0.0.1:{port}")
    async with worker(port) as process, shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        chat = tab.chat["chat"]
        await tab.send(t="say", text="Blue, please.", id="m1")
        await tab.until(lambda: tab.messages() == [("user", "user", "Blue, please.")])
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    async with worker(port, MOZAIKS_RUNTIME_RECONNECTS="true"), shell.browser(ada) as tab:
        await tab.open(chat=chat)
        await tab.until(lambda: tab.kind("choice"))
        await tab.send(t="choose", option="reconnect")
        await tab.until(lambda: (tab.asked() or {}).get("id") == "r2")
        assert tab.messages()[-1] == ("agent", "Helper", "Thank you.")
        assert [one[2] for one in tab.messages()].count("Blue, please.") == 1
    assert [(one["type"], one["text"]) for one in heard] == [("user.input.submit", "Blue, please.")]
