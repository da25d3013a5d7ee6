"""What comes with the answers of a run: long logs by the page, tools at work, usage (F-191), and pictures of other servers."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest

from mozaiks_shell.chat import pictures
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import running_shell

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def pages(tab):
    return [one for one in tab.frames if isinstance(one, dict) and one.get("t") == "page"]


def older(tab):
    return [one for one in tab.frames if isinstance(one, dict) and one.get("t") == "older"]


async def many(line, count):
    await line.meta()
    for number in range(count):
        await line.text(f"message {number}")
    await line.ask("r1")
    await line.idle()


async def test_a_long_log_comes_newest_page_first_and_its_pages_meet_exactly(upstream, ada):
    upstream.plays = [lambda line: many(line, 500)]
    async with running_shell() as shell:
        async with shell.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            chat, whole = tab.chat["chat"], tab.items
        async with shell.browser(ada) as tab:
            await tab.send(t="open", chat=chat, page=60, **{"from": -1})
            await tab.until(lambda: tab.caught_up)
            told = pages(tab)[0]
            assert told["more"] and len(tab.items) == 60
            assert tab.items == whole[-60:] and tab.items[0]["o"] == told["first"]
            got, before, more = list(tab.items), told["first"], True
            while more:
                seen = len(older(tab))
                await tab.send(t="older", before=before, page=60)
                page = (await tab.until(lambda seen=seen: older(tab)[seen:]))[0]
                assert page["before"] == before and len(page["items"]) <= 60
                got, before, more = page["items"] + got, page["first"], page["more"]
            assert got == whole
            # Resuming knows nothing of pages.
            await tab.open(chat=chat)
            assert tab.items == whole[-60:] and not tab.refusals()


@pytest.mark.parametrize("before", [None, -1, "7", True, 10**18, {}])
async def test_pages_before_nonsense_are_nothing(upstream, ada, before):
    upstream.plays = [lambda line: many(line, 3)]
    async with running_shell() as shell, shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.send(t="older", before=before, page="many")
        await tab.send(t="ping")
        await tab.until(lambda: any(isinstance(one, dict) and one.get("t") == "pong" for one in tab.frames))
        assert older(tab) == []


async def test_pieces_that_come_faster_than_they_are_drawn_go_as_one(upstream, ada):
    async def play(line):
        await line.meta()
        for number in range(300):
            await line.send("chat.print", agent="Helper", content=f"w{number} ")
            await asyncio.sleep(0.002)
        await line.text("".join(f"w{number} " for number in range(300)))
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab:
        await tab.send(t="open", chat=None, workflow="Assistant", page=60, pace=100, **{"from": -1})
        await tab.until(tab.asked)
        pieces = [one for one in tab.frames if isinstance(one, list)]
        assert len(pieces) < 100
        assert tab.messages()[-1][2] == "".join(f"w{number} " for number in range(300))


async def test_f191_usage_is_told_once_for_each_call_and_its_total_survives(upstream, ada, monkeypatch):
    monkeypatch.setattr(chats._hooks, "price", lambda model, prompt, completion, cached: (prompt * 2 + completion, "EUR"))
    counts = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "model_name": "m"}

    async def play(line):
        await line.meta()
        await line.send("chat.usage_delta", event_id="a", **counts)
        await line.text("One.")
        await line.send("chat.usage_delta", event_id="a", **counts)
        await line.send("chat.usage_delta", event_id="b", **counts)
        await line.send("chat.usage_summary", prompt_tokens=300, completion_tokens=100, total_tokens=400)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        used = [one for one in tab.items if one["k"] == "usage"]
        assert [(one["tokens"], one["pico"]) for one in used] == [(120, 220), (120, 220), (160, None)]
        assert sum(one["tokens"] for one in used) == used[-1]["total"]["tokens"] == 400
        assert used[1]["total"] == {"tokens": 240, "pico": 440, "priced": True, "currency": "EUR"}
        assert used[2]["total"]["priced"] is False


async def test_tools_at_work_are_told_and_hidden_agents_are_not(upstream, ada):
    async def play(line):
        await line.meta()
        await line.text("Hello.", "Helper")
        await line.text("Secret.", "Ghost", ui_visibility="trace")
        call = {"tool_name": "search", "corr": "c1", "awaiting_response": False}
        await line.send("chat.tool_call", agent="Helper", **call)
        await line.send("tool_progress", tool_name="search", corr="c1", progress_percent=40.0, status_message="4 of 10")
        await line.send("chat.tool_response", agent="Helper", tool_name="search", corr="c1", success=False)
        await line.send("chat.tool_call", agent="Ghost", tool_name="spy", corr="c2", awaiting_response=False)
        await line.send("chat.tool_call", event_type="ToolCallEvent", name=None)
        await line.send("chat.select_speaker", agent="Ghost")
        await line.send("chat.select_speaker", agent="Helper")
        await line.text("Done.", "Helper")
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with running_shell() as shell, shell.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        steps = [(one["name"], one["state"], one["text"]) for one in tab.items if one["k"] == "step"]
        assert steps == [("search", "failed", "4 of 10")]
        assert {one.get("who", "") for one in tab.frames if isinstance(one, dict) and one.get("t") == "chat"} <= {"", "Helper"}
        everything = json.dumps(tab.frames)
        assert "Ghost" not in everything and "spy" not in everything


@asynccontextmanager
async def picture_server(body=PIXEL, status=200):
    """A server of pictures on this machine; gives its base and what it was asked for."""
    asked: list[str] = []

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = f"HTTP/1.1 {status} OK\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize(
    ("opened", "body", "status", "answer"),
    [(True, PIXEL, 200, 200), (False, PIXEL, 200, 403), (True, b"<svg onload=x>", 200, 502), (True, PIXEL, 404, 502)],
    ids=["picture", "inside our network", "no picture", "not there"],
)
async def test_f199_a_picture_comes_through_the_shell_and_from_nowhere_inside(
    upstream, ada, sign_up, monkeypatch, opened, body, status, answer
):
    eve = await sign_up("eve")
    monkeypatch.setattr(get_settings(), "http_allow", ["127.0.0.1/32"] if opened else [])
    async with picture_server(body, status) as (base, asked):
        url = f"{base}/chart.png?a=1&b=2"

        async def play(line):
            await line.meta()
            await line.text(f"Look: ![chart]({url})")
            await line.ask("r1")
            await line.idle()

        upstream.plays = [play]
        async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            assert asked == [], "nothing is asked for before the person wants it"

            async def get(person, url):
                where = f"/api/chats/{tab.chat['chat']}/picture"
                return await client.get(
                    where, params={"url": url}, headers={"cookie": person.cookie, "referer": "http://x/secret"}
                )

            assert (await get(eve, url)).status_code == 404
            assert (await get(ada, f"{base}/other.png")).status_code == 404
            assert (await get(ada, "file:///etc/passwd")).status_code == 422
            assert asked == []
            got = await get(ada, url)
            assert got.status_code == answer, got.text
            if answer == 200:
                assert got.content == PIXEL and got.headers["content-type"] == "image/png"
                assert "sandbox" in got.headers["content-security-policy"]
            sent = " ".join(asked).lower()
            assert "cookie" not in sent and "referer" not in sent
            assert bool(asked) is opened


async def test_a_picture_without_end_is_cut_off(upstream, ada, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 1000)
    monkeypatch.setattr(get_settings(), "http_allow", ["127.0.0.1/32"])
    async with picture_server(PIXEL * 100) as (base, _):

        async def play(line):
            await line.meta()
            await line.text(f"![x]({base}/big.png)")
            await line.ask("r1")
            await line.idle()

        upstream.plays = [play]
        async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            where = f"/api/chats/{tab.chat['chat']}/picture?url={base}/big.png"
            assert (await client.get(where, headers={"cookie": ada.cookie})).status_code == 413
