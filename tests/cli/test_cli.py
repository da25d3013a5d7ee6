"""Generated papers are fresh, and the doctor tells the truth."""

import json
import socket
import stat

import pytest
from typer.testing import CliRunner

import mozaiks_shell
from mozaiks_shell.cli import about, command_docs, examination
from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.settings_docs import env_example, variables
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host.manifest import CONTRACT
from tests.live import free_port

run = CliRunner()


def test_f229_readme_and_env_example_come_from_the_settings_model():
    result = run.invoke(app, ["docs", "--check"])
    assert result.exit_code == 0, f"run `python -m mozaiks_shell.cli docs`:\n{result.output}"


def test_every_setting_is_documented_once():
    rows = variables()
    assert len(rows) == len(Settings.model_fields)
    assert len({variable for _, variable, _, _ in rows}) == len(rows)
    assert all(description for *_, description in rows)
    assert all(f"#{variable}=" in env_example() for _, variable, _, _ in rows)


def test_doctor_names_a_database_it_cannot_reach(settings, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:wrong@127.0.0.1:1/none")
    get_settings.cache_clear()
    result = run.invoke(app, ["doctor", "--no-pages"])
    assert result.exit_code == 1
    assert "problem  database" in result.output
    assert "wrong" not in result.output


def test_migrate_then_doctor_is_well(settings):
    assert run.invoke(app, ["migrate"]).exit_code == 0
    result = run.invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output


@pytest.fixture
def configs(tmp_path, settings, monkeypatch):
    """A folder of configuration files, of which all are read anew."""
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))

    def write(**files):
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        get_settings.cache_clear()

    return write


def test_f025_doctor_names_what_is_wrong_where_and_what_to_do(configs):
    configs(navigation={"pages": [{"path": "/a", "icn": "house"}, {"path": "/x", "order": "late"}]})
    result = run.invoke(app, ["doctor", "--no-pages"])
    assert result.exit_code == 1
    assert "problem  navigation.json" in result.output
    assert "error    navigation.json:1 $.pages[1].order" in result.output
    assert "warning  navigation.json:1 $.pages[0].icn" in result.output and "-> Did you mean 'icon'?" in result.output
    assert "1 error, 1 warning, 1 hint" in result.output


def test_doctor_names_links_that_lead_nowhere_and_broken_plugins(configs, monkeypatch, tmp_path):
    broken = tmp_path / "plugins" / "broken"
    broken.mkdir(parents=True)
    (broken / "logic.py").write_text("import nothing_of_that_name\n")
    monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", str(broken.parent))
    configs(navigation={"pages": [{"path": "/plns", "label": "Prices"}, {"path": "/x", "component": "Nope"}]})
    result = run.invoke(app, ["doctor"])
    assert result.exit_code == 1 and "problem  plugin   broken: " in result.output
    assert "no page answers /plns" in result.output and "-> Did you mean /plans?" in result.output
    assert "'Nope' is not registered" in result.output


@pytest.mark.parametrize(
    ("files", "winner"),
    [
        ({"brand": 1, "branding": 1, "theme_config": 1}, "brand.json"),
        ({"branding": 1, "theme_config": 1}, "branding.json"),
        ({"theme_config": 1}, "theme_config.json"),
        ({}, "brand.json"),
    ],
)
def test_c27_doctor_prints_which_file_gives_the_brand(configs, files, winner):
    content = {
        "brand": {"name": "A"},
        "branding": {"app": {"name": "B"}},
        "theme_config": {"branding": {"app_name": "C"}},
    }
    configs(**{name: content[name] for name in files})
    lines = [line for line in run.invoke(app, ["doctor", "--no-pages"]).output.splitlines() if "wins: name" in line]
    assert [line.split()[1] for line in lines] == [winner]


def test_c28_doctor_prints_which_file_gives_the_menu(configs):
    configs(navigation={"pages": []}, navigation_config={"default": []})
    output = run.invoke(app, ["doctor", "--no-pages"]).output
    assert "wins: menu" in output and "not read: navigation.json wins" in output


def test_doctor_is_content_with_warnings(configs, migrated_here):
    configs(ui={"futer": {}})
    result = run.invoke(app, ["doctor", "--no-pages"])
    assert result.exit_code == 0 and "1 warning" in result.output


@pytest.fixture
def migrated_here(settings):
    """The database is there."""
    assert run.invoke(app, ["migrate"]).exit_code == 0


