"""F-255: what customers use is told to Stripe's meters, every hour once, and what cannot be told waits for an operator.

Neither of the foreign Stripe servers of ``tests/billing`` has meters (``emulate`` 0.12, ``localstripe`` 1.15), so the bank here
is a small server of Stripe's shape behind a real port: it takes the form Stripe takes, counts an identifier once, refuses a
second one in Stripe's words, and knows only active meters.
"""

import asyncio
import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from mozaiks_shell.billing import routes as billing_routes
from mozaiks_shell.billing import service as billing
from mozaiks_shell.billing.models import Subscription
from mozaiks_shell.foundation import events, jobs, outbox
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.identity.service import register
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.usage import meters, routes, service
from mozaiks_shell.usage.sums import Span, total
from tests.chat.conftest import listening
from tests.usage.conftest import APP, PRICES, gather, report

NOON = datetime(2026, 7, 15, 12, 20, tzinfo=UTC)
TOKENS = {"event_name": "tokens"}


class Bank:
    """What Stripe holds: ``told`` are accepted events. ``moods`` says how the next requests end; empty: as they should."""

    def __init__(self):
        self.refused = []
        self.told, self.asked, self.moods, self.meters, self.api = {}, [], [], {"tokens", "written"}, FastAPI()
        self.api.post("/v1/billing/meter_events")(self.event)
        self.api.get("/v1/billing/meters")(self.listed)
        self.api.get("/v2/core/events/{number}")(self.later)
        self.reports = {}
        self.api.get("/v1/prices/{number}")(lambda number: {"id": number, "object": "price"})

    async def event(self, request: Request):
        form = dict((await request.form()).items())
        self.asked.append(form)
        mood = self.moods.pop(0) if self.moods else ""
        if mood == "down":
            return _error(500, "api_error", "down")
        if form["event_name"] not in self.meters:
            return _error(400, "invalid_request_error", f"No active meter found for event name '{form['event_name']}'.")
        if form["identifier"] in self.told:
            return _error(400, "invalid_request_error", f"An event already exists with identifier {form['identifier']}.")
        self.told[form["identifier"]] = form
        if mood == "lost":
            return _error(500, "api_error", "counted, but the answer got lost")
        return {"object": "billing.meter_event", "identifier": form["identifier"]}

    async def later(self, number: str):
        """An event as Stripe's reference shows it."""
        return self.reports[number] if number in self.reports else _error(404, "invalid_request_error", "No such event")

    def refuses(self, number, *identifiers, count=None, message="Customer mapping key stripe_customer_id not found in payload."):
        """What was taken is refused: the thin event that Stripe sends, whose details have to be asked for."""
        samples = [{"error_message": message, "request": {"identifier": one}} for one in identifiers]
        for one in identifiers:
            self.refused.append(self.told[one])
        sort = {"code": "meter_event_no_customer_defined", "error_count": count or len(samples), "sample_errors": samples}
        thin = {
            "id": number, "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered", "livemode": False,
            "context": None, "created": "2026-07-15T13:22:46.134Z", "reason": None,
            "related_object": {"id": "mtr_tokens", "type": "billing.meter", "url": "/v1/billing/meters/mtr_tokens"},
        }  # fmt: skip
        reason = {"error_count": count or len(samples), "error_types": [sort]}
        data = {"developer_message_summary": "There are invalid events", "reason": reason}
        self.reports[number] = {**thin, "data": data}
        return thin

    async def listed(self):
        data = [{"id": f"mtr_{name}", "object": "billing.meter", "event_name": name} for name in self.meters]
        return {"object": "list", "data": data, "has_more": False, "url": "/v1/billing/meters"}

    def sums(self):
        """What was counted, by meter and customer."""
        found = Counter()
        for form in (one for one in self.told.values() if one not in self.refused):
            found[form["event_name"], form["payload[stripe_customer_id]"]] += int(form["payload[value]"])
        return dict(found)


def _error(status, kind, message):
    return JSONResponse({"error": {"type": kind, "message": message}}, status, {"stripe-should-retry": "false"})


