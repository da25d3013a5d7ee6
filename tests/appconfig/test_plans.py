"""The plan catalogue: the upstream shape loads, anything else is refused with file and path."""

import json

import pytest

from mozaiks_shell.appconfig.service import ConfigError, catalogue

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
def write(tmp_path, monkeypatch, settings):
    """Put a catalogue where the operator would."""
    from mozaiks_shell.foundation.settings import get_settings

    def put(content, **variables):
        folder = tmp_path / "configs"
        folder.mkdir(exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "subscription_config.json").write_text(text)
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return folder / "subscription_config.json"

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
    ("content", "path"),
    [
        ("{", "$: line 1, column 2"),
        ("[]", '$: must be an object with "subscription_plans"'),
        ({"plans": {"free": {}}}, '$: has "plans"; this shell reads "subscription_plans"'),
        ({"subscription_plans": []}, "$.subscription_plans: "),
        ({"subscription_plans": [{"price": 1}]}, "$.subscription_plans[0].name: Field required"),
        (changed(price=-1), "$.subscription_plans[0].price: "),
        (changed(price="a lot"), "$.subscription_plans[0].price: "),
        (changed(billing_cycle="fortnightly"), "$.subscription_plans[0].billing_cycle: "),
        (changed(currency="dollars"), "$.subscription_plans[0].currency: "),
        (changed(plugins_unlocked="*"), "$.subscription_plans[0].plugins_unlocked: "),
        (changed(name="pro_plus"), "two plans have the same name"),
        (changed(rank=2), "two plans have the same rank"),
        (changed(stripe_price_id="price_1"), "two plans have the same stripe_price_id"),
        ({**UPSTREAM, "settings": {"default_plan": "gold"}}, "settings.default_plan: there is no plan 'gold'"),
    ],
)
def test_another_shape_is_refused_with_file_and_path(write, content, path):
    file = write(content)
    with pytest.raises(ConfigError) as refused:
        catalogue()
    assert str(file) in str(refused.value) and path in str(refused.value)


def test_an_unknown_default_tier_is_refused(write):
    write(UPSTREAM, MOZAIKS_DEFAULT_TIER="gold")
    with pytest.raises(ConfigError, match="MOZAIKS_DEFAULT_TIER: there is no plan 'gold'"):
        catalogue()
