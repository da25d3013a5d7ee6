"""The kit renders the roles, names and ties a person with a screen reader needs, and nothing of Radix."""

from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from mozaiks_shell.ui import kit
from mozaiks_shell.ui.kit import icons


def html(component: rx.Component) -> str:
    return str(component)


class KitState(rx.State):
    """Values that arrive later."""

    problem: str = ""
    sign: str = "house"
    shown: bool = False
    tone: str = "success"
    turn: int = 0

    @rx.event
    def keep(self, edit: dict[str, Any]) -> None:
        """What a form that saves itself calls."""
        self.turn = edit["turn"]


EVERYTHING: dict[str, Callable[[], rx.Component]] = {
    "button": lambda: kit.button("Save", variant="primary"),
    "link_button": lambda: kit.link_button("Plans", "/plans", "primary"),
    "menu": lambda: kit.menu("More", kit.menu_item("Settings", href="/settings", icon_name="settings"), id="more"),
    "field": lambda: kit.field("Name", kit.text_input(name="name"), help="Yours.", error="Missing."),
    "select": lambda: kit.select(["a", ("b", "B")]),
    "checkbox": lambda: kit.checkbox("Agree", name="agree"),
    "switch": lambda: kit.switch("On"),
    "card": lambda: kit.card("x", title="Card", actions=[kit.badge("New", "accent")]),
    "page_header": lambda: kit.page_header("Title", "What it is.", [kit.button("New")]),
    "empty_state": lambda: kit.empty_state("inbox", "Nothing", "It comes.", kit.button("Go")),
    "table": lambda: kit.table(["A"], ["1"], rx.foreach([1], lambda one: rx.el.tr(rx.el.td(one))), caption="Numbers"),
    "card_row": lambda: kit.table(["A", "B"], kit.card_row("1", ("B", "2")), cards="tall"),
    "skeleton": lambda: kit.skeleton(2),
    "notice": lambda: kit.notice("Failed", "danger"),
    "dialog": lambda: kit.dialog("Sure?", id="sure", title="Delete", actions=[kit.close_button("sure", "No")]),
    "stack": lambda: kit.stack(kit.row("a", gap=2), kit.grid("b"), gap=6),
    "text_area": lambda: kit.text_area(name="note"),
    "markdown": lambda: kit.markdown(KitState.problem),
    "autosave": lambda: kit.autosave(kit.text_area(name="text"), name="n1", saved=KitState.turn, on_save=KitState.keep),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_part_renders_on_native_elements(name: str) -> None:
    component = EVERYTHING[name]()
    assert html(component)
    libraries = set(component._get_all_imports())
    assert not [one for one in libraries if "radix" in one or "lucide-react" in one or "sonner" in one], libraries


def test_a_field_ties_label_help_and_error_to_its_control() -> None:
    made = html(kit.field("Name", kit.text_input(name="name", id="n"), help="Yours.", error=KitState.problem))
    assert 'htmlFor:"n"' in made
    assert '"aria-describedby":"n-help n-error"' in made
    assert '"aria-invalid"' in made
    assert 'role:"alert"' in made


def test_two_fields_without_ids_do_not_share_one() -> None:
    one, other = html(kit.field("A", kit.text_input())), html(kit.field("B", kit.text_input()))
    assert one.split('htmlFor:"')[1].split('"')[0] != other.split('htmlFor:"')[1].split('"')[0]


def test_a_link_stays_in_the_app_unless_the_server_answers() -> None:
    assert "ReactRouterLink" in html(kit.link("Plans", href="/plans"))
    for outside in ("https://example.com", "/auth/sign-out", "/api/me", "mailto:a@example.com"):
        assert "ReactRouterLink" not in html(kit.link("x", href=outside))


def test_a_dialog_has_a_name_and_a_native_opener() -> None:
    made = html(kit.dialog("x", id="d", title="Delete", open=KitState.shown))
    assert '"aria-labelledby":"d-title"' in made
    opener = html(kit.dialog_button("d", "Open"))
    assert 'commandfor:"d"' in opener
    assert 'command:"show-modal"' in opener


def test_a_menu_is_a_native_popover() -> None:
    made = html(kit.menu("More", id="m", label="More actions"))
    assert 'popoverTarget:"m"' in made
    assert 'popover:"auto"' in made
    assert '"aria-label":"More actions"' in made


def test_a_table_of_cards_stays_a_table_for_who_cannot_see_it() -> None:
    made = html(kit.table(["A", "B"], kit.card_row("1", ("B", "2")), cards="slim"))
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader", "cell"):
        assert f'role:"{role}"' in made
    assert '"aria-hidden":"true"' in made, "the heading is in the table's head already"
    assert 'role:"table"' not in html(kit.table(["A"], ["1"]))


def test_tones_and_roles_of_messages() -> None:
    assert 'role:"alert"' in html(kit.notice("x", "danger"))
    assert 'role:"status"' in html(kit.notice("x"))
    assert "mz-tone-success" in html(kit.badge("x", "success"))
    assert "mz-tone-" in html(kit.badge("x", KitState.tone))
    assert '"aria-label":mzT("Loading")' in html(kit.skeleton())


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ("house", "house"),
        ("ListChecks", "list-checks"),
        ("list_checks", "list-checks"),
        ("no-such-icon", icons.FALLBACK),
        ("", icons.FALLBACK),
    ],
)
def test_an_icon_is_known_in_any_notation_or_neutral(given: str, drawn: str) -> None:
    """F-032: an unknown icon is a neutral glyph, never an error."""
    assert icons.known(given) == drawn
    assert "<svg" not in html(kit.icon(given)), "drawn by elements, not by text"
    assert "dangerouslySetInnerHTML" in html(kit.icon(given))


def test_an_icon_may_be_a_file_or_arrive_later() -> None:
    assert "/brand/assets/spark.svg" in html(kit.icon("spark.svg"))
    assert "name:" in html(kit.icon(KitState.sign))
    assert 'role:"img"' in html(kit.icon("lock", label="Locked"))
    assert '"aria-hidden":"true"' in html(kit.icon("lock"))


def test_every_common_icon_is_drawn() -> None:
    assert [name for name in icons.COMMON if icons.known(name) != name] == []
