"""The menu in its three shapes, and what a file may not do (F-002 to F-004, F-007 to F-009, F-027, F-032)."""

import pytest

from mozaiks_shell.appconfig.navigation import NavItem, Trigger
from mozaiks_shell.appconfig.navigation_files import CORE
from mozaiks_shell.appconfig.service import navigation
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.ui import page as declared
from mozaiks_shell.ui.page import page


def pages(*entries, **more):
    return {"version": "1.0.0", "pages": list(entries), **more}


def by_id():
    return {one.id: one for one in navigation().every()}


def test_f002_the_newer_shape(configs):
    configs.sample("navigation.json", "navigation.pages.json")
    assert configs.problems() == []
    assert [one.id for one in navigation().items] == ["brief", "reports", "status", "imprint", "members"], "by order"
    reports = by_id()["reports"]
    assert (reports.path, reports.component, reports.title, reports.show_in_header) == (
        "/reports", "ReportsPage", "Reports of this month", True,
    )  # fmt: skip
    assert by_id()["status"].href == "https://status.example.com" and by_id()["status"].external
    assert not navigation().only_listed


def test_f004_access_defaults_to_signed_in(configs):
    configs.sample("navigation.json", "navigation.pages.json")
    assert by_id()["reports"].requires_auth is True and by_id()["members"].auth_redirect == "/sign-in"
    assert by_id()["imprint"].requires_auth is False


def test_an_entry_that_only_names_a_page_leaves_its_access_alone(configs):
    configs.write("navigation.json", pages({"path": "/plans", "label": "Prices"}))
    assert by_id()["plans"].requires_auth is None and not by_id()["plans"].declares_page


def test_f009_a_trigger_with_everything(configs):
    configs.sample("navigation.json", "navigation.pages.json")
    assert by_id()["brief"].trigger == Trigger("ProjectBrief", "workflow", {"tone": "short"}, "view", 300, "dev-app")


def test_f002_the_older_shape(configs):
    configs.sample("navigation.json", "navigation.routes.json")
    assert configs.problems() == [], "the shell's own pages may be listed as upstream lists them"
    assert {one.level for one in configs.problems("hint") if one.file == "navigation.json"} == {"hint"}
    assert navigation().only_listed
    work, reports = navigation().items[:2]
    assert (work.id, [one.id for one in work.children]) == ("work", ["a", "b"]), "F-003: sorted at every depth"
    assert work.children[0].badge == "3" and reports.badge == "New"
    assert (reports.declares_page, reports.requires_auth, reports.title) == (True, True, "Reports")
    assert reports.description == "What happened this month."
    imprint = next(one for one in navigation().items if one.path == "/imprint")
    assert imprint.hidden and imprint.declares_page and imprint.requires_auth is False
    assert [one.id for one in navigation().top] == ["home"]


def test_f003_order_two_one_shows_as_one_two(configs):
    items = [{"id": "b", "label": "B", "path": "/b", "order": 2}, {"id": "a", "label": "A", "path": "/a", "order": 1}]
    configs.write("navigation.json", {"sidebar": {"items": [*items, {"id": "c", "label": "C", "path": "/c"}]}})
    assert [one.id for one in navigation().items] == ["a", "b", "c"]


def test_f002_the_third_shape(configs):
    configs.sample("navigation_config.json")
    assert configs.problems() == []
    assert [(one.label, one.path, one.plugin_name) for one in navigation().items] == [
        ("AI", "/chat", ""),
        ("Profile", "/profile", ""),
        ("Subscription", "/plans", ""),
        ("Notes", "/plugins/notes", "notes"),
    ]
    assert navigation().only_listed


def test_c28_the_newer_file_wins(configs):
    configs.sample("navigation_config.json")
    configs.write("navigation.json", pages({"path": "/settings", "label": "Options"}))
    assert [one.label for one in navigation().items] == ["Options"]
    assert any("navigation.json is there" in one for one in configs.said("hint"))


