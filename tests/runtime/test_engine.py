"""Groups of agents from workflow folders, without a language model (F-201): turns, tools, hand-offs, context, limits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.runtime import workflows
from mozaiks_shell.runtime.chat import Question
from mozaiks_shell.runtime.workflows.catalogue import SAMPLES, Catalogue

from .conversations import Talk, write_folder
from .test_persistence import _make_tables

ONE = "agents: [{name: Planner}]\n"


async def test_the_sample_runs_in_the_published_order(tmp_path: Path) -> None:
    async with Talk(SAMPLES / "HelloWorld") as talk:
        talk.start()
        await talk.answer("Ada")
        tool = await talk.shown()
        assert (tool["component_type"], tool["display"], tool["agent"]) == ("core.card", "inline", "GreeterAgent")
        assert tool["payload"]["title"] == "Hello, Ada!"
        talk.respond(tool, action="ok")
        await talk.over()
    assert talk.types() == [
        "chat.run_start", "chat.select_speaker", "chat.text", "chat.run_start",  # the seed
        "chat.select_speaker", "chat.text", "chat.usage_delta", "unknown", "chat.run_start", "chat.input_request",
        "chat.input_ack", "chat.select_speaker", "chat.text", "unknown", "chat.run_start",  # the echo of the person
        "chat.tool_call", "chat.run_start", "unknown", "chat.tool_call",
        "chat.ui_tool_complete", "unknown", "chat.tool_response", "chat.run_start", "unknown", "chat.run_start",
        "chat.select_speaker", "chat.text", "chat.usage_delta", "unknown", "unknown", "chat.run_complete",
    ]  # fmt: skip
    seed, hello = talk.all("chat.text")[:2]
    assert (seed["agent"], seed["sequence"], seed["index"]) == ("user", 1, 0)
    assert (hello["agent"], hello["is_tool_agent"]) == ("GreeterAgent", True)
    prints = "".join(one["content"] for one in talk.all("chat.print") if one["agent"] == "GreeterAgent")
    assert prints == hello["content"]
    result = talk.all("chat.tool_response")[0]
    assert (result["status"], '"greeting": "Hello, Ada!"' in result["result"]["content"]) == ("ok", True)
    assert talk.texts("GuideAgent")[0].startswith("That was **HelloWorld**, Ada.")
    assert [one["event_type"] for one in talk.all("unknown")][-1] == "TerminationEvent"


async def test_without_a_script_the_definition_is_followed(tmp_path: Path) -> None:
    files = {
        "agents.yaml": """
            agents:
            - name: Planner
              prompt_sections: [{heading: "[ROLE]", content: You plan trips.}]
        """,
        "tools.yaml": """
            tools:
            - {agent: Planner, file: t.py, function: count}
            - {agent: Planner, tool_type: UI_Tool, ui: {component: core.table, mode: artifact}}
        """,
        "tools/t.py": """
            from typing import Literal
            def count(*, city: str, nights: int, mood: Literal["calm", "wild"], note: str = "-", context_variables=None) -> dict:
                context_variables["seen"] = city
                return {"message": f"{nights} night(s), {mood}, in {city}{note}"}
        """,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.answer("Oslo")
        tool = await talk.shown()
        assert (tool["display"], tool["payload"]["message"]) == ("artifact", "Oslo")
        talk.respond(tool, data={"row": 1})
        await talk.answer("and now?")
        await talk.answer("exit")
        await talk.over()
    said = talk.texts("Planner")
    assert "No language model is connected" in said[0] and "You plan trips." in said[0]
    assert said[1] == "1 night(s), calm, in Oslo-"
    assert "and now?" in said[3]
    order = [one for one in talk.types() if one in ("chat.ui_tool_dismiss", "chat.tool_response")]
    assert order == ["chat.tool_response", "chat.ui_tool_dismiss", "chat.tool_response"]


async def test_the_template_of_new_workflow_runs(tmp_path: Path) -> None:
    from mozaiks_shell.cli.workflows import scaffold_workflow

    scaffold_workflow(tmp_path, "trip-planner")
    async with Talk(tmp_path / "TripPlanner") as talk:
        talk.start()
        await talk.answer("A trip to Oslo")
        await talk.answer("exit")
        await talk.over()
    assert talk.texts("TripPlannerAgent")[0] == "What shall we begin with?"
    assert "A trip to Oslo" in talk.texts("TripPlannerAgent")[1]


SCRIPTED = {
    "agents.yaml": """
        agents:
        - name: Asker
          script:
          - - ask: "Where to?"
              into: city
            - set: {asked: true}
            - say: "{{city}} it is."
          - say: NEXT
        - name: Hidden
          script:
          - - say: "secret sk-abcdefgh1234 about {{city}}"
            - handoff: Teller
        - name: Teller
          script:
          - - say: "ready is {{ready}}, word is {{word}}, plan is {{plan}}"
            - handoff: terminate
    """,
    "handoffs.yaml": """
        handoff_rules:
        - {source_agent: Asker, target_agent: Hidden, handoff_type: condition, condition_type: expression,
           condition: "${ready} == True"}
        - {source_agent: Asker, target_agent: Asker, handoff_type: after_work, transition_target: StayTarget}
    """,
    "context_variables.yaml": """
        definitions:
        - name: city
        - name: asked
        - name: plan
          source: {type: file, path: plan.json, format: json}
        - name: ready
          source:
            type: state
            default: false
            triggers: [{type: agent_text, agent: Asker, match: {equals: NEXT}, ui_hidden: true}]
        - name: word
          source: {type: state, triggers: [{type: user_text, match: {regex: "^Os"}, value: seen}]}
    """,
    "ui_config.yaml": "visual_agents: [Asker, teller]\n",
    "plan.json": '{"days": 3}',
}


async def test_scripts_context_triggers_and_hidden_agents(tmp_path: Path) -> None:
    async with Talk(write_folder(tmp_path, SCRIPTED)) as talk:
        talk.start()
        await talk.answer("Oslo")
        await talk.over()
    assert talk.texts() == ["Oslo", "Oslo it is.", 'ready is true, word is seen, plan is {"days": 3}']
    traces = [one for one in talk.all("chat.text") if one.get("ui_visibility") == "trace"]
    assert [(one["trace_agent"], one["trace_reason"]) for one in traces] == [
        ("Asker", "ui_hidden_trigger"),
        ("Hidden", "non_visual_agent"),
    ]
    assert "sk-abcdefgh1234" not in traces[1]["content"] and traces[1]["trace_redacted"]
    assert not [one for one in talk.all("chat.print") if "secret" in one["content"] or "NEXT" in one["content"]]
    assert {one["variable"]: one["value"] for one in talk.all("context_update")} == {
        "city": "Oslo", "asked": True, "ready": True, "word": "seen",
    }  # fmt: skip
    assert not any("secret" in message.content for message in talk.chat.messages)  # nothing to replay to anybody


async def test_a_ui_response_sets_context_and_structured_output_calls_the_tool(tmp_path: Path) -> None:
    files = {
        "agents.yaml": """
            agents:
            - name: Shaper
              auto_tool_mode: true
              structured_outputs_required: true
            - {name: Closer, script: ["bad"]}
        """.replace(', script: ["bad"]', ""),
        "handoffs.yaml": "handoff_rules: [{source_agent: Shaper, target_agent: terminate}]\n",
        "structured_outputs.yaml": """
            models:
              Pick:
                type: model
                fields:
                  agent_message: {type: str, default: Choose one.}
                  sizes: {type: list, items: int}
            registry: {Shaper: Pick}
        """,
        "context_variables.yaml": """
            definitions:
            - name: chosen
              source: {type: state, triggers: [{type: ui_response, tool: Picker, response_key: size}]}
        """,
        "tools.yaml": "tools: [{agent: Shaper, file: t.py, function: pick, ui: {component: Picker, mode: artifact}}]\n",
        "tools/t.py": """
            from mozaiksai.core.workflow.outputs.ui_tools import emit_tool_progress_event, use_ui_tool
            async def pick(sizes: list[int], context_variables):
                await emit_tool_progress_event("pick", 150, "half way")
                response = await use_ui_tool("Picker", {"sizes": sizes}, chat_id="x", workflow_name="Trip")
                return {"chosen": context_variables.get("chosen"), "id": response["ui_event_id"]}
        """,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start("go")
        tool = await talk.shown()
        assert (tool["display"], tool["payload"]["sizes"]) == ("artifact", [1])
        talk.respond(tool, data={"size": 42})
        await talk.over()
    call, done = talk.all("chat.tool_call")[0], talk.all("chat.tool_response")[0]
    assert call["awaiting_response"] is False
    assert call["payload"]["interaction_type"] == "auto_tool"
    assert call["payload"]["agent_message"] == "Choose one."
    assert (done["tool_call_id"], done["success"]) == (call["corr"], True)
    assert '"chosen": 42' in done["content"]
    assert talk.all("context_update")[0] == {"kind": "context_update", "variable": "chosen", "value": 42}
    assert talk.all("tool_progress")[0]["progress_percent"] == 100
    assert talk.texts("Shaper") == []  # the tool shows it; saying it too would double it


async def test_structured_answers_are_shown_as_their_message(tmp_path: Path) -> None:
    files = {
        "agents.yaml": "agents: [{name: Shaper, script: [[{output: {agent_message: Done., n: 3}}, {handoff: terminate}]]}]\n",
        "structured_outputs.yaml": """
            models: {Out: {type: model, fields: {agent_message: str, n: {type: int}}}}
            registry: {Shaper: Out}
        """,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.over()
    text = talk.all("chat.text")[0]
    assert (text["content"], text["structured_output"], text["structured_schema"]) == (
        "Done.",
        {"agent_message": "Done.", "n": 3},
        "Out",
    )
    assert text["is_structured_capable"] is True


FAILING = """
    import threading
    GO = threading.Event()
    def boom(): raise RuntimeError("no\\nluck")
    def leave(): raise SystemExit(1)
    async def typed(n: int): return n
    def slow():
        return GO.wait(60)  # the test sets it, if its loop still turns
