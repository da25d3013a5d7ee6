"""The plan catalogue: the upstream shape loads, anything else is refused with file and path."""

import json

import pytest

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.foundation.settings import get_settings

# The example file of MozaiksCore has exactly these keys.
UPSTREAM = {
    "subscription_plans": [
        {
            "name": "free", "price": 0, "currency": "USD", "billing_cycle": "monthly", "description": "Basic access",
            "plugins_unlocked": ["basic_chat"],
        },
        {
            "name": "pro_plus", "price": 29.99, "currency": "usd", "billing_cycle": "annual", "description": "Power users",
            "plugins_unlocked": ["basic_chat", "vector_search"], "plugins": {"reports": "full", "export": "none"},
            "stripe_price_id": "price_1",
        },
        {
            "name": "enterprise", "price": 99.99, "currency": "USD", "billing_cycle": "monthly", "description": "All",
            "plugins_unlocked": ["*"],
        },
    ],
    "settings": {"trial_plan": "pro_plus", "trial_period_days": 14, "default_plan": "free"},
}  # fmt: skip


@pytest.fixture
def write(configs, monkeypatch):
    """Put a catalogue where the operator would."""

    def put(content, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
            get_settings.cache_clear()
        return configs.write("subscription_config.json", content)

    return put


def changed(**plan):
    return {**UPSTREAM, "subscription_plans": [UPSTREAM["subscription_plans"][0] | plan, *UPSTREAM["subscription_plans"][1:]]}


def test_packaged_default_has_free_pro_team(settings):
    assert [plan.name for plan in catalogue().subscription_plans] == ["free", "pro", "team"]
    assert catalogue().default.name == "free"


def test_the_upstream_file_loads(write):
    write(UPSTREAM)
    plans = catalogue()
    assert [(plan.name, plan.rank, plan.title, plan.billing_cycle) for plan in plans.subscription_plans] == [
        ("free", 0, "Free", "monthly"),
        ("pro_plus", 1, "Pro Plus", "yearly"),
        ("enterprise", 2, "Enterprise", "monthly"),
    ]
    assert plans.get("pro_plus").unlocks("reports") and not plans.get("pro_plus").unlocks("export")
    assert plans.get("enterprise").unlocks("anything") and not plans.get("free").unlocks("reports")
    assert plans.mentions("vector_search") and not plans.mentions("notes")
    assert plans.by_price("price_1").name == "pro_plus" and plans.by_price("") is None


def test_price_ids_are_not_for_the_public(write):
    write(UPSTREAM)
    assert "price_1" not in json.dumps(catalogue().public())


def test_rank_beats_the_order_of_the_file(write):
    write(changed(rank=9))
    assert [plan.name for plan in catalogue().subscription_plans] == ["pro_plus", "enterprise", "free"]


def test_the_environment_names_the_default_plan(write):
    write(UPSTREAM, MOZAIKS_DEFAULT_TIER="enterprise")
    assert catalogue().default.name == "enterprise"


@pytest.mark.parametrize(
    ("content", "path", "left"),
    [
        ("{", "$: is not JSON", "free pro team"),
        ("[]", '$: must be an object with "subscription_plans"', "free pro team"),
        ({"plans": {"free": {}}}, '$: has "plans"; this shell reads "subscription_plans"', "free pro team"),
        ({"subscription_plans": []}, "$.subscription_plans: ", "free pro team"),
        ({"subscription_plans": [{"price": 1}]}, "$.subscription_plans[0].name: is required and missing", "free pro team"),
        (changed(price=-1), "$.subscription_plans[0].price: ", "pro_plus enterprise"),
        (changed(price="a lot"), "$.subscription_plans[0].price: ", "pro_plus enterprise"),
        (changed(billing_cycle="fortnightly"), "$.subscription_plans[0].billing_cycle: ", "pro_plus enterprise"),
        (changed(currency="dollars"), "$.subscription_plans[0].currency: ", "pro_plus enterprise"),
        (changed(plugins_unlocked="*"), "$.subscription_plans[0].plugins_unlocked: ", "pro_plus enterprise"),
        (changed(name="pro_plus"), "$.subscription_plans[1].name: two plans have the same name", "pro_plus enterprise"),
        (changed(rank=2), "$.subscription_plans[2].rank: two plans have the same rank", "pro_plus free"),
        (changed(stripe_price_id="price_1"), "two plans have the same stripe_price_id", "free enterprise"),
        (
            {**UPSTREAM, "settings": {"default_plan": "gold"}},
            "$.settings.default_plan: there is no plan 'gold'",
            "free pro_plus enterprise",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_path_and_the_other_plans_stay(write, configs, content, path, left):
    write(content)
    assert any(one.startswith("subscription_config.json") and path in one for one in configs.said("error"))
    assert " ".join(plan.name for plan in catalogue().subscription_plans) == left
    assert catalogue().default.name == ("free" if "free" in left else left.split()[0])


def test_an_unknown_default_tier_is_an_error(write, configs):
    write(UPSTREAM, MOZAIKS_DEFAULT_TIER="gold")
    assert any("MOZAIKS_DEFAULT_TIER: there is no plan 'gold'" in one for one in configs.said("error"))
    assert catalogue().default.name == "free"


def test_an_edit_of_prices_counts_at_once_and_a_bad_one_not_at_all(write, configs):
    write(UPSTREAM)
    write(changed(price=5))
    assert catalogue().get("free").price == 5
    write(changed(price=-5))
    assert catalogue().get("free").price == 5 and configs.problems("error")