def test_the_shape_is_told_by_the_keys(configs):
    configs.write("navigation.json", {"landing_spot": "/plans", "startup_mode": "workflow"})
    assert (navigation().landing_spot, navigation().startup_mode) == ("/plans", "workflow"), "F-007"
    configs.write("navigation.json", {"topNav": {"items": [{"label": "Up", "path": "/plans"}]}})
    assert [one.label for one in navigation().top] == ["Up"] and not navigation().only_listed
    configs.write("navigation.json", {})
    assert navigation().every() == ()


def test_every_field_of_an_entry(configs):
    entry = {
        "id": "x", "path": "/x/:id", "component": "XPage", "label": "X", "title": "The X", "icon": "star", "showInHeader": True,
        "order": 1.5, "badge": 7, "group": "More", "hidden": True, "description": "About X.", "shortcut": "g x",
        "requiresRole": "admin", "requiresPlan": "pro", "children": [{"label": "Inner", "path": "/plans"}],
    }  # fmt: skip
    configs.write("navigation.json", pages(entry))
    assert configs.problems() == []
    assert navigation().items[0] == NavItem(
        id="x", label="X", path="/x/[id]", icon="star", order=1.5, badge="7", group="More", hidden=True, show_in_header=True,
        title="The X", component="XPage", requires_auth=True, role="admin", plan="pro", description="About X.", shortcut="g x",
        children=(NavItem(id="plans", label="Inner", path="/plans"),), declares_page=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", [one.replace("*", "anything") for one in CORE] + ["/chat", "/chat/:workflow", "/api/me", "/plugins/x"]
)
def test_f008_a_component_on_a_core_path_is_an_error_and_the_core_page_stays(configs, path):
    configs.write("navigation.json", pages({"id": "mine", "path": path, "component": "MyPage", "label": "Mine"}))
    (problem,) = configs.problems()
    assert (problem.level, problem.path) == ("error", "$.pages[0].component") and "shadows a core page" in problem.message
    assert not by_id()["mine"].declares_page


def test_f008_core_pages_may_be_listed_and_renamed(configs):
    configs.write(
        "navigation.json", pages(*[{"path": path, "label": "Other"} for path in ("/", "/admin", "/settings", "/plans")])
    )
    assert configs.problems() == [] and {one.label for one in navigation().items} == {"Other"}


def test_one_bad_entry_does_not_lose_the_others(configs):
    configs.write(
        "navigation.json",
        '{\n "pages": [\n  {"path": "/a", "label": "A"},\n  {"path": 7, "label": "B"},\n  {"path": "/c", "label": "C"},\n'
        '  {"path": "/d", "children": [{"label": "D1", "path": "/d1"}, {"label": "D2", "order": "late"}]}\n ]\n}',
    )
    assert [one.path for one in navigation().items] == ["/a", "/c", "/d"]
    assert [one.path for one in navigation().items[2].children] == ["/d1"]
    assert [(one.path, one.line) for one in configs.problems()] == [("$.pages[1].path", 4), ("$.pages[3].children[1].order", 6)]


def test_places_are_those_of_the_file_after_entries_were_left_out(configs):
    configs.write("navigation.json", pages({"path": 1}, {"path": 2}, {"id": "x", "label": "A"}, {"id": "x", "path": "/b"}))
    said = {(one.path, one.level) for one in configs.problems()}
    assert ("$.pages[2]", "warning") in said and ("$.pages[3].id", "error") in said


def test_duplicate_ids_name_both_places_and_the_second_is_left_out(configs):
    inner = {"id": "group", "label": "G", "children": [{"id": "one", "label": "Again", "path": "/b"}]}
    configs.write("navigation.json", pages({"id": "one", "label": "One", "path": "/a"}, inner))
    (problem,) = configs.problems()
    assert problem.path == "$.pages[1].children[0].id" and "$.pages[0].id" in problem.message
    assert [one.path for one in navigation().every()] == ["/a", ""]


