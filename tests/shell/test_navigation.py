"""Who sees which line of the sidebar, which verdict a page gets, and what the API answers."""

import json
from pathlib import Path

import pytest
import reflex as rx

from mozaiks_shell.foundation.access import Access, Principal, set_principal
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.shell import slots
from mozaiks_shell.shell.home_state import actions_for, first_steps
from mozaiks_shell.shell.routes import app_config, navigation
from mozaiks_shell.shell.routing import gated
from mozaiks_shell.shell.state import entries_for, expected_navigation, grouped
from mozaiks_shell.ui.page import owned_by, page, pages


@pytest.fixture
def house(no_pages: None) -> None:
    """A page of every kind."""
    for route, title, access, more in (
        ("/", "Home", Access.signed_in(), {"order": 0, "icon": "house"}),
        ("/plans", "Plans", Access.public(), {"icon": "credit-card"}),
        ("/sign-in", "Sign in", Access.public(), {"in_nav": False}),
        ("/reports", "Reports", Access.plan("pro"), {"group": "Work", "icon": "NoSuchIcon"}),
        ("/reports/[year]", "One year", Access.signed_in(), {"group": "Work"}),
        ("/operate", "Operate", Access.role("admin"), {"group": "Administration"}),
    ):
        page(route, title=title, access=access, **more)(lambda: rx.el.p("content"))


def lines(groups: list) -> list[tuple[str, str]]:
    return [(entry["path"], entry["gate"]) for group in groups for entry in group["entries"]]


async def test_each_person_has_their_own_navigation(house: None, database: Settings, ada: Principal, root: Principal) -> None:
    """F-005: a bigger plan's page stays, with a lock; another role's does not."""
    mine, gates, needed = await entries_for(ada)
    assert lines(mine) == [("/", "ok"), ("/plans", "ok"), ("/reports", "plan")]
    assert gates["/operate"] == "role"
    assert gates["/sign-in"] == "ok"
    assert needed["/operate"] == "admin"
    assert needed["/reports"]
    theirs, gates, _ = await entries_for(root)
    assert ("/operate", "ok") in lines(theirs)
    nobody, gates, _ = await entries_for(None)
    assert lines(nobody) == [("/plans", "ok")]
    assert gates["/"] == "sign_in"


async def test_the_prerendered_navigation_is_that_of_a_plain_person(house: None, database: Settings, ada: Principal) -> None:
    """Nothing jumps when the real one arrives."""
    real, _, _ = await entries_for(ada)
    assert lines(expected_navigation()) == lines(real)


def test_groups_icons_and_exactness(house: None) -> None:
    groups = grouped([(one, "ok", "") for one in pages()])
    assert groups[0]["title"] == ""
    entries = {entry["path"]: entry for group in groups for entry in group["entries"]}
    assert entries["/"]["exact"]
    assert entries["/reports"]["exact"], "another line lies below it"
    assert not entries["/plans"]["exact"]
    assert entries["/reports"]["icon"] == "circle-dashed"


async def test_a_plugin_the_catalogue_locks_is_locked_whole(
    house: None, database: Settings, ada: Principal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [{"name": "free"}, {"name": "business", "price": 20, "plugins_unlocked": ["crm"]}]
    file = {"default_plan": "free", "subscription_plans": plans}
    (tmp_path / "subscription_config.json").write_text(json.dumps(file))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path))
    get_settings.cache_clear()
    with owned_by("crm", "/plugins/crm"):
        page("/", title="CRM", access=Access.signed_in())(lambda: rx.el.p("crm"))
    groups, gates, needed = await entries_for(ada)
    assert gates["/plugins/crm"] == "plan"
    assert needed["/plugins/crm"] == "Business"
    assert ("/plugins/crm", "plan") in lines(groups)
    assert "bigger plan" in str(gated(next(one for one in pages() if one.owner == "crm")))


async def test_the_navigation_api_leaves_locked_pages_out(house: None, database: Settings, ada: Principal) -> None:
    set_principal(ada)
    answer = await navigation(ada)
    assert answer["navigation"] == [
        {"label": "Home", "path": "/", "icon": "house"},
        {"label": "Plans", "path": "/plans", "icon": "credit-card"},
    ]
    set_principal(None)


async def test_app_config_tells_who_we_are_and_no_secret(settings: Settings) -> None:
    """F-023."""
    answer = await app_config()
    assert set(answer) == {"monetization_enabled", "app_name", "app_version", "env"}
    assert answer["app_name"] == "Mozaiks"


async def test_the_start_page_offers_what_may_be_opened(house: None, database: Settings, ada: Principal, root: Principal) -> None:
    assert [one["path"] for one in await actions_for(ada)] == []
    assert [one["path"] for one in await actions_for(root)] == ["/operate"]
    assert [step["done"] for step in first_steps()] == [False, False, False, False]


def test_pages_show_content_panel_or_skeleton(house: None) -> None:
    shown = {one.route: str(gated(one)) for one in pages()}
    assert "mz-skeleton" not in shown["/plans"], "a public page waits for nobody"
    assert "mz-skeleton" in shown["/"]
    assert "needs the role" in shown["/operate"]
    assert "/plans?plan=" in shown["/reports"]
    assert "needs the role" not in shown["/"]


def test_a_slot_keeps_order_and_replaces_by_name() -> None:
    slot = slots.Slot("test")
    slot.section("Second", order=20)(lambda: rx.el.p("2"))
    slot.section("First", order=10, access=Access.role("admin"))(lambda: rx.el.p("1"))
    slot.section("Second", order=20)(lambda: rx.el.p("two"))
    assert [piece.title for piece in slot.pieces()] == ["First", "Second"]
    assert str(slot.pieces()[1].render()) == str(rx.el.p("two"))
    assert slot.pieces()[0].key == "test:First"
