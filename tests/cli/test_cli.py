"""Generated papers are fresh, and the doctor tells the truth."""

from typer.testing import CliRunner

from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.settings_docs import env_example, variables
from mozaiks_shell.foundation.settings import Settings

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
    from mozaiks_shell.foundation.settings import get_settings

    get_settings.cache_clear()
    result = run.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "problem  database" in result.output
    assert "wrong" not in result.output


def test_migrate_then_doctor_is_well(settings):
    assert run.invoke(app, ["migrate"]).exit_code == 0
    result = run.invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
