"""F-283: what ``new plugin`` writes loads in the real host with any combination of parts, and its own tests pass."""

import itertools
import json
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from mozaiks_shell.cli import examination
from mozaiks_shell.cli.check import judge
from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.scaffold import Parts, compatible, scaffold
from mozaiks_shell.foundation.settings import ROOT
from tests.live import clean_environment

FLAGS = ("settings", "entitlements", "frontend", "model")
EVERY = [Parts(*chosen) for chosen in itertools.product((True, False), repeat=4)]


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """A folder with a plugin of each combination, made with the command."""
    root = tmp_path_factory.mktemp("plugins")
    for number, parts in enumerate(EVERY):
        flags = [f"--{'with' if getattr(parts, flag) else 'without'}-{flag}" for flag in FLAGS]
        made = CliRunner().invoke(app, ["new", "plugin", f"kind-{number:02}", *flags, "--folder", str(root)])
        assert made.exit_code == 0, made.output
    return root


def test_f283_every_combination_of_flags_loads_and_its_own_tests_pass(every):
    assert len(list(every.glob("kind-*/tests/test_plugin.py"))) == 16
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "mozaiks_shell.pytest_plugin", "-o", "asyncio_mode=auto",
        "-o", "asyncio_default_fixture_loop_scope=function", "--import-mode=importlib", "--rootdir", str(every), str(every),
    ]  # fmt: skip
    env = clean_environment(PYTHONPATH=str(ROOT), MOZAIKS_DATA_DIR=str(every / ".data"), PYTHONDONTWRITEBYTECODE="1")
    ran = subprocess.run(command, cwd=every, env=env, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-3000:]


@pytest.mark.parametrize("number", range(len(EVERY)))
def test_it_reads_like_an_example(every, number):
    folder = every / f"kind-{number:02}"
    told = {finding.rule: finding for finding in judge(folder, run=False).findings}
    assert set(told) <= {"translated", "origin"}, told


