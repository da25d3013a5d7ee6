"""The published workflow folder format: what is read, and how mistakes are named (F-161, F-201)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from mozaiks_shell.cli.workflows import scaffold_workflow
from mozaiks_shell.runtime import folders
from mozaiks_shell.runtime.engine.conditions import ExpressionError, compile_expression
from mozaiks_shell.runtime.folders import Loaded, Shelf, load_folder

SAMPLES = Path(folders.__file__).parent.parent / "samples"
FILES = {
    "orchestrator.yaml": """
        workflow_name: Trip
        entry_point: true
        max_turns: 10
        initial_agent: Planner
    """,
    "agents.yaml": """
        agents:
        - name: Planner
          prompt_sections:
          - {id: role, heading: "[ROLE]", content: You plan trips.}
        - name: Booker
          system_message: You book.
    """,
    "handoffs.yaml": """
        handoff_rules:
        - source_agent: Planner
          target_agent: Booker
          handoff_type: condition
          condition_type: expression
          condition: ${ready} == True
        - {source_agent: Planner, target_agent: user}
    """,
    "context_variables.yaml": """
        definitions:
        - name: ready
          type: boolean
          source: {type: state, default: false}
    """,
    "tools.yaml": """
        tools:
        - agent: Planner
          file: look.py
          function: look
          tool_type: Agent_Tool
        - agent: Booker
          tool_type: UI_Tool
          ui: {component: core.form, mode: artifact}
    """,
    "structured_outputs.yaml": """
        structured_outputs:
          models:
            Stop: {type: model, fields: {city: {type: str}, nights: {type: int, default: 1}}}
            Plan:
              type: model
              fields:
                stops: {type: list, items: Stop}
                mood: {type: literal, values: [calm, wild]}
          registry: {Planner: Plan, Booker: null}
    """,
    "ui_config.yaml": "visual_agents: [Planner, user]\n",
    "hooks.yaml": "hooks: [{file: x.py}]\n",
    "tools/look.py": "def look(city: str, context_variables=None) -> str:\n    return city\n",
}

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a good folder, with some files replaced (None: left out)."""

    def write(name: str = "Trip", **changes: str | None) -> Path:
        folder = tmp_path / "workflows" / name
        given = {key.replace("__", "/").replace("_yaml", ".yaml").replace("_py", ".py"): text for key, text in changes.items()}
        for file, text in {**FILES, **given}.items():
            if text is not None:
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        return folder

    return write


