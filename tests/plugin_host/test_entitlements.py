"""entitlements.yaml of plugins: tiers, limits, actions; counted once, given back, closed when broken (F-086, F-096, F-113…)."""

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import entitlements, gates, limits, service
from mozaiks_shell.plugin_host.entitlements import Limit
from mozaiks_shell.plugin_host.limits import Exhausted, Take
from mozaiks_shell.sdk import errors

ADA = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")
EVE = Principal("usr_eve", "dev-app", "Eve", "eve@example.com", frozenset({"user"}), "ses_eve")
PLANS = {
    "subscription_plans": [
        {"name": "free", "price": 0},
        {"name": "pro", "display_name": "Pro", "price": 9},
        {"name": "team", "display_name": "Team", "price": 29},
    ]
}
BOOK = """
schema_version: "1.0"
plugin: crm
features:
  export: {description: Export as CSV, default: false}
  import: {}
limits:
  exports: {type: consumable, reset: monthly, default: 0}
  contacts: {type: cap, default: 5}
  tokens: {type: consumable, reset: daily, default: -1}
tiers:
  free:
    limits: {exports: 2}
  pro:
    inherits: free
    features: {export: true}
    limits: {exports: 10, contacts: 100}
  team:
    inherits: pro
    limits: {exports: -1}
actions:
  export:
    requires_features: [export]
    consumes: {exports: 1}
  create:
    checks: {contacts: exact}
  print:
    consumes: {exports: 1}
  ask:
    checks: {tokens: estimate}
hooks:
  contacts: logic.count
"""
LOGIC = """
from mozaiks_shell.sdk import entitlements
entered = 0
there = 4
def count(data):
    return there
async def execute(data):
    global entered
    entered += 1
    if data.get("fail") == "raise":
        raise ValueError("no")
    if data.get("fail") == "answer":
        return {"error": "no", "error_code": "VALIDATION_ERROR"}
    if data.get("call"):
        name, *rest = data["call"]
        found = await getattr(entitlements, name)(*rest)
        return {"answer": repr(found), "true": bool(found)}
    return {"entered": entered, "_entitlements": data["_entitlements"]}
"""


@pytest.fixture
def plan(plugins_path, tmp_path, monkeypatch, database):
    """A catalogue with three plans; call with a name to put everybody on that plan."""
    configs = tmp_path / "configs"
    configs.mkdir()
    monkeypatch.setattr(get_settings(), "configs_path", configs)

    def choose(name="free", **mapped):
        plans = json.loads(json.dumps(PLANS)) | {"settings": {"default_plan": name}}
        for one in plans["subscription_plans"]:
            one["plugins"] = {"crm": mapped[one["name"]]} if one["name"] in mapped else {}
        (configs / "subscription_config.json").write_text(json.dumps(plans))
        from mozaiks_shell.appconfig.plans import PLANS as live

        live.current(fresh=True)

    choose()
    return choose


@pytest.fixture
def crm(plan, write, load, as_person):
    """The plugin, and Ada."""
    folder = write("crm", {"logic.py": LOGIC, "entitlements.yaml": BOOK})
    plugin = load()["crm"]
    assert plugin.live, plugin.problem
    as_person(ADA)
    plugin.folder = folder
    return plugin


async def ask(action="", person=ADA, **data):
    set_principal(person)
    return await service.execute("crm", {"action": action, **data}, person)


def move(monkeypatch, *moment):
    """Set the clock of gates and counters."""
    at = datetime(*moment, tzinfo=UTC)
    monkeypatch.setattr(limits, "now", lambda: at)
    monkeypatch.setattr(gates, "now", lambda: at)


