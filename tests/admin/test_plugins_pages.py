"""What the operator's plugin pages say of a plugin in each of the seven states (F-092)."""

from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.admin import plugins_view as view
from mozaiks_shell.plugin_host import faults, registry
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.reports import PluginReport, report_of


@pytest.fixture
def made(tmp_path: Path, settings: Any):
    """``made(state, problem, **attributes)`` registers a plugin and gives its report."""

    def make(state: PluginState, problem: PluginProblem | None = None, **more: Any) -> PluginReport:
        said = more.pop("manifest", {})
        plugin = Plugin(
            "board", tmp_path / "plugins" / "board", Manifest.model_validate({"name": "board", **said}), state, problem
        )
        for name, value in more.items():
            setattr(plugin, name, value)
        registry.add(plugin)
        return report_of(plugin)

    yield make
    registry.discard("board")
    faults.forget("board")


CASES = {
    "loaded": (PluginState.LOADED, None, {"imported": True}, "", ""),
    "degraded": (
        PluginState.DEGRADED, None,
        {"imported": True, "notes": [Note("hint", "tidy"), Note("warning", "slow", "a.py:3", "Use less.")]},
        "slow", "It keeps running.",
    ),
    "quarantined": (
        PluginState.QUARANTINED, PluginProblem(Cause.SYNTAX, "invalid syntax", "a.py", 3), {}, "invalid syntax", "next start"
    ),
    "recoverable": (
        PluginState.QUARANTINED, PluginProblem(Cause.INIT, "no key"), {"imported": True}, "no key", "without a restart",
    ),
    "incompatible": (
        PluginState.INCOMPATIBLE, PluginProblem(Cause.INCOMPATIBLE, "needs shell 9"), {}, "needs shell 9", "once its version",
    ),
    "blocked": (PluginState.BLOCKED, PluginProblem(Cause.BLOCKED, "known hole"), {}, "known hole", "block-list"),
    "discovered": (PluginState.DISCOVERED, None, {}, "", "Restart the app"),
    "disabled": (PluginState.DISABLED, None, {"imported": True, "switch": "operator"}, "", "at once"),
    "disabled before the start": (PluginState.DISABLED, None, {"switch": "manifest"}, "", "not in memory"),
    "safe mode": (PluginState.DISABLED, None, {"switch": "safe_mode"}, "", "MOZAIKS_SAFE_MODE"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_state_says_why_and_whether_it_can_recover(made, case):
    state, problem, more, cause, recover = CASES[case]
    report = made(state, problem, **more)
    row, detail = view.row_of(report), view.detail_of(report)
    assert (row["state"], detail["state"]) == (state.value, state.value)
    assert cause in row["cause"]
    assert recover in detail["recover"] and bool(detail["recover"]) is (state is not PluginState.LOADED)
    assert row["label"] == detail["label"] and row["tone"] in {"success", "warning", "danger", "accent", "neutral"}
    assert (row["act"] == "retry") is detail["can_retry"] is (case == "recoverable")
    assert detail["can_enable"] is (state is PluginState.DISABLED and case != "safe mode")
    assert bool(row["next"] or row["pip"]) is (state is not PluginState.LOADED)


def test_what_is_missing_has_its_line_and_the_place_its_file(made):
    problem = PluginProblem(Cause.REQUIREMENT, "needs x", "manifest.json", 4, pip='pip install "x"')
    row = view.row_of(made(PluginState.QUARANTINED, problem))
    assert (row["pip"], row["where"], row["next"]) == ('pip install "x"', "manifest.json:4", "")


def test_permissions_timings_faults_and_calls_in_words(made):
    report = made(
        PluginState.LOADED,
        manifest={
            "permissions": ["http", "raw_sql"],
            "quality": "gold",
            "isolation": "process",
            "homepage": "https://example.com/b",
        },
        timings={"probe": 1500.0, "import": 12.0, "migrate": 0.4, "init": 0.0},
    )
    for message in ("again", "again", "once"):
        faults.record("board", "handler", RuntimeError(message))
    detail = view.detail_of(report_of(registry.find("board")))
    assert detail["may"] == ["Calls other servers with sdk.http.", "Sends SQL text of its own to the database."]
    assert [(one["name"], one["value"], one["share"]) for one in detail["steps"]] == [
        ("Probed", "1.5 s", "100%"), ("Imported", "12 ms", "2%"), ("Migrated", "0.4 ms", "2%"), ("Initialised", "0 ms", "2%"),
    ]  # fmt: skip
    assert detail["total"] == "1.5 s" and report.quality == "gold"
    assert sorted((one["text"], one["count"]) for one in detail["faults"]) == [
        ("RuntimeError: again", 2),
        ("RuntimeError: once", 1),
    ]
    facts = {one["name"]: one["value"] for one in detail["facts"]}
    assert (facts["Quality"], facts["Calls run"], facts["Website"]) == ("Gold", "in a process of its own", "example.com/b")


def rows(*states: str) -> list[view.Row]:
    empty = dict.fromkeys(view.Row.__annotations__, "")
    return [
        view.Row(**{**empty, "name": f"p{at}", "title": f"P{at}", "state": one, "label": one}) for at, one in enumerate(states)
    ]


def test_what_needs_a_person_stands_first_and_is_counted():
    found = rows("loaded", "disabled", "quarantined", "loaded", "degraded")
    assert [one["state"] for one in view.in_order(found)] == ["quarantined", "degraded", "loaded", "loaded", "disabled"]
    assert [(one["key"], one["count"]) for one in view.chips_of(found)] == [
        ("", 5), ("attention", 2), ("quarantined", 1), ("degraded", 1), ("loaded", 2), ("disabled", 1),
    ]  # fmt: skip
    assert [one["key"] for one in view.chips_of(rows("loaded"))] == ["", "loaded"]
    assert sum(view.matches(one, "attention", "") for one in found) == 2
    assert sum(view.matches(one, "loaded", "p3") for one in found) == 1
    assert sum(view.matches(one, "", "P nothing") for one in found) == 0


def test_where_they_come_from_is_told_where_it_differs():
    one, other = rows("loaded", "loaded")
    one["source"] = other["source"] = "/srv/app/plugins"
    assert [row["source"] for row in view.in_order([one, other])] == ["", ""]
    other["source"] = "board-plugin 1.2"
    assert [row["source"] for row in view.in_order([one, other])] == ["…/app/plugins", "board-plugin 1.2"]
