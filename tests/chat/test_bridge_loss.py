"""A lost connection: nobody reconnects on a guess; the person learns how the run stands and what is safe (§2.8, F-186)."""

import json

import pytest

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import bridge as bridges
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.recovery import NotSafe
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.settings import get_settings


async def lost(line):
    await line.meta()
    await line.send("chat.print", agent="Helper", content="Half a sen")
    await line.hang_up(1011)


def offered(tab):
    """The options of the newest choice."""
    found = [one for one in tab.items if one["k"] == "choice"]
    return [one["id"] for one in found[-1]["options"]] if found else []


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr(bridges, "_ASK_AGAIN", (0.01, 0.01))


@pytest.mark.parametrize(
    ("known", "status", "options", "reason"),
    [
        ({"last_sequence": 3}, "interrupted", ["check", "restart", "leave"], "could break it"),
        ({"last_sequence": 0, "last_artifact": {"x": 1}}, "interrupted", ["check", "restart", "leave"], "could break it"),
        ({"last_sequence": 0}, "interrupted", ["reconnect", "restart", "leave"], "it is safe"),
        ({"exists": False}, "interrupted", ["restart", "leave"], "does not know this conversation"),
        ({"status": 1}, "completed", [], ""),
    ],
    ids=["holds messages", "holds an artifact", "holds nothing", "forgotten", "completed"],
)
async def test_what_is_offered_is_what_is_safe(upstream, shell, ada, known, status, options, reason):
    upstream.plays = [lost]
    upstream.known["chat-1"] = known
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.saw_status(status) and offered(tab) == options)
        assert reason in json.dumps(tab.items)
        assert tab.messages()[0] == ("agent", "Helper", "Half a sen")
        assert upstream.count("ws") == 1, "somebody reconnected"


async def test_f187_a_runtime_the_operator_calls_safe_is_connected_to_again_by_itself(upstream, shell, ada, monkeypatch):
    monkeypatch.setenv("MOZAIKS_RUNTIME_RECONNECTS", "true")
    get_settings.cache_clear()

    async def goes_on(line):
        await line.meta()
        await line.text("A whole sentence")
        await line.idle()

    upstream.plays = [lost, goes_on]
    upstream.known["chat-1"] = {"last_sequence": 3}
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: any(text == "A whole sentence" for _, _, text in tab.messages()))
        assert upstream.count("ws") == 2 and offered(tab) == []


async def test_a_runtime_that_cannot_be_asked_leaves_it_open(upstream, shell, ada):
    async def lost_with_everything(line):
        upstream.http_down = True
        await lost(line)

    upstream.plays = [lost_with_everything]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: offered(tab) == ["check", "restart", "leave"])
        assert "cannot be asked" in tab.items[-1]["reason"] and tab.saw_status("interrupted")
        assert any(one.get("detail", "").startswith("The connection was lost. Asking") for one in tab.frames if "t" in one)


async def test_a_chat_that_ran_elsewhere_to_its_end_is_never_run_again(upstream, shell, ada):
    """A plain client in direct mode ran it; opening it in the pane would make the published runtime run all of it again."""
    async with shell() as running:
        started = await broker.start(ada.principal, "Assistant")
        upstream.status[started.chat_id] = 1
        async with running.browser(ada) as tab:
            await tab.open(chat=started.chat_id)
            await tab.until(lambda: tab.saw_status("completed"))
        busy = await broker.start(ada.principal, "Assistant")
        async with running.browser(ada) as tab:
            await tab.open(chat=busy.chat_id)
            await tab.until(lambda: offered(tab) == ["check", "restart", "leave"])
            assert tab.saw_status("interrupted") and "begun elsewhere" in tab.chat["detail"]
    assert upstream.count("ws") == 0


@pytest.mark.parametrize("named", ["user_id", "app_id", "chat_id"])
async def test_a_chat_of_somebody_else_is_left_at_once(upstream, shell, ada, sign_up, named):
    bob = await sign_up("bob")
    async with session(Scope("dev-app", bob.principal.user_id)) as db:
        db.add(Chat(id="bobs", runtime_chat_id="bobs", workflow="Assistant"))
    left = []

    async def play(line):
        if named == "chat_id":
            line.chat_id = "bobs"
        else:
            setattr(line, named, bob.principal.user_id)
        await line.meta()
        await line.text("Bob's secret.", sequence=2)
        await line.idle()
        left.append(named)

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.saw_status("failed"))
        assert "belongs to somebody else" in tab.chat["detail"]
        await tab.until(lambda: left)
        assert "secret" not in json.dumps(tab.frames)