def _told(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_a_folder_is_read_whole(make: Make) -> None:
    folder = make()
    (folder / "_pack").mkdir()
    (folder / "_pack" / "workflow_graph.json").write_text('{"journeys": []}')
    loaded = load_folder(folder)
    assert _told(loaded) == []
    trip = loaded.definition
    assert trip is not None
    assert list(trip.agents) == ["Planner", "Booker"]
    assert trip.agents["Planner"].prompt == "[ROLE]\nYou plan trips."
    assert trip.visible("Planner") and not trip.visible("Booker")
    assert [tool.name for tool in trip.tools_of("Planner")] == ["look"]
    assert trip.tools[0].wants_context and list(trip.tools[0].arguments.model_fields) == ["city"]
    assert trip.outputs["Planner"].model_validate({"stops": [{"city": "Oslo"}], "mood": "calm"}).stops[0].nights == 1
    assert trip.graph == {"journeys": []}
    # the merged object has the published shape: root files at the root, the others under their name
    assert trip.merged["max_turns"] == 10
    assert trip.merged["agents"]["agents"][0]["name"] == "Planner"
    assert trip.merged["handoffs"]["handoff_rules"][0]["target_agent"] == "Booker"
    assert trip.merged["tools"][0]["function"] == "look"
    assert trip.merged["visual_agents"] == ["Planner", "user"]
    assert trip.merged["hooks"] == {"hooks": [{"file": "x.py"}]}
    json.dumps(trip.merged)


MISTAKES = [
    ({"orchestrator_yaml": "workflow_name: Trip\nstartup_mode: Agent\n"}, "orchestrator.yaml:2", "startup_mode", "AgentDriven"),
    ({"orchestrator_yaml": "a:\n\tb: 1\n"}, "orchestrator.yaml:2", "", "tabs"),
    ({"orchestrator_yaml": None}, "orchestrator.yaml", "", "is missing"),
    ({"orchestrator_yaml": "workflow_name: Trip\ninitial_agent: Planer\n"}, "orchestrator.yaml:2", "initial_agent", "'Planner'?"),
    ({"orchestrator_yaml": "workflow_name: Other\n"}, "orchestrator.yaml:1", "workflow_name", "Rename"),
    ({"agents_yaml": "agents: []\n"}, "agents.yaml", "", "no agent"),
    ({"agents_yaml": "agents:\n- prompt_sections: []\n"}, "agents.yaml:2", "agents[0].name", "Add it"),
    ({"agents_yaml": "- name: x\n"}, "agents.yaml:1", "", "mapping"),
    (
        {"agents_yaml": "agents:\n- name: Planner\n- name: Booker\n- name: Planner\n"},
        "agents.yaml:4", "agents[2].name", "defined twice",
    ),
    (
        {"agents_yaml": "agents:\n- name: Planner\n  script:\n  - call: fly\n- name: Booker\n"},
        "agents.yaml:4", "script[0][0]", "no tool 'fly'",
    ),
    (
        {"handoffs_yaml": "handoff_rules:\n- source_agent: Planner\n  target_agent: Boker\n"},
        "handoffs.yaml:3", "handoff_rules[0].target_agent", "Did you mean 'Booker'?",
    ),
    (
        {"handoffs_yaml": "handoff_rules:\n- source_agent: Planner\n  target_agent: user\n  handoff_type: condition\n"},
        "handoffs.yaml:2", "handoff_rules[0]", "needs a 'condition'",
    ),
    (
        {
            "handoffs_yaml": "handoff_rules:\n- {source_agent: Planner, target_agent: user, handoff_type: condition, "
            "condition: __import__('os')}\n"
        },
        "handoffs.yaml:2", "condition", "only function is len",
    ),
    (
        {"context_variables_yaml": "definitions:\n- name: x\n  source: {type: database}\n"},
        "context_variables.yaml:3", "source.type", "'state'",
    ),
    (
        {"tools_yaml": "tools:\n- {agent: Planner, file: gone.py, function: f}\n"},
        "tools.yaml:2", "tools[0].file", "Put it at Trip/tools/gone.py",
    ),
    (
        {"tools_yaml": "tools:\n- {agent: Planner, file: look.py, function: loook}\n"},
        "tools.yaml:2", "tools[0].function", "it has: look",
    ),
    ({"tools_yaml": "tools:\n- {agent: Nobody, file: look.py, function: look}\n"}, "tools.yaml:2", "tools[0].agent", "Nobody"),
    ({"tools_yaml": "tools:\n- {agent: Planner, file: ../../x.py, function: f}\n"}, "tools.yaml:2", "tools[0].file", "no file"),
    ({"tools__look_py": "import nothing_like_this\n"}, "tools.yaml:4", "tools[0].function", "ModuleNotFoundError"),
    ({"tools__look_py": "def look(:\n"}, "tools.yaml:4", "tools[0].function", "line 1"),
    ({"tools__look_py": "raise SystemExit(3)\n"}, "tools.yaml:4", "tools[0].function", "SystemExit"),
    (
        {"structured_outputs_yaml": "registry: {Planner: Plan}\nmodels: {}\n"},
        "structured_outputs.yaml:1", "registry.Planner", "no model 'Plan'",
    ),
    (
        {"structured_outputs_yaml": "models:\n  A: {type: model, fields: {b: {type: strr}}}\nregistry: {}\n"},
        "structured_outputs.yaml:2", "models.A.fields.b", "'strr' is no type",
    ),
    (
        {"structured_outputs_yaml": "models:\n  A: {fields: {b: B}}\n  B: {fields: {a: A}}\nregistry: {}\n"},
        "structured_outputs.yaml", "models.A", "circle",
    ),
    ({"ui_config_yaml": "visual_agents: Planner\n"}, "ui_config.yaml:1", "visual_agents", "list of agent names"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "place", "where", "text"), MISTAKES)
def test_every_mistake_names_file_line_place_and_way_out(
    make: Make, changes: dict[str, str], place: str, where: str, text: str
) -> None:
    loaded = load_folder(make(**changes))
    assert loaded.definition is None
    fitting = [one for one in _told(loaded) if place in one and where in one and text in one]
    assert fitting, _told(loaded)
    assert fitting[0].startswith("Trip/")


def test_what_still_runs_is_a_warning(make: Make) -> None:
    loaded = load_folder(
        make(
            orchestrator_yaml="workflow_name: Trip\nmax_turn: 3\nmax_turns: 4\nmax_turns: 5\n",
            context_variables_yaml="definitions: {ready: {source: {type: runtime}}}\n",
        )
    )
    assert loaded.definition is not None
    assert loaded.definition.orchestrator.max_turns == 5
    told = "\n".join(_told(loaded))
    assert "orchestrator.yaml:2 max_turn: is not a known key. Did you mean 'max_turns'?" in told
    assert "stands twice" in told
    assert "'runtime' is no published source type" in told


@pytest.mark.parametrize(
    "text",
    [
        "x: &a [1,1,1,1,1,1,1,1,1,1]\ny: &b [" + ",".join(["*a"] * 90) + "]\nz: [" + ",".join(["*b"] * 90) + "]\n",
        "[" * 200 + "]" * 200,
        "!!python/object/apply:os.system ['true']\n",
        "a: 1\n---\nb: 2\n",
        "\x00",
    ],
)
def test_hostile_yaml_is_refused_at_once(make: Make, text: str) -> None:
    loaded = load_folder(make(agents_yaml=text))
    assert loaded.definition is None
    assert any("agents.yaml" in one for one in _told(loaded))


def test_one_broken_workflow_breaks_no_other_and_files_are_followed(make: Make) -> None:
    good = make()
    bad = make("Broken", agents_yaml="agents: nonsense\n")
    shelf = Shelf([good.parent])
    assert shelf.refresh()
    assert [one.name for one in shelf.usable()] == ["Trip"]
    assert any(str(problem).startswith("Broken/agents.yaml:1 agents") for problem in shelf.problems)
    assert not shelf.refresh()
    before = shelf.usable()[0].definition
    (good / "tools" / "look.py").write_text("def look(town: str) -> str:\n    return town\n")
    assert shelf.refresh()
    after = shelf.usable()[0].definition
    assert before is not None and after is not None
    assert before.tools[0].function("Oslo") == "Oslo"  # a run that began earlier keeps its tools
    assert list(after.tools[0].arguments.model_fields) == ["town"]
    (bad / "orchestrator.yaml").unlink()
    (bad / "agents.yaml").unlink()
    (bad / "tools.yaml").unlink()
    assert shelf.refresh()
    assert not [problem for problem in shelf.problems if problem.workflow == "Broken"]


def test_tool_files_may_import_each_other_and_the_published_helpers(make: Make) -> None:
    loaded = load_folder(
        make(
            tools__look_py="""
                from logs.logging_config import get_workflow_logger
                from mozaiksai.engine.outputs.ui_tools import UIToolError, use_ui_tool
                from .words import twice
                log = get_workflow_logger(workflow_name="Trip")
                def look(city: str) -> str:
                    return twice(city)
            """,
            tools__words_py="def twice(text):\n    return text * 2\n",
        )
    )
    assert loaded.definition is not None, _told(loaded)
    assert loaded.definition.tools[0].function("a") == "aa"


def test_a_tool_file_that_never_ends_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mozaiks_shell.runtime.folders.code.IMPORT_SECONDS", 0.2)
    loaded = load_folder(make(tools__look_py="import threading\nthreading.Event().wait(5)\n"))
    assert any("did not finish importing" in one for one in _told(loaded))


def test_the_examples_of_the_guide_are_sound(make: Make) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "workflow-folders.md").read_text("utf-8")
    script, code = guide.split("```yaml")[1].split("```")[0], guide.split("```python")[1].split("```")[0]
    loaded = load_folder(
        make(
            agents_yaml="agents:\n- name: Planner\n" + textwrap.indent(script, "  ") + "\n- name: Booker\n",
            tools__look_py=code + "\n\nlook = pick\n\n\ndef find_hotel(city: str) -> dict:\n    return {}\n",
            tools_yaml="tools:\n- {agent: Planner, file: look.py, function: look}\n"
            "- {agent: Planner, file: look.py, function: find_hotel}\n",
        )
    )
    assert _told(loaded) == []
    assert loaded.definition is not None
    assert [len(turn) for turn in loaded.definition.agents["Planner"].script] == [1, 2, 3]


