"""The bell: what it shows, marks and where it leads (F-205, F-206, F-209)."""

import json

import pytest

from mozaiks_shell.foundation.errors import NotSignedIn
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.shell.bell import SHOWN, Bell
from mozaiks_shell.shell.slots import header
from tests.conftest import ADA, EVE


def bell() -> Bell:
    return Bell(_reflex_internal_init=True)  # type: ignore[call-arg]


async def send(one: Bell, handler: str, *arguments):
    return await type(one).event_handlers[handler].fn(one, *arguments)


async def note(person, title: str, link: str = "", message: str = ""):
    return (await notifications.create("dev-app", person.user_id, "chores.due", title, message, link)).id


async def test_f209_it_counts_what_is_unread_and_shows_the_newest(database, as_person):
    as_person(ADA)
    for number in range(SHOWN + 3):
        await note(ADA, f"n{number}")
    await note(EVE, "hers")
    one = bell()
    await send(one, "load")
    assert one.unread == SHOWN + 3 and len(one.notes) == SHOWN
    assert one.notes[0]["title"] == f"n{SHOWN + 2}" and not one.notes[0]["read"] and one.notes[0]["when"]


async def test_f209_following_one_marks_it_and_leads_there(database, as_person):
    as_person(ADA)
    first, second = await note(ADA, "Milk", "/plugins/tasks"), await note(ADA, "Tea")
    one = bell()
    assert "/plugins/tasks" in str(await send(one, "follow", first))
    assert one.unread == 1
    assert await send(one, "follow", second) is None
    assert one.unread == 0 and all(row["read"] for row in one.notes)
    as_person(EVE)
    assert await send(bell(), "follow", first) is None  # somebody else's


async def test_f209_all_at_once(database, as_person):
    as_person(ADA)
    for title in ("a", "b"):
        await note(ADA, title)
    await note(EVE, "hers")
    one = bell()
    await send(one, "read_all")
    assert one.unread == 0 and len(one.notes) == 2
    as_person(EVE)
    hers = bell()
    await send(hers, "load")
    assert hers.unread == 1


async def test_f209_what_is_new_is_said_once(database, as_person):
    as_person(ADA)
    one = bell()
    await send(one, "hear", "reconnected", {})
    assert one.said == ""
    await note(ADA, "Milk is due")
    await send(one, "hear", "new", {})
    assert (one.said, one.unread) == ("Milk is due", 1)


async def test_f209_the_operators_words(database, as_person, tmp_path, monkeypatch):
    told = {"notifications": {"icon": "inbox", "show": False, "emptyText": "All quiet."}}
    (tmp_path / "ui.json").write_text(json.dumps(told))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path))
    get_settings.cache_clear()
    as_person(ADA)
    one = bell()
    await send(one, "load")
    assert (one.drawn, one.shown, one.empty) == ("inbox", False, "All quiet.")


async def test_a_visitor_has_none(database, as_person):
    as_person(None)
    with pytest.raises(NotSignedIn):
        await send(bell(), "read_all")
    one = bell()
    await send(one, "load")
    assert one.notes == [] and one.unread == 0


def test_it_stands_in_the_header_for_people():
    (piece,) = [one for one in header.pieces() if one.name == "notifications"]
    assert piece.access.kind == "signed_in" and "mz-bell" in str(piece.render().render())