@pytest.fixture
def ill(settings, tmp_path, monkeypatch):
    """An app folder in which everything a doctor can mend is wrong, and a foreign server on its port."""
    app_folder = tmp_path / "app"
    (app_folder / "assets" / "external").mkdir(parents=True)
    (app_folder / "assets" / "external" / "gone.js").symlink_to(tmp_path / "nowhere.js")
    (app_folder / ".env").write_text("STRIPE_SECRET_KEY=sk_x\n")
    (app_folder / ".env").chmod(0o644)
    (app_folder / "mozaiks.toml").write_text('[app]\nname = "shop"\n\n[shell]\nrequires = ">=0.1,<1"\ncontract = 1\n')
    monkeypatch.setattr(examination, "HOME", app_folder)
    monkeypatch.setattr(settings, "plugins_paths", [app_folder / "plugins"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(settings, "port", other.getsockname()[1])
        monkeypatch.setattr(settings, "dev_backend_port", free_port())
        yield app_folder


def looked_at(settings):
    return {(one.level, one.about) for one in examination.examine(settings) if one.level != "ok"}


def test_f285_every_seeded_fault_is_found_and_what_can_be_is_fixed(ill, settings):
    faults = {("warning", about) for about in ("secrets", "data", "database", "plugins", "assets", "port")}
    assert looked_at(settings) == faults
    result = run.invoke(app, ["doctor", "--no-pages", "--fix"])
    assert result.exit_code == 0 and result.output.count("fixed    ") == 5, result.output
    assert looked_at(settings) == {("warning", "port")}
    assert (ill / ".env").stat().st_mode & 0o777 == 0o600 and (ill / "plugins").is_dir()
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    (settings.data_dir / "mozaiks.db").chmod(0o644)
    assert looked_at(settings) == {("warning", "port"), ("warning", "data")}


@pytest.mark.parametrize(
    ("project", "part"),
    [
        ('[shell]\nrequires = ">=7"', 'pip install "mozaiks-shell>=7"'),
        ("[shell]\ncontract = 9", "Update mozaiks-shell"),
        ("[shell", "Correct mozaiks.toml"),
        ('[shell]\nrequires = "new"', "Correct mozaiks.toml"),
    ],
)
def test_f285_a_project_that_does_not_fit_is_a_problem(ill, settings, project, part):
    (ill / "mozaiks.toml").write_text(project)
    (found,) = [one for one in examination.examine(settings) if one.about == "project"]
    assert found.level == "problem" and part in found.remedy


def test_f285_broken_plugins_and_databases_are_problems(ill, settings):
    (ill / "plugins" / "bad").mkdir(parents=True)
    (ill / "plugins" / "bad" / "manifest.json").write_text('{"version": 5')
    settings.data_dir.mkdir(mode=0o700)
    (settings.data_dir / "mozaiks.db").write_bytes(b"no database at all" * 100)
    (settings.data_dir / "mozaiks.db").chmod(0o600)
    assert {("problem", "plugin"), ("problem", "database")} <= looked_at(settings)
    assert run.invoke(app, ["doctor", "--no-pages", "--fix"]).exit_code == 1


def test_f287_version_names_package_and_contracts(monkeypatch, tmp_path):
    (tmp_path / "mozaiks.toml").write_text('[app]\nname = "shop"\n[shell]\nrequires = ">=0.1"\ncontract = 1\n')
    monkeypatch.setattr(about, "HOME", tmp_path)
    told = json.loads(run.invoke(app, ["version", "--json"]).output)
    assert (told["mozaiks_shell"], told["plugin_contract"]) == (mozaiks_shell.__version__, CONTRACT)
    assert (told["app"], told["app_requires"], told["app_contract"]) == ("shop", ">=0.1", 1)
    assert told["sdk"] and told["reflex"] and told["python"]
    assert run.invoke(app, ["version"]).output.splitlines()[0] == mozaiks_shell.__version__
    (tmp_path / "mozaiks.toml").write_text("[app\n")
    assert run.invoke(app, ["version"]).exit_code == 1


def test_the_page_about_commands_has_every_command():
    text = command_docs.PAGE.read_text("utf-8")
    assert text == command_docs.document(app), "run `python -m mozaiks_shell.cli docs`"
    for name in ("init", "new plugin", "new workflow", "check", "doctor", "validate", "openapi", "migrate", "version"):
        assert f"## mozaiks-shell {name}" in text


def test_f285_no_javascript_runtime_is_a_problem(ill, settings, monkeypatch):
    monkeypatch.setattr(examination.shutil, "which", lambda name, path=None: None)
    assert ("problem", "node") in looked_at(settings)
