"""Child workflows inside a run (protocol §2.5): started by an agent's plan, waited for, merged, and the run goes on (F-201)."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.runtime.journeys import MOST_CHILDREN, plan_of, triggers_of
from mozaiks_shell.runtime.merging import Result, merge
from tests.runtime.contract import check_frame, check_order
from tests.runtime.conversations import write_folder
from tests.runtime.test_persistence import _make_tables

Frame = dict[str, Any]

PLANNED = """
    structured_outputs:
      models:
        Piece: {type: model, fields: {name: str, initial_message: str}}
        Choice:
          type: model
          fields:
            is_multi_workflow: bool
            workflows: {type: list, items: Piece}
        Plan: {type: model, fields: {agent_message: str, PatternSelection: Choice}}
      registry: {Planner: Plan}
"""
PARENT = """
    agents:
    - name: Planner
      script:
      - output:
          agent_message: I have them look.
          PatternSelection:
            is_multi_workflow: true
            workflows:
            - {name: Looker, initial_message: Oslo}
            - {name: Asker, initial_message: Rome}
            - {name: Nowhere, initial_message: "-"}
    - name: Writer
      script:
      - - say: "I got {{merge_succeeded_count}} of two: {{merge_summary}} and {{child_results}}"
        - handoff: terminate
"""
LOOKER = """
    agents:
    - name: Scout
      script:
      - - set: {found: "rain in {{user_text}}"}
        - say: "I looked at {{user_text}} for {{parent_workflow_name}} of {{colour}}."
        - handoff: terminate
"""
ASKER = """
    agents:
    - name: Clerk
      script:
      - - ask: "When in {{user_text}}?"
          into: found
        - say: "In {{found}}, then."
        - handoff: terminate
