"""The tasks plugin through its own API and its page's State."""

from datetime import timedelta

import pytest

from mozaiks_shell import sdk


async def test_life_of_a_task(tasks):
    tasks.as_user("ada")
    made = (await tasks.execute(action="create", title="  Buy   milk ", due="2026-11-30"))["task"]
    assert (made["title"], made["due"], made["done"]) == ("Buy milk", "2026-11-30", False)
    changed = (await tasks.execute(action="update", id=made["id"], title="Buy oat milk", due=None, done=True))["task"]
    assert (changed["title"], changed["due"], changed["done"]) == ("Buy oat milk", None, True)
    assert (await tasks.execute(action="get", id=made["id"]))["task"] == changed
    listed = await tasks.execute(action="list")
    assert (listed["tasks"], listed["open"], listed["done"]) == ([changed], 0, 1)
    assert await tasks.execute(action="delete", id=made["id"]) == {"deleted": made["id"]}
    assert (await tasks.execute(action="list"))["tasks"] == []
    with pytest.raises(sdk.errors.NotFound):
        await tasks.execute(action="get", id=made["id"])


async def test_everybody_has_their_own(tasks):
    tasks.as_user("ada")
    hers = (await tasks.execute(action="create", title="Hers"))["task"]
    tasks.as_user("eve")
    assert (await tasks.execute(action="list"))["tasks"] == []
    for action in ("get", "update", "delete"):
        with pytest.raises(sdk.errors.NotFound):
            await tasks.execute(action=action, id=hers["id"], title="Mine")
    tasks.as_user("")
    with pytest.raises(sdk.errors.NotSignedIn):
        await tasks.execute(action="list")
    tasks.as_user("ada")
    assert (await tasks.execute(action="get", id=hers["id"]))["task"]["title"] == "Hers"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""}, {"title": "   "}, {"title": None}, {"title": {"a": 1}}, {"title": "x" * 201}, {"title": "\ud800"},
        {"title": "a\x00b"}, {"title": "x", "due": "soon"},
    ],
)  # fmt: skip
async def test_bad_input(tasks, wrong):
    tasks.as_user("ada")
    with pytest.raises(sdk.errors.Invalid):
        await tasks.execute(action="create", **wrong)
    made = (await tasks.execute(action="create", title="Good"))["task"]
    with pytest.raises(sdk.errors.Invalid):
        await tasks.execute(action="update", id=made["id"], **wrong) if wrong["title"] is not None else (
            await tasks.execute(action="update", id=made["id"], done="yes")
        )


async def test_unknown_action_is_a_structured_error(tasks):
    tasks.as_user("ada")
    assert (await tasks.execute(action="explode"))["error_code"] == "VALIDATION_ERROR"


async def test_filter_search_and_order(tasks):
    tasks.as_user("ada")
    for title, due in (("Later", "2030-01-01"), ("Whenever", ""), ("Soon 100%", "2026-01-01"), ("Finished", "")):
        made = (await tasks.execute(action="create", title=title, due=due))["task"]
    await tasks.execute(action="update", id=made["id"], done=True)

    async def titles(**how: str) -> list[str]:
        return [task["title"] for task in (await tasks.execute(action="list", **how))["tasks"]]

    assert await titles() == ["Soon 100%", "Later", "Whenever", "Finished"]
    assert await titles(show="open") == ["Soon 100%", "Later", "Whenever"]
    assert await titles(show="done") == ["Finished"]
    assert await titles(search="LATER") == ["Later"]
    assert await titles(search="0% soon") == ["Soon 100%"]
    assert await titles(search="_") == []


async def test_the_page(tasks):
    tasks.as_user("ada")
    state = tasks.state(tasks.module("state").Tasks)
    await tasks.send(state, "load")
    assert state.ready and state.lines == []
    await tasks.send(state, "add", {"title": " "})
    assert state.add_error == "Give the task a title." and state.added == 0
    today = sdk.now().date()
    for title, days in (("Past", -1), ("Now", 0), ("Next", 1)):
        await tasks.send(state, "add", {"title": title, "due": (today + timedelta(days=days)).isoformat()})
    assert state.add_error == "" and state.added == 3
    assert [(line["title"], line["when"], line["late"]) for line in state.lines] == [
        ("Past", "Yesterday", True),
        ("Now", "Today", False),
        ("Next", "Tomorrow", False),
    ]
    first = state.lines[0]["id"]
    await tasks.send(state, "toggle", first, True)
    assert (state.open, state.done, len(state.lines)) == (2, 1, 2)
    await tasks.send(state, "filter", "all")
    await tasks.send(state, "filter", "everything")
    assert state.show == "all" and state.lines[-1]["done"]
    await tasks.send(state, "look_for", "now")
    assert [line["title"] for line in state.lines] == ["Now"]
    now = state.lines[0]["id"]
    await tasks.send(state, "edit", now)
    await tasks.send(state, "save", {"title": ""})
    assert state.editing == now and state.edit_error
    await tasks.send(state, "stop_editing")
    assert (state.editing, state.edited, state.edit_error) == ("", now, "")
    await tasks.send(state, "edit", now)
    await tasks.send(state, "save", {"title": "Now or never", "due": ""})
    assert (state.editing, state.lines[0]["title"], state.lines[0]["when"]) == ("", "Now or never", "")
    await tasks.send(state, "ask_to_delete", now)
    assert state.deleting_title == "Now or never"
    await tasks.send(state, "keep")
    assert state.deleting == "" and len(state.lines) == 1
    await tasks.send(state, "ask_to_delete", now)
    await tasks.send(state, "delete")
    assert state.lines == [] and state.open == 1


async def test_another_persons_task_cannot_be_reached_from_the_page(tasks):
    tasks.as_user("ada")
    hers = (await tasks.execute(action="create", title="Hers"))["task"]["id"]
    tasks.as_user("eve")
    state = tasks.state(tasks.module("state").Tasks)
    for handler, arguments in (("toggle", (hers, True)), ("ask_to_delete", (hers,))):
        with pytest.raises(sdk.errors.NotFound):
            await tasks.send(state, handler, *arguments)
    state.editing = hers
    with pytest.raises(sdk.errors.NotFound):
        await tasks.send(state, "save", {"title": "Mine"})


async def test_the_page_is_declared(tasks):
    (page,) = tasks.pages()
    assert (page.route, page.title, page.icon) == ("/plugins/tasks", "Tasks", "list-checks")
