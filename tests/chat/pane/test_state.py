"""The pane's handlers: surfaces, chats, tools. What the browser sends is never believed."""

import pytest

from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.ui.state import HANDLER_ACCESS

FORM = {
    "title": "Your project",
    "fields": [
        {"name": "name", "label": "Project name", "type": "text", "required": True},
        {"name": "kind", "type": "select", "options": [{"value": "web", "label": "Website"}]},
        {"name": "days", "type": "number"},
    ],
}
TABLE = {"title": "Plans", "columns": [{"key": "name", "label": "Plan"}, {"key": "price", "label": "Price", "align": "right"}],
         "rows": [{"id": "b", "name": "Big", "price": 39}, {"id": "s", "name": "Small", "price": 5.5}],
         "actions": [{"id": "accept", "label": "Accept", "style": "primary"}]}  # fmt: skip


def test_only_entering_is_open_to_visitors():
    assert ChatState.access == Access.signed_in()
    own = {name: getattr(handler.fn, HANDLER_ACCESS, None) for name, handler in ChatState.event_handlers.items()}
    assert {name for name, access in own.items() if access == Access.public()} == {"enter"}


async def test_visitor_gets_no_pane_whatever_the_browser_remembers(state, call, as_person):
    as_person(None)
    state.surface, state.chat_id = "overlay", "cht_of_somebody"
    await call("enter")
    assert (state.ready, state.signed_in, state.surface, state.opened) == (True, False, "closed", False)


async def test_reload_restores_the_surface(state, call, person):
    state.surface = "widget"
    await call("enter")
    assert (state.surface, state.opened) == ("widget", True)


async def test_an_invented_surface_is_closed(state, call, person):
    state.surface = "<script>"
    await call("enter")
    assert state.surface == "closed"


async def test_f171_bubble_widget_overlay_page_and_back(state, call, person):
    seen = []
    for step in ("open_widget", "expand", "fill", "fill", "minimise", "minimise", "open_widget", "expand", "fill", "close"):
        await call(step)
        seen.append(state.surface)
    assert seen == ["widget", "overlay", "page", "overlay", "widget", "closed", "widget", "overlay", "page", "closed"]
    assert state.opened  # still mounted: draft and scroll survive


async def test_escape_closes_the_innermost_thing(state, call, person):
    await call("expand")
    state.menu = True
    seen = []
    for _ in range(3):
        await call("escape")
        seen.append((state.menu, state.surface))
    assert seen == [(False, "overlay"), (False, "widget"), (False, "closed")]


async def test_f172_news_are_counted_only_while_closed(state, call, person):
    for _ in range(3):
        await call("notice")
    assert state.unread == 3
    await call("open_widget")
    assert state.unread == 0
    await call("notice")
    assert state.unread == 0


async def test_new_chat_asks_for_a_fresh_one_until_it_is_there(state, call, person):
    await call("new_chat", "ProjectBrief")
    assert (state.chat_id, state.workflow, state.fresh, state.surface) == ("", "ProjectBrief", 1, "widget")
    await call("entered", "cht_1", "ProjectBrief", "Project brief")
    assert (state.chat_id, state.title, state.fresh) == ("cht_1", "Project brief", 0)


async def test_what_the_stream_reports_is_bounded_text(state, call, person):
    await call("entered", "c" * 900, {"not": "text"}, "t" * 900)
    assert len(state.chat_id) == 80 and isinstance(state.workflow, str) and len(state.title) == 200


async def test_only_a_listed_chat_can_be_picked(state, call, stored):
    await stored("cht_1", title="Relaunch")
    await call("pick_chat", "cht_of_somebody")
    assert state.chat_id == ""
    await call("toggle_menu")
    assert [(one["id"], one["title"]) for one in state.chats] == [("cht_1", "Relaunch")]
    await call("pick_chat", "cht_1")
    assert (state.chat_id, state.menu) == ("cht_1", False)


async def test_tools_of_a_chat_that_is_not_mine_are_not_shown(state, call, stored, as_person):
    await stored("cht_1")
    await stored("cht_1", "core.form", FORM)
    as_person(Principal("usr_eve", "dev-app"))
    state.chat_id = "cht_1"
    await call("refresh_tools", "cht_1")
    assert state.tools == []


