"""Who sees which line of the menu, which verdict a page gets, what the API answers, and when it is made anew."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation import events, i18n
from mozaiks_shell.foundation.access import Access, Principal, set_principal
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.identity.service import register
from mozaiks_shell.shell import slots
from mozaiks_shell.shell.navigation import Menu, decide, drop_menus, expected_menu, menu_for
from mozaiks_shell.shell.routes import app_config, navigation
from mozaiks_shell.shell.routing import gated
from mozaiks_shell.ui.page import owned_by, page, page_at, pages

Write = Callable[..., None]


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


def lines(menu: Menu) -> list[tuple[str, str]]:
    return [(entry["path"], entry["gate"]) for group in menu.groups for entry in group["entries"]]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one whenever a menu is really made."""
    made: list[Any] = []
    real = billing.authorize_all

    async def counting(*given: Any) -> Any:
        made.append(given)
        return await real(*given)

    monkeypatch.setattr(billing, "authorize_all", counting)
    return made


async def paying(root: Principal) -> tuple[Principal, Callable[[str], Any]]:
    """A registered person on the default plan, and a way to give them another."""
    user = await register("mary", "correct horse battery", "mary@example.com", "Mary")
    person = Principal(user.id, user.app_id, "Mary", roles=frozenset({"user"}))
    return person, lambda plan: billing.set_plan(root, user.id, plan)


async def test_f005_each_person_has_their_own_menu(house: None, database: Settings, ada: Principal, root: Principal) -> None:
    """A bigger plan's page stays, with a lock; another role's does not."""
    mine = await menu_for(ada)
    assert lines(mine) == [("/", "ok"), ("/plans", "ok"), ("/reports", "plan")]
    assert mine.gates["/operate"] == "role"
    assert mine.gates["/sign-in"] == "ok"
    assert mine.needed["/operate"] == "admin"
    assert mine.needed["/reports"]
    assert ("/operate", "ok") in lines(await menu_for(root))
    nobody = await menu_for(None)
    assert lines(nobody) == [("/plans", "ok")]
    assert nobody.gates["/"] == "sign_in"


async def test_f005_two_people_get_different_lists_from_the_same_endpoint(
    house: None, database: Settings, ada: Principal, root: Principal
) -> None:
    mary, give = await paying(root)
    await give("pro")
    answers = {}
    for person in (ada, mary, root):
        set_principal(person)
        answers[person.name] = [one["path"] for one in (await navigation(person))["navigation"]]
    set_principal(None)
    assert answers["Ada Lovelace"] == ["/", "/plans"]
    assert answers["Mary"] == ["/", "/plans", "/reports"]
    assert answers["Root Admin"] == ["/", "/plans", "/operate"]


async def test_f005_an_entry_has_the_old_fields_first_and_more_behind(house: None, database: Settings, ada: Principal) -> None:
    with owned_by("crm", "/plugins/crm"):
        page("/", title="Customers", access=Access.signed_in(), icon="users", badge="3", order=300)(lambda: rx.el.p("crm"))
        page("/old", title="Former", access=Access.signed_in(), parent="/plugins/crm", order=10)(lambda: rx.el.p("old"))
    answer = (await navigation(ada))["navigation"]
    assert answer[0] == {"label": "Home", "path": "/", "icon": "house", "id": "home"}
    crm = next(one for one in answer if one["label"] == "Customers")
    assert list(crm)[:4] == ["label", "path", "icon", "plugin_name"]
    assert crm["plugin_name"] == "crm"
    assert crm["badge"] == "3"
    assert [child["path"] for child in crm["children"]] == ["/plugins/crm/old"]


async def test_f005_labels_come_in_the_callers_language(house: None, database: Settings, ada: Principal) -> None:
    i18n.speak("de")
    labels = [one["label"] for one in (await navigation(ada))["navigation"]]
    i18n.speak("en")
    assert labels[0] == i18n.translate("Home", {}, domain="", locale="de")


