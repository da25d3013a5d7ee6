"""F-288: broken files, and exactly what is said about them. ``golden/`` holds the files and the lines they must give."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mozaiks_shell.cli import validate as command
from mozaiks_shell.cli.main import app
from mozaiks_shell.foundation.settings import get_settings

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(one.name for one in GOLDEN.iterdir() if one.is_dir())


@pytest.fixture
def case(tmp_path, settings, monkeypatch):
    """A golden app: its ``configs/``, ``plugins/`` and ``mozaiks.toml``, copied."""

    def lay_out(name: str) -> Path:
        place = tmp_path / name
        shutil.copytree(GOLDEN / name, place)
        monkeypatch.setattr(command, "HOME", place)
        monkeypatch.setattr(settings, "plugins_paths", [place / "plugins"])
        return place

    yield lay_out
    get_settings.cache_clear()


@pytest.mark.parametrize("name", CASES)
def test_f288_golden_broken_configs_give_golden_messages(case, name):
    place = case(name)
    result = CliRunner().invoke(app, ["validate", str(place / "configs")])
    said = result.output.replace(str(place), "APP")
    assert said == (GOLDEN / name / "expected.txt").read_text("utf-8")
    assert result.exit_code == (1 if "error  " in said else 0)


def test_f288_every_finding_has_a_path_and_where_it_can_a_line(case):
    place = case("broken")
    found = json.loads(CliRunner().invoke(app, ["validate", str(place / "configs"), "--json"]).output)["problems"]
    assert all(one["path"].startswith("$") for one in found)
    assert all(one["line"] for one in found if one["level"] == "error" and one["file"] != "mozaiks.toml")
    assert {one["file"].rpartition(".")[2] for one in found} >= {"json", "yaml", "toml"}


def test_strict_counts_warnings(case):
    place = case("warned")
    assert CliRunner().invoke(app, ["validate", str(place / "configs")]).exit_code == 0
    assert CliRunner().invoke(app, ["validate", str(place / "configs"), "--strict"]).exit_code == 1
    assert CliRunner().invoke(app, ["validate", str(place / "nowhere")]).exit_code == 2