async def test_tools_are_read_for_the_open_chat_only(state, call, stored):
    await stored("cht_1")
    await stored("cht_1", "core.form", FORM)
    state.chat_id = "cht_2"
    await call("refresh_tools", "cht_1")
    assert state.tools == []
    state.chat_id = "cht_1"
    await call("refresh_tools", "cht_1")
    assert [field["name"] for field in state.tools[0]["fields"]] == ["name", "kind", "days"]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"name": "", "kind": "web"}, {"name": "Please fill this in."}),
        ({"name": "X", "kind": "other"}, {"kind": "Choose one of the options."}),
        ({"name": "X", "days": "many"}, {"days": "Enter a number."}),
    ],
)
async def test_f180_a_form_says_at_each_field_what_is_wrong(state, call, stored, form, problem):
    await stored("cht_1")
    await stored("cht_1", "core.form", FORM)
    state.chat_id = "cht_1"
    await call("refresh_tools", "cht_1")
    await call("answer_tool", {"__tool": "core.form", **form})
    said = {one["name"]: one["error"] for one in state.tools[0]["fields"] if one["error"]}
    assert (said, state.answering) == (problem, "")
    labels = [one["label"] for one in state.tools[0]["fields"] if one["name"] in problem]
    assert state.tools[0]["error"] == f"Please look again at: {labels[0]}."
    await call("refresh_tools", "cht_1")
    assert {one["name"]: one["error"] for one in state.tools[0]["fields"] if one["error"]} == problem, "gone while it was read"


async def test_an_answer_nobody_takes_leaves_the_form_usable(state, call, stored):
    await stored("cht_1")
    await stored("cht_1", "core.form", FORM)
    state.chat_id = "cht_1"
    await call("refresh_tools", "cht_1")
    await call("answer_tool", {"__tool": "core.form", "name": "X"})
    assert state.tools[0]["error"] and state.answering == ""


@pytest.mark.parametrize("form", [None, [], "tool", {"__tool": {"a": 1}}, {"__tool": "nobody"}])
async def test_answers_without_a_tool_do_nothing(state, call, person, form):
    await call("answer_tool", form)
    await call("choose", "nobody", "accept")
    assert state.answering == ""


async def test_an_artifact_that_arrives_opens_the_overlay_once(state, call, stored):
    await stored("cht_1")
    await stored("cht_1", "core.table", TABLE, display="artifact", id="one")
    state.chat_id, state.surface = "cht_1", "widget"
    await call("refresh_tools", "cht_1", True)
    assert state.surface == "overlay" and state.artifact[0]["title"] == "Plans"
    await call("minimise")
    await stored("cht_1", "core.table", TABLE, display="artifact", id="two")
    await call("refresh_tools", "cht_1", True)
    assert state.surface == "widget" and state.artifact[0]["id"] == "two"  # the person wanted it small


async def test_opening_a_chat_with_an_artifact_does_not_jump(state, call, stored):
    await stored("cht_1")
    await stored("cht_1", "core.table", TABLE, display="artifact")
    state.chat_id, state.surface = "cht_1", "widget"
    await call("refresh_tools", "cht_1", False)
    assert state.surface == "widget" and state.artifact


async def test_a_table_sorts_by_number_and_back(state, call, stored):
    await stored("cht_1")
    await stored("cht_1", "core.table", TABLE, display="artifact", id="one")
    state.chat_id = "cht_1"
    await call("refresh_tools", "cht_1")
    orders = []
    for _ in range(2):
        await call("sort", "one", "price")
        orders.append((state.artifact[0]["columns"][1]["sort"], [row["id"] for row in state.artifact[0]["rows"]]))
    assert orders == [("ascending", ["s", "b"]), ("descending", ["b", "s"])]
    await call("sort", "one", "nothing")


async def test_rename_and_delete(state, call, stored):
    await stored("cht_1", title="Old")
    state.chat_id = "cht_1"
    await call("toggle_menu")
    await call("handle", "cht_1", "rename")
    await call("rename", {"title": "   "})
    assert (state.handled, state.chats[0]["title"]) == ("cht_1", "Old")
    await call("rename", {"title": "x"})
    assert state.problem, "no process holds the chat"
    await call("handle", "cht_1", "delete")
    await call("handle", "")
    await call("delete")
    assert [one["id"] for one in state.chats] == ["cht_1"]  # nothing was asked about
    await call("handle", "cht_1", "tools")
    await call("delete")
    assert [one["id"] for one in state.chats] == ["cht_1"]  # it was not asked for
    await call("handle", "cht_of_somebody", "delete")
    await call("delete")
    assert state.problem
    await call("handle", "cht_1", "anything")
    assert (state.handled, state.handling) == ("cht_1", "")


