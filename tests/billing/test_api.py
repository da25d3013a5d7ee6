"""The API as it is served: catalogue, my plan, switching, cancelling, history, administrators; then checkout with Stripe."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mozaiks_shell.billing import ledger, service, subscriptions
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope


async def test_the_catalogue_is_public_without_price_ids(anonymous, configure):
    configure()
    answer = await anonymous.get("/api/subscription-plans")
    assert answer.status_code == 200 and "price_pro" not in answer.text
    assert [plan["name"] for plan in answer.json()["subscription_plans"]] == ["free", "pro", "team", "forever"]


async def test_everything_else_needs_a_session(anonymous, configure):
    configure()
    assert (await anonymous.get("/api/user-subscription")).status_code == 401
    for path in ("update-subscription", "cancel-subscription", "billing/checkout", "billing/portal", "billing/users/u/plan"):
        assert (await anonymous.post(f"/api/{path}", json={"plan": "pro", "new_plan": "pro"})).status_code == 401


async def test_a_new_person_has_the_default_plan(sign_up, configure):
    configure()
    ada = await sign_up("ada")
    assert await ada.plan() == {
        "user_id": ada.principal.user_id, "plan": "free", "display_name": "Free", "billing_cycle": "monthly", "status": "active",
        "is_trial": False, "trial_info": None, "next_billing_date": None, "cancel_at_period_end": False, "access_until": None,
        "updated_at": None, "provider": "manual",
    }  # fmt: skip


async def test_people_cannot_give_themselves_a_plan(sign_up, configure):
    configure()
    await sign_up("root")
    ada = await sign_up("ada")
    refused = await ada.post("/api/update-subscription", new_plan="team")
    assert (refused.status_code, refused.json()["code"]) == (403, "PLAN_SET_BY_ADMIN")
    assert (await ada.post(f"/api/billing/users/{ada.principal.user_id}/plan", plan="team")).status_code == 403
    assert (await ada.post("/api/billing/checkout", plan="team")).json()["code"] == "NOT_FOR_SALE"
    assert (await ada.post("/api/billing/portal")).json()["code"] == "NOT_FOR_SALE"
    assert (await ada.plan())["plan"] == "free"


async def test_an_administrator_sets_plans_and_the_history_is_true(sign_up, configure):
    configure()
    seen = []
    events.subscribe("subscription.updated")(listener := _collect(seen))
    root, ada = await sign_up("root"), await sign_up("ada")
    for plan in ("pro", "team"):
        given = await root.post(f"/api/billing/users/{ada.principal.user_id}/plan", plan=plan)
        assert given.status_code == 200, given.text
    events._listeners["subscription.updated"].remove(listener)
    steps = (await ada.get("/api/billing/history")).json()["history"]
    assert [(step["previous_plan"], step["new_plan"], step["actor"]) for step in steps] == [
        ("pro", "team", root.principal.user_id),
        ("free", "pro", root.principal.user_id),
    ]
    assert [(one.user_id, one.data["previous_plan"], one.data["plan"]) for one in seen] == [
        (ada.principal.user_id, "free", "pro"),
        (ada.principal.user_id, "pro", "team"),
    ]
    assert (await root.get("/api/billing/history")).json() == {"history": []}


def _collect(seen):
    async def listener(event):
        seen.append(event)

    return listener


async def test_an_administrator_is_told_about_a_wrong_name(sign_up, configure):
    configure()
    root = await sign_up("root")
    assert (await root.post("/api/billing/users/usr_nobody/plan", plan="pro")).status_code == 404
    wrong = await root.post(f"/api/billing/users/{root.principal.user_id}/plan", plan="gold")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "NO_SUCH_PLAN")
    assert (await root.post("/api/update-subscription", new_plan=["pro"])).status_code == 422


async def test_a_plan_until_a_date_ends_then(sign_up, configure, monkeypatch):
    configure()
    root = await sign_up("root")
    until = datetime.now(UTC) + timedelta(days=10)
    given = await root.post(f"/api/billing/users/{root.principal.user_id}/plan", plan="pro", until=until.isoformat())
    assert given.status_code == 200, given.text
    assert (await root.plan())["access_until"] == until.isoformat()
    monkeypatch.setattr(subscriptions, "now", lambda: until)
    after = await root.plan()
    assert (after["plan"], after["status"]) == ("free", "inactive")


async def test_cancelling_keeps_access_to_the_end_of_the_cycle(sign_up, configure, monkeypatch):
    configure()
    root = await sign_up("root")
    assert (await root.post("/api/update-subscription", new_plan="pro")).json()["plan"] == "pro"
    cancelled = (await root.post("/api/cancel-subscription")).json()
    end = datetime.fromisoformat(cancelled["access_until"])
    assert cancelled["plan"] == "pro" and cancelled["cancel_at_period_end"] and end - now() > timedelta(days=27)
    assert (await service.authorize(root.principal, Access.plan("pro"))).allowed
    again = await root.post("/api/cancel-subscription")
    assert (again.status_code, again.json()["code"]) == (409, "NOTHING_TO_CANCEL")
    monkeypatch.setattr(subscriptions, "now", lambda: end)
    monkeypatch.setattr(service, "now", lambda: end)
    after = await root.plan()
    assert (after["plan"], after["status"]) == ("free", "canceled")
    assert not (await service.authorize(root.principal, Access.plan("pro"))).allowed


async def test_a_trial_counts_down(sign_up, configure, monkeypatch):
    configure()
    ada = await sign_up("ada")
    end = now() + timedelta(days=5, minutes=1)
    scope = Scope(ada.principal.app_id, ada.principal.user_id)
    await ledger.write(scope, None, Truth("pro", "trialing", end), provider="manual", actor="test")
    assert (await ada.plan())["trial_info"] == {"days_remaining": 6, "end_date": end.isoformat()}
    monkeypatch.setattr(subscriptions, "now", lambda: end - timedelta(hours=2))
    assert (await ada.plan())["trial_info"] == {"days_remaining": 1, "end_date": end.isoformat()}


async def test_simultaneous_changes_all_count_and_none_is_lost(sign_up, configure):
    configure()
    root, ada = await sign_up("root"), await sign_up("ada")
    path = f"/api/billing/users/{ada.principal.user_id}/plan"
    answers = await asyncio.gather(*(root.post(path, plan=plan) for plan in ["pro", "team"] * 3))
    assert {one.status_code for one in answers} == {200}
    steps = list(reversed((await ada.get("/api/billing/history")).json()["history"]))
    assert steps[0]["previous_plan"] == "free"
    for before, after in zip(steps, steps[1:], strict=False):
        assert before["new_plan"] == after["previous_plan"]
    assert (await ada.plan())["plan"] == steps[-1]["new_plan"]


async def test_checkout_names_the_person_once(sign_up, books):
    ada = await sign_up("ada")
    answers = await asyncio.gather(*(ada.post("/api/billing/checkout", plan="pro") for _ in range(4)))
    assert len({one.json()["url"] for one in answers}) == 1
    assert len(books.customers) == 1
    made = books.sent("/v1/checkout/sessions")[0]
    assert made["line_items[0][price]"] == "price_pro" and made["mode"] == "subscription" and made["customer"] == "cus_1"
    about = {"user_id": ada.principal.user_id, "app_id": "dev-app", "plan": "pro"}
    for key, value in about.items():
        assert made[f"metadata[{key}]"] == made[f"subscription_data[metadata][{key}]"] == value
    assert made["success_url"].startswith("http://localhost:3000/plans?checkout=success")
    keys = {key for method, path, _, key in books.calls if path == "/v1/checkout/sessions"}
    assert len(keys) == 1 and keys != {""}
    assert (await ada.plan())["plan"] == "free" and (await ada.get("/api/billing/history")).json() == {"history": []}


async def test_update_answers_with_the_checkout(sign_up, books):
    ada = await sign_up("ada")
    answer = await ada.post("/api/update-subscription", new_plan="team")
    assert answer.json() == {"checkout_url": "https://pay.example/cs_1"}


async def test_a_trial_is_given_once(sign_up, books, stripe_mode):
    stripe_mode(books.url, rules={"trial_plan": "pro", "trial_period_days": 14})
    ada = await sign_up("ada")
    await ada.post("/api/billing/checkout", plan="pro")
    assert books.sent("/v1/checkout/sessions")[-1]["subscription_data[trial_period_days]"] == "14"
    books.subscribe("cus_1", status="trialing")
    assert await service.reconcile(ada.principal)
    books.subscriptions["sub_1"]["status"] = "canceled"
    assert await service.reconcile(ada.principal)
    await ada.post("/api/billing/checkout", plan="pro")
    assert "subscription_data[trial_period_days]" not in books.sent("/v1/checkout/sessions")[-1]


async def test_who_pays_already_switches_instead_of_paying_twice(sign_up, books):
    ada = await sign_up("ada")
    await ada.post("/api/billing/checkout", plan="pro")
    books.subscribe("cus_1")
    await service.reconcile(ada.principal)
    same = await ada.post("/api/billing/checkout", plan="pro")
    assert (same.status_code, same.json()["code"]) == (409, "SAME_PLAN")
    switched = await ada.post("/api/billing/checkout", plan="team")
    assert switched.json()["url"] == "https://portal.example/cus_1"
    flow = books.sent("/v1/billing_portal/sessions")[0]
    assert flow["flow_data[subscription_update_confirm][items][0][price]"] == "price_team"
    assert flow["flow_data[subscription_update_confirm][subscription]"] == "sub_1"
    assert len(books.sent("/v1/checkout/sessions")) == 1


async def test_the_portal_is_only_ever_ones_own(sign_up, books):
    ada, eve = await sign_up("ada"), await sign_up("eve")
    assert (await ada.post("/api/billing/portal")).status_code == 409
    await ada.post("/api/billing/checkout", plan="pro")
    await eve.post("/api/billing/checkout", plan="pro")
    assert (await ada.post("/api/billing/portal", customer="cus_2")).json()["url"] == "https://portal.example/cus_1"
    assert (await eve.post("/api/billing/portal")).json()["url"] == "https://portal.example/cus_2"


async def test_cancelling_asks_stripe_and_keeps_the_period(sign_up, books):
    ada = await sign_up("ada")
    await ada.post("/api/billing/checkout", plan="pro")
    books.subscribe("cus_1")
    await service.reconcile(ada.principal)
    cancelled = (await ada.post("/api/cancel-subscription")).json()
    assert cancelled["plan"] == "pro" and cancelled["cancel_at_period_end"]
    assert cancelled["access_until"] == "2100-01-01T00:00:00+00:00" and cancelled["next_billing_date"] is None
    assert books.subscriptions["sub_1"]["cancel_at_period_end"]
    assert (await ada.post("/api/billing/checkout", plan="pro")).json()["url"] == "https://portal.example/cus_1"


@pytest.mark.parametrize(("plan", "code"), [("free", "NOT_FOR_SALE"), ("team", "NOT_FOR_SALE"), ("gold", "NO_SUCH_PLAN")])
async def test_what_is_not_for_sale_is_refused(sign_up, books, stripe_mode, plan, code):
    stripe_mode(books.url, prices={"pro": "price_pro"})
    ada = await sign_up("ada")
    assert (await ada.post("/api/billing/checkout", plan=plan)).json()["code"] == code


async def test_plans_are_not_set_by_hand_where_they_are_sold(sign_up, books):
    root = await sign_up("root")
    answer = await root.post(f"/api/billing/users/{root.principal.user_id}/plan", plan="pro")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_MANUAL")


async def test_stripe_down_is_said_and_changes_nothing(sign_up, books):
    ada = await sign_up("ada")
    books.broken = True
    answer = await ada.post("/api/billing/checkout", plan="pro")
    assert (answer.status_code, answer.json()["code"]) == (502, "PAYMENT_SERVICE")
    assert (await ada.plan())["plan"] == "free"


async def test_health_names_the_price_that_is_missing(books, stripe_mode):
    assert (await service.health())[0]
    stripe_mode(books.url, prices={"pro": "price_gone"})
    ok, detail = await service.health()
    assert not ok and "price of pro" in detail
    stripe_mode(books.url, prices={})
    assert await service.health() == (False, "no plan of the catalogue has a stripe_price_id, so nothing can be bought")
