"""The class form as the founding document prints it (F-067, F-078)."""

import pytest

from mozaiks_shell import sdk

ANSWER = {"plugin": "my-plugin", "status": "active"}


async def test_f067_on_request_answers(plugin):
    with pytest.raises(sdk.errors.NotSignedIn):
        await plugin.execute()
    plugin.as_user("ada")
    assert await plugin.execute() == ANSWER
    assert await plugin.execute(anything=["goes"]) == ANSWER


async def test_f067_on_init_is_called_once(capsys, plugin):
    assert capsys.readouterr().out.count("MyPlugin initialized") == 1
    plugin.as_user("ada")
    await plugin.execute()
    assert "MyPlugin initialized" not in capsys.readouterr().out


async def test_the_page_shows_the_answer(plugin):
    plugin.as_user("ada")
    state = plugin.state(plugin.module("page").Asked)
    await plugin.send(state, "ask")
    assert state.answer == ANSWER
    assert [page.route for page in plugin.pages()] == ["/plugins/my-plugin"]