async def test_late_word_of_a_chat_that_was_left_does_not_bring_it_back(state, call, stored):
    await stored("cht_1", title="Relaunch")
    await call("entered", "cht_old", "Assistant", "Old")
    await call("new_chat", "ProjectBrief")
    await call("entered", "cht_old", "Assistant", "Old")
    assert (state.chat_id, state.workflow, state.fresh) == ("", "ProjectBrief", 1)
    await call("entered", "cht_new", "ProjectBrief", "New")
    await call("toggle_menu")
    await call("pick_chat", "cht_1")
    await call("entered", "cht_new", "ProjectBrief", "New")
    assert state.chat_id == "cht_1"
    await call("entered", "cht_1", "ProjectBrief", "Relaunch")
    await call("new_chat", "")
    await call("toggle_menu")
    await call("pick_chat", "cht_1")
    await call("entered", "cht_1", "ProjectBrief", "Relaunch")
    assert (state.chat_id, state.title) == ("cht_1", "Relaunch"), "one may go back"


async def test_f173_each_mode_keeps_its_own_chat(state, call, stored):
    await stored("cht_ask", title="A question", status="running")
    await call("entered", "cht_ask", "Assistant", "A question")
    await call("new_chat", "ProjectBrief")
    await call("entered", "cht_work", "ProjectBrief", "Brief")
    await stored("cht_work", title="Brief")
    assert (state.mode, state.layout) == ("workflow", "split")
    await call("switch_mode", "ask")
    assert (state.chat_id, state.mode, state.layout) == ("cht_ask", "ask", "full")
    await call("switch_mode", "workflow")
    assert (state.chat_id, state.mode, state.layout) == ("cht_work", "workflow", "split")


async def test_f173_a_thread_of_somebody_else_is_never_turned_to(state, call, stored, as_person):
    await stored("cht_work", title="Brief", status="running")
    as_person(Principal("usr_eve", "dev-app"))
    state.work_chat = "cht_work"
    await call("switch_mode", "workflow")
    assert (state.chat_id, state.mode, state.menu, state.chats) == ("", "ask", True, [])


async def test_f189_without_a_workflow_to_go_back_to_some_are_offered(state, call, stored):
    await stored("cht_done", status="completed")
    await call("switch_mode", "workflow")
    assert (state.menu, state.mode, state.chat_id) == (True, "ask", "")
    assert [one["id"] for one in state.chats] == ["cht_done"]


async def test_f188_in_a_fresh_tab_the_newest_chat_that_goes_on_is_there(state, call, stored):
    await stored("cht_old", status="completed")
    await stored("cht_now", status="waiting")
    await call("switch_mode", "workflow")
    assert (state.chat_id, state.mode) == ("cht_now", "workflow")


async def test_f174_an_artifact_that_arrives_ends_ask(state, call, stored):
    await stored("cht_1", title="A question")
    state.chat_id, state.surface, state.mode = "cht_1", "widget", "ask"
    await stored("cht_1", "core.table", TABLE, display="view", id="one")
    await call("refresh_tools", "cht_1", True)
    assert (state.surface, state.mode, state.layout, state.place) == ("overlay", "workflow", "view", "expanded")
    await call("switch_mode", "ask")
    assert state.layout == "full"


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({}, ("widget", "ask", "")),
        ({"mode": "ask"}, ("widget", "ask", "")),
        ({"chat_id": "cht_1"}, ("overlay", "workflow", "cht_1")),
        ({"chat_id": "cht_1", "mode": "ask"}, ("widget", "ask", "cht_1")),
        ({"workflow_name": "ProjectBrief"}, ("overlay", "workflow", "cht_1")),
        ({"workflow_name": "Other"}, ("overlay", "workflow", "")),
        ({"mode": "<script>"}, ("widget", "ask", "")),
    ],
)
async def test_f176_the_page_around_it_opens_what_it_names(state, call, stored, wish, shown):
    await stored("cht_1", title="Relaunch")
    await call("host_open", wish.get("mode", ""), wish.get("chat_id", ""), wish.get("workflow_name", ""))
    assert (state.surface, state.mode, state.chat_id, state.asked_for) == (*shown, 1)
    await call("host_close")
    assert (state.surface, state.opened) == ("closed", True)


async def test_f176_a_chat_that_is_not_there_is_told(state, call, stored, as_person):
    await stored("cht_1", title="Relaunch")
    as_person(Principal("usr_eve", "dev-app"))
    await call("host_open", "", "cht_1", "")
    assert (state.chat_id, state.menu) == ("", True) and state.problem


async def test_f188_the_history_is_searched_in_what_was_said(state, call, stored):
    await stored("cht_1", title="Relaunch")
    await stored("cht_2", title="Tides")
    await call("toggle_menu")
    assert {one["id"] for one in state.chats} == {"cht_1", "cht_2"}
    await call("seek", "tide")
    assert [one["id"] for one in state.chats] == ["cht_2"]
    await call("seek", {"not": "text"})
    assert state.sought == "" or isinstance(state.sought, str)
