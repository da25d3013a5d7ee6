"""The log itself, on SQLite and PostgreSQL: written before shown, in order, compacted, replayed the same from any offset."""

import asyncio
import json

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.models import Chat, ChatEvent
from mozaiks_shell.chat.transcript import Transcript, wire
from mozaiks_shell.chat.upstream_frames import Piece, Said
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.migrate import upgrade

SCOPE = Scope("dev-app", "usr_ada")


@pytest.fixture(params=["sqlite", "postgresql"])
async def transcript(request, settings, monkeypatch):
    """A transcript over a migrated, empty database of each kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
        get_settings.cache_clear()
    else:
        request.getfixturevalue("sqlite_migrated")
    opened = Transcript()
    yield opened
    await opened.close()
    await db.dispose()


async def hold(transcript, chat_id="c1"):
    async with session(SCOPE) as opened:
        opened.add(Chat(id=chat_id, runtime_chat_id=chat_id, workflow="Assistant"))
    return await transcript.hold("dev-app", "usr_ada", chat_id)


def conversation(channel):
    return Conversation(channel, "Assistant", "", "Assistant", lambda _: True)


def kept(frames):
    """What a page keeps of wire frames: (text being written, final messages)."""
    writing, messages = {}, {}
    current = ""
    for frame in map(json.loads, frames):
        if isinstance(frame, list):
            writing[current] = writing.get(current, "") + frame[1]
        elif frame["k"] == "live":
            current = frame["id"]
            writing[current] = ""
        elif frame["k"] == "message":
            writing.pop(frame["id"], None)
            messages[frame["id"]] = frame["text"]
    return writing, messages


async def test_nothing_is_shown_that_is_not_in_the_table(transcript):
    channel = await hold(transcript)
    tail = channel.watch()
    for number in range(200):
        channel.append("d", f"piece {number} ")
    seen = 0
    while seen < 200:
        entries = await tail.take()
        async with session(SCOPE) as opened:
            rows = (await opened.execute(select(func.count(col(ChatEvent.offset))))).scalar_one()
        assert rows >= seen + len(entries)
        assert [entry.offset for entry in entries] == list(range(seen, seen + len(entries)))
        seen += len(entries)


async def test_replay_from_any_offset_gives_the_same_page(transcript):
    channel = await hold(transcript)
    talk = conversation(channel)
    frames = []
    tail = channel.watch()

    async def settle():
        await channel.settled()
        frames.extend(wire(one.offset, one.kind, one.body) for one in tail._items if one.offset >= 0)
        tail._items.clear()

    for round_ in range(3):
        for word in ["one", "two", "three", "four"]:
            talk.take(Piece("Helper", f"{word} "))
        if round_ < 2:
            talk.take(Said("Helper", "one two three four ", None, False, False))
    await settle()
    whole = kept(frames)
    assert len(whole[1]) == 2 and list(whole[0].values()) == ["one two three four "]
    for compacted in (False, True):
        if compacted:  # whatever is put off is done when the writer is idle; do it now
            await asyncio.to_thread(transcript._writer._tidy)
        for cut in range(len(frames) + 1):
            before = frames[:cut]
            after = json.loads(before[-1]) if before else -1
            offset = after[0] if isinstance(after, list) else after["o"] if before else -1
            assert kept([*before, *[text async for _, text in channel.replay(offset)]]) == whole, (compacted, cut)
    async with session(SCOPE) as opened:
        kinds = (await opened.execute(select(ChatEvent.kind).order_by(col(ChatEvent.offset)))).scalars().all()
    assert kinds == ["message", "message", "live", "d", "d", "d", "d"]


async def test_what_is_being_read_is_not_compacted_meanwhile(transcript):
    """Else the rest of the message would reach the browser without its beginning."""
    channel = await hold(transcript)
    talk = conversation(channel)
    talk.take(Said("Helper", "First.", None, False, False))
    talk.take(Piece("Helper", "Hello "))
    await channel.settled()
    replay = channel.replay(-1)
    seen = [(await anext(replay))[1]]
    tail = channel.watch()
    talk.take(Piece("Helper", "world"))
    talk.take(Said("Helper", "Hello world", None, False, False))
    await channel.settled()
    await asyncio.to_thread(transcript._writer._tidy)
    seen += [text async for _, text in replay]
    seen += [wire(one.offset, one.kind, one.body) for one in tail._items if one.offset >= 0]
    assert [json.loads(one)["k"] if one.startswith("{") else "d" for one in seen] == ["message", "live", "d", "d", "message"]
    await asyncio.to_thread(transcript._writer._tidy)
    assert [kind async for _, kind, _ in channel.rows(-1, 1000)] == ["message", "message"]


async def test_offsets_go_on_after_everything_was_compacted_and_forgotten(transcript):
    channel = await hold(transcript)
    talk = conversation(channel)
    talk.take(Piece("Helper", "Hello"))
    talk.take(Said("Helper", "Hello", None, False, False))
    await channel.settled()
    await asyncio.to_thread(transcript._writer._tidy)
    transcript.release(channel)
    again = await transcript.hold("dev-app", "usr_ada", "c1")
    assert again is not channel
    assert again.next_offset == channel.next_offset


async def test_one_entry_that_cannot_be_written_does_not_spoil_the_others(transcript):
    good, bad = await hold(transcript, "good"), await hold(transcript, "bad")
    bad.append("message", {"id": "m1"})
    await bad.settled()
    bad.next_offset = 0  # a duplicate offset
    for number in range(20):
        good.append("d", str(number))
        if number == 10:
            bad.append("message", {"id": "m2"})
    await good.settled()
    with pytest.raises(Exception, match="could not be saved"):
        await bad.settled()
    assert [body async for _, _, body in good.rows(-1, 1000)] == [str(number) for number in range(20)]


async def test_a_locked_database_is_waited_for(settings):
    await asyncio.to_thread(upgrade, settings)
    transcript = Transcript()
    channel = await hold(transcript)
    async with session(SCOPE) as holder:
        await holder.execute(update(Chat).where(col(Chat.id) == "c1").values(title="locks the file"))
        channel.append("message", {"id": "m1"})
        waiting = asyncio.create_task(channel.settled())
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await waiting
    async with session(SCOPE) as opened:
        assert await opened.get(ChatEvent, ("c1", 0)) is not None
    await transcript.close()
    await db.dispose()
