"""F-191, F-251, F-252: the API of usage, the file, the frames of the ticker; nobody sees what is not theirs."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.foundation import events, live
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.usage import export, ledger, routes, service
from tests.usage.conftest import APP, PRICES, report

ADA, EVE = Principal("usr_ada", APP, roles=frozenset({"user"})), Principal("usr_eve", APP, roles=frozenset({"user"}))
ROOT = Principal("usr_root", APP, roles=frozenset({"admin"}))


@pytest.fixture
async def api(as_person):
    """``await api(person, path)``: the answer as this person gets it."""
    app = FastAPI()
    install(app)
    app.include_router(routes.router)

    async def ask(person, path):
        set_principal(person)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shell") as client:
            return await client.get(path)

    return ask


@pytest.fixture
async def spent(ledger_db, configure):
    """Calls of two people on three days."""
    configure(prices=PRICES, budgets={"app": {"limit": 10_000}, "default": {"limit": 1000}})
    for user, tokens, days, model, workflow in (
        ("usr_ada", 100, 0, "known", "W"), ("usr_ada", 50, 1, "known", "X"), ("usr_ada", 7, 30, "unknown", "W"),
        ("usr_eve", 40, 0, "known", "W"),
    ):  # fmt: skip
        made = (now() - timedelta(days=days)).isoformat()
        await service.record(report(user, tokens, model=model, workflow=workflow, event_ts=made))


async def test_f251_people_see_their_own_and_owners_the_whole_app(spent, api):
    own = (await api(ADA, "/api/usage?group_by=workflow")).json()
    assert (own["total_tokens"], own["calls"], own["cost"], own["unpriced_calls"]) == (157, 3, "0.00009", 1)
    assert [(one["key"], one["total_tokens"]) for one in own["groups"]] == [("W", 107), ("X", 50)]
    whole = (await api(ROOT, f"/api/app/usage/{APP}?group_by=person")).json()
    assert {one["key"]: one["total_tokens"] for one in whole["groups"]} == {"usr_ada": 157, "usr_eve": 40}
    assert whole["total_tokens"] == 197 and [one["scope"] for one in whole["budgets"]] == ["app"]
    assert (await api(ROOT, "/api/usage/app")).json()["total_tokens"] == 197


async def test_f255_an_invoice_preview_of_the_month_by_model_and_of_nobody_else(ledger_db, configure, api, at):
    at(datetime(2026, 7, 20, 12, tzinfo=UTC))
    configure(prices=PRICES, meters=[{"event_name": "tokens"}])
    for user, tokens, model, when in (
        ("usr_ada", 100, "known", "2026-07-01T00:00:00+00:00"), ("usr_ada", 50, "fam-big-1", "2026-07-19T12:00:00+00:00"),
        ("usr_ada", 20, "known", "2026-07-20T11:00:00+00:00"), ("usr_ada", 7, "unknown", "2026-07-20T11:00:00+00:00"),
        ("usr_ada", 900, "known", "2026-06-30T23:59:59+00:00"), ("usr_eve", 40, "known", "2026-07-02T12:00:00+00:00"),
    ):  # fmt: skip
        await service.record(report(user, tokens, model=model, event_ts=when, prompt_tokens=1000))
    told = (await api(ADA, "/api/usage/invoice")).json()
    assert (told["from"], told["until"]) == ("2026-07-01T00:00:00+00:00", "2026-08-01T00:00:00+00:00")
    lines = [(one["model"], one["prompt_tokens"], one["completion_tokens"], one["cost"]) for one in told["lines"]]
    assert lines == [("fam-big-1", 1000, 50, "0.011"), ("known", 2000, 120, "0.000372"), ("unknown", 1000, 7, "0")]
    assert (told["cost"], told["unpriced_calls"], told["currency"], told["billed"]) == ("0.011372", 1, "USD", False)
    assert Decimal(told["cost"]) == sum(Decimal(one["cost"]) for one in told["lines"])
    whole = (await api(ROOT, "/api/usage/app/invoice")).json()
    assert (whole["cost"], whole["billed"]) == ("0.011546", True)
    assert (await api(ADA, "/api/usage/app/invoice")).status_code == 403
    assert (await api(None, "/api/usage/invoice")).status_code == 401
    stranger = Principal("usr_ada", "other-app", roles=frozenset({"admin"}))
    assert (await api(stranger, "/api/usage/app/invoice")).json()["lines"] == []


async def test_f251_tenants_and_people_are_kept_apart(spent, api):
    for person, path, status in (
        (ADA, f"/api/app/usage/{APP}", 403), (ADA, "/api/usage/app", 403), (ADA, "/api/usage/app/export.csv", 403),
        (ROOT, "/api/app/usage/other-app", 404), (None, "/api/usage", 401), (None, "/api/usage/export.csv", 401),
    ):  # fmt: skip
        assert (await api(person, path)).status_code == status, path
    stranger = Principal("usr_ada", "other-app", roles=frozenset({"admin"}))
    assert (await api(stranger, "/api/usage/app")).json()["total_tokens"] == 0
    assert (await api(stranger, "/api/app/usage/other-app")).json()["total_tokens"] == 0
    assert (await api(EVE, "/api/usage/chats/chat-usr_ada")).json()["total_tokens"] == 0
    assert (await api(ADA, "/api/usage/chats/chat-usr_ada")).json()["total_tokens"] == 157


async def test_f251_a_time_can_be_asked_for(spent, api):
    today = now().date()
    for query, tokens in (
        ("period=today", 100), (f"from={today - timedelta(days=1)}", 150), (f"to={today - timedelta(days=2)}", 7),
        (f"from={today - timedelta(days=1)}&to={today - timedelta(days=1)}", 50), ("period=all", 157),
    ):  # fmt: skip
        assert (await api(ADA, f"/api/usage?{query}")).json()["total_tokens"] == tokens, query
    days = (await api(ADA, "/api/usage?group_by=day")).json()["groups"]
    assert [(one["key"], one["total_tokens"]) for one in days][-2:] == [(str(today - timedelta(days=1)), 50), (str(today), 100)]
    for bad in ("from=0001-01-01", "to=9999-12-31", "from=2026-02-02&to=2026-02-01", "period=week", "group_by=secret", "from=x"):
        assert (await api(ADA, f"/api/usage?{bad}")).status_code == 422, bad


async def test_f253_the_state_of_budgets_and_the_apps_figures_for_admins_only(spent, api):
    mine, whole = (await api(ADA, "/api/usage/budget")).json()["budgets"]
    month = mine["used"]  # calls of days ago may lie in the month before
    assert (mine["scope"], mine["limit"], mine["remaining"], mine["enforcement"]) == (
        "person",
        1000,
        1000 - month - mine["reserved"],
        "hard",
    )
    assert datetime.fromisoformat(mine["resets_at"]) > now()
    assert (whole["scope"], whole["exhausted"]) == ("app", False)
    assert "used" not in whole and "limit" not in whole
    assert (await api(ROOT, "/api/usage/budget")).json()["budgets"][1]["limit"] == 10_000


async def test_f252_the_file_sums_to_what_the_page_says_and_no_spreadsheet_runs_it(spent, api, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 2)
    for number, name in enumerate(['=HYPERLINK("http://x")', "+1", "-1+1", "@SUM(A1)", "\t=1", " =1", 'Bob, "B"']):
        await service.record(report(tokens=number, agent=name, model="known"))
    answer = await api(ADA, "/api/usage/export.csv")
    assert answer.headers["content-type"].startswith("text/csv") and "attachment" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    page = (await api(ADA, "/api/usage")).json()
    assert sum(int(one["total_tokens"]) for one in lines) == page["total_tokens"]
    assert sum(Decimal(one["cost"] or 0) for one in lines) == Decimal(page["cost"]) and len(lines) == page["calls"] == 10
    assert {one["person"] for one in lines} == {"usr_ada"}
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for one in lines for cell in one.values())
    assert 'Bob, "B"' in {one["agent"] for one in lines}
    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)


async def test_f252_a_long_file_is_read_a_page_at_a_time(database):
    for number in range(25):
        await ledger.write(report(event_id=f"e{number}", event_ts=(now() - timedelta(hours=number // 5)).isoformat()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "PAGE", 4)
        pieces = [piece async for piece in export.lines(routes.Scope(APP, "usr_ada"), routes.Span())]
    assert len(pieces) == 8
    assert len({line.split(",")[13] for piece in pieces[1:] for line in piece.splitlines()}) == 25


async def test_f191_the_ticker_rises_with_each_frame_and_ends_at_the_sum(database, api):
    told: list[Event] = []

    @events.subscribe("usage.recorded")
    async def listener(event):
        told.append(event)

    tab, other = live.open_tab(APP, "usr_ada"), live.open_tab(APP, "usr_eve")
    try:
        sums, summaries = 0, []
        for tokens in (5, 6, 7):
            await service.record(report(tokens=tokens, chat_id="c", model="m"))
            delta, summary = [json.loads(frame) for frame in await tab.take()]
            assert (delta["type"], summary["type"]) == ("chat.usage_delta", "chat.usage_summary")
            sums += delta["data"]["total_tokens"]
            summaries.append(summary["data"]["total_tokens"])
        assert summaries == [5, 11, 18] and sums == 18
        assert summary["data"] == (await api(ADA, "/api/usage/chats/c")).json()
        assert [one.data["chat"]["total_tokens"] for one in told] == summaries
        assert other._frames == []
    finally:
        events.drop([listener])
        live.close_tab(tab)
        live.close_tab(other)
