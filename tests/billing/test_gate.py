"""The gate: every stored plan and status against every access, and the moment paid things end."""

from datetime import UTC, datetime, timedelta

import pytest

from mozaiks_shell.billing import ledger, service
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.billing.standing import end_of_cycle
from mozaiks_shell.foundation.access import Access, Decision, Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses")
ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses")
RANK = {"free": 0, "pro": 1, "team": 2, "forever": 3}
LATER, EARLIER = timedelta(days=3), timedelta(days=-3)


async def give(plan, status="active", end=None, cancel=False, person=ADA, provider="manual"):
    scope = Scope(person.app_id, person.user_id)
    truth = Truth(plan, status, now() + end if end else None, cancel)
    await ledger.write(scope, await ledger.read(scope), truth, provider=provider, actor="test")


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize("end", [None, LATER, EARLIER])
@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "canceled", "inactive"])
@pytest.mark.parametrize("plan", ["free", "pro", "team"])
async def test_every_standing_against_every_plan(database, configure, plan, status, end, cancel):
    configure()
    await give(plan, status, end, cancel)
    counts = plan if status in {"active", "trialing", "past_due"} and end != EARLIER else "free"
    assert (await service.plan_of(ADA)).name == counts
    for wanted in ("free", "pro", "team"):
        allowed = RANK[counts] >= RANK[wanted]
        expected = Decision(True) if allowed else Decision(False, "plan", wanted.title())
        assert await service.authorize(ADA, Access.plan(wanted)) == expected


async def test_needed_is_the_lowest_plan_that_opens_it(database, configure):
    configure()
    assert (await service.authorize(ADA, Access.plan("team", "pro"))).needed == "Pro"


async def test_a_plan_the_catalogue_does_not_have_opens_for_nobody(database, configure):
    configure()
    await give("forever")
    assert await service.authorize(ADA, Access.plan("platinum")) == Decision(False, "plan", "Platinum")


async def test_a_plan_taken_out_of_the_catalogue_counts_as_the_default(database, configure):
    configure()
    await give("vanished")
    view = await service.plan_of(ADA)
    assert (view.name, view.status) == ("free", "inactive")


async def test_a_new_person_has_the_default_plan(database, configure):
    configure()
    assert (await service.plan_of(ADA)).name == "free"
    assert (await service.authorize(ADA, Access.plan("free"))).allowed


async def test_administrators_hold_roles_but_no_plan(database, configure):
    configure()
    assert (await service.authorize(ROOT, Access.role("support"))).allowed
    assert not (await service.authorize(ROOT, Access.plan("pro"))).allowed


async def test_nobody_is_asked_to_sign_in_first(database, configure):
    configure()
    assert (await service.authorize(None, Access.plan("pro"))).reason == "sign_in"
    assert (await service.authorize(None, Access.public())).allowed


async def test_without_billing_no_plan_gates(database, configure):
    configure(MOZAIKS_BILLING_PROVIDER="none")
    assert (await service.authorize(ADA, Access.plan("team"))).allowed
    assert (await service.plan_of(ADA)).name == "unlimited"
    assert (await service.plugin_allowed(ADA, "reports", Access.signed_in())).allowed
    assert (await service.authorize(None, Access.plan("team"))).reason == "sign_in"


async def test_access_ends_at_the_right_moment(database, configure, monkeypatch):
    configure()
    await give("pro", end=timedelta(days=1), cancel=True)
    end = (await service.plan_of(ADA)).ends_at
    for moment, allowed in ((end - timedelta(seconds=1), True), (end, False)):
        monkeypatch.setattr(service, "now", lambda moment=moment: moment)
        assert (await service.authorize(ADA, Access.plan("pro"))).allowed is allowed


async def test_a_renewing_subscription_survives_a_late_webhook_by_an_hour(database, configure, monkeypatch):
    configure()
    await give("pro", end=timedelta(days=1), provider="stripe")
    end = (await service.plan_of(ADA)).renews_at
    for moment, allowed in ((end + timedelta(minutes=59), True), (end + timedelta(minutes=61), False)):
        monkeypatch.setattr(service, "now", lambda moment=moment: moment)
        assert (await service.authorize(ADA, Access.plan("pro"))).allowed is allowed


async def test_many_decisions_agree_with_single_ones(database, configure):
    configure()
    await give("pro")
    wanted = [Access.public(), Access.signed_in(), Access.role("admin"), Access.plan("free"), Access.plan("team")]
    for person in (None, ADA, ROOT):
        assert await service.authorize_all(person, wanted) == [await service.authorize(person, one) for one in wanted]


@pytest.mark.parametrize(
    ("plan", "plugin", "declared", "allowed", "needed"),
    [
        ("free", "notes", Access.signed_in(), True, ""),
        ("free", "reports", Access.signed_in(), False, "Pro"),
        ("pro", "reports", Access.signed_in(), True, ""),
        ("team", "reports", Access.signed_in(), True, ""),
        ("free", "notes", Access.plan("team"), False, "Team"),
        ("team", "notes", Access.plan("pro"), True, ""),
        ("team", "notes", Access.role("admin"), False, "admin"),
        ("pro", "reports", Access.plan("team"), False, "Team"),
    ],
)
async def test_plugins_open_by_declaration_and_catalogue(database, configure, plan, plugin, declared, allowed, needed):
    configure()
    await give(plan)
    decision = await service.plugin_allowed(ADA, plugin, declared)
    assert (decision.allowed, decision.needed) == (allowed, needed)


async def test_a_mentioned_plugin_is_never_open_to_strangers(database, configure):
    configure()
    assert (await service.plugin_allowed(None, "reports", Access.public())).reason == "sign_in"
    assert (await service.plugin_allowed(None, "notes", Access.public())).allowed


@pytest.mark.parametrize(
    ("started", "cycle", "moment", "end"),
    [
        ("2026-01-31T10:00", "monthly", "2026-02-10T00:00", "2026-02-28T10:00"),
        ("2026-01-31T10:00", "monthly", "2026-02-28T10:00", "2026-03-31T10:00"),
        ("2024-02-29T00:00", "yearly", "2025-01-01T00:00", "2025-02-28T00:00"),
        ("2026-12-15T00:00", "monthly", "2026-12-15T00:00", "2027-01-15T00:00"),
        ("2026-03-01T00:00", "weekly", "2026-03-09T00:00", "2026-03-15T00:00"),
        ("2026-03-01T00:00", "daily", "2026-03-01T23:59", "2026-03-02T00:00"),
        ("2026-03-01T00:00", "lifetime", "2026-03-05T00:00", "2026-03-05T00:00"),
    ],
)
def test_periods_are_counted_from_the_start(started, cycle, moment, end):
    at = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (started, moment, end)]
    assert end_of_cycle(at[0], cycle, at[1]) == at[2]
