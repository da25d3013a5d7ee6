"""F-282: ``init`` makes a runnable app that depends on the package; nothing of the core is copied."""

import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from mozaiks_shell.cli import initialise
from mozaiks_shell.cli.initialise import init
from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.project import ProjectError, read_project
from mozaiks_shell.foundation.settings import ROOT
from tests.live import clean_environment

LOADS = """
import rxconfig
from mozaiks_shell.foundation.settings import HOME, get_settings
from mozaiks_shell.hosting.reflex_build import PackagedAssets, stylesheets
from mozaiks_shell.mozaiks_shell import app, process
from mozaiks_shell.plugin_host.service import plugin_reports
sheets = [str(path) for path, text in PackagedAssets().get_static_assets() if text]
plugins, own = [(one.name, one.state) for one in plugin_reports()], get_settings().data_dir.parent == HOME
facts = (HOME.name, process.app_name, plugins, own, stylesheets(), "styles/shell.css" in sheets, rxconfig.config.app_name)
print("\\n", *facts, sep="|")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder, *command, **env):
    """A command in the app's folder, with the checkout in the place of the installed package."""
    env = clean_environment(PYTHONPATH=str(ROOT), REFLEX_WEB_WORKDIR=str(folder / ".web"), **env)
    return subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(("template", "plugins"), [("starter", "[('notebook', 'loaded')]"), ("minimal", "[]")])
def test_f282_the_folder_is_an_app_of_its_own(here, template, plugins):
    made = CliRunner().invoke(app, ["init", "my-shop", "--template", template, "--no-git"])
    assert made.exit_code == 0, made.output
    folder = here / "my-shop"
    ran = run(folder, "-c", LOADS)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.strip().splitlines()[-1] == f"|my-shop|My shop|{plugins}|True|[]|True|mozaiks_shell"
    checked = run(folder, "-m", "mozaiks_shell.cli", "doctor", "--no-pages", "--fix")
    assert checked.returncode == 0 and "ok       project  my-shop" in checked.stdout, checked.stdout + checked.stderr
    assert (folder / "data" / "mozaiks.db").is_file()


def test_f282_its_smoke_tests_pass(here):
    assert CliRunner().invoke(app, ["init", "shop", "--no-git"]).exit_code == 0
    ran = run(here / "shop", "-m", "pytest", "-q", "-p", "mozaiks_shell.pytest_plugin")
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout


def test_nothing_of_the_core_is_copied(here):
    assert CliRunner().invoke(app, ["init", "shop", "--no-git"]).exit_code == 0
    files = {one.relative_to(here / "shop").as_posix() for one in (here / "shop").rglob("*") if one.is_file()}
    assert not [one for one in files if one.startswith(("mozaiks_shell", "alembic", "assets/"))]
    assert {"rxconfig.py", "mozaiks.toml", ".gitignore", ".env.example", "configs/brand.json", "tests/test_app.py"} <= files
    core = {one.read_bytes() for one in (ROOT / "mozaiks_shell").rglob("*.py") if one.stat().st_size}
    assert not [one for one in files if (here / "shop" / one).read_bytes() in core]
    told = tomllib.loads((here / "shop" / "mozaiks.toml").read_text())
    assert told == {"app": {"name": "shop"}, "shell": {"requires": ">=0.1,<1", "contract": 1}}


def test_requirements_name_the_package_and_nothing_else(here, monkeypatch):
    CliRunner().invoke(app, ["init", "shop", "--no-git"])
    assert (here / "shop" / "requirements.txt").read_text() == f"mozaiks-shell @ {ROOT.as_uri()}\n"
    monkeypatch.setattr(initialise, "ROOT", here)  # as where pip installed it
    CliRunner().invoke(app, ["init", "other", "--no-git"])
    assert (here / "other" / "requirements.txt").read_text() == "mozaiks-shell>=0.1,<1\n"


@pytest.mark.parametrize("name", ["../x", "", "1st", "a b", "x" * 61])
def test_bad_names_are_refused(here, name):
    assert CliRunner().invoke(app, ["init", "--no-git", "--", name]).exit_code == 1
    assert list(here.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(here):
    (here / "shop").mkdir()
    (here / "shop" / "mine.txt").write_text("mine")
    assert CliRunner().invoke(app, ["init", "shop"]).exit_code == 1
    assert [one.name for one in (here / "shop").iterdir()] == ["mine.txt"]


def test_git_is_made_when_wanted(here, monkeypatch):
    calls = []
    monkeypatch.setattr(initialise.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(
        initialise.subprocess, "run", lambda *a, **k: calls.append((a[0], k["cwd"])) or subprocess.CompletedProcess(a[0], 0)
    )
    assert CliRunner().invoke(app, ["init", "shop"]).exit_code == 0
    assert calls == [(["/bin/git", "init", "--quiet"], here / "shop")]
    assert init.__doc__


@pytest.mark.parametrize(
    ("text", "part"),
    [("[app", "mozaiks.toml"), ("app = 1", "tables"), ("[app]\nname = 1", "texts"), ("[shell]\ncontract = true", "whole number"),
     ('[shell]\nrequires = "new"', "version range")],
)  # fmt: skip
def test_f287_a_project_file_that_cannot_be_used_says_why(tmp_path, text, part):
    (tmp_path / "mozaiks.toml").write_text(text)
    with pytest.raises(ProjectError, match=part):
        read_project(tmp_path)


def test_no_project_file_is_no_project(tmp_path):
    assert read_project(tmp_path) is None and read_project(None) is None
