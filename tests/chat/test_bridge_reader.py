"""Frames as a server should not send them: nothing breaks the reader, nothing is shown twice (abuse 26, 27, 33; F-186)."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozaiks_shell.chat import protocol
from mozaiks_shell.chat.recent import Recent
from mozaiks_shell.chat.upstream_frames import Oversized, Progress, Said, Tool, Unknown

NAMES = [*protocol._READERS, "run_start", "brand_new"]
FIELDS = [
    "agent", "sender", "content", "chat_id", "user_id", "index", "sequence", "metadata", "replay", "request_id", "prompt",
    "password", "component_type", "corr", "eventId", "payload", "display", "awaiting_response", "status", "summary",
    "progress_percent", "status_message", "path", "event_id", "total_tokens", "message", "error_code", "event_type",
    "ui_visibility",
]  # fmt: skip
HUGE = st.sampled_from([10**400, -(10**400), 1e308, float("nan"), float("inf"), True, 2**63])
ANY = st.recursive(
    st.none() | st.booleans() | HUGE | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)
FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from([*NAMES, *(f"chat.{name}" for name in NAMES)]) | ANY},
    optional={"data": st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=8) | ANY, "agent": ANY, "chat_id": ANY},
)


@given(FRAMES)
@settings(max_examples=400, deadline=None)
def test_whatever_a_frame_holds_it_is_read_and_can_be_stored(frame):
    value, chat_id = protocol.read_addressed(json.dumps(frame))
    for text in [chat_id, *(one for one in asdict(value).values() if isinstance(one, str))]:
        assert "\x00" not in text
        text.encode()
    if isinstance(value, Tool):
        json.dumps(json.loads(value.payload, parse_constant=pytest.fail), ensure_ascii=False).encode()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read(raw):
    protocol.read(raw)


def frame(type_, **data):
    return json.dumps({"type": type_, "data": data})


def test_a_text_with_a_broken_byte_is_shown_with_a_mark():
    raw = frame("chat.text", agent="A", content="good XX text").encode().replace(b"XX", b"\xff\xfe")
    assert protocol.read(raw) == Said("A", "good \ufffd\ufffd text", None, False, False)


def test_numbers_no_browser_can_read():
    raw = '{"type":"chat.tool_call","data":{"component_type":"t","corr":"c","payload":{"a":NaN,"b":-Infinity,"c":1}}}'
    assert json.loads(protocol.read(raw).payload) == {"a": None, "b": None, "c": 1}
    assert protocol.read(frame("tool_progress", tool_name="t", progress_percent=10**400)) == Progress("t", 100.0, "", "t")


def test_tools_too_large_or_too_deep_are_named_but_not_kept():
    big = frame("chat.tool_call", component_type="core.table", corr="c1", payload={"title": "Rows", "rows": ["x" * 600_000]})
    assert protocol.read(big) == Oversized("c1", "core.table", "Rows", True)
    deep: list = []
    for _ in range(100):
        deep = [deep]
    assert isinstance(protocol.read(frame("chat.tool_call", component_type="t", corr="c", payload={"a": deep})), Oversized)
    assert isinstance(protocol.read('{"type":"chat.text","data":' + "[" * 100_000), Unknown)


def test_the_memory_of_a_long_run_is_bounded():
    recent = Recent[int](100)
    assert all(recent.add(number) for number in range(10_000))
    assert len(recent) == 100 and 9_999 in recent and 0 not in recent and not recent.add(9_999)


FORM = {"component_type": "core.form", "corr": "form_1", "awaiting_response": True, "payload": {"title": "Brief"}}


async def test_what_is_sent_twice_is_shown_once(upstream, shell, ada):
    """A failed send is tried again by the published runtime after half a second (protocol §2.9)."""
    got = []

    async def play(line):
        await line.meta()
        for _ in range(2):
            await line.text("Hello.", sequence=2)
        await line.text("Hello.", sequence=3)  # the agent really says it again
        for _ in range(2):
            await line.send("chat.tool_call", **FORM)
        await line.send("chat.ui_tool_dismiss", event_id="form_1")
        await line.send("chat.tool_call", **FORM)
        for _ in range(2):
            await line.ask("r1", "Name?")
        got.append(await line.receive())
        await line.ask("r1", "Name?")
        await line.text("Ada", "user", sequence=4)
        await line.text("Ada", "user", sequence=4)
        await line.text("End.", sequence=5)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        await tab.send(t="say", text="Ada", id="m1")
        await tab.until(lambda: tab.messages()[-1:] == [("agent", "Helper", "End.")])
        said = [("agent", "Helper", "Hello.")] * 2 + [("user", "user", "Ada"), ("agent", "Helper", "End.")]
        assert tab.messages() == said
        assert len([one for one in tab.items if one["k"] == "tool"]) == 1
        assert len([one for one in tab.items if one["k"] == "ask"]) == 1 and tab.asked() is None
    assert [one["request_id"] for one in got] == ["r1"]
    assert upstream.failures == []


async def test_a_tool_that_reports_without_pause_does_not_fill_the_log(upstream, shell, ada):
    async def play(line):
        await line.meta()
        for number in range(3000):
            await line.send("tool_progress", tool_name="t", progress_percent=number / 30, status_message=f"step {number}")
        await line.send("tool_progress", tool_name="t", progress_percent=100, status_message="done")
        await line.ask("r1", "And now?")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked, 30)
        seen = [one for one in tab.items if one["k"] == "progress"]
        assert 2 <= len(seen) < 300
        assert (seen[-1]["percent"], seen[-1]["text"]) == (100.0, "done")