@pytest.mark.parametrize(
    ("text", "line", "path", "words"),
    [
        ("features: [a", 1, "$", "is not YAML"),
        ("", 1, "$", "is empty"),
        ('schema_version: "2.0"\n', 1, "$.schema_version", "2.0"),
        ("limits:\n  a:\n    type: weekly\n", 3, "$.limits.a.type", "consumable"),
        ("limits:\n  a: {default: -2}\n", 2, "$.limits.a.default", "-1"),
        ("limits:\n  a: {default: lots}\n", 2, "$.limits.a.default", "integer"),
        ("features: {export: {}}\ntiers:\n  a:\n    features: {exprot: true}\n", 4, "$.tiers.a.features.exprot", "mean 'export'"),
        ("tiers:\n  a: {inherits: b}\n  b:\n    inherits: a\n", 2, "$.tiers.a.inherits", "a → b → a"),
        ("tiers:\n  a: {inherits: none}\n", 2, "$.tiers.a.inherits", "no tier 'none'"),
        ("actions:\n  go: {consumes: {fuel: 1}}\n", 2, "$.actions.go.consumes.fuel", "no limit 'fuel'"),
        ("limits: {a: {}}\nhooks: {a: nowhere.count}\n", 2, "$.hooks.a", "no nowhere.py"),
        ("limits:\n  a: {}\n  a: {}\n", 3, "$.limits.a", "written twice"),
        ("features: !!python/object/apply:os.system ['true']\n", 1, "$", "not allowed"),
        ("\tfeatures: {}\n", 1, "$", "spaces"),
    ],
)  # fmt: skip
def test_f086_what_is_wrong_is_named_with_its_line(tmp_path, text, line, path, words):
    (tmp_path / "entitlements.yaml").write_text(text)
    book, problems = entitlements.read(tmp_path)
    assert book is None
    found = [one for one in problems if one.level == "error"]
    assert (found[0].line, found[0].path) == (line, path), found
    assert words in str(found[0]), found[0]


def test_f086_aliases_of_aliases_are_not_unfolded(tmp_path):
    lines = [
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
        *(f"{x}: &{x} [{', '.join(['*' + y] * 10)}]" for y, x in zip("abcdef", "bcdefg", strict=True)),
    ]
    (tmp_path / "entitlements.yaml").write_text("\n".join(lines))
    book, problems = entitlements.read(tmp_path)
    assert book is None and "more than" in problems[0].message


def test_f086_a_file_is_optional_and_unknown_keys_are_named(tmp_path):
    assert entitlements.read(tmp_path) == (None, [])
    (tmp_path / "entitlements.yaml").write_text("schema_version: 1.0\nfeatrues: {}\n")
    book, problems = entitlements.read(tmp_path)
    assert book is not None and [(one.level, one.line) for one in problems] == [("warning", 2)]


def test_f114_tiers_inherit_and_override(tmp_path):
    (tmp_path / "logic.py").touch()
    (tmp_path / "entitlements.yaml").write_text(BOOK)
    book, problems = entitlements.read(tmp_path)
    assert not [one for one in problems if one.level == "error"]
    assert book.tiers["free"].features == {"export": False, "import": True}
    assert book.tiers["team"].features == {"export": True, "import": True}
    assert [book.tiers[name].limits for name in ("free", "pro", "team")] == [
        {"exports": 2, "contacts": 5, "tokens": -1},
        {"exports": 10, "contacts": 100, "tokens": -1},
        {"exports": -1, "contacts": 100, "tokens": -1},
    ]


async def test_f114_the_tier_is_the_plans_or_the_nearest_below_or_what_the_plan_says(crm, plan):
    async def tier():
        return (await gates.standing(crm, ADA)).grant

    assert (await tier()).tier == "free"
    plan("team")
    assert (await tier()).tier == "team"
    plan("free", free="pro")
    assert (await tier()).tier == "pro"
    (crm.folder / "entitlements.yaml").write_text(BOOK.replace("team:", "other:"))
    plan("team")
    assert (await tier()).tier == "pro"  # nothing is called team: what the plan below has
    (crm.folder / "entitlements.yaml").write_text(BOOK.replace("free:", "basic:").replace("inherits: free", "inherits: basic"))
    plan("free")
    assert (await tier()).features == {"export": False, "import": False}  # no tier fits: nothing (C-24)
    assert set((await tier()).limits.values()) == {0}