@pytest.fixture
async def bank(ledger_db, configure, monkeypatch, tmp_path, at):
    """Stripe with an open account; Ada is its customer on the plan pro, Eve nobody's."""
    bank = Bank()
    async with listening(bank.api) as url:
        configure(
            prices=PRICES, meters=[TOKENS], MOZAIKS_BILLING_PROVIDER="stripe", STRIPE_SECRET_KEY="sk_test_shell",
            STRIPE_WEBHOOK_SECRET="whsec_test", STRIPE_API_BASE=url,
        )  # fmt: skip
        plans = [{"name": "free", "price": 0}, {"name": "pro", "price": 12, "stripe_price_id": "price_pro"}]
        plans.append({"name": "team", "price": 39, "stripe_price_id": "price_team"})
        catalogue = {"subscription_plans": plans, "settings": {"default_plan": "free"}}
        (tmp_path / "configs" / "subscription_config.json").write_text(json.dumps(catalogue))
        get_settings.cache_clear()
        await customer("usr_ada", "pro")
        at(NOON)
        yield bank


async def customer(user_id, plan):
    async with system_session(APP) as db:
        row = Subscription(
            app_id=APP, user_id=user_id, plan=plan, status="active", provider="stripe", provider_customer_id=f"cus_{user_id}",
            current_period_end=NOON + timedelta(days=20),
        )  # fmt: skip
        db.add(row)


async def test_f255_an_hour_is_told_once_under_one_identifier(bank, at):
    for minutes, tokens in ((0, 100), (10, 20), (30, 3)):
        at(NOON + timedelta(minutes=minutes))
        await service.record(report(tokens=tokens))
        await service.record(report("usr_eve", 50))  # nobody's customer
    assert await meters.report() == {"sent": 0, "failed": 0, "waiting": 0}, "the hour is not over"
    at(NOON + timedelta(minutes=43))
    assert (await meters.report())["sent"] == 1
    (event,) = bank.told.values()
    assert event["event_name"] == "tokens" and event["payload[stripe_customer_id]"] == "cus_usr_ada"
    assert event["payload[value]"] == str((await total(Scope(APP, "usr_ada"), Span())).completion_tokens) == "123"
    assert int(event["timestamp"]) == int((NOON + timedelta(minutes=30)).timestamp())
    assert event["identifier"].startswith("mtr_") and len(event["identifier"]) <= 100
    at(NOON + timedelta(days=2))
    assert (await meters.report())["sent"] == 0 and len(bank.asked) == 1


async def test_f255_hours_are_told_apart_and_a_late_call_is_told_too_without_telling_the_rest_again(bank, at):
    await service.record(report(tokens=100))
    await service.record(report(tokens=7, event_ts=(NOON - timedelta(hours=5)).isoformat()))
    at(NOON + timedelta(hours=1))
    assert (await meters.report())["sent"] == 2
    late = report(tokens=1, event_ts=NOON.isoformat())
    await service.record(late)
    await service.record(late)
    at(NOON + timedelta(hours=2))
    assert (await meters.report())["sent"] == 1
    assert bank.sums() == {("tokens", "cus_usr_ada"): 108} and len(bank.told) == 3
    when = [datetime.fromtimestamp(int(one["timestamp"]), UTC) for one in bank.told.values()]
    assert sorted(when) == [NOON - timedelta(hours=5), NOON, NOON]


async def test_f255_an_answer_that_got_lost_is_not_billed_twice(bank, at):
    bank.moods = ["lost"]
    await service.record(report(tokens=40))
    at(NOON + timedelta(hours=1))
    assert (await meters.report())["waiting"] == 1
    assert (await meters.counts(APP))["waiting"] == 1
    at(NOON + timedelta(hours=2))
    assert (await meters.report())["sent"] == 1
    assert len(bank.asked) == 2 and len({one["identifier"] for one in bank.asked}) == 1
    assert bank.sums() == {("tokens", "cus_usr_ada"): 40}


