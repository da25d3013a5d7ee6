"""F-252: the page shows what the file sums to; administrators see everybody, nobody else does."""

import csv
import io
from decimal import Decimal

import pytest

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.identity.service import register
from mozaiks_shell.ui.state import HANDLER_ACCESS
from mozaiks_shell.usage import export, service
from mozaiks_shell.usage.pages.usage import usage
from mozaiks_shell.usage.state import Usage
from mozaiks_shell.usage.sums import Span
from tests.usage.conftest import APP, PRICES, report


@pytest.fixture
def page(as_person):
    """The page as this person has it open."""

    def opened(user_id, *roles):
        as_person(Principal(user_id, APP, "", "", frozenset(roles or ("user",)), "ses"))
        return Usage(_reflex_internal_init=True)

    return opened


def handler(name):
    return Usage.event_handlers[name].fn


async def test_f252_the_page_shows_what_the_file_sums_to(database, configure, page):
    configure(prices=PRICES, budgets={"default": {"limit": 1000}, "app": {"limit": 1100}})
    grace = await register("grace", "correct horse battery", "grace@example.com", "Grace Hopper")
    for user, tokens, workflow, model in (
        (grace.id, 700, "W", "known"),
        (grace.id, 200, "X", "?"),
        ("usr_gone", 100, "W", "known"),
    ):
        await service.record(report(user, tokens, workflow=workflow, model=model))
    mine = page(grace.id)
    await handler("enter")(mine)
    rows = list(csv.DictReader(io.StringIO("".join([piece async for piece in export.lines(Scope(APP, grace.id), Span())]))))
    assert mine.tokens == str(sum(int(one["total_tokens"]) for one in rows)) == "900"
    assert mine.unpriced == 1 and sum(Decimal(one["cost"] or 0) for one in rows) == Decimal("0.00042")
    assert [(one["name"], one["tokens"], one["cost"]) for one in mine.workflows] == [("W", "700", "< $0.01"), ("X", "200", "–")]
    assert [(one["text"], one["tone"]) for one in mine.gauges] == [
        ("900 tokens of 1,000 tokens used", "warning"),
        ("90% used", "warning"),
    ]
    assert (mine.people, mine.may_see_all, mine.export) == ([], False, "/api/usage/export.csv?period=month")
    await handler("choose")(mine, "all")
    await handler("choose")(mine, "'; drop table")
    assert mine.period == "all" and mine.export.endswith("period=all")


async def test_f255_the_page_shows_what_the_month_costs_so_far(database, configure, page):
    configure()
    await service.record(report("usr_ada", 1_000_000, model="fam-1"))
    mine = page("usr_ada")
    await handler("enter")(mine)
    assert (mine.invoice, mine.invoice_sum, mine.invoice_note) == ([], "", ""), "nothing is priced"
    configure(prices=PRICES)
    await service.record(report("usr_ada", 1_500_000, model="fam-1", prompt_tokens=2000))
    await service.record(report("usr_ada", 5, model="who"))
    await handler("choose")(mine, "today")
    assert [(one["model"], one["what"], one["cost"]) for one in mine.invoice] == [
        ("fam-1", "2,000 tokens read, 2,500,000 written", "$3.00"),
        ("who", "0 tokens read, 5 written", "No price"),
    ]
    assert mine.invoice_sum == "$3.00" and mine.invoice_note.endswith("Nobody is billed for it.")


async def test_f252_administrators_see_everybody_and_nobody_else_can(database, configure, page):
    configure(budgets={"app": {"limit": 100, "enforcement": "warn"}})
    grace = await register("grace", "correct horse battery", "grace@example.com", "Grace Hopper")
    await service.record(report(grace.id, 70))
    await service.record(report("usr_gone", 50))
    root = page("usr_root", "admin")
    await handler("enter")(root)
    assert (root.tokens, root.may_see_all) == ("0", True)
    await handler("whole_app")(root, True)
    assert [(one["name"], one["tokens"]) for one in root.people] == [("Grace Hopper", "70"), ("usr_gone", "50")]
    assert (root.gauges[0]["text"], root.gauges[0]["tone"], root.gauges[0]["share"]) == (
        "120 tokens of 100 tokens used",
        "danger",
        100,
    )
    assert root.export.startswith("/api/usage/app/export.csv")
    assert getattr(handler("whole_app"), HANDLER_ACCESS) == Access.role("admin")
    ada = page(grace.id)
    await handler("whole_app")(ada, True)  # the gate refuses it before; the handler would not tell either
    assert (ada.everybody, ada.people, ada.tokens) == (False, [], "70")


def test_f252_the_page_can_be_built():
    assert "progressbar" in str(usage().render())
