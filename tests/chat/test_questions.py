"""F-179: what a run asks, with answers to choose from, a file or a time limit; and stopping what is meant (32)."""

import asyncio
import json

import pytest

from mozaiks_shell.chat.protocol import read
from mozaiks_shell.chat.upstream_frames import Ask, Hidden, TimedOutAsk


def asked(**data):
    return read(json.dumps({"type": "chat.input_request", "data": {"request_id": "q", "prompt": "Which?", **data}}))


@pytest.mark.parametrize(("given", "choices"), [
    (["Red", " Green "], (("Red", "Red"), ("Green", "Green"))),
    ([{"label": "Red", "value": "r"}, {"value": "g"}], (("Red", "r"), ("g", "g"))),
    (["Red", "Red", "", None, 7, {"label": ""}, {}, ["x"]], (("Red", "Red"),)),
    ("Red", ()), (None, ()), ({"a": 1}, ()),
])  # fmt: skip
def test_f179_choices_are_read_however_they_are_written(given, choices):
    for name in ("choices", "options"):
        ask = asked(**{name: given})
        assert ask.choices == choices
        assert Ask.of(json.loads(json.dumps(ask.body()))) == ask


def test_f179_at_most_24_choices_are_offered():
    assert len(asked(choices=[f"c{n}" for n in range(100)]).choices) == 24


def test_f179_a_file_may_be_asked_for_and_stock_sentences_are_never_shown():
    assert asked(component_type="FileUpload").file and asked(input_type="file").file and not asked().file
    stock = asked(prompt="Please give feedback to chat_manager. Press enter to skip and use auto-reply, or type 'exit'")
    assert stock.prompt == ""


def test_f179_a_time_limit_that_names_no_question_is_noise():
    assert read('{"type":"chat.input_timeout","data":{"input_request_id":"q"}}') == TimedOutAsk("q")
    assert isinstance(read('{"type":"chat.input_timeout","data":{}}'), Hidden)


async def test_f179_a_choice_is_sent_by_its_value_and_shown_by_its_label(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.ask("q1", "Which one?", choices=["Red", {"label": "The blue one", "value": "b-2"}])
        got.append(await line.receive())
        await line.send("chat.input_ack", request_id="q1")
        await line.text("b-2", agent="user")  # the echo
        await line.ask("q2", "And now?")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        ask = await tab.until(tab.asked)
        assert ask["choices"] == [{"label": "Red", "value": "Red"}, {"label": "The blue one", "value": "b-2"}]
        await tab.send(t="say", text="b-2", id="mine")
        await tab.until(lambda: (tab.asked() or {}).get("id") == "q2")
        assert [text for _, _, text in tab.messages()] == ["The blue one"], "once, although the runtime echoes the value"
        assert got[0]["text"] == "b-2"


async def test_f179_a_question_whose_time_is_over_is_told_and_takes_no_answer(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.ask("q1", "Quick!", choices=["Red"])
        await line.send("chat.input_timeout", input_request_id="q1")
        await line.ask("q1", "Quick!", choices=["Red"])  # told again after a reconnect
        await line.ask("q2", "Slow.")
        got.append(await line.receive())
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: (tab.asked() or {}).get("id") == "q2")
        (over,) = [one for one in tab.items if one["k"] == "asked"]
        assert (over["id"], over["state"]) == ("q1", "expired")
        await tab.send(t="say", text="late", id="mine")
        await tab.until(lambda: got)
        assert got[0]["request_id"] == "q2"


async def test_32_a_stop_for_an_earlier_answer_does_not_reach_the_runtime(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        for number in (1, 2):
            await line.ask(f"q{number}")
            await line.receive()
            await line.send("chat.input_ack", request_id=f"q{number}")
            await line.send("chat.print", agent="Helper", content=f"answer {number}")
            if number == 1:
                await line.text("answer 1")
        try:
            while True:
                got.append((await line.receive(60))["type"])
        except TimeoutError:
            return

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="one", id="m1")
        await tab.until(lambda: (tab.asked() or {}).get("id") == "q2")
        await tab.send(t="stop", turn="m1")  # nothing is being written
        await tab.send(t="say", text="two", id="m2")
        await tab.until(lambda: "answer 2" in tab.live.values())
        await tab.send(t="stop", turn="m1")
        await tab.send(t="ping")
        await tab.until(lambda: {"t": "pong"} in tab.frames)
        assert got == [], "of the answer before"
        await tab.send(t="stop", turn="m2")
        async with asyncio.timeout(30):
            while not got:  # noqa: ASYNC110 - the double tells nobody
                await asyncio.sleep(0.02)
        assert got == ["user.cancel"] and tab.refusals() == []