"""
FOUND = "definitions: [{name: found, source: {type: state}}]\n"


def graph(**changes: Any) -> str:
    """A graph with one trigger in the newest form."""
    out = {"child_context_seed": {"colour": "blue"}, **changes.pop("fan_out", {})}
    back = {"resume_agent": "Writer", "merge_mode": "concatenate", **changes.pop("fan_in", {})}
    trigger = {"id": "look", "description": "Looking", "trigger_agent": "Planner", "fan_out": out, "fan_in": back, **changes}
    return json.dumps({"version": 3, "mid_flight_journeys": [trigger]})


def write_family(root: Path, *, text: str | None = None, parent: str = PARENT) -> Path:
    """A parent and the two workflows it starts."""
    files = {"agents.yaml": parent, "structured_outputs.yaml": PLANNED, "_pack/workflow_graph.json": text or graph()}
    write_folder(root, files, "Trip")
    for name, agents in (("Looker", LOOKER), ("Asker", ASKER)):
        write_folder(root, {"agents.yaml": agents, "context_variables.yaml": FOUND}, name)
    return root


def run_in(spawn: Any, root: Path, **config: Any) -> Any:
    """A runtime with those folders."""
    return spawn(workflows_path=str(root), token_delay_ms=0, engine="scripted", **config)


async def when(runtime: Any, child: Frame, user: str, answer: str) -> list[Frame]:
    """Answer the child that asks; what its own socket heard."""
    async with runtime.socket(child["workflow_name"], child["chat_id"], user) as wire:
        await wire.answer(await wire.until("chat.input_request"), answer)
        await wire.until("chat.run_complete")
        return wire.frames


async def test_f201_a_run_starts_children_waits_and_goes_on_with_their_results(spawn: Any, tmp_path: Path, user: str) -> None:
    runtime = run_in(spawn, write_family(tmp_path))
    async with runtime.chat("Trip", user) as wire:
        parent = wire.frames[0]["data"]
        assert parent["has_children"] is True
        started = dict((await wire.until("chat.workflow_batch_started"))["data"])
        looker, asker = started.pop("workflows")
        assert started == {
            "parent_chat_id": parent["chat_id"], "parent_workflow_name": "Trip", "resume_agent": "Writer", "count": 2,
            "timeout_seconds": None, "on_partial_failure": "resume_with_available", "trigger_id": "look",
            "mfj_description": "Looking", "mfj_cycle": 1,
        }  # fmt: skip
        assert [one["data"]["message"] for one in wire.all("chat.error")] == [
            "Workflow start failed: workflow 'Nowhere' does not exist"
        ]
        assert (looker["workflow_name"], looker["user_id"], looker["app_id"]) == ("Looker", user, "app1")
        assert looker["chat_id"].startswith("chat_Looker_") and looker["task_id"].startswith("sub_")
        done = (await wire.until("chat.workflow_child_completed"))["data"]
        assert done == {
            "parent_chat_id": parent["chat_id"], "child_chat_id": looker["chat_id"], "child_index": 1, "child_total": 2,
            "done_count": 1, "trigger_id": "look", "mfj_cycle": 1, "success": True,
        }  # fmt: skip
        heard = await when(runtime, asker, user, "May")
        seed = next(one["data"] for one in heard if one["type"] == "chat.text")
        assert (seed["agent"], seed["content"]) == ("user", "Rome")
        assert "When in Rome?" in str([one["data"].get("prompt") for one in heard])
        await wire.until("chat.mfj_fan_in_started")
        resumed = dict((await wire.until("chat.workflow_resumed"))["data"])
        assert resumed.pop("merge_summary_preview").startswith("## Sub-task Results\n\n### Looker (sub_")
        assert resumed == {
            "chat_id": parent["chat_id"], "workflow_name": "Trip", "resume_agent": "Writer", "trigger_id": "look",
            "mfj_cycle": 1, "succeeded_count": 2, "failed_count": 0,
        }  # fmt: skip
        told = (await wire.until("chat.text", agent="Writer"))["data"]["content"]
        assert told.startswith("I got 2 of two:")
        assert "I looked at Oslo for Trip of blue." in told and "In May, then." in told
        assert '"found": "rain in Oslo"' in told and '"found": "May"' in told
        await wire.until("chat.run_complete")
        frames = wire.frames
    assert [one for frame in [*frames, *heard] for one in check_frame(frame)] == []
    assert check_order(frames) == [] and check_order(heard) == []
    own = [one for one in frames if one["data"].get("chat_id") not in (None, parent["chat_id"])]
    assert {one["type"] for one in own} <= {"chat.usage_delta"}  # what children say comes over their own sockets


async def test_children_that_fail_or_are_late_are_told_and_the_run_goes_on(spawn: Any, tmp_path: Path, user: str) -> None:
    text = graph(fan_out={"timeout_seconds": 3}, fan_in={"merge_mode": "structured"})
    runtime = run_in(spawn, write_family(tmp_path, text=text))
    async with runtime.chat("Trip", user) as wire:
        _, asker = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        resumed = (await wire.until("chat.workflow_resumed"))["data"]
        assert (resumed["succeeded_count"], resumed["failed_count"]) == (1, 1)
        told = (await wire.until("chat.text", agent="Writer"))["data"]["content"]
        assert "[PARTIAL — timed out]" in told and "cancelled (timeout or parent abort)" in told
        await wire.until("chat.run_complete")
        assert not wire.all("chat.mfj_fan_in_started")
    meta = runtime.request("GET", f"/api/chats/meta/app1/Asker/{asker['chat_id']}", user).json()
    assert meta["status"] == 1 and "waiting_for" not in meta


async def test_a_person_is_asked_for_patience_where_the_graph_says_so(spawn: Any, tmp_path: Path, user: str) -> None:
    text = graph(fan_out={"timeout_seconds": 1}, fan_in={"on_partial_failure": "prompt_user"})
    runtime = run_in(spawn, write_family(tmp_path, text=text))
    async with runtime.chat("Trip", user) as wire:
        _, asker = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        late = (await wire.until("chat.mfj_timeout_prompt"))["data"]
        assert late["children_pending"] == [asker["chat_id"]] and late["timeout_seconds"] == 1
        await when(runtime, asker, user, "June")
        assert (await wire.until("chat.workflow_resumed"))["data"]["succeeded_count"] == 2
        await wire.until("chat.run_complete")
    assert [one for frame in wire.frames for one in check_frame(frame)] == [] and check_order(wire.frames) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"fan_out": {"input_contract": {"required": ["brief"]}}}, "START_WORKFLOW_BATCH_FAILED"), ({"requires": ["other"]}, None)],
)
async def test_a_trigger_that_lacks_something_starts_nothing(
    spawn: Any, tmp_path: Path, user: str, changes: Frame, code: str | None
) -> None:
    runtime = run_in(spawn, write_family(tmp_path, text=graph(**changes)))
    async with runtime.chat("Trip", user) as wire:
        await wire.until("chat.input_request")  # the run goes on without them
        assert [one["data"]["error_code"] for one in wire.all("chat.error")] == ([code] if code else [])
        assert not wire.all("chat.workflow_batch_started")
    assert runtime.request("GET", f"/api/sessions/list/app1/{user}", user).json()["count"] == 1


async def test_gates_hold_for_children_and_a_workflow_that_starts_itself_ends(spawn: Any, tmp_path: Path, user: str) -> None:
    parent = PARENT.replace("Asker", "Trip").replace("Nowhere", "Asker")
    root = write_family(tmp_path, parent=parent)
    gate = {"from": "HelloWorld", "to": "Asker", "reason": "Say hello first."}
    (root / "_pack").mkdir()
    (root / "_pack" / "workflow_graph.json").write_text(json.dumps({"gates": [gate]}))
    runtime = run_in(spawn, root)
    async with runtime.chat("Trip", user) as wire:
        blocked = await wire.until("chat.prereq_blocked")
        assert (blocked["data"]["workflow_name"], blocked["data"]["message"]) == ("Asker", "Say hello first.")
        started = (await wire.until("chat.workflow_batch_started"))["data"]
        assert [one["workflow_name"] for one in started["workflows"]] == ["Looker", "Trip"]
    sessions = f"/api/sessions/list/app1/{user}"
    four = ["Trip"] * 4  # each waits for the one it started; the last starts none and waits for its person
    await runtime.wait_for(sessions, user, lambda told: [one["workflow_name"] for one in told["sessions"]] == four)
    newest = runtime.request("GET", sessions, user).json()["sessions"][0]["chat_id"]
    await runtime.wait_for(f"/api/chats/meta/app1/Trip/{newest}", user, lambda told: told.get("waiting_for") == "input")
    assert runtime.request("GET", sessions, user).json()["count"] == 4


async def test_one_workflow_can_run_once_for_every_part_of_a_plan(spawn: Any, tmp_path: Path, user: str) -> None:
    parent = PARENT.replace('{name: Nowhere, initial_message: "-"}', '{name: Made, initial_message: ""}').replace(
        "Asker", "Other"
    )
    making = {"spawn_mode": "generator_subrun", "generator_workflow": "Looker", "child_initial_agent": "Scout", "max_children": 9}
    runtime = run_in(spawn, write_family(tmp_path, text=graph(fan_out=making), parent=parent))
    async with runtime.chat("Trip", user) as wire:
        rows = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        assert [one["generated_workflow_name"] for one in rows[1:]] == ["Other", "Made"]
        assert rows[2]["chat_id"].startswith("chat_gen_Made_") and {one["workflow_name"] for one in rows} == {"Looker"}
        told = (await wire.until("chat.text", agent="Writer"))["data"]["content"]
    assert "I looked at Generate a new workflow named 'Made'." in told


async def test_a_child_that_breaks_is_a_failed_result(spawn: Any, tmp_path: Path, user: str) -> None:
    root = write_family(tmp_path)
    broken = "agents: [{name: Clerk, script: [[{output: {n: many}}]]}]\n"
    shape = "structured_outputs: {models: {Out: {type: model, fields: {n: int}}}, registry: {Clerk: Out}}\n"
    write_folder(root, {"agents.yaml": broken, "structured_outputs.yaml": shape}, "Asker")
    runtime = run_in(spawn, root)
    async with runtime.chat("Trip", user) as wire:
        resumed = (await wire.until("chat.workflow_resumed"))["data"]
        assert (resumed["succeeded_count"], resumed["failed_count"]) == (1, 1)
        told = (await wire.until("chat.text", agent="Writer"))["data"]["content"]
        assert "**Error:** The workflow stopped because of an internal error." in told
    assert check_order(wire.frames) == []


async def test_children_belong_to_the_person_of_the_run_alone(spawn: Any, tmp_path: Path, user: str) -> None:
    runtime = run_in(spawn, write_family(tmp_path))
    async with runtime.chat("Trip", user) as wire:
        _, asker = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
    path = f"/api/chats/meta/app1/Asker/{asker['chat_id']}"
    assert runtime.request("GET", path, user).json()["exists"] is True
    assert runtime.request("GET", path, "somebody-else").json() == {"exists": False}


@pytest.fixture
def reborn(spawn: Any, tmp_path: Path) -> Callable[..., Any]:
    """A runtime on a database of its own; given one, that is killed first."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'runtime.db'}"
    _make_tables(url)
    root = write_family(tmp_path / "workflows")

    def start(before: Any = None) -> Any:
        if before is not None:
            before.process.send_signal(signal.SIGKILL)
            before.process.wait(60)
        return run_in(spawn, root, database_url=url)

    return start


