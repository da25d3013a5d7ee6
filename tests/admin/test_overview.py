"""The administrator reads names and sentences, not ids and event names."""

import pytest

from mozaiks_shell.admin.state import Overview
from mozaiks_shell.audit.service import record
from mozaiks_shell.foundation.access import Principal
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
