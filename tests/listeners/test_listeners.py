"""The rooms that only listen: each event leaves its trace once, and only its owner sees it."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.audit.service import latest
from mozaiks_shell.audit.service import record as audit
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.insights import service as insights
from mozaiks_shell.notifications import routes as notifications_routes
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.usage import service as usage

APP = "dev-app"


async def test_f309_a_sign_in_leaves_one_audit_row(database):
    await publish(Event("user.signed_in", APP, "usr_ada", {"ip": "127.0.0.1"}))
    rows = await latest()
    assert [(row.act, row.actor_id, row.facts) for row in rows] == [("user.signed_in", "usr_ada", {"ip": "127.0.0.1"})]
    assert audit.__name__ == "record"


async def test_f250_a_usage_event_counts_once_and_only_for_its_owner(database):
    event = Event("chat.usage", APP, "usr_ada", {"event_id": "e1", "chat_id": "c", "prompt_tokens": 43, "completion_tokens": 9})
    await publish(event)
    await publish(event)
    await publish(replace(event, user_id="usr_eve", data={**event.data, "event_id": "e2", "prompt_tokens": 7}))
    assert await usage.totals(APP, "usr_ada") == usage.Totals(43, 9, 1)
    assert await usage.totals(APP) == usage.Totals(50, 18, 2)
    assert await usage.totals("other-app") == usage.Totals(0, 0, 0)


async def test_f236_people_are_counted_once_a_day(database):
    insights._seen.clear()
    today = now()
    for user, days_ago in (("ada", 0), ("ada", 0), ("eve", 3), ("kim", 20), ("old", 45)):
        await publish(Event("user.signed_up", APP, user, at=today - timedelta(days=days_ago)))
        await publish(Event("user.active", APP, user, at=today - timedelta(days=days_ago)))
    insights._seen.clear()  # as after a restart: the database alone must refuse the second row
    await publish(Event("user.active", APP, "ada", at=today))
    figures = await insights.engagement(today.date())
    assert figures == insights.Engagement(total_users=4, dau=1, active_users_7d=2, mau=3, new_users_7d=2)
    assert figures.stickiness_dau_mau == pytest.approx(1 / 3)


async def test_f205_notifications_are_paged_capped_and_private(database):
    ada, eve = Scope(APP, "usr_ada"), Scope(APP, "usr_eve")
    for number in range(notifications.KEPT + 5):
        await notifications.create(APP, "usr_ada", "note", f"n{number}")
    rows, unread = await notifications.listing(ada, limit=2)
    assert ([row.title for row in rows], unread) == (["n104", "n103"], notifications.KEPT)
    assert await notifications.mark_read(ada, rows[0].id) == 1
    assert (await notifications.listing(ada, unread_only=True))[1] == notifications.KEPT - 1
    assert await notifications.listing(eve) == ([], 0)
    with pytest.raises(NotFound):
        await notifications.mark_read(eve, rows[0].id)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200), ("limit=100&offset=10000", 200), ("offset=9223372036854775808", 422), ("offset=10001", 422),
        ("offset=-1", 422), ("limit=0", 422), ("limit=101", 422), ("limit=x", 422),
    ],
)  # fmt: skip
async def test_f205_the_page_asked_for_is_bounded(database, as_person, query, status):
    as_person(Principal("usr_ada", APP))
    api = FastAPI()
    install(api)
    api.include_router(notifications_routes.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        assert (await client.get(f"/api/notifications?{query}")).status_code == status


async def test_f139_a_plan_change_is_told(database):
    await publish(Event("subscription.updated", APP, "usr_ada", {"plan": "pro", "title": "Pro"}))
    rows, _ = await notifications.listing(Scope(APP, "usr_ada"))
    assert [(row.title, row.link) for row in rows] == [("Your plan is now Pro", "/plans")]
