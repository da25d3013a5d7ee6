"""Every route the app serves comes from a page declaration, and every declaration names its access (D2)."""

from tests.invariants.product import assembled, modules
from tests.live import ROOT

# Pages anyone may open. A new one is added here on purpose, after thinking.
PUBLIC_PAGES = {"/sign-in", "/register", "/pricing", "/plans", "/login", "/auth/callback", "/signed-out", "/_error", "/embed"}
ERROR_PAGES = {"404", "/404"}


def test_every_reflex_route_is_a_declared_page():
    declared = {one["route"].strip("/") or "index" for one in assembled()["pages"]}
    assert {route.strip("/") for route in assembled()["reflex_routes"]} - ERROR_PAGES <= declared


def test_public_pages_are_public_on_purpose():
    shell_pages = [one for one in assembled()["pages"] if one["owner"] == "shell"]
    assert {one["route"] for one in shell_pages if one["access"] == ["public"]} <= PUBLIC_PAGES


def test_every_page_has_a_title_and_a_known_access():
    for one in assembled()["pages"]:
        assert one["title"].strip(), one["route"]
        assert one["access"] and one["access"][0] in {"public", "signed_in", "role", "plan"}, one["route"]


def test_nobody_adds_pages_behind_the_declarations_back():
    found = [
        f"{module.path.relative_to(ROOT)}"
        for module in modules()
        if "add_page(" in module.path.read_text("utf-8") and module.name != "mozaiks_shell.shell.routing"
    ]
    assert found == []