"""


async def test_a_tool_that_fails_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    files = {
        "agents.yaml": """
            agents:
            - name: Planner
              script:
              - - call: boom
                - call: leave
                - {call: typed, with: {n: many}}
                - {call: typed, with: {n: "7"}, into: seven}
                - say: "still here, {{seven}}"
        """,
        "tools.yaml": """
            tools:
            - {agent: Planner, file: t.py, function: boom}
            - {agent: Planner, file: t.py, function: leave}
            - {agent: Planner, file: t.py, function: typed}
            lifecycle_tools:
            - {trigger: before_chat, file: t.py, function: boom}
        """,
        "tools/t.py": FAILING,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.answer("exit")
        await talk.over()
    codes = [(one["error_code"], one["message"].split(":")[0]) for one in talk.all("chat.error")]
    assert codes == [
        ("LIFECYCLE_TOOL_FAILED", "boom (before_chat)"),
        ("TOOL_FAILED", "boom"), ("TOOL_FAILED", "leave"), ("TOOL_FAILED", "typed"),
    ]  # fmt: skip
    assert "RuntimeError: no luck" in talk.all("chat.error")[1]["message"]
    assert [one["status"] for one in talk.all("chat.tool_response")] == ["error", "error", "error", "ok"]
    assert talk.texts("Planner") == ["still here, 7"]


async def test_a_blocking_tool_does_not_block_the_runtime(tmp_path: Path) -> None:
    files = {
        "agents.yaml": "agents: [{name: Planner, script: [[{call: slow}, {handoff: terminate}]]}]\n",
        "tools.yaml": "tools: [{agent: Planner, file: t.py, function: slow}]\n",
        "tools/t.py": FAILING,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.until("unknown", event_type="ExecuteFunctionEvent")
        talk.workflow.definition.tools[0].function.__globals__["GO"].set()
        await talk.over()
    assert talk.all("chat.tool_response")[0]["result"]["content"] == "true"


async def test_lifecycle_tools_run_at_their_moments(tmp_path: Path) -> None:
    files = {
        "agents.yaml": "agents: [{name: A, script: [{say: a}]}, {name: B, script: [{say: 'b {{log}}'}]}]\n",
        "handoffs.yaml": """
            handoff_rules: [{source_agent: A, target_agent: B}, {source_agent: B, target_agent: terminate}]
        """,
        "tools.yaml": """
            tools: []
            lifecycle_tools:
            - {trigger: before_chat, file: t.py, function: start}
            - {trigger: before_agent, agent: A, file: t.py, function: before}
            - {trigger: after_agent, file: t.py, function: after}
            - {trigger: after_chat, file: t.py, function: finish}
        """,
        "tools/t.py": """
            def start(context_variables): context_variables["log"] = "start"
            async def before(context_variables): context_variables["log"] += " before"
            def after(context_variables): context_variables["log"] += " after"
            def finish(context_variables): raise ValueError(context_variables["log"])
        """,
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.over()
    assert talk.texts() == ["a", "b start before after"]
    assert "start before after after" in talk.all("chat.error")[0]["message"]


@pytest.mark.parametrize(
    ("orchestrator", "first", "seen"),
    [
        ("startup_mode: BackendOnly\ninitial_message: Begin\n", None, ["Begin", "said 1"]),
        ("human_in_the_loop: false\n", None, ["said 1"]),
        ("startup_mode: UserDriven\nmax_turns: 2\ninitial_message_to_user: Hi!\n", "my text", ["my text", "said 1", "my text"]),
        ("max_turns: 1\ninitial_message_to_user: Hi!\n", None, ["Hi!", "said 1"]),
    ],
)
async def test_how_runs_begin_and_end(tmp_path: Path, orchestrator: str, first: str | None, seen: list[str]) -> None:
    files = {
        "orchestrator.yaml": f"workflow_name: Trip\n{orchestrator}",
        "agents.yaml": "agents: [{name: Planner, script: [{say: said 1}, {say: '{{user_text}}'}]}]\n",
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start(first)
        if "UserDriven" in orchestrator:
            await talk.answer("my text")
        await talk.over()
    if "UserDriven" in orchestrator:
        seen = ["my text", "said 1", "my text", "my text"]
    assert talk.texts() == seen


async def test_agents_that_talk_to_each_other_for_ever_are_stopped(tmp_path: Path) -> None:
    files = {
        "agents.yaml": """
            agents:
            - {name: A, max_consecutive_auto_reply: 3, script: [{say: a}, {say: a}, {say: a}, {say: a}, {say: a}]}
            - {name: B, max_consecutive_auto_reply: 3, script: [{say: b}, {say: b}, {say: b}, {say: b}, {say: b}]}
        """,
        "handoffs.yaml": "handoff_rules: [{source_agent: A, target_agent: B}, {source_agent: B, target_agent: A}]\n",
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.start()
        await talk.answer("exit")
        await talk.over()
    assert talk.texts() == ["a", "b", "a", "b", "a", "exit"]


async def test_a_run_goes_on_after_its_process_died(tmp_path: Path) -> None:
    """The tool that showed something is answered from the past; a finished one is not done twice."""
    done = tmp_path / "done.txt"
    files = {
        "agents.yaml": """
            agents:
            - name: Planner
              script:
              - - call: once
                - call: card
                - ask: "And?"
                  into: and_
                - say: "{{seen}} {{and_}}"
                - handoff: terminate
        """,
        "tools.yaml": """
            tools:
            - {agent: Planner, file: t.py, function: once}
            - {agent: Planner, file: t.py, function: card, ui: {component: Card}}
        """,
        "tools/t.py": f"""
            from mozaiksai.core.workflow.outputs.ui_tools import use_ui_tool
            def once(context_variables):
                with open({str(done)!r}, "a") as file: file.write("x")
                context_variables["seen"] = "once"
            async def card():
                return await use_ui_tool("Card", {{}}, chat_id="c", workflow_name="Trip")
        """,
    }
    folder = write_folder(tmp_path, files)
    async with Talk(folder) as first:
        first.chat.journal.kept = True
        first.start()
        first.respond(await first.shown())
        question = await first.asked()
    async with Talk(folder) as second:
        chat = second.chat
        chat.journal.kept = True
        chat.journal.steps = list(first.chat.journal.steps)
        open_one = Question(question, asyncio.get_running_loop().create_future())
        chat.questions = {open_one.id: open_one}
        second.start()
        for _ in range(200):
            await asyncio.sleep(0)
        assert not second.chat.journal.replaying
        assert second.frames == []  # nothing is sent a second time
        assert chat.answer_question(question["data"]["request_id"], "more")
        await second.over()
    assert second.texts() == ["more", "once more"]
    assert done.read_text() == "x"


async def test_component_actions_reach_defined_variables_only(tmp_path: Path) -> None:
    files = {
        "agents.yaml": "agents: [{name: A, script: [{say: '{{size}} {{app_id}}'}]}]\n",
        "context_variables.yaml": "definitions: [{name: size}]\n",
    }
    async with Talk(write_folder(tmp_path, files)) as talk:
        talk.chat.journal.kept = True
        assert talk.chat.set_variables({"size": "L", "app_id": "somebody else's"})
        talk.start()
        await talk.asked()
    assert talk.texts() == ["L app1"]
    assert talk.all("context_update") == [{"kind": "context_update", "variable": "size", "value": "L"}]
    async with Talk(tmp_path / "Trip") as again:
        again.chat.journal.kept = True
        again.chat.journal.steps = list(talk.chat.journal.steps)[:-1]  # it died before it asked
        again.start()
        await again.answer("exit")
        await again.over()
    assert again.texts() == ["exit"]


def test_the_catalogue_offers_folders_beside_its_own(tmp_path: Path) -> None:
    files = {
        "orchestrator.yaml": "workflow_name: Trip\nentry_point: true\n",
        "agents.yaml": ONE,
        "tools.yaml": """
            tools:
            - {agent: Planner, file: t.py, function: look}
            - {agent: Planner, tool_type: UI_Tool, ui: {component: core.form, mode: artifact}}
        """,
        "tools/t.py": "def look(): ...\n",
    }
    write_folder(tmp_path, files)
    write_folder(tmp_path, {"agents.yaml": "agents: 3\n"}, "Broken")
    own = dict(workflows.REGISTRY)
    offered = Catalogue(own, [tmp_path, SAMPLES])
    assert set(offered) == set(own)
    assert offered.refresh()
    assert set(offered) == {*own, "Trip", "HelloWorld"}
    assert [str(one) for one in offered.problems] == ["Broken/agents.yaml:1 agents: must be a list."]
    assert [name for name, one in offered.items() if one.config()["entry_point"]] == ["Trip"]
    rows = offered["Trip"].tools()
    assert rows[0]["path"] == "workflows.Trip.tools.t:look"
    assert (rows[1]["tool_id"], rows[1]["classification"], rows[1]["mode"]) == ("core.form", "ui", "artifact")
    row: dict[str, Any] = {"ui_tool_id": "core.form", "component": "core.form", "mode": "artifact"}
    assert offered["Trip"].ui_tool_rows() == [row | {"agent": "Planner", "workflow": "Trip"}]
    kept = offered["HelloWorld"]
    (tmp_path / "Broken" / "agents.yaml").write_text(ONE)
    assert offered.refresh()
    assert "Broken" in offered and offered["HelloWorld"] is kept


async def test_folders_in_the_real_process(spawn: Any, user: str, tmp_path: Path) -> None:
    """Loaded at the start, offered over HTTP, run over a socket, followed while it runs; a broken one is told."""
    write_folder(tmp_path, {"agents.yaml": "agents: [{name: A, script: [[{say: first}, {handoff: terminate}]]}]\n"})
    write_folder(tmp_path, {"agents.yaml": "agents: nonsense\n"}, "Broken")
    runtime = spawn(workflows_path=str(tmp_path), sample_workflows=True)
    listed = runtime.request("GET", "/api/workflows").json()
    assert {"Assistant", "Trip", "HelloWorld"} <= set(listed) and "Broken" not in listed
    assert listed["HelloWorld"]["agents"]["agents"][0]["name"] == "GreeterAgent"
    assert runtime.request("GET", "/api/workflows/HelloWorld/ui-tools").json()["ui_tools_count"] == 1
    health = runtime.request("GET", "/api/health").json()
    assert health["runtime"]["workflow_problems"] == ["Broken/agents.yaml:1 agents: must be a list."]
    async with runtime.chat("HelloWorld", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "Ada")
        tool = (await wire.until("chat.tool_call", component_type="core.card"))["data"]
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "success"})
        kinds = [(await wire.next())["type"] for _ in range(4)]
        assert kinds == ["ack.ui_tool_response", "chat.ui_tool_complete", "unknown", "chat.tool_response"]
        await wire.until("chat.run_complete")
    async with runtime.chat("Trip", user) as wire:
        assert (await wire.until("chat.text"))["data"]["content"] == "first"
    write_folder(tmp_path, {"agents.yaml": "agents: [{name: A, script: [[{say: second}, {handoff: terminate}]]}]\n"})
    write_folder(tmp_path, {"agents.yaml": ONE}, "Broken")
    await runtime.wait_for("/api/workflows", user, lambda answer: "Broken" in answer and "second" in str(answer["Trip"]))
    async with runtime.chat("Trip", user) as wire:
        assert (await wire.until("chat.text"))["data"]["content"] == "second"
    assert runtime.request("GET", "/api/health").json()["runtime"]["workflow_problems"] == []


async def test_a_killed_process_goes_on_with_the_card_it_showed(spawn: Any, user: str, tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'runtime.db'}"
    _make_tables(database)
    config = {"database_url": database, "workflows_path": str(SAMPLES)}
    first = spawn(**config)
    async with first.chat("HelloWorld", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.answer(await wire.until("chat.input_request"), "Ada")
        card = await wire.until("chat.tool_call", component_type="core.card")
        said = [frame["data"]["content"] for frame in wire.all("chat.text")]
    await first.wait_for(f"/api/chats/meta/app1/HelloWorld/{chat}", user, lambda meta: meta["last_artifact"] is not None)
    await first.wait_for("/api/health", user, lambda health: health["runtime"]["unsaved_chats"] == 0)
    first.process.kill()
    first.process.wait(60)
    second = spawn(**config)
    async with second.socket("HelloWorld", chat, user) as wire:
        again = await wire.until("chat.tool_call", component_type="core.card")
        assert again["data"] == card["data"]
        assert [frame["data"]["content"] for frame in wire.all("chat.text")] == said
        await wire.send("ui_tool_response", eventId=card["data"]["corr"], response={"status": "success"})
        last = await wire.until("chat.text", agent="GuideAgent")
        assert last["data"]["content"].startswith("That was **HelloWorld**, Ada.")
        await wire.until("chat.run_complete")
