"""Workflows that plugins bring run in the embedded runtime, beside everybody else's (F-201, F-161)."""

import asyncio
import json
from pathlib import Path

import pytest

from mozaiks_shell.broker.runtime_process import shared_config
from mozaiks_shell.cli.examination import _workflows
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import workflow_folders
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.runtime.config import checked_config
from mozaiks_shell.runtime.workflows.catalogue import Catalogue, catalogue
from tests.runtime.conversations import Talk

GREETING = {
    "workflows/Greeting/orchestrator.yaml": "workflow_name: Greeting\ninitial_agent: Host\nentry_point: true\n",
    "workflows/Greeting/agents.yaml": """
agents:
- name: Host
  system_message: You greet.
  script:
  - - call: hello
      with: {who: Ada}
      into: word
    - say: "{{word}}"
    - handoff: terminate
""",
    "workflows/Greeting/tools.yaml": "tools:\n- {agent: Host, file: hello.py, function: hello, tool_type: Agent_Tool}\n",
    "workflows/Greeting/tools/hello.py": "def hello(who: str) -> str:\n    return f'Hello {who}'\n",
}
LOGIC = {"logic.py": "async def execute(data):\n    return {}\n"}


def named(name: str, **changes: str) -> dict[str, str]:
    """The workflow under another name, in the files of a plugin."""
    files = {file.replace("Greeting", name): text.replace("Greeting", name) for file, text in GREETING.items()}
    return {**LOGIC, **files, **{f"workflows/{name}/{file}": text for file, text in changes.items()}}


def offered() -> Catalogue:
    """What a runtime offers that is started by this installation."""
    told = shared_config(get_settings()) | {"database_url": None}
    return catalogue(checked_config(told))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOZAIKS_WORKFLOWS_PATH", str(tmp_path / "workflows"))


async def test_a_plugins_workflow_is_offered_and_runs(write, load):
    folder = write("hello", named("Greeting"))
    assert load()["hello"].state is PluginState.LOADED
    before = offered()
    assert "Greeting" not in before
    assert workflow_folders.write(get_settings()) and not workflow_folders.write(get_settings())
    assert before.refresh() and "Greeting" in before, "a runtime that runs already does not see it"
    assert not before["Greeting"].entry_point and before["Assistant"].entry_point, "a plugin changed what people meet first"
    async with Talk(folder / "workflows" / "Greeting") as talk:
        talk.start()
        assert (await talk.until("chat.text", agent="Host"))["data"]["content"] == "Hello Ada"


def test_it_leaves_with_its_plugin(write, load):
    write("hello", named("Greeting"))
    plugin = load()["hello"]
    workflow_folders.write(get_settings())
    runtime = offered()
    plugin.state = PluginState.QUARANTINED
    assert workflow_folders.write(get_settings()) and runtime.refresh() and "Greeting" not in runtime
    plugin.state = PluginState.LOADED
    assert workflow_folders.write(get_settings()) and runtime.refresh() and "Greeting" in runtime


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"agents.yaml": "agents:\n- {system_message: 1}\n"}, "bad/workflows/Broken/agents.yaml:2"),
        ({"tools/hello.py": "import sys\nsys.exit(3)\n"}, "hello.py cannot be imported: SystemExit"),
        ({"orchestrator.yaml": "a: [\n"}, "bad/workflows/Broken/orchestrator.yaml"),
    ],
)
def test_a_broken_one_is_named_with_plugin_and_file_and_hurts_nobody(write, load, files, told):
    write("hello", named("Greeting"))
    write("bad", named("Broken", **files))
    load()
    workflow_folders.write(get_settings())
    runtime = offered()
    assert "Broken" not in runtime and {"Greeting", "Assistant"} <= set(runtime)
    assert any(told in str(problem) for problem in runtime.problems), runtime.problems
    assert any(told in found.said for found in _workflows(get_settings())), "doctor does not say so"


def test_a_name_that_is_taken_stays_with_who_had_it(write, load, tmp_path):
    mine = {file.replace("workflows/", "", 1): text.replace("Greet", "Operator") for file, text in named("Trip").items()}
    for file, text in mine.items():
        path = tmp_path / "workflows" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("You greet", "You are the operator's"))
    write("a", {**named("Trip"), **named("Greeting")})
    write("b", {**named("Greeting"), **named("Assistant")})
    load()
    workflow_folders.write(get_settings())
    runtime = offered()
    assert "operator's" in json.dumps(runtime["Trip"].config())
    said = sorted(str(problem) for problem in runtime.problems if "already" in problem.text)
    assert [line.partition(" ")[0] for line in said] == [
        "a/workflows/Trip/orchestrator.yaml", "b/workflows/Assistant/orchestrator.yaml", "b/workflows/Greeting/orchestrator.yaml"
    ]  # fmt: skip
    assert "of a already" in said[2]


def test_a_list_that_cannot_be_read_is_as_none(write, load):
    settings = get_settings()
    write("hello", named("Greeting"))
    load()
    file = settings.data_dir / "plugin_workflows.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    for text in ("[", "[]", '{"folders": 3}', '{"folders": {"x": "/nowhere/at/all"}}'):
        file.write_text(text)
        assert "Assistant" in offered()
        assert workflow_folders.write(settings) and "Greeting" in offered()


async def test_it_is_followed_while_the_shell_runs(write, load, monkeypatch):
    write("hello", named("Greeting"))
    load()
    settings = get_settings()
    monkeypatch.setattr(workflow_folders, "SECONDS", 0.01)
    task = asyncio.create_task(workflow_folders.follow(settings))
    try:
        async with asyncio.timeout(30):
            while not (settings.data_dir / "plugin_workflows.json").exists():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.01)
        assert "Greeting" in offered()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
