"""The administrator reads names and sentences, not ids and event names."""

import pytest

from mozaiks_shell.admin.state import Overview
from mozaiks_shell.audit.service import record
from mozaiks_shell.chat.models import ChatFeedback
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.identity.service import register


@pytest.fixture
def overview(as_person) -> Overview:
    as_person(Principal("usr_root", "dev-app", "Root Admin", "root@example.com", frozenset({"admin"}), "ses_root"))
    return Overview(_reflex_internal_init=True)


async def test_latest_acts_say_who_did_what(database, overview):
    grace = await register("grace", "correct horse battery", "grace@example.com", "Grace Hopper")
    for act, actor in (("user.signed_in", grace.id), ("user.sign_in_failed", ""), ("plugin.failed", "usr_0123456789abcdef")):
        await record(Event(act, "dev-app", actor, {}))
    await Overview.event_handlers["load"].fn(overview)
    lines = {one["act"]: (one["actor"], one["actor_id"]) for one in overview.acts}
    assert lines["Signed in"] == ("Grace Hopper", grace.id)
    assert lines["Failed to sign in"] == ("–", "")
    assert lines["Plugin failed"] == ("…89abcdef", "usr_0123456789abcdef")


async def test_f192_it_says_how_many_answers_were_found_helpful(database, overview):
    load = Overview.event_handlers["load"].fn
    await load(overview)
    assert "Helpful answers" not in {one["name"] for one in overview.figures}, "nobody said anything yet"
    async with session(Scope("dev-app", "usr_ada")) as db:
        for number, verdict in enumerate(["up", "up", "up", "down"]):
            db.add(ChatFeedback(chat_id="c", message_id=f"m{number}", verdict=verdict, workflow="Assistant", agent="Helper"))
    async with session(Scope("other-app", "usr_eve")) as db:
        db.add(ChatFeedback(chat_id="d", message_id="m", verdict="down", workflow="Assistant", agent="Helper"))
    await load(overview)
    (figure,) = [one for one in overview.figures if one["name"] == "Helpful answers"]
    assert (figure["value"], figure["help"]) == ("75%", "3 thumbs up, 1 thumbs down")