def test_it_is_written_as_ruff_wants_it(every):
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    ours = ["--config", 'lint.isort.known-first-party = ["mozaiks_shell"]']
    for command in (["ruff", "check", *config, *ours, "."], ["ruff", "format", "--check", *config, "."]):
        ran = subprocess.run([sys.executable, "-m", *command], cwd=every, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_new_plugin_is_silver_as_it_claims(tmp_path):
    scaffold(tmp_path, "book-club", Parts(entitlements=True))
    verdict = judge(tmp_path / "book-club")
    assert (verdict.tier, verdict.claimed) == ("silver", "silver"), verdict.findings
    assert {one.rule for one in verdict.findings} == {"translated", "origin"}


def test_minimal_has_only_what_is_asked_for(tmp_path):
    made = CliRunner().invoke(app, ["new", "plugin", "tiny", "--minimal", "--with-settings", "--folder", str(tmp_path)])
    assert made.exit_code == 0 and "POST to /api/execute/tiny" in made.output
    files = {one.relative_to(tmp_path / "tiny").as_posix() for one in (tmp_path / "tiny").rglob("*") if one.is_file()}
    assert files == {
        "__init__.py", "README.md", "logic.py", "manifest.json", "service.py", "settings.py", "tests/test_plugin.py",
    }  # fmt: skip
    assert json.loads((tmp_path / "tiny" / "manifest.json").read_text())["requires"]["shell"] == compatible("0.1.0")


@pytest.mark.parametrize("name", ["../x", "Book", "a", "with space", "-x", "a--b", "auth", "payments"])
def test_bad_names_are_refused(tmp_path, name):
    result = CliRunner().invoke(app, ["new", "plugin", "--folder", str(tmp_path), "--", name])
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(settings, "plugins_paths", [tmp_path])
    runner = CliRunner()
    assert runner.invoke(app, ["new", "plugin", "notes"]).exit_code == 0
    (tmp_path / "notes" / "page.py").write_text("mine")
    assert runner.invoke(app, ["new", "plugin", "notes"]).exit_code == 1
    assert (tmp_path / "notes" / "page.py").read_text() == "mine"


@pytest.fixture
def app_folder(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(settings, "workflows_path", tmp_path / "workflows")
    monkeypatch.setattr(settings, "configs_path", tmp_path / "configs")
    monkeypatch.setattr(settings, "plugins_paths", [tmp_path / "plugins"])
    for name in ("plugins", "configs"):
        (tmp_path / name).mkdir()
    return tmp_path


def workflows_found(settings):
    return [(one.level, one.said) for one in examination.examine(settings) if one.about == "workflow"]


@pytest.mark.parametrize("name", ["trip-planner", "trip_planner", "TripPlanner"])
def test_f284_a_new_workflow_is_registered_and_the_doctor_is_content(app_folder, settings, name):
    result = CliRunner().invoke(app, ["new", "workflow", name])
    assert result.exit_code == 0 and "embedded runtime runs it" in result.output, result.output
    folder = app_folder / "workflows" / "TripPlanner"
    told = {one.stem: yaml.safe_load(one.read_text()) for one in folder.glob("*.yaml")}
    assert told["orchestrator"]["workflow_name"] == "TripPlanner"
    agents = {one["name"] for one in told["agents"]["agents"]}
    assert {told["orchestrator"]["initial_agent"], *told["ui_config"]["visual_agents"]} <= agents
    graph = json.loads((app_folder / "workflows" / "_pack" / "workflow_graph.json").read_text())
    assert [one["id"] for one in graph["workflows"]] == ["TripPlanner"]
    spec = json.loads((app_folder / "configs" / "capability_specs" / "trip_planner.json").read_text())["capability"]
    assert (spec["workflow_id"], spec["display_name"], spec["enabled"]) == ("TripPlanner", "Trip planner", True)
    assert workflows_found(settings) == []
    assert "error" not in CliRunner().invoke(app, ["validate", str(app_folder / "configs")]).output
    assert CliRunner().invoke(app, ["new", "workflow", name]).exit_code == 1


def test_f161_a_workflow_that_is_not_in_the_graph_is_found_and_entered(app_folder, settings):
    graph = app_folder / "workflows" / "_pack" / "workflow_graph.json"
    CliRunner().invoke(app, ["new", "workflow", "first"])
    graph.write_text(json.dumps({"workflows": [{"id": "Gone"}], "journeys": [{"id": "kept"}]}))
    assert [level for level, _ in workflows_found(settings)] == ["problem", "warning"]
    CliRunner().invoke(app, ["doctor", "--no-pages", "--fix"])
    assert [level for level, _ in workflows_found(settings)] == ["warning"]
    assert json.loads(graph.read_text())["journeys"] == [{"id": "kept"}]
    graph.write_text("[]")
    assert [level for level, _ in workflows_found(settings)] == ["problem"]
    assert CliRunner().invoke(app, ["new", "workflow", "second"]).exit_code == 1


def test_f161_the_doctor_names_the_mistakes_in_a_workflow_folder(app_folder, settings):
    CliRunner().invoke(app, ["new", "workflow", "first"])
    agents = app_folder / "workflows" / "First" / "agents.yaml"
    agents.write_text(agents.read_text().replace("name: FirstAgent", "name: FistAgent"))
    told = [said for level, said in workflows_found(settings) if level == "problem"]
    assert any(said.startswith("First/orchestrator.yaml:10 initial_agent: there is no agent 'FirstAgent'") for said in told), told
    output = CliRunner().invoke(app, ["doctor", "--no-pages"]).output
    assert "Did you mean 'FistAgent'?" in " ".join(output.split())


@pytest.mark.parametrize("name", ["../x", "a", "1st", "a b"])
def test_bad_names_of_workflows_are_refused(app_folder, name):
    assert CliRunner().invoke(app, ["new", "workflow", "--", name]).exit_code == 1
    assert not (app_folder / "workflows").exists()