async def test_f255_a_service_that_is_away_is_asked_less_often_and_then_gets_everything(bank, at):
    for number in range(6):
        await customer(f"usr_{number}", "pro")
        await service.record(report(f"usr_{number}", 10 + number))
    bank.moods = ["down"] * 12
    at(NOON + timedelta(hours=1))
    for _ in range(4):
        assert (await meters.report())["sent"] == 0
    assert len(bank.asked) < 12, "what failed just now waits"
    bank.moods = []
    at(NOON + timedelta(hours=3))
    assert (await meters.report())["sent"] == 6
    assert bank.sums() == {("tokens", f"cus_usr_{number}"): 10 + number for number in range(6)}


async def test_f255_a_process_that_dies_while_it_tells_leaves_the_report_to_the_next(bank, at, monkeypatch):
    await service.record(report(tokens=9))
    at(NOON + timedelta(hours=1))

    async def dies(_):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(billing, "report_usage", dies)
        with pytest.raises(asyncio.CancelledError):
            await meters.report()
    await service.record(report(tokens=5, event_ts=NOON.isoformat()))  # must not change what may have been counted
    at(NOON + timedelta(hours=2))
    await meters.report()
    assert sorted(int(one["payload[value]"]) for one in bank.told.values()) == [5, 9]


async def test_f255_writers_and_a_reporter_side_by_side_lose_and_double_nothing(bank, at, monkeypatch):
    """The hour is over for the reporter all the while: calls arrive before, within and after each time it is told."""
    monkeypatch.setattr(meters, "SETTLE", timedelta(0))
    reported = asyncio.Event()

    async def write(number):
        if number >= 40:
            await reported.wait()
        await service.record(report(tokens=number + 1, event_ts=NOON.isoformat()))

    async def tell():
        for _ in range(5):
            await meters.report()
            reported.set()

    at(NOON + timedelta(hours=2))
    failures = [one for one in await gather(*(write(number) for number in range(60)), tell()) if one is not None]
    assert failures == []
    at(NOON + timedelta(hours=4))
    await meters.report()
    spent = (await total(Scope(APP, "usr_ada"), Span())).completion_tokens
    assert bank.sums() == {("tokens", "cus_usr_ada"): spent} and spent == sum(range(1, 61))
    assert (await meters.counts(APP))["waiting"] == 0


async def test_f255_a_meter_counts_what_the_file_says_for_the_plans_and_models_it_names(bank, configure, at):
    bank.meters = {"tokens", "read", "written", "calls", "micros", "team", "other"}
    configure(
        prices=PRICES,
        meters=[
            TOKENS, {"event_name": "read", "counts": "input_tokens"}, {"event_name": "written", "counts": "output_tokens"},
            {"event_name": "calls", "counts": "calls"}, {"event_name": "micros", "counts": "cost_micros", "models": ["fam*"]},
            {"event_name": "team", "plans": ["team"]}, {"event_name": "other", "models": ["other-*"]},
        ],
    )  # fmt: skip
    await customer("usr_tim", "team")
    for user, model in (("usr_ada", "known"), ("usr_ada", "fam-1"), ("usr_tim", "other-1")):
        await service.record(report(user, 20, prompt_tokens=100, model=model))
    at(NOON + timedelta(hours=1))
    await meters.report()
    ada, tim = "cus_usr_ada", "cus_usr_tim"
    assert bank.sums() == {
        ("tokens", ada): 240, ("read", ada): 200, ("written", ada): 40, ("calls", ada): 2, ("micros", ada): 140,
        ("tokens", tim): 120, ("read", tim): 100, ("written", tim): 20, ("calls", tim): 1, ("team", tim): 120,
        ("other", tim): 120,
    }  # fmt: skip