async def test_f005_without_monetisation_there_is_no_entry_for_plans(
    house: None, database: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mozaiks_shell.foundation.settings import get_settings

    monkeypatch.setenv("MOZAIKS_BILLING_PROVIDER", "none")
    get_settings.cache_clear()
    assert lines(await menu_for(ada)) == [("/", "ok"), ("/reports", "ok")]
    assert not (await app_config())["monetization_enabled"]


async def test_f006_the_second_call_makes_nothing_anew(
    house: None, database: Settings, ada: Principal, root: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    first = await menu_for(ada)
    assert await menu_for(ada) is first
    assert len(made) == 1
    await menu_for(root)
    assert len(made) == 2, "everybody has their own"


async def test_f006_a_change_of_plan_is_seen_by_the_very_next_call(
    house: None, database: Settings, root: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mary, give = await paying(root)
    assert ("/reports", "plan") in lines(await menu_for(mary))
    await give("pro")
    assert ("/reports", "ok") in lines(await menu_for(mary))
    await give("free")
    assert ("/reports", "plan") in lines(await menu_for(mary))


async def test_f006_a_change_made_by_another_worker_is_seen_too(
    house: None, database: Settings, root: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No event of this process tells of it: the plan is read on every call."""
    mary, give = await paying(root)
    assert ("/reports", "plan") in lines(await menu_for(mary))

    async def silence(_: events.Event) -> None:
        return None

    monkeypatch.setattr(events, "publish", silence)
    await give("pro")
    assert ("/reports", "ok") in lines(await menu_for(mary))


async def test_f006_a_change_of_role_and_an_event_make_it_anew(
    house: None, database: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    await menu_for(ada)
    promoted = Principal(ada.user_id, ada.app_id, ada.name, roles=frozenset({"admin"}))
    assert ("/operate", "ok") in lines(await menu_for(promoted))
    await events.publish(events.Event("settings.changed", ada.app_id, ada.user_id, {"scope": "", "keys": ["locale"]}))
    await menu_for(promoted)
    assert len(made) == 3
    await events.publish(events.Event("user.active", ada.app_id, ada.user_id))
    await menu_for(promoted)
    assert len(made) == 3, "being there changes nothing"


async def test_f006_what_was_made_from_older_facts_is_not_kept(
    house: None, database: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = billing.authorize_all

    async def interrupted(*given: Any) -> Any:
        found = await real(*given)
        drop_menus()
        return found

    monkeypatch.setattr(billing, "authorize_all", interrupted)
    first = await menu_for(ada)
    assert await menu_for(ada) is not first


async def test_f003_badges_are_asked_of_each_page(house: None, database: Settings, ada: Principal) -> None:
    asked: list[str] = []

    async def open_tasks(person: Principal) -> str:
        asked.append(person.user_id)
        return "12"

    page("/tasks", title="Tasks", access=Access.signed_in(), badge=open_tasks)(lambda: rx.el.p("tasks"))
    page("/secret", title="Secret", access=Access.role("admin"), badge=open_tasks)(lambda: rx.el.p("secret"))
    menu = await menu_for(ada)
    entries = {entry["path"]: entry for group in menu.groups for entry in group["entries"]}
    assert entries["/tasks"]["badge"] == "12"
    await menu_for(ada)
    assert asked == [ada.user_id], "not for a page that is not shown, and not again at once"
    await events.publish(events.Event("tasks:created", ada.app_id, ada.user_id))
    await menu_for(ada)
    assert len(asked) == 2, "something happened to this person"


async def test_f003_a_badge_that_fails_or_hangs_costs_only_itself(
    house: None, database: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mozaiks_shell.shell.navigation.BADGE_SECONDS", 0.05)
    calls: list[str] = []

    async def broken(_: Principal) -> str:
        calls.append("broken")
        raise RuntimeError("no such table")

    async def hanging(_: Principal) -> str:
        calls.append("hanging")
        await asyncio.Event().wait()
        return "never"

    page("/a", title="A", access=Access.signed_in(), badge=broken)(lambda: rx.el.p("a"))
    page("/b", title="B", access=Access.signed_in(), badge=hanging)(lambda: rx.el.p("b"))
    for _ in range(2):
        menu = await menu_for(ada)
        assert {entry["badge"] for group in menu.groups for entry in group["entries"]} == {""}
        await events.publish(events.Event("anything", ada.app_id, ada.user_id))
    assert sorted(calls) == ["broken", "hanging"], "asked once"


async def test_f155_a_line_is_shown_to_whom_it_concerns_and_its_page_opens_to_all(
    house: None, database: Settings, ada: Principal, root: Principal
) -> None:
    concerned: set[str] = set()

    async def shown(person: Principal) -> bool:
        if person.user_id == root.user_id:
            raise RuntimeError("no such table")
        return person.user_id in concerned

    page("/own", title="Own", access=Access.signed_in(), shown=shown)(lambda: rx.el.p("own"))

    async def listed(person: Principal) -> bool:
        menu = await menu_for(person)
        entries = [entry["path"] for group in menu.groups for entry in group["entries"]]
        assert ("/own" in entries) == ("/own" in [place.entry["path"] for place in menu.places])
        return "/own" in entries

    assert not await listed(ada)
    concerned.add(ada.user_id)
    await events.publish(events.Event("workflow_job.started", ada.app_id, ada.user_id))
    assert await listed(ada)
    assert not await listed(root), "where it cannot be told, the rest of the menu is there"
    assert "/own" not in [entry["path"] for group in expected_menu().groups for entry in group["entries"]]
    assert (await decide(root, page_at("/own"))).allowed


async def test_the_prerendered_menu_is_that_of_a_plain_person(house: None, database: Settings, ada: Principal) -> None:
    """Nothing jumps when the real one arrives."""
    assert lines(expected_menu()) == lines(await menu_for(ada))


async def test_groups_icons_and_exactness(house: None, database: Settings, root: Principal) -> None:
    menu = await menu_for(root)
    assert [group["title"] for group in menu.groups] == ["", "Administration", "Work"]
    entries = {entry["path"]: entry for group in menu.groups for entry in group["entries"]}
    assert entries["/"]["exact"]
    assert not entries["/plans"]["exact"]
    assert entries["/reports"]["icon"] == "circle-dashed"
    page("/reports/new", title="New", access=Access.signed_in())(lambda: rx.el.p("new"))
    entries = {entry["path"]: entry for group in (await menu_for(root)).groups for entry in group["entries"]}
    assert entries["/reports"]["exact"], "another line lies below it"


async def test_a_plugin_the_catalogue_locks_is_locked_whole(
    house: None, database: Settings, ada: Principal, write: Write
) -> None:
    plans = [{"name": "free"}, {"name": "business", "price": 20, "plugins_unlocked": ["crm"]}]
    write("subscription_config.json", {"default_plan": "free", "subscription_plans": plans})
    with owned_by("crm", "/plugins/crm"):
        page("/", title="CRM", access=Access.signed_in())(lambda: rx.el.p("crm"))
    menu = await menu_for(ada)
    assert menu.gates["/plugins/crm"] == "plan"
    assert menu.needed["/plugins/crm"] == "Business"
    assert ("/plugins/crm", "plan") in lines(menu)
    assert "not part of your plan" in str(gated(next(one for one in pages() if one.owner == "crm")))


async def test_the_pages_of_a_plugin_that_does_not_run_are_not_offered(
    house: None, database: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with owned_by("crm", "/plugins/crm"):
        page("/", title="CRM", access=Access.signed_in())(lambda: rx.el.p("crm"))
    assert ("/plugins/crm", "ok") in lines(await menu_for(ada))

    monkeypatch.setattr("mozaiks_shell.shell.navigation.out_of_service", lambda: frozenset({"crm"}))
    assert ("/plugins/crm", "ok") not in lines(await menu_for(ada))


async def test_f023_app_config_tells_who_we_are_and_no_secret(settings: Settings) -> None:
    answer = await app_config()
    assert set(answer) == {"monetization_enabled", "app_name", "app_version", "env"}
    assert answer["app_name"] == "Mozaiks"


def test_pages_show_content_panel_or_skeleton(house: None) -> None:
    shown = {one.route: str(gated(one)) for one in pages()}
    assert "mz-skeleton" not in shown["/plans"], "a public page waits for nobody"
    assert "mz-skeleton" in shown["/"]
    assert "needs the role" in shown["/operate"]
    assert "/plans?plan=" in shown["/reports"] or "See plans" in shown["/reports"]
    assert "needs the role" not in shown["/"]


def test_a_slot_keeps_order_and_replaces_by_name() -> None:
    slot = slots.Slot("test")
    slot.section("Second", order=20)(lambda: rx.el.p("2"))
    slot.section("First", order=10, access=Access.role("admin"))(lambda: rx.el.p("1"))
    slot.section("Second", order=20)(lambda: rx.el.p("two"))
    assert [piece.title for piece in slot.pieces()] == ["First", "Second"]
    assert str(slot.pieces()[1].render()) == str(rx.el.p("two"))
    assert slot.pieces()[0].key == "test:first"
