"""ProjectBrief and CompareOptions from end to end, and the rules behind them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mozaiks_shell.runtime import offline
from mozaiks_shell.runtime.messages import UiContext
from mozaiks_shell.runtime.workflows.compare_data import (
    TOPICS,
    Criterion,
    Topic,
    find_criterion,
    find_topic,
    ranked,
)
from mozaiks_shell.runtime.workflows.project_brief import KINDS, PLANS, Brief, values_of, write_brief

VALUES = {"name": "Spring *relaunch*", "kind": "website", "deadline": "2031-05-01", "notes": "Keep the logo"}


async def _form(wire: Any) -> dict[str, Any]:
    tool: dict[str, Any] = (await wire.until("chat.tool_call"))["data"]
    return tool


async def test_form_flow(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = await _form(wire)
        assert (tool["component_type"], tool["display"], tool["awaiting_response"]) == (
            "core.form",
            "inline",
            True,
        )
        assert tool["corr"].startswith("core.form_")
        assert tool["payload"]["workflow_name"] == "ProjectBrief"
        assert [f["name"] for f in tool["payload"]["fields"]] == ["name", "kind", "deadline", "notes"]
        assert {f["type"] for f in tool["payload"]["fields"]} == {"text", "select", "date", "textarea"}
        response = {"status": "success", "action": "submit", "data": VALUES}
        await wire.send("ui_tool_response", eventId=tool["corr"], response=response)
        kinds = [(await wire.next())["type"] for _ in range(3)]
        assert kinds == ["ack.ui_tool_response", "chat.ui_tool_complete", "chat.tool_response"]
        brief = (await wire.until("chat.text"))["data"]["content"]
        assert "Spring \\*relaunch\\*" in brief
        assert "**Kind:** Website" in brief
        assert "1 May 2031" in brief
        assert "> Keep the logo" in brief
        assert all(step in brief for step in PLANS["website"])
        asked = await wire.until("chat.input_request")
        assert "visitor" in asked["data"]["prompt"]
        await wire.answer(asked, "Teachers, they should book a visit")
        await wire.until("chat.text", agent="user")
        assert "Teachers" in (await wire.until("chat.text"))["data"]["content"]
        await wire.until("chat.run_complete")
        chat = wire.frames[0]["data"]["chat_id"]
    meta = runtime.request("GET", f"/api/chats/meta/app1/ProjectBrief/{chat}", user).json()
    assert (meta["status"], meta["last_artifact"]["ui_tool_id"]) == (1, "core.form")


async def test_form_with_missing_values_is_shown_again(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        first = await _form(wire)
        wrong = {"name": " ", "kind": "spaceship", "notes": "keep me"}
        await wire.send("ui_tool_response", eventId=first["corr"], response={"status": "success", "data": wrong})
        again = await _form(wire)
        assert again["corr"] != first["corr"]
        assert again["payload"]["values"]["notes"] == "keep me"
        assert "a project name and the kind" in again["payload"]["error"]


async def test_form_cancelled(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = await _form(wire)
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "cancelled"})
        assert "No problem" in (await wire.until("chat.text"))["data"]["content"]
        await wire.until("chat.run_complete")


async def test_artifact_flow(runtime: Any, user: str) -> None:
    async with runtime.chat("CompareOptions", user) as wire:
        asked = await wire.until("chat.input_request")
        await wire.answer(asked, "spaceships")
        asked = await wire.until("chat.input_request")
        assert "will not invent" in wire.all("chat.text")[-1]["data"]["content"]
        await wire.answer(asked, "hosting plans, please")
        first = (await wire.until("chat.tool_call"))["data"]
        assert (first["component_type"], first["display"]) == ("core.table", "artifact")
        asked = await wire.until("chat.input_request")
        await wire.answer(asked, "the price")
        dismissed = await wire.until("chat.ui_tool_dismiss")
        assert dismissed["data"]["event_id"] == first["corr"]
        second = (await wire.until("chat.tool_call"))["data"]
        assert "price" in second["payload"]["title"]
        orders = [[row["name"] for row in tool["payload"]["rows"]] for tool in (first, second)]
        assert orders[0] != orders[1]
        assert [row["rank"] for row in second["payload"]["rows"]] == [1, 2, 3, 4]
        keys = {column["key"] for column in second["payload"]["columns"]}
        assert all(keys <= set(row) for row in second["payload"]["rows"])
        asked = await wire.until("chat.input_request")
        response = {"status": "success", "action": "accept", "data": {"row": {"id": orders[1][0]}}}
        await wire.send("ui_tool_response", eventId=second["corr"], response=response)
        kinds = [(await wire.next())["type"] for _ in range(3)]
        assert kinds == ["chat.ui_tool_dismiss", "ack.ui_tool_response", "chat.tool_response"]
        summary = (await wire.until("chat.text"))["data"]["content"]
        assert orders[1][0] in summary
        assert "price" in summary
        await wire.until("chat.run_complete")
        await wire.answer(asked, "too late")
        assert (await wire.until("ack.input"))["data"]["status"] == "rejected"


async def test_table_closed_or_accepted_in_words(runtime: Any, user: str) -> None:
    async with runtime.chat("CompareOptions", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "backup")
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")
        assert "Nothing was decided" in wire.all("chat.text")[-1]["data"]["content"]
    async with runtime.chat("CompareOptions", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "backup")
        await wire.until("chat.tool_call")
        await wire.answer(await wire.until("chat.input_request"), "Accept.")
        await wire.until("chat.ui_tool_dismiss")
        await wire.until("chat.run_complete")
        assert "comes first" in wire.all("chat.text")[-1]["data"]["content"]


def _scores(topic: Topic, focus: Criterion | None) -> list[tuple[str, int]]:
    return [(option.name, score) for option, score in ranked(topic, focus)]


def test_ranking_is_arithmetic() -> None:
    for topic in TOPICS:
        for focus in (None, *topic.criteria):
            scores = [score for _, score in ranked(topic, focus)]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= score <= 100 for score in scores)
    hosting = TOPICS[0]
    cheapest = min(hosting.options, key=lambda o: o.values["price"])
    price = find_criterion(hosting, "It must be cheap")
    assert price is hosting.criteria[0]
    assert dict(_scores(hosting, price))[cheapest.name] > dict(_scores(hosting, None))[cheapest.name]
    assert find_topic("Which BACKUP is best?") is TOPICS[1]
    assert find_topic("cars") is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_own_plan(kind: str) -> None:
    brief = Brief.model_validate({"name": "N", "kind": kind, "deadline": ""})
    text = write_brief(brief, date(2030, 1, 1))
    assert all(step in text for step in PLANS[kind])
    assert "none set" in text


def test_deadlines_are_told_truthfully() -> None:
    def told(deadline: str) -> str:
        brief = Brief.model_validate({"name": "N", "kind": "research", "deadline": deadline})
        return write_brief(brief, date(2030, 1, 10))

    assert "has passed" in told("2030-01-09")
    assert "(today)" in told("2030-01-10")
    assert "(1 day left)" in told("2030-01-11")
    assert "about 5 days per step" in told("2030-01-30")


def test_form_responses_in_every_shape() -> None:
    inner = {"name": "x"}
    for response in (
        {"status": "success", "data": inner},
        {"values": inner},
        inner,
        {"data": {"values": inner}},
    ):
        assert values_of(response) == inner
    for response in ({"status": "cancelled"}, {"action": "cancel", "data": inner}):
        assert values_of(response) is None


CONTEXT = UiContext.model_validate(
    {
        "pages": [
            {"title": "User settings", "path": "/settings"},
            {"title": "Billing", "path": "/billing"},
            {"title": "Evil", "path": "//evil.test/x"},
            {"title": "Bad](javascript:alert(1))", "path": "javascript:alert(1)"},
        ],
        "plan": {"name": "free"},
    }
)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("open billing", "/billing"),
        ("Go to the settings page!", "/settings"),
        ("take me to /billing", "/billing"),
        ("show me billing", "/billing"),
        ("open evil", None),
        ("open the moon", None),
        ("show my plan", None),
        ("open", None),
        ("", None),
    ],
)
def test_offline_navigation(said: str, path: str | None) -> None:
    assert offline.reply(said, CONTEXT).path == path


def test_offline_answers_escape_what_the_host_sends() -> None:
    listed = offline.reply("list pages", CONTEXT).text
    assert "](javascript" not in listed.replace("\\]", "")
    assert "](//evil" not in listed
    assert "did not tell me" in offline.reply("list pages", None).text
    assert "**free**" in offline.reply("my plan", CONTEXT).text


def test_context_in_another_shape_is_no_error() -> None:
    assert UiContext.read({"page": "/home"}) is not None
    assert UiContext.read({"pages": "nonsense"}) is None
    assert UiContext.read(None) is None