async def test_a_killed_runtime_finds_the_children_it_waits_for(reborn: Any, user: str) -> None:
    first = reborn()
    async with first.chat("Trip", user) as wire:
        parent = wire.frames[0]["data"]["chat_id"]
        _, asker = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        await wire.until("chat.workflow_child_completed")
        async with first.socket("Asker", asker["chat_id"], user) as child:
            asked = await child.until("chat.input_request")
    second = reborn(first)
    async with second.socket("Trip", parent, user) as wire:
        again = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        assert asker in again
        async with second.socket("Asker", asker["chat_id"], user) as child:
            still = await child.until("chat.input_request")
            assert still["data"]["request_id"] == asked["data"]["request_id"]
            await child.answer(still, "July")
            await child.until("chat.run_complete")
        told = (await wire.until("chat.text", agent="Writer"))["data"]["content"]
        assert told.startswith("I got 2 of two:") and "In July, then." in told and "rain in Oslo" in told
        await wire.until("chat.run_complete")
    assert second.request("GET", f"/api/sessions/list/app1/{user}", user).json()["count"] == 0


def test_graphs_are_read_in_every_published_form() -> None:
    flat = {
        "trigger_agent": "Planner", "resume_agent": "Writer", "spawn_mode": "generator_subrun", "generator_workflow": "Maker",
        "timeout_seconds": 7, "required_context": ["brief"], "expected_output_keys": ["plan"], "merge_mode": "deep_merge",
        "on_partial_failure": "fail_all",
    }  # fmt: skip
    (old,) = triggers_of({"nested_chats": [flat, {"id": "no agent"}, 7]})
    (older,) = triggers_of({"journeys": [flat]})
    assert old == older
    assert (old.id, old.generator, old.timeout, old.needs, old.expects) == (
        "trigger_Planner",
        "Maker",
        7.0,
        ("brief",),
        ("plan",),
    )
    assert (old.merge_mode, old.on_partial_failure, old.most) == ("deep_merge", "fail_all", MOST_CHILDREN)
    (new,) = triggers_of(json.loads(graph(fan_out={"max_children": 2, "timeout_seconds": True}, fan_in={"inject_as": "looks"})))
    assert (new.most, new.timeout, new.inject_as, new.seed) == (2, None, "looks", {"colour": "blue"})
    assert triggers_of(None) == [] and triggers_of({"journeys": [{"id": "j", "steps": ["A", "B"]}]}) == []
    assert plan_of({"PatternSelection": {"is_multi_workflow": False, "workflows": [{"name": "A"}]}}) is None
    assert plan_of({"pattern_selection": {"is_multi_workflow": True, "workflows": [{"name": " "}, 3]}}) is None