def test_the_sample_and_the_scaffold_are_sound(tmp_path: Path) -> None:
    sample = load_folder(SAMPLES / "HelloWorld")
    assert (_told(sample), sample.definition is not None) == ([], True)
    scaffold_workflow(tmp_path, "trip-planner")
    made = load_folder(tmp_path / "TripPlanner")
    assert (_told(made), made.definition is not None) == ([], True)


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("${ready} == False", {"ready": False}, True),
        ("${ready} == true and ${count} > 2", {"ready": True, "count": 3}, True),
        ("!${ready} & len(${rows}) >= 2", {"ready": None, "rows": [1, 2]}, True),
        ("${a} == 'x & y' | ${b}", {"a": "x & y", "b": False}, True),
        ("${user.name} in ['Ada', 'Bo']", {"user": {"name": "Ada"}}, True),
        ("${missing} > 3", {}, False),
        ("ready", {"ready": 1}, True),
    ],
)
def test_conditions(text: str, values: dict[str, object], holds: bool) -> None:
    assert compile_expression(text).true_for(values) is holds


@pytest.mark.parametrize("text", ["", "a.b()", "(lambda: 1)()", "().__class__", "x[0]", "9**9**9", "a if b else c", "a" * 3000])
def test_conditions_are_never_code(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)
