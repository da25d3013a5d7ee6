"""Pages of the operator's file, the way in, the landing page, and the frame's smaller menus."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import reflex as rx

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.shell import menus
from mozaiks_shell.shell.configured import configured, configured_page, way_in
from mozaiks_shell.shell.guide import allowed_path
from mozaiks_shell.shell.menu_view import Menu
from mozaiks_shell.shell.navigation import decide, landing, menu_for
from mozaiks_shell.shell.pages.configured import file_page
from mozaiks_shell.ui import components
from mozaiks_shell.ui.components import register_component
from mozaiks_shell.ui.page import owned_by, page

Write = Callable[..., None]


@pytest.fixture
def house(no_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_registered", {})
    for route, title, access in (
        ("/", "Home", Access.signed_in()),
        ("/sign-in", "Sign in", Access.public()),
        ("/welcome", "Welcome", Access.public()),
        ("/tasks", "Tasks", Access.signed_in()),
        ("/reports", "Reports", Access.plan("pro")),
        ("/plans", "Plans", Access.signed_in()),
        ("/profile", "Profile", Access.signed_in()),
        ("/settings", "Settings", Access.signed_in()),
        ("/admin", "Admin", Access.role("admin")),
    ):
        page(route, title=title, access=access, in_nav=title != "Sign in")(lambda: rx.el.p("content"))
    register_component("About", access=Access.public(), chat=False)(lambda: rx.el.p("about us"))
    register_component("Team")(lambda: rx.el.p("the team"))


def declare(write: Write, *entries: dict, **more: object) -> None:
    write("navigation.json", {"pages": list(entries), **more})


async def test_f004_a_page_of_the_file_asks_for_sign_in_unless_it_says_otherwise(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    declare(
        write,
        {"path": "/team", "component": "Team", "label": "Team"},
        {"path": "/about", "component": "About", "label": "About", "meta": {"requiresAuth": False}},
    )
    team, about = configured_page("/team"), configured_page("/about/")
    assert team is not None and team.access == Access.signed_in()
    assert about is not None and about.access == Access.public()
    assert not about.chat, "F-034: the component says it stands without the chat"
    menu = await menu_for(None)
    assert (menu.gates["/team"], menu.gates["/about"]) == ("sign_in", "ok")
    mine = await menu_for(ada)
    assert {"/team", "/about"} <= {place.entry["path"] for place in mine.places}
    assert allowed_path(ada, "/team?x=1")


async def test_f004_a_file_cannot_open_what_the_component_keeps_closed(house: None, database: Settings, write: Write) -> None:
    declare(write, {"path": "/team", "component": "Team", "meta": {"requiresAuth": False}})
    found = configured_page("/team")
    assert found is not None and found.access == Access.signed_in()


async def test_f004_role_and_plan_of_a_page(house: None, database: Settings, ada: Principal, write: Write) -> None:
    declare(
        write,
        {"path": "/ops", "component": "Team", "requiresRole": "admin"},
        {"path": "/lab", "component": "Team", "requiresPlan": "pro"},
    )
    gates = (await menu_for(ada)).gates
    assert (gates["/ops"], gates["/lab"]) == ("role", "plan")


async def test_f027_a_file_never_opens_a_component_to_more_people_than_the_component_itself(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    register_component("Ledger", access=Access.role("accountant"))(lambda: rx.el.p("numbers"))
    register_component("Lab", access=Access.plan("pro"))(lambda: rx.el.p("mice"))
    declare(
        write,
        {"path": "/books", "component": "Ledger", "requiresRole": "user"},
        {"path": "/mice", "component": "Lab", "requiresRole": "user"},
        {"path": "/both", "component": "Team", "requiresRole": "user", "requiresPlan": "pro"},
        {"path": "/mine", "component": "Team", "requiresRole": "user"},
    )
    member = replace(ada, roles=frozenset({"user"}))
    wanted = {"/books": "role", "/mice": "plan", "/both": "plan", "/mine": "ok"}
    gates = (await menu_for(member)).gates
    assert {path: gates[path] for path in wanted} == wanted
    for path, reason in wanted.items():
        page = configured_page(path)
        assert page is not None and (await decide(member, page)).reason == reason


def test_f008_a_pattern_does_not_swallow_what_is_no_page(house: None, database: Settings, write: Write) -> None:
    declare(write, {"path": "/[name]", "component": "Team"}, {"path": "/sw.js", "component": "Team"})
    for name in ("sw.js", "register-worker.js", "manifest.webmanifest", "offline", "offline.js", "favicon.ico", "sitemap.xml"):
        assert configured_page(f"/{name}") is None, name
    assert configured_page("/anything") is not None


def test_f008_a_file_cannot_stand_in_a_core_pages_place(house: None, database: Settings, write: Write) -> None:
    taken = ("/", "/tasks", "/admin", "/admin/x", "/chat/x", "/app/x", "/plugins/x", "/api/x", "/auth/x", "/404")
    declare(write, *({"path": path, "component": "Team"} for path in taken))
    assert [path for path in taken if configured_page(path) is not None] == []


async def test_f027_an_unknown_component_has_a_page_that_says_so_and_a_line_in_the_log(
    house: None, database: Settings, ada: Principal, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict] = []
    monkeypatch.setattr("mozaiks_shell.shell.configured.log.warning", lambda _, **facts: said.append(facts))
    declare(write, {"path": "/nope", "component": "Nope"}, {"path": "/team", "component": "Team"})
    found = configured("/nope")
    assert found is not None and found.component == "Nope"
    assert said == [{"component": "Nope", "path": "/nope"}]
    assert (await menu_for(ada)).gates["/team"] == "ok", "other pages work"
    drawn = str(file_page(rx.el.p("nothing here")))
    assert "has registered it" in drawn
    assert "the team" in drawn
    assert "nothing here" in drawn


async def test_f027_a_plugins_component_is_gated_as_the_plugin(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    plans = [{"name": "free"}, {"name": "business", "price": 20, "plugins_unlocked": ["crm"]}]
    write("subscription_config.json", {"default_plan": "free", "subscription_plans": plans})
    with owned_by("crm", "/plugins/crm"):
        register_component("Customers")(lambda: rx.el.p("crm"))
    declare(write, {"path": "/customers", "component": "Customers"})
    assert (await menu_for(ada)).gates["/customers"] == "plan"


async def test_f027_addresses_with_a_parameter(house: None, database: Settings, ada: Principal, write: Write) -> None:
    declare(write, {"path": "/people/:id", "component": "Team", "label": "Person"})
    assert configured_page("/people/7") is not None
    assert configured_page("/people/7/x") is None
    assert "Person" not in {place.entry["title"] for place in (await menu_for(ada)).places}


def test_f030_the_way_in_keeps_the_wanted_address(house: None, database: Settings, write: Write) -> None:
    assert way_in("/tasks", "show=all&page=2") == "/sign-in?next=/tasks%3Fshow%3Dall%26page%3D2"
    declare(
        write,
        {"path": "/tasks", "meta": {"authRedirect": "/welcome"}},
        {"path": "/reports", "meta": {"authRedirect": "/profile"}},
        {"path": "/welcome", "meta": {"authRedirect": "/welcome"}},
    )
    assert way_in("/tasks/") == "/welcome?next=/tasks"
    assert way_in("/reports") == "/sign-in?next=/reports", "a page that is closed itself leads nobody in"
    assert way_in("/welcome").startswith("/sign-in?")
    assert way_in("//evil.example/x").startswith("/sign-in?next=")


async def test_f007_the_landing_page_is_where_the_start_leads(
    house: None, database: Settings, ada: Principal, root: Principal, write: Write
) -> None:
    assert await landing(ada) == "/"
    declare(write, landing_spot="/tasks")
    assert await landing(ada) == "/tasks"
    assert await landing(None) == "/"
    paths = [place.entry["path"] for place in (await menu_for(ada)).places]
    assert "/tasks" in paths
    assert "/" not in paths, "two lines to one page"


async def test_f082_the_operator_hides_what_a_higher_plan_opens(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    def shown(menu: Menu) -> dict[str, str]:
        return {place.entry["path"]: place.entry["gate"] for place in menu.places}

    assert shown(await menu_for(ada))["/reports"] == "plan"
    declare(write, hide_locked=True)
    menu = await menu_for(ada)
    assert "/reports" not in shown(menu)
    assert menu.gates["/reports"] == "plan", "its address still says what would open it"
    assert "/tasks" in shown(menu)
    write("navigation.json", {"sidebar": {"items": [{"path": "/reports", "label": "R"}]}, "routes": [], "hide_locked": True})
    assert "/reports" not in shown(await menu_for(ada))


@pytest.mark.parametrize("spot", ["/reports", "/admin", "/nowhere"])
async def test_f007_nobody_is_led_where_they_may_not_go(
    house: None, database: Settings, ada: Principal, write: Write, spot: str
) -> None:
    declare(write, landing_spot=spot)
    assert await landing(ada) == "/"
    assert "/" in [place.entry["path"] for place in (await menu_for(ada)).places]


def test_f014_the_profile_menu_has_what_this_person_may_see(
    house: None, database: Settings, ada: Principal, root: Principal, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ids(person: Principal | None) -> list[str]:
        return [one["id"] for one in menus.profile_menu(person)]

    assert ids(ada) == ["profile", "settings", "plans", "line", "sign-out"]
    assert ids(root) == ["profile", "settings", "plans", "admin", "line", "sign-out"]
    assert ids(None) == []
    assert [one["id"] for one in menus.expected_profile_menu()] == ids(ada)
    entries = [
        {"id": "ops", "label": "Operations", "href": "/admin", "requiresRole": "admin"},
        {"id": "line", "type": "divider"},
        {"id": "out", "label": "Leave", "action": "signout", "variant": "danger"},
    ]
    write("ui.json", {"profile": {"menu": entries}})
    assert ids(ada) == ["out"], "and no line above it"
    assert ids(root) == ["ops", "line", "out"]
    monkeypatch.setenv("MOZAIKS_BILLING_PROVIDER", "none")
    monkeypatch.delenv("MOZAIKS_CONFIGS_PATH")
    get_settings.cache_clear()
    assert "plans" not in ids(ada)


def test_f013_f015_f016_header_footer_layout_and_brand(house: None, database: Settings, write: Write) -> None:
    assert [one["id"] for one in menus.header_actions()] == ["discover"]
    assert not menus.footer()["visible"]
    assert menus.layout_view() == menus.USUAL_LAYOUT
    assert menus.brand_view("/tasks")["href"] == "/tasks"
    write(
        "ui.json",
        {
            "header": {
                "logo": {"src": "mark.svg", "wordmark": "word.svg", "alt": "Acme", "href": "/tasks"},
                "actions": [
                    {"id": "discover", "visible": False},
                    {"id": "new", "label": "New", "icon": "plus", "href": "/tasks"},
                ],
            },
            "footer": {"links": [{"label": "Imprint", "href": "https://example.com/imprint"}], "poweredBy": "Acme"},
        },
    )
    write("branding.json", {"layout": {"sidebar": {"position": "right", "defaultCollapsed": True}, "header": {"sticky": False}}})
    assert [(one["id"], one["icon"]) for one in menus.header_actions()] == [("new", "plus")]
    assert menus.footer()["links"] == [{"label": "Imprint", "href": "https://example.com/imprint", "external": True}]
    assert menus.layout_view()["side"] == "right"
    assert menus.layout_view()["collapsed"]
    assert not menus.layout_view()["sticky"]
    assert menus.brand_view() == {
        "logo": "/brand/assets/mark.svg", "wordmark": "/brand/assets/word.svg", "alt": "Acme", "href": "/tasks"
    }  # fmt: skip


def test_f014_a_person_without_a_name_and_the_second_line_come_from_the_file(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    nameless = replace(ada, name="", email="x@example.com")
    assert menus.named(nameless) == ("", "x@example.com")
    assert (menus.layout_view()["profile"], menus.layout_view()["face"]) == (True, "user")
    write("ui.json", {"profile": {"defaultLabel": "Guest", "sublabel": "Acme staff", "icon": "rocket", "show": False}})
    assert menus.named(nameless) == ("Guest", "Acme staff")
    assert menus.named(None) == ("", "")
    assert (menus.layout_view()["profile"], menus.layout_view()["face"]) == (False, "rocket")