def test_results_are_merged_as_published() -> None:
    good = [Result("a", "A", "said", {"x": {"y": 1}, "n": 1}), Result("b", "B", "", {"x": {"z": 2}, "n": 2})]
    bad = Result("c", "C", success=False, error="broke")
    text = merge("concatenate", [*good, bad])
    assert "### A (a) ✅\nsaid" in text.summary and "### C (c) ❌\n**Error:** broke" in text.summary
    assert text.summary.endswith("**Summary:** 2/3 sub-tasks completed successfully.") and set(text.data) == {"a", "b"}
    assert merge("structured", [bad]).data == {"c": {"workflow_name": "C", "success": False, "error": "broke"}}
    assert merge("collect_all", [*good, bad]).data == {"a": good[0].data, "b": good[1].data, "c": {}}
    assert merge("deep_merge", good).data == {"x": {"y": 1, "z": 2}, "n": 2}
    assert good[0].data == {"x": {"y": 1}, "n": 1}, "the results themselves are left as they are"
    assert merge("first_success", [bad, *good]).data == good[0].data and merge("first_success", [bad]).data == {}
    twin = Result("d", "D", data=dict(good[1].data))
    assert merge("majority_vote", [good[0], good[1], twin]).data == good[1].data
    assert merge("no such", good) == merge("concatenate", good)