async def test_f069_the_plugin_is_told_what_counts(crm):
    await ask("print")
    told = (await ask())["_entitlements"]
    assert told["tier"] == "free" and told["enforce"] is True
    assert told["features"] == {"export": False, "import": True}
    assert told["limits"] == {
        "exports": {"allowed": 2, "used": 1, "remaining": 1},
        "contacts": {"allowed": 5, "used": None, "remaining": None},
        "tokens": {"allowed": -1, "used": 0, "remaining": -1},
    }


async def test_f119_a_missing_feature_is_403_and_names_the_plan(crm, api):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        answer = await client.post("/api/execute/crm", json={"action": "export"})
        assert (answer.status_code, answer.json()["code"]) == (403, "FEATURE_GATED")
        assert (answer.json()["feature"], answer.json()["needed"], answer.json()["tier"]) == ("export", "Pro", "free")
        assert (await client.post("/api/execute/crm", json={"action": ""})).json()["entered"] == 1


async def test_f119_an_exhausted_limit_is_429_with_what_remains_and_when_it_resets(crm, api, monkeypatch):
    move(monkeypatch, 2026, 11, 30, 23, 0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        for _ in range(2):
            assert (await client.post("/api/execute/crm", json={"action": "print"})).status_code == 200
        answer = await client.post("/api/execute/crm", json={"action": "print"})
        body = answer.json()
    assert (answer.status_code, body["code"], body["limit"]) == (429, "LIMIT_EXCEEDED", "exports")
    assert (body["allowed"], body["used"], body["remaining"], body["needed"]) == (2, 2, 0, "Pro")
    assert body["resets_at"] == "2026-12-01T00:00:00+00:00" and answer.headers["retry-after"] == "3601"


async def test_f119_a_cap_is_counted_by_the_plugins_hook(crm, api):
    import mozaiks_plugins.crm.logic as logic

    assert (await ask("create"))["entered"]
    logic.there = 5
    with pytest.raises(gates.LimitReached) as refused:
        await ask("create")
    assert refused.value.details["used"] == 5 and refused.value.details["resets_at"] is None
    assert refused.value.details["needed"] == "Pro"
    logic.there = 4
    assert (await ask("create"))["entered"]


async def test_f115_estimate_asks_only_that_something_is_left(crm, plan):
    (crm.folder / "entitlements.yaml").write_text(BOOK.replace("limits: {exports: 2}", "limits: {exports: 2, tokens: 3}"))
    assert (await ask(call=["consume_limit", "tokens", 2]))["true"]
    assert (await ask("ask"))["entered"]
    assert (await ask(call=["consume_limit", "tokens", 2]))["true"] is False  # nothing was taken
    assert (await ask(call=["consume_limit", "tokens", 1]))["true"]
    with pytest.raises(errors.TooMany):
        await ask("ask")


@pytest.mark.parametrize(
    ("kind", "moment", "period", "ends"),
    [
        ("daily", (2026, 11, 21, 23, 59), "2026-11-21", (2026, 11, 22)),
        ("weekly", (2026, 12, 31, 12), "2026-W53", (2027, 1, 4)),
        ("weekly", (2027, 1, 3, 23, 59), "2026-W53", (2027, 1, 4)),
        ("weekly", (2027, 1, 4), "2027-W01", (2027, 1, 11)),
        ("monthly", (2026, 12, 31, 23, 59, 59), "2026-12", (2027, 1, 1)),
        ("monthly", (2028, 2, 29), "2028-02", (2028, 3, 1)),
        ("never", (2026, 1, 1), "", None),
    ],
)
def test_f115_periods(kind, moment, period, ends):
    limit = Limit(type="consumable", reset=kind)
    at = datetime(*moment, tzinfo=UTC)
    assert limits.period_of(limit, at) == period
    assert limits.resets_at(limit, at) == (datetime(*ends, tzinfo=UTC) if ends else None)
    assert limits.period_of(Limit(type="cap", reset=kind), at) == ""


async def test_f116_a_new_period_begins_for_readers_and_writers_alike(crm, monkeypatch):
    move(monkeypatch, 2026, 11, 30)
    for _ in range(2):
        await ask("print")
    with pytest.raises(errors.TooMany):
        await ask("print")
    move(monkeypatch, 2026, 12, 1)
    assert (await ask())["_entitlements"]["limits"]["exports"]["used"] == 0  # no write in between
    assert (await ask("print"))["entered"]


async def test_f115_unlimited_never_blocks_and_still_counts(crm, plan):
    plan("team")
    for _ in range(5):
        await ask("export")
    assert (await ask())["_entitlements"]["limits"]["exports"] == {"allowed": -1, "used": 5, "remaining": -1}


@pytest.mark.parametrize("way", ["raise", "answer"])
async def test_f117_a_failed_action_is_given_back(crm, way):
    if way == "raise":
        with pytest.raises(Exception, match="failed"):
            await ask("print", fail=way)
    else:
        assert (await ask("print", fail=way))["error"]
    assert (await ask())["_entitlements"]["limits"]["exports"]["used"] == 0


async def test_f117_people_have_counters_of_their_own(crm):
    for _ in range(2):
        await ask("print")
    assert (await ask("print", person=EVE))["entered"]


async def test_f117_fifty_at_once_take_exactly_ten(either_database):
    scope = Scope("dev-app", "usr_ada")
    one = Take("exports", "2026-11", 1, 10)
    answers = await asyncio.gather(*[limits.take(scope, "crm", [one]) for _ in range(50)], return_exceptions=True)
    assert sum(answer is None for answer in answers) == 10
    assert {type(answer) for answer in answers if answer is not None} == {Exhausted}
    assert await limits.used(scope, "crm", {"exports": "2026-11"}) == {"exports": 10}
    await asyncio.gather(*[limits.give_back(scope, "crm", [one]) for _ in range(12)])
    assert await limits.used(scope, "crm", {"exports": "2026-11"}) == {"exports": 0}  # never below nothing


async def test_f117_fifty_calls_at_once_against_ten(crm, plan):
    plan("pro")
    answers = await asyncio.gather(*[ask("print") for _ in range(50)], return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 10
    assert {type(answer) for answer in answers if not isinstance(answer, dict)} == {errors.TooMany}
    assert (await ask())["_entitlements"]["limits"]["exports"] == {"allowed": 10, "used": 10, "remaining": 0}


async def test_f117_all_limits_of_an_action_or_none(database):
    scope = Scope("dev-app", "usr_ada")
    with pytest.raises(Exhausted):
        await limits.take(scope, "crm", [Take("a", "", 1, 5), Take("b", "", 2, 1)])
    assert await limits.used(scope, "crm", {"a": "", "b": ""}) == {"a": 0, "b": 0}


async def test_f096_a_dry_run_enters_nothing_and_counts_nothing(crm):
    import mozaiks_plugins.crm.logic as logic

    assert await ask("print", _entitlement_dry_run=True) == {"dry_run": True, "allowed": True, "would_consume": {"exports": 1}}
    refused = await ask("export", _entitlement_dry_run=True)
    assert (refused["allowed"], refused["code"], refused["needed"]) == (False, "FEATURE_GATED", "Pro")
    assert await ask("anything", _entitlement_dry_run=True) == {"dry_run": True, "allowed": True, "would_consume": {}}
    assert logic.entered == 0
    for _ in range(2):
        await ask("print")
    full = await ask("print", _entitlement_dry_run=True)
    assert (full["allowed"], full["code"], full["remaining"]) == (False, "LIMIT_EXCEEDED", 0)


async def test_f118_a_broken_file_closes_the_gates_unless_the_operator_opens_them(crm, api, monkeypatch):
    (crm.folder / "entitlements.yaml").write_text("tiers: [")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        answer = await client.post("/api/execute/crm", json={"action": "print"})
        assert (answer.status_code, answer.json()["code"]) == (503, "ENTITLEMENT_ERROR")
        monkeypatch.setattr(get_settings(), "plugin_limits_open", True)
        assert (await client.post("/api/execute/crm", json={"action": "print"})).status_code == 200
        monkeypatch.setattr(get_settings(), "plugin_limits_open", False)
        (crm.folder / "entitlements.yaml").write_text(BOOK)  # repaired: no restart
        assert (await client.post("/api/execute/crm", json={"action": "print"})).status_code == 200


@pytest.mark.parametrize("hook", ["raise ValueError('x')", "return 'many'", "return True"])
async def test_f118_a_hook_that_fails_closes_its_gate_only(crm, hook):
    import mozaiks_plugins.crm.logic as logic

    source = f"def count(data):\n    {hook}\n"
    exec(compile(source, "count", "exec"), vars(logic))
    with pytest.raises(errors.Unavailable) as refused:
        await ask("create")
    assert refused.value.code == "ENTITLEMENT_ERROR"
    assert (await ask("print"))["entered"]


async def test_f118_counters_that_cannot_be_read_close_the_gate(crm, monkeypatch):
    await db.dispose()
    from sqlalchemy.exc import OperationalError

    async def broken(*_):
        raise OperationalError("select", {}, Exception("disk"))

    monkeypatch.setattr(limits, "used", broken)
    with pytest.raises(errors.Unavailable) as refused:
        await ask("print")
    assert refused.value.code == "ENTITLEMENT_ERROR"


async def test_f107_without_billing_nothing_is_gated(crm, monkeypatch):
    monkeypatch.setattr(get_settings(), "billing_provider", "none")
    for _ in range(4):
        told = (await ask("export"))["_entitlements"]
    assert told["enforce"] is False and told["features"]["export"] is True
    assert told["limits"]["exports"] == {"allowed": -1, "used": 0, "remaining": -1}


@pytest.mark.parametrize("tier", ["free", "pro", "team"])
async def test_f113_the_five_functions_for_every_tier(crm, plan, tier):
    plan(tier)
    feature = await ask(call=["check_feature", "export"])
    assert feature["true"] is (tier != "free") and f"tier='{tier}'" in feature["answer"]
    assert (await ask(call=["check_limit", "exports", 3]))["true"] is (tier != "free")
    assert (await ask(call=["consume_limit", "exports"]))["true"] is True
    usage = (await ask(call=["get_usage"]))["answer"]
    allowed = {"free": 2, "pro": 10, "team": -1}[tier]
    assert f"LimitCheck(limit='exports', granted=True, allowed={allowed}, used=1" in usage
    found = await ask(call=["check_action", "export"])
    assert found["true"] is (tier != "free") and ("FEATURE_GATED" in found["answer"]) is (tier == "free")
    assert "used=0" in (await ask(call=["refund_limit", "exports"]))["answer"]


async def test_f113_plain_functions_and_blocks(plan, write, load, as_person):
    source = """
from mozaiks_shell.sdk import entitlements
def execute(data):
    found = entitlements.consume_limit("exports")
    return {"granted": found.granted, "used": found.used}
async def work(fail):
    async with entitlements.action("print"):
        if fail:
            raise ValueError
"""
    write("crm", {"logic.py": source, "entitlements.yaml": BOOK.split("hooks:")[0]})
    load()
    as_person(ADA)
    assert await service.execute("crm", {}, ADA) == {"granted": True, "used": 1}
    import mozaiks_plugins.crm.logic as logic

    with pytest.raises(ValueError):
        await logic.work(True)
    await logic.work(False)
    with pytest.raises(errors.TooMany):
        await logic.work(False)
    with pytest.raises(RuntimeError, match="plugin"):
        from mozaiks_shell.sdk import entitlements as surface

        surface.check_feature("export")


def test_f086_the_schema_describes_the_file(tmp_path):
    import jsonschema
    import yaml

    schema = entitlements.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(BOOK), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"limits": {"a": {"default": -2}}}, schema)
