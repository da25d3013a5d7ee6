"""F-249: known tokens times known prices give the exact decimal; a model nobody priced is flagged."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mozaiks_shell.appconfig.usage_config import Price, UsageConfig
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.usage import prices, service
from mozaiks_shell.usage.sums import Span, total
from tests.usage.conftest import APP, PRICES, report

DAY = datetime(2026, 6, 15, 12, tzinfo=UTC)


def price(**fields: object) -> Price:
    return Price.model_validate({"input": 1, "output": 1, **fields})


@given(
    some.decimals(0, 100_000, places=6), some.decimals(0, 100_000, places=6), some.integers(0, 10**7), some.integers(0, 10**7)
)  # fmt: skip
def test_f249_no_digit_is_ever_lost(read, written, prompt, completion):
    one = price(model="m", input=read, output=written)
    exact = (Decimal(prompt) * read + Decimal(completion) * written) / 1_000_000
    assert prices.as_decimal(prices.cost(one, prompt, completion)) == exact
    assert prices.cost(one, prompt, completion) < 2**63


def test_f249_the_price_of_one_token_is_no_zero():
    one = price(model="m", input="0.000001", output="0.000001")
    assert prices.plain(prices.as_decimal(prices.cost(one, 1, 0))) == "0.000000000001"


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("gpt-4o", "gpt-4o"), ("GPT-4o", "gpt-4o"), ("gpt-4o-mini-2024", "gpt-4o-mini*"), ("gpt-4o-2024", "gpt-4o*"),
        ("gpt-9", "gpt-*"), ("llama", None), ("", None), ("xgpt-4o", None),
    ],
)  # fmt: skip
def test_f249_the_closest_name_counts(model, found):
    listed = [price(model=name) for name in ("gpt-*", "gpt-4o*", "gpt-4o", "gpt-4o-mini*")]
    one = prices.price_of(model, DAY, listed)
    assert (one and one.model) == found


def test_f249_a_price_counts_from_its_day_on():
    listed = [
        price(model="m", input=1),
        price(model="m", input=2, since="2026-06-15"),
        price(model="m", input=3, since="2026-07-01"),
    ]
    asked = [datetime(2026, 6, 14, 23, tzinfo=UTC), DAY, datetime(2026, 7, 1, tzinfo=UTC)]
    assert [prices.price_of("m", when, listed).input for when in asked] == [1, 2, 3]


@pytest.mark.parametrize("bad", ["0.0000001", "-1", "NaN", "Infinity", "100001", "a lot"])
def test_f249_a_price_that_could_not_be_exact_is_refused(bad):
    with pytest.raises(ValueError, match="input"):
        price(model="m", input=bad)


def test_f249_json_numbers_are_taken_as_they_are_written():
    one = UsageConfig.model_validate_json('{"prices": [{"model": "m", "input": 0.1, "output": 0.000007}]}').prices[0]
    assert (one.input, one.output) == (Decimal("0.1"), Decimal("0.000007"))


async def test_f249_a_model_without_a_price_is_flagged_and_never_free(ledger_db, configure):
    configure(prices=PRICES, budgets={"default": {"limit": 1, "unit": "money"}})
    await service.record(report(model="known", tokens=1_000_000 - 1))
    await service.record(report(model="who-is-this", tokens=1_000))
    found = await total(Scope(APP, "usr_ada"), Span())
    assert (prices.plain(found.cost), found.calls, found.unpriced_calls) == ("0.5999994", 2, 1)
    (own,) = await service.standings(APP, "usr_ada")
    assert own.described()["used"] == "0.62"  # the unknown one at the price of the dearest: 1,000 x 20 per million


async def test_f249_sums_are_exact_beyond_64_bits(database, configure):
    configure(prices=[{"model": "dear", "input": 100_000, "output": 100_000}])
    for _ in range(12):
        await service.record(report(model="dear", tokens=10_000_000))
    assert prices.plain((await total(Scope(APP, None), Span())).cost) == "12000000"