async def test_f255_what_is_refused_waits_for_an_operator_who_hears_of_it_once(bank, at, monkeypatch):
    monkeypatch.setattr(jobs._People, "resolve", None)
    root = await register("root", "correct horse battery", "root@example.com", "Root")
    bank.meters = set()
    for hours in (0, 1):
        await service.record(report(tokens=5, event_ts=(NOON - timedelta(hours=hours)).isoformat()))
    at(NOON + timedelta(hours=1))
    assert (await meters.report())["failed"] == 2
    at(NOON + timedelta(hours=9))
    assert (await meters.report())["failed"] == 0 and len(bank.asked) == 2, "it is not tried again by itself"
    await work()
    notes, _ = await notifications.listing(Scope(APP, root.id))
    assert [one.title for one in notes] == ["Use could not be billed"]

    first, second = await meters.listing(APP, "failed")
    assert "No active meter" in first.error
    api = FastAPI()
    install(api)
    api.include_router(routes.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://shell") as web:
        set_principal(Principal("usr_ada", APP, roles=frozenset({"user"})))
        assert (await web.get("/api/usage/reports")).status_code == 403
        assert (await web.post(f"/api/usage/reports/{first.id}/send")).status_code == 403
        set_principal(Principal(root.id, APP, roles=frozenset({"admin"})))
        told = (await web.get("/api/usage/reports?state=failed")).json()
        assert (told["failed"], [one["id"] for one in told["reports"]]) == (2, [first.id, second.id])
        bank.meters = {"tokens"}
        assert (await web.post(f"/api/usage/reports/{first.id}/send")).json() == {"id": first.id, "state": "waiting"}
        assert (await web.post(f"/api/usage/reports/{second.id}/drop")).json() == {"id": second.id, "state": "dropped"}
        for act in ("send", "drop"):
            assert (await web.post(f"/api/usage/reports/{second.id}/{act}")).status_code == 404
        stranger = Principal("usr_x", "other-app", roles=frozenset({"admin"}))
        set_principal(stranger)
        assert (await web.get("/api/usage/reports")).json()["reports"] == []
        set_principal(None)
    assert (await meters.report())["sent"] == 1
    assert list(bank.told) == [first.id] and (await meters.counts(APP)) == {"waiting": 0, "sent": 1, "failed": 0, "dropped": 1}


def delivered(payload):
    """Stripe posts an event to us, signed with the webhook's secret."""
    api = FastAPI()
    install(api)
    api.include_router(billing_routes.router)
    web = httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://shell")
    body = json.dumps(payload)
    header = stripe.WebhookSignature.generate_signature_header(body, "whsec_test")
    return web.post("/api/billing/webhook/stripe", content=body, headers={"stripe-signature": header})


async def work():
    worker = jobs.Worker()
    while await worker.step():
        pass


async def test_f255_what_was_taken_and_refused_later_waits_for_an_operator_and_goes_under_a_new_name(bank, at, monkeypatch):
    monkeypatch.setattr(jobs._People, "resolve", None)
    root = await register("root", "correct horse battery", "root@example.com", "Root")
    for hours, tokens in ((0, 5), (1, 70)):
        await service.record(report(tokens=tokens, event_ts=(NOON - timedelta(hours=hours)).isoformat()))
    at(NOON + timedelta(hours=1))
    assert (await meters.report())["sent"] == 2
    bad = next(one for one in bank.told.values() if one["payload[value]"] == "70")
    event = bank.refuses("evt_test_1", bad["identifier"])
    answers = [await delivered(event) for _ in range(2)]
    assert [(one.status_code, one.json()["outcome"]) for one in answers] == [(200, "applied"), (200, "duplicate")]
    assert await meters.counts(APP) == {"waiting": 0, "sent": 1, "failed": 1, "dropped": 0}
    (failed,) = await meters.listing(APP, "failed")
    assert failed.id == bad["identifier"] and "stripe_customer_id not found" in failed.error
    assert "meter_event_no_customer_defined" in failed.error and meters.as_json(failed)["state"] == "failed"
    await work()
    notes, _ = await notifications.listing(Scope(APP, root.id))
    assert [one.title for one in notes] == ["Use could not be billed"]
    at(NOON + timedelta(hours=9))
    assert (await meters.report())["sent"] == 0 and len(bank.asked) == 2, "it is not tried again by itself"

    assert await meters.send_again(APP, failed.id)
    assert not await meters.send_again(APP, failed.id), "once is enough"
    bank.moods = ["down"]
    assert (await meters.report())["waiting"] == 1
    at(NOON + timedelta(hours=11))
    assert (await meters.report())["sent"] == 1
    again = [one for one in bank.asked if one["payload[value]"] == "70"]
    assert len({one["identifier"] for one in again}) == 2 and len({one["timestamp"] for one in again}) == 1
    assert bank.sums() == {("tokens", "cus_usr_ada"): 75}
    assert await meters.counts(APP) == {"waiting": 0, "sent": 2, "failed": 0, "dropped": 0}
    await service.record(report(tokens=1, event_ts=(NOON - timedelta(hours=1)).isoformat()))  # one more part of the same hour
    at(NOON + timedelta(hours=13))
    assert (await meters.report())["sent"] == 1 and bank.sums() == {("tokens", "cus_usr_ada"): 76}


async def test_f255_refusals_that_are_not_named_are_told_to_administrators_with_their_number(bank, at, monkeypatch):
    monkeypatch.setattr(jobs._People, "resolve", None)
    root = await register("root", "correct horse battery", "root@example.com", "Root")
    await service.record(report(tokens=5))
    at(NOON + timedelta(hours=1))
    await meters.report()
    (told,) = bank.told
    assert (await delivered(bank.refuses("evt_1", told, count=4))).status_code == 200
    await work()
    (note,), _ = await notifications.listing(Scope(APP, root.id))
    assert "3" in note.message and "without naming" in note.message
    assert await meters.drop(APP, told) and (await meters.counts(APP))["dropped"] == 1


async def test_f255_a_refusal_whose_details_cannot_be_read_is_delivered_again_by_stripe(bank, at):
    await service.record(report(tokens=5))
    at(NOON + timedelta(hours=1))
    await meters.report()
    (told,) = bank.told
    event = bank.refuses("evt_1", told)
    kept = bank.reports.pop("evt_1")
    assert (await delivered(event)).status_code == 502
    assert (await meters.counts(APP))["failed"] == 0
    bank.reports["evt_1"] = kept
    assert (await delivered(event)).json() == {"outcome": "applied"}
    assert (await meters.counts(APP))["failed"] == 1
    forged = await delivered({**event, "id": "evt_2"})
    assert forged.status_code == 502, "an event Stripe does not know has no effect"


async def test_f255_a_process_that_dies_between_the_refusal_and_the_books_loses_nothing(bank, at, monkeypatch):
    await service.record(report(tokens=5))
    at(NOON + timedelta(hours=1))
    await meters.report()
    (told,) = bank.told

    async def dies(_):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(events, "publish", dies)
        with contextlib.suppress(asyncio.CancelledError):
            await delivered(bank.refuses("evt_1", told))
    assert (await meters.counts(APP))["failed"] == 0
    at(NOON + timedelta(hours=2))
    assert await outbox.redeliver(APP, "chat.usage", service.REFUSED) == 0
    assert (await meters.counts(APP))["failed"] == 1


async def test_f255_what_may_have_been_counted_a_day_ago_is_not_told_again_by_itself(bank, at):
    bank.moods = ["lost"]
    await service.record(report(tokens=5))
    at(NOON + timedelta(hours=1))
    await meters.report()
    at(NOON + timedelta(hours=25))
    assert (await meters.report())["failed"] == 1 and len(bank.asked) == 1
    (one,) = await meters.listing(APP, "failed")
    assert "no certain answer" in one.error


async def test_f255_health_names_a_meter_that_stripe_does_not_have(bank, configure):
    assert await billing.health() == (True, "2 plans can be bought")
    configure(meters=[TOKENS, {"event_name": "missing"}])
    assert await billing.health() == (False, "no active meter at Stripe has the event_name missing")


async def test_f255_without_meters_or_with_a_provider_that_has_none_nothing_is_kept(bank, configure, at):
    configure(meters=[])
    await service.record(report(tokens=5))
    configure(meters=[TOKENS], MOZAIKS_BILLING_PROVIDER="manual")
    await service.record(report(tokens=5))
    assert await meters.listing(APP) == []
