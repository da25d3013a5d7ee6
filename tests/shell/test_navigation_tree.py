"""The operator's file arranges the pages of the code (F-002, F-003)."""

from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.shell.crumbs import crumbs
from mozaiks_shell.shell.navigation import NavEntry, menu_for
from mozaiks_shell.ui.page import owned_by, page

Write = Callable[..., None]


@pytest.fixture
def house(no_pages: None) -> None:
    for route, title, more in (
        ("/", "Home", {"order": 0, "icon": "house"}),
        ("/tasks", "Tasks", {"order": 10, "shortcut": "g t"}),
        ("/files", "Files", {"order": 20, "group": "Work"}),
        ("/files/old", "Archive", {"order": 5, "parent": "/files"}),
        ("/files/[name]", "One file", {}),
        ("/settings", "Settings", {"order": 900}),
    ):
        page(route, title=title, access=Access.signed_in(), **more)(lambda: rx.el.p("content"))


async def entries(person: Principal) -> list[NavEntry]:
    return [entry for group in (await menu_for(person)).groups for entry in group["entries"]]


async def lines(person: Principal) -> list[tuple[str, int]]:
    return [(entry["title"], entry["depth"]) for entry in await entries(person)]


async def test_f002_without_a_file_the_declarations_are_the_menu(house: None, database: Settings, ada: Principal) -> None:
    menu = await menu_for(ada)
    assert [group["title"] for group in menu.groups] == ["", "Work"]
    assert await lines(ada) == [("Home", 0), ("Tasks", 0), ("Settings", 0), ("Files", 0), ("Archive", 1)]