def test_a_page_listed_twice_is_shown_once(configs):
    configs.write("navigation.json", pages({"path": "/a", "label": "One"}, {"path": "/a", "label": "Two"}))
    assert [one.label for one in navigation().items] == ["One"]
    assert [one.level for one in configs.problems()] == ["warning"]


def test_deep_nesting_is_named_and_cut(configs):
    entry = {"label": "Leaf", "path": "/leaf"}
    for depth in range(6):
        entry = {"label": f"Level {depth}", "children": [entry]}
    configs.write("navigation.json", pages(entry))
    depth, item = 0, navigation().items[0]
    while item.children:
        depth, item = depth + 1, item.children[0]
    assert depth == 2 and ["nested deeper than 3 levels" in one for one in configs.said()] == [True]


def test_deeper_than_any_menu_is_refused_whole(configs):
    configs.write("navigation.json", '{"pages": [' + '{"children": [' * 60 + "]}" * 60 + "]}")
    assert navigation().items == () and "nested deeper than 32 levels" in configs.said()[0]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "//evil.example", "/\\evil.example", "https:///x", "https://user@evil.example/",
        "https://a b", "http:evil", "relative/path", "https://exa\u202emple.com", "blob:https://x", "/x\"onclick=\"y", "https://[::1",
    ],
)  # fmt: skip
def test_links_that_lead_astray_are_refused_where_they_stand(configs, href):
    configs.write("navigation.json", pages({"label": "Good", "path": "/a"}, {"label": "Bad", "href": href}))
    (problem,) = configs.problems()
    assert (problem.level, problem.path, problem.line) == ("error", "$.pages[1].href", 1)
    assert [one.label for one in navigation().items] == ["Good"]


@pytest.mark.parametrize(
    "href", ["https://example.com/a?b=c#d", "http://localhost:3000", "mailto:help@example.com", "tel:+4930123", "/plans?plan=pro"]
)
def test_links_that_are_fine(configs, href):
    configs.write("navigation.json", pages({"label": "Good", "href": href}))
    assert configs.problems() == [] and navigation().items[0].href == href


@pytest.mark.parametrize(
    "path", ["plans", "//x", "/../etc", "/a/../b", "/a b", "https://x.example", "/a?b=c", "/a\\b", "/" + "a" * 400]
)
def test_paths_that_are_none_are_refused(configs, path):
    configs.write("navigation.json", pages({"label": "Bad", "path": path}))
    assert [one.path for one in configs.problems()] == ["$.pages[0].path"] and navigation().items == ()


def test_a_path_is_matched_in_linear_time(configs):
    configs.write("navigation.json", pages({"label": "Bad", "path": "/" + "a" * 290 + "!"}))
    assert len(configs.problems()) == 1


@pytest.mark.parametrize("label", ["👩‍👩‍👧 Familie", "لوحة القيادة", "דוחות", "日本語の見出し", "नमस्ते", "Ü & <b>", "🏳️‍🌈"])
def test_labels_of_any_language_pass(configs, label):
    configs.write("navigation.json", pages({"label": label, "path": "/a"}))
    assert configs.problems() == [] and navigation().items[0].label == label


@pytest.mark.parametrize("label", ["a\u202eb", "a\u2066b", "a\nb", "a\u2028b", "a\x7fb", "a\ufeffb"])
def test_labels_that_turn_or_hide_text_are_refused(configs, label):
    configs.write("navigation.json", pages({"label": label, "path": "/a"}, {"label": "Good", "path": "/b"}))
    (problem,) = configs.problems()
    assert problem.level == "error" and [one.label for one in navigation().items] in ([], ["Good"])
    assert label not in str(problem)


def test_huge_labels_are_cut_with_a_warning(configs):
    configs.write("navigation.json", pages({"label": "Long " * 100, "path": "/a"}))
    (problem,) = configs.problems()
    assert (problem.level, problem.path) == ("warning", "$.pages[0].label")
    assert len(navigation().items[0].label) <= 80 and navigation().items[0].label.endswith("…")