async def test_a_move_in_the_middle_of_a_run_is_followed_and_strays_are_left_out(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.text("Here.", sequence=2, chat_id="chat-1")
        line.chat_id = "moved"
        await line.meta()
        await line.text("A stranger's.", sequence=3, chat_id="chat-of-nobody")
        await line.text("There.", sequence=4, chat_id="moved")
        await line.ask("r1")
        got.append(await line.receive())
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="hi", id="m1")
        await tab.until(lambda: got)
        assert [text for _, _, text in tab.messages()] == ["Here.", "There.", "hi"]
    assert got[0]["chat_id"] == "moved"


async def test_another_conversation_of_mine_is_not_shown_under_this_ones_name(upstream, shell, ada):
    async with session(Scope("dev-app", ada.principal.user_id)) as db:
        db.add(Chat(id="elder", runtime_chat_id="elder", workflow="Assistant", title="Taxes", status="interrupted"))

    async def play(line):
        line.chat_id = "elder"
        await line.meta()
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant", new=True)
        await tab.until(lambda: tab.saw_status("interrupted") and offered(tab))
        assert "“Taxes”" in tab.chat["detail"]


async def test_choosing_to_start_again_or_to_leave(upstream, shell, ada, sign_up):
    async def hello(line):
        await line.meta()
        await line.text("Hello again.", sequence=2)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [lost, hello]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: offered(tab))
        old = tab.chat["chat"]
        await tab.send(t="choose", option="fly")
        await tab.send(t="choose", option="reconnect")
        await tab.until(lambda: tab.refusals() == ["NO_SUCH_CHOICE", "NOT_SAFE"])
        await tab.send(t="choose", option="leave")
        await tab.until(lambda: tab.items[-1]["k"] == "chosen" and tab.items[-1]["option"] == "leave")
        await tab.send(t="choose", option="restart")
        new = (await tab.until(lambda: tab.items[-1]["k"] == "chosen" and tab.items[-1]["chat"])) and tab.items[-1]["chat"]
        assert new != old and tab.saw_status("interrupted")
        bob = await sign_up("bob")
        for person, chat in ((bob.principal, old), (ada.principal, "nowhere")):
            with pytest.raises(NotFound):
                await chats.choose(person, chat, "restart")
        await tab.open(chat=new, new=True)
        await tab.until(lambda: ("agent", "Helper", "Hello again.") in tab.messages())
        with pytest.raises(NotSafe):
            await chats.choose(ada.principal, new, "restart")
    assert upstream.count("start") == 2 and upstream.count("ws") == 2


async def test_asking_again_finds_the_end(upstream, shell, ada):
    upstream.plays = [lost]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: offered(tab))
        await tab.send(t="choose", option="check")
        await tab.until(lambda: len([one for one in tab.items if one["k"] == "choice"]) == 2)
        upstream.status["chat-1"] = 1
        await tab.send(t="choose", option="check")
        await tab.until(lambda: tab.saw_status("completed"))
    assert upstream.count("ws") == 1


async def test_a_safe_reconnect_goes_on_in_the_same_conversation(upstream, shell, ada):
    """It was lost before the runtime kept anything; what it tells again of its form is not shown twice."""
    form = {"component_type": "core.form", "corr": "form_1", "awaiting_response": True, "payload": {"title": "Brief"}}

    async def early(line):
        await line.meta()
        await line.send("chat.tool_call", **form)
        await line.hang_up(1011)

    async def again(line):
        await line.meta()
        await line.send("chat.tool_call", **form)
        got.append(await line.receive())
        await line.text("Thanks.", sequence=1)
        await line.ask("r1")
        await line.idle()

    got: list = []
    upstream.plays = [early, again]
    upstream.known["chat-1"] = {"last_sequence": 0}
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: "reconnect" in offered(tab))
        chat = tab.chat["chat"]
        await tab.send(t="choose", option="reconnect")
        await tab.until(lambda: tab.saw_status("waiting"))
        (view,) = await chats.open_tools(ada.principal, chat)
        assert (view.id, view.state) == ("form_1", "open")
        await tab.send(t="answer", tool="form_1", response={"status": "success"})
        await tab.until(tab.asked)
        assert [text for role, _, text in tab.messages() if role == "agent"] == ["Thanks."]
        async with running.browser(ada) as later:
            await later.open(chat=chat)
            assert later.messages() == tab.messages()
    assert got and upstream.count("ws") == 2
