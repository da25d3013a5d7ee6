"""F-283: what ``new`` writes loads, has a page, keeps rows and answers its API; bad names are refused."""

import pytest
from typer.testing import CliRunner

from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.scaffold import scaffold
from mozaiks_shell.sdk.testing import installed


async def test_f283_a_new_plugin_runs_as_it_is(tmp_path):
    scaffold(tmp_path, "book-club")
    async with installed(tmp_path / "book-club") as club:
        club.as_user("ada")
        assert [page.route for page in club.pages()] == ["/plugins/book-club"]
        await club.execute(action="create", text="Middlemarch")
        assert [one["text"] for one in (await club.execute(action="list"))["items"]] == ["Middlemarch"]
        state = club.state(club.module("page").BookClubState)
        await club.send(state, "add", {"text": " Emma "})
        assert sorted(one["text"] for one in state.items) == ["Emma", "Middlemarch"]
        club.as_user("eve")
        assert (await club.execute(action="list"))["items"] == []
        assert (await club.execute(action="fly"))["error_code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("name", ["../x", "Book", "a", "with space", "-x"])
def test_bad_names_are_refused(tmp_path, settings, monkeypatch, name):
    monkeypatch.setattr(settings, "plugins_path", tmp_path)
    result = CliRunner().invoke(app, ["new", "--", name])
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(settings, "plugins_path", tmp_path)
    runner = CliRunner()
    assert runner.invoke(app, ["new", "notes"]).exit_code == 0
    (tmp_path / "notes" / "page.py").write_text("mine")
    assert runner.invoke(app, ["new", "notes"]).exit_code == 1
    assert (tmp_path / "notes" / "page.py").read_text() == "mine"