def test_f032_icons_by_name_or_by_file(configs):
    configs.write(
        "navigation.json",
        pages(
            *[{"path": f"/{n}", "icon": icon} for n, icon in enumerate(["house", "ListChecks", "spark.svg", "/assets/a/b.png"])]
        ),
    )
    assert configs.problems() == [] and [one.icon for one in navigation().items] == [
        "house",
        "ListChecks",
        "spark.svg",
        "a/b.png",
    ]


def test_f032_an_unknown_icon_is_a_warning(configs):
    configs.write("navigation.json", pages({"path": "/a", "icon": "hous"}, {"path": "/b", "icon": "../x.svg"}))
    assert [(one.level, one.path) for one in configs.problems()] == [("error", "$.pages[1].icon"), ("warning", "$.pages[0].icon")]
    assert "Did you mean 'house'?" in configs.said()[1]


def test_f025_a_typo_is_named_with_file_path_line_and_the_known_name(configs):
    configs.write("navigation.json", '{\n "pages": [\n  {"path": "/a",\n   "icn": "house", "shwInHeader": true}\n ]\n}')
    assert configs.said() == [
        "navigation.json:4 $.pages[0].icn: the key 'icn' is not known and not read. Did you mean 'icon'?",
        "navigation.json:4 $.pages[0].shwInHeader: the key 'shwInHeader' is not known and not read. Did you mean 'showInHeader'?",
    ]


def test_comments_by_key_are_left_alone(configs):
    configs.write("navigation.json", pages({"path": "/a", "_comment": "x", "$note": 1}, _comment="y"))
    assert configs.problems() == []


def test_more_entries_than_anybody_reads_are_cut(configs):
    configs.write("navigation.json", pages(*[{"path": f"/p{n}"} for n in range(700)]))
    assert len(navigation().items) == 500 and [one.path for one in configs.problems()] == ["$.pages"]


def test_a_file_full_of_mistakes_is_named_in_short(configs):
    configs.write("navigation.json", pages(*[{"path": n} for n in range(400)]))
    assert navigation().items == () and len(configs.problems()) <= 201
    assert "further problems" in configs.said()[0] or "further problems" in configs.said()[-1]


@pytest.mark.parametrize("content", ["[]", "null", "7", '"text"', '{"pages": {}}', '{"pages": null}', '{"pages": [null, 1, []]}'])
def test_another_shape_altogether_is_an_error_and_the_menu_stays_usable(configs, content):
    configs.write("navigation.json", content)
    assert navigation().items == () and configs.problems("error")


@pytest.fixture
def a_page(monkeypatch):
    """Some pages are declared."""
    monkeypatch.setattr(declared, "_pages", {})
    page("/", title="Home", access=Access.signed_in())(lambda: None)
    page("/reports", title="Reports", access=Access.signed_in())(lambda: None)


def test_a_path_that_no_page_answers_is_a_warning(configs, a_page):
    configs.write(
        "navigation.json",
        pages({"path": "/reprots", "label": "R"}, {"path": "/reports", "label": "R"}, landing_spot="/nowhere"),
    )
    assert [(one.path, one.fix) for one in configs.problems("warning")] == [
        ("$.landing_spot", 'Add the plugin that has this page, or a "component".'),
        ("$.pages[0].path", "Did you mean /reports?"),
    ]


def test_f027_a_component_nobody_registered_is_a_warning(configs, a_page):
    configs.write("navigation.json", pages({"path": "/x", "component": "Nope"}))
    (problem,) = configs.problems("warning")
    assert problem.path == "$.pages[0].component" and "'Nope' is not registered" in problem.message


def test_a_trigger_needs_a_workflow(configs):
    configs.write("navigation.json", pages({"label": "T", "trigger": {"workflow": ""}}, {"label": "U", "trigger": {"mode": "x"}}))
    assert {one.path for one in configs.problems()} == {
        "$.pages[0].trigger.workflow", "$.pages[1].trigger.workflow", "$.pages[1].trigger.mode",
    }  # fmt: skip