async def test_f002_the_newer_shape_reorders_renames_regroups_hides_and_nests(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    write(
        "navigation.json",
        {
            "pages": [
                {"path": "/files", "label": "Documents", "icon": "folder", "order": 1, "group": ""},
                {"path": "/settings", "hidden": True},
                {"id": "more", "label": "More", "order": 50, "children": [{"path": "/tasks", "label": "To do", "badge": 4}]},
                {"label": "Help", "href": "https://help.example.com", "icon": "info", "order": 60},
            ]
        },
    )
    found = await entries(ada)
    assert {entry["title"] for entry in found} == {"Home", "Documents", "Archive", "More", "To do", "Help"}
    by_title = {entry["title"]: entry for entry in found}
    assert by_title["Documents"]["icon"] == "folder"
    assert by_title["Archive"]["depth"] == 1, "the declared child stays with its parent"
    assert by_title["More"]["kind"] == "group"
    assert by_title["More"]["path"] == ""
    assert (by_title["To do"]["depth"], by_title["To do"]["badge"], by_title["To do"]["shortcut"]) == (1, "4", "g t")
    assert (by_title["Help"]["kind"], by_title["Help"]["href"]) == ("link", "https://help.example.com")
    assert (await menu_for(ada)).gates["/settings"] == "ok", "hidden from the menu, still there"


async def test_f003_items_of_the_older_shape_are_the_whole_menu_in_their_order(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    items = [
        {"id": "second", "label": "Second", "path": "/tasks", "order": 2, "badge": "New"},
        {"id": "first", "label": "First", "path": "/files", "order": 1, "children": [{"label": "Inner", "path": "/files/old"}]},
    ]
    write("navigation.json", {"version": "1", "routes": [], "sidebar": {"items": items}, "topNav": {"items": [{"path": "/"}]}})
    assert await lines(ada) == [("First", 0), ("Inner", 1), ("Second", 0)]
    assert [entry["badge"] for entry in await entries(ada)] == ["", "", "New"]
    assert [entry["path"] for entry in (await menu_for(ada)).top] == ["/"]


async def test_f002_the_third_shape_lists_defaults_and_plugins(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    with owned_by("crm", "/plugins/crm"):
        page("/", title="Customers", access=Access.signed_in(), icon="users")(lambda: rx.el.p("crm"))
    write(
        "navigation_config.json",
        {
            "default": [{"label": "Start", "path": "/", "icon": "house"}],
            "plugins": [
                {"plugin_name": "crm", "label": "CRM", "path": "/crm", "icon": "users"},
                {"plugin_name": "absent", "label": "Absent", "path": "/absent"},
            ],
        },
    )
    found = await entries(ada)
    assert [(entry["title"], entry["path"]) for entry in found] == [("Start", "/"), ("CRM", "/plugins/crm")]


async def test_f002_an_edit_counts_without_a_restart(house: None, database: Settings, ada: Principal, write: Write) -> None:
    write("navigation.json", {"pages": [{"path": "/tasks", "label": "One"}]})
    assert ("One", 0) in await lines(ada)
    write("navigation.json", {"pages": [{"path": "/tasks", "label": "Two"}]})
    assert ("Two", 0) in await lines(ada)


async def test_an_entry_for_a_role_is_for_that_role_only(
    house: None, database: Settings, ada: Principal, root: Principal, write: Write
) -> None:
    pages: list[dict[str, Any]] = [
        {"label": "Runbook", "href": "https://ops.example.com", "requiresRole": "admin"},
        {"path": "/tasks", "label": "Tasks", "requiresPlan": "pro"},
    ]
    write("navigation.json", {"pages": pages})
    mine = {entry["title"]: entry for entry in await entries(ada)}
    assert "Runbook" not in mine
    assert mine["Tasks"]["gate"] == "plan"
    assert "Runbook" in {entry["title"] for entry in await entries(root)}


async def test_what_is_beneath_a_line_that_is_not_shown_moves_up(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    inner = [{"path": "/tasks"}, {"label": "Deep", "children": [{"path": "/files"}]}]
    write("navigation.json", {"only_listed": True, "pages": [{"label": "Staff", "requiresRole": "admin", "children": inner}]})
    assert await lines(ada) == [("Tasks", 0), ("Deep", 0), ("Files", 1)]


async def test_f009_a_workflow_entry_has_its_deep_link_and_the_launch_decides_who_sees_it(
    house: None, database: Settings, ada: Principal, root: Principal, write: Write
) -> None:
    trigger = {"type": "workflow", "workflow": "Unnamed", "input": {"topic": "x"}}
    write("navigation.json", {"pages": [{"id": "go", "label": "Go", "path": "/tasks", "trigger": trigger}]})
    assert "Go" not in {entry["title"] for entry in await entries(ada)}, "only administrators start unnamed workflows"
    go = {entry["title"]: entry for entry in await entries(root)}["Go"]
    assert (go["id"], go["kind"], go["path"], go["gate"]) == ("go", "workflow", "/chat/Unnamed", "ok")


async def test_showinheader_puts_an_entry_into_the_header_too(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    write("navigation.json", {"pages": [{"path": "/tasks", "showInHeader": True}]})
    menu = await menu_for(ada)
    assert [entry["path"] for entry in menu.top] == ["/tasks"]
    assert len({place.entry["id"] for place in menu.places}) == len(menu.places)


async def test_crumbs_follow_nesting_parents_and_addresses(house: None, database: Settings, ada: Principal, write: Write) -> None:
    def names(path: str) -> list[tuple[str, str]]:
        return [(one["title"], one["path"]) for one in crumbs(path)]

    assert names("/tasks") == [("Tasks", "/tasks")]
    assert names("/files/old") == [("Files", "/files"), ("Archive", "/files/old")]
    assert names("/files/report") == [("Files", "/files"), ("One file", "/files/report")]
    assert names("/nowhere") == []
    page("/a/[id]", title="A", access=Access.signed_in())(lambda: rx.el.p("a"))
    page("/a/[id]/b", title="B", access=Access.signed_in(), parent="/a/[id]")(lambda: rx.el.p("b"))
    assert names("/a/7/b") == [("A", "/a/7"), ("B", "/a/7/b")]
    write("navigation.json", {"pages": [{"label": "Work", "children": [{"path": "/tasks", "label": "To do"}]}]})
    assert names("/tasks") == [("Work", ""), ("To do", "/tasks")]


async def test_parents_that_go_in_circles_lose_nobody(no_pages: None, database: Settings, ada: Principal) -> None:
    page("/x", title="X", access=Access.signed_in(), parent="/y")(lambda: rx.el.p("x"))
    page("/y", title="Y", access=Access.signed_in(), parent="/x")(lambda: rx.el.p("y"))
    assert await lines(ada) == [("X", 0), ("Y", 0)]
    assert [one["title"] for one in crumbs("/x")] == ["X"]


async def test_bad_input_leaves_a_menu(house: None, database: Settings, ada: Principal, write: Write) -> None:
    """javascript: links, duplicate ids, unknown icons, huge and right-to-left labels: what is usable is shown."""
    write(
        "navigation.json",
        {
            "pages": [
                {"label": "Evil", "href": "javascript:alert(1)"},
                {"id": "twin", "path": "/tasks", "icon": "no-such-icon"},
                {"id": "twin", "path": "/files"},
                {"path": "/settings", "label": "הגדרות 🛠 " + "x" * 500},
                {"path": "/nowhere", "label": "Nowhere"},
            ]
        },
    )
    found = await entries(ada)
    assert not [entry for entry in found if "javascript" in entry["href"] + entry["path"]]
    assert "Nowhere" not in {entry["title"] for entry in found}
    assert next(entry for entry in found if entry["path"] == "/tasks")["icon"] == "circle-dashed"
    assert all(len(entry["title"]) <= 80 for entry in found)
    assert {"/", "/tasks", "/settings"} <= {entry["path"] for entry in found}
