"""The draft behind the branding page: what may be set, what is said, and that only a usable file is ever written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.admin import branding_draft as drafts
from mozaiks_shell.admin.branding_looks import FACES, LOOKS, face, face_of
from mozaiks_shell.admin.branding_state import Branding
from mozaiks_shell.appconfig import brand_store
from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.appconfig.brand_store import CannotSave, checked, newest, parsed, save, source
from mozaiks_shell.audit.service import latest
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.settings import Settings, get_settings
from tests.appconfig.brands import PNG, UPSTREAM, Folder
from tests.conftest import ROOT

HOSTILE = ["red;}body{}", "url(//evil)", "</style><script>", "var(--x)", "#fff/*", "\\", "a" * 5000, "#ff"]


@pytest.fixture
def folder(database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """``MOZAIKS_CONFIGS_PATH``, empty, and a database."""
    root = tmp_path / "configs"
    root.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(root))
    get_settings.cache_clear()
    return Folder(root)


@pytest.fixture
def state(folder: Folder, as_person: Any) -> Branding:
    """The page's State, opened by an administrator."""
    as_person(ROOT)
    made = Branding(_reflex_internal_init=True)
    call(made, "load")
    return made


def call(state: Branding, handler: str, *arguments: Any) -> Any:
    return Branding.event_handlers[handler].fn(state, *arguments)


def cells(state: Branding) -> dict[str, dict[str, str]]:
    return {row[mode]["name"]: row[mode] for group in state.groups for row in group["rows"] for mode in ("light", "dark")}


def test_only_administrators_edit_the_brand() -> None:
    assert Branding.access == Access.role("admin")


def test_f024_a_colour_is_seen_at_once_and_by_nobody_else(state: Branding) -> None:
    before = brand()
    call(state, "pick", "light.primary.main", "#0a5d33")
    assert state.light["--color-primary-main"] == "#0a5d33"
    assert state.light["--color-accent"] == "#0a5d33"
    assert state.changed
    assert brand() == before
    call(state, "pick", "light.primary.main", "")
    assert cells(state)["light.primary.main"]["value"] == ""


@pytest.mark.parametrize("value", HOSTILE)
def test_f024_a_hostile_colour_is_refused_beside_its_field(state: Branding, value: str) -> None:
    call(state, "pick", "light.primary.main", "#0a5d33")
    call(state, "pick", "light.primary.main", value)
    wrong = cells(state)["light.primary.main"]
    assert (wrong["level"], wrong["value"]) == ("error", value[:80])
    assert state.light["--color-primary-main"] == "#0a5d33", "the preview keeps the last good one"
    assert state.errors == 1
    assert call(state, "export") is None or state.errors
    call(state, "pick", "light.primary.main", "#0a5d34")
    assert state.errors == 0


@pytest.mark.parametrize(
    ("handler", "arguments"),
    [
        ("pick", ("light.__class__.x", "#fff")),
        ("pick", ("sideways.primary.main", "#fff")),
        ("pick", (["light.primary.main"], "#fff")),
        ("pick", ("light.primary.main", {"main": "#fff"})),
        ("help", ({},)),
        ("help", ("light.primary.main",)),
        ("write", ("colors", "x")),
        ("write", ("name", 7)),
        ("choose", ("raw", "x")),
        ("choose", ("logo", "../../secret.svg")),
        ("choose", ("logo", "https://cdn.example/x.svg")),
        ("choose", ("radius", "9px;}")),
        ("choose", ("body", "file:../x.woff2")),
        ("choose", ("body", "nothing")),
        ("choose", ("mode", "neon")),
        ("wear", ("nothing",)),
        ("wear", ([],)),
        ("write", (["name"], "x")),
        ("bring", (7,)),
        ("open_app", ("../x",)),
    ],
)
def test_whatever_a_script_sends_the_draft_stays_usable(state: Branding, handler: str, arguments: tuple[Any, ...]) -> None:
    call(state, handler, *arguments)
    assert not state.changed
    assert checked(state._raw).errors == []


def test_f024_contrast_is_named_beside_the_field_and_settled_by_the_suggestion(state: Branding) -> None:
    call(state, "pick", "light.background.base", "#ffffff")
    call(state, "pick", "light.text.muted", "#bbbbbb")
    quiet = cells(state)["light.text.muted"]
    assert (quiet["level"], quiet["ratio"]) == ("warning", "1.9:1")
    assert re.search(r"1\.9:1.*the page|1\.9:1.*cards|1\.9:1.*menus", quiet["note"].replace("\n", " "))
    call(state, "help", "light.text.muted")
    settled = cells(state)["light.text.muted"]
    assert (settled["value"], settled["level"]) == (quiet["use"], "")


def test_f024_unreadable_text_stops_saving_until_it_is_settled(state: Branding) -> None:
    call(state, "pick", "light.background.base", "#ffffff")
    call(state, "pick", "light.text.primary", "#dddddd")
    text = cells(state)["light.text.primary"]
    assert text["level"] == "error"
    assert state.errors == 1
    assert call(state, "export") is None
    assert state.said_tone == "danger"
    call(state, "help_all")
    assert (state.errors, state.fixable) == (0, 0)
    assert call(state, "export") is not None


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_to_start_from_is_clean(state: Branding, look: str) -> None:
    call(state, "write", "name", "Kept")
    call(state, "wear", look)
    assert state.name == "Kept"
    assert checked(state._raw).errors == []
    marks = {
        name: mark for name, mark in drafts.seen(state._raw).marks.items() if mark.level == "warning" and "primary" not in name
    }
    assert marks == {}
    call(state, "undo")
    call(state, "undo")
    assert not state.changed


def test_words_hold_no_markup(state: Branding) -> None:
    call(state, "write", "name", "<b>Acme</b>")
    assert state.words_problem["name"]
    assert state.name != "<b>Acme</b>"
    call(state, "write", "name", "")
    assert state.words_problem["name"]
    call(state, "write", "name", "Acme & Söhne")
    assert (state.name, state.words_problem["name"]) == ("Acme & Söhne", "")


def test_faces_are_recognised() -> None:
    for key, (_, font) in FACES.items():
        assert face_of(font) == key
    assert face_of(face("file:fonts/Inter_Var-Bold.woff2")) == "file:fonts/Inter_Var-Bold.woff2"
    assert face("file:fonts/Inter_Var-Bold.woff2")["family"] == "Inter Var"  # type: ignore[index]
    assert face_of({"family": "Comic"}) == "own"


def test_the_upstream_file_can_be_edited(state: Branding) -> None:
    """Its one palette is the dark one; the editor has it there."""
    call(state, "bring", json.dumps(UPSTREAM))
    assert state.name == "MozaiksAI"
    assert cells(state)["dark.background.base"]["value"] == "#0b1220"
    assert cells(state)["light.background.base"]["value"] == ""
    assert state.dark["--shadow-focus"] == UPSTREAM["shadows"]["focus"]
    assert state.light["--shadow-focus"] != UPSTREAM["shadows"]["focus"]
    assert newest(newest(UPSTREAM)) == newest(UPSTREAM)


def test_the_older_file_can_be_brought(state: Branding) -> None:
    call(state, "bring", json.dumps({"app": {"name": "Older"}, "theme": {"colors": {"primary": "#aa0000"}}}))
    assert (state.name, cells(state)["light.primary.main"]["value"]) == ("Older", "#aa0000")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"name": "<script>"}', '{"colors": {"primary": {"main": "#fff"}}}',
        '{"name": "A", "colors": {"primary": {"main": "url(x)"}}}', '{"name": "A", "a": ' + "[" * 200 + "]" * 200 + "}",
        '{"name": "A", "name": "B", "shadows": {"focus": "x"}}', "x" * 400_000, "\x00",
    ],
)  # fmt: skip
def test_a_bad_file_changes_nothing(state: Branding, text: str) -> None:
    call(state, "bring", text)
    assert not state.changed
    assert state.said_tone == "danger"


def test_what_is_exported_is_what_was_drafted(state: Branding) -> None:
    call(state, "write", "name", "Acme")
    call(state, "pick", "dark.text.muted", "#b0b0b0")
    text = brand_store.written(state._raw)
    assert parsed(text) == state._raw
    assert json.loads(text)["colors_dark"]["text"]["muted"] == "#b0b0b0"
    spec = call(state, "export")
    assert "brand.json" in str(spec)


async def test_f017_saving_takes_effect_at_once_keeps_the_old_file_and_is_audited(state: Branding, folder: Folder) -> None:
    folder.write("brand.json", {"name": "First", "x_own": {"kept": 1}})
    call(state, "open_app", "")
    call(state, "write", "name", "Second")
    await call(state, "save")
    assert brand().name == "Second"
    assert json.loads((folder.root / "brand.json").read_text()) == {"name": "Second", "x_own": {"kept": 1}}
    (backup,) = folder.root.glob("brand.*.bak")
    assert json.loads(backup.read_text())["name"] == "First"
    assert [one.name for one in folder.root.iterdir() if one.suffix == ".tmp"] == []
    (entry,) = [one for one in await latest() if one.act == "brand.saved"]
    assert (entry.actor_id, entry.facts) == (ROOT.user_id, {"app": "", "name": "Second", "backup": backup.name})
    assert not state.changed


async def test_a_file_somebody_else_changed_is_not_overwritten(state: Branding, folder: Folder) -> None:
    call(state, "write", "name", "Mine")
    folder.write("brand.json", {"name": "Theirs"})
    await call(state, "save")
    assert brand().name == "Theirs"
    assert state.said_tone == "danger"
    assert state.name == "Mine", "the draft is not lost"


async def test_f018_each_app_is_saved_to_its_own_folder(state: Branding, folder: Folder) -> None:
    folder.write("apps.json", {"apps": {"acme": {"hosts": ["acme.example"], "name": "Acme"}}})
    call(state, "open_app", "acme")
    call(state, "pick", "light.primary.main", "#aa0000")
    await call(state, "save")
    folder.look()
    assert json.loads((folder.root / "apps" / "acme" / "brand.json").read_text())["colors"]["primary"]["main"] == "#aa0000"
    assert not (folder.root / "brand.json").exists()
    assert brand("acme").colors.primary.main == "#aa0000"  # type: ignore[union-attr]


def test_without_a_folder_to_write_to_there_is_only_the_export(settings: Settings) -> None:
    assert not brand_store.can_save()
    with pytest.raises(CannotSave, match="read_only"):
        save({"name": "Acme"}, source().digest)


def test_what_would_not_be_used_is_not_written(folder: Folder) -> None:
    with pytest.raises(CannotSave, match="invalid") as refused:
        save({"name": "Acme", "colors": {"primary": {"main": "}"}}}, source().digest)
    assert refused.value.findings[0].where == ("colors", "primary", "main")
    assert list(folder.root.iterdir()) == []


def test_backups_do_not_pile_up(folder: Folder) -> None:
    for number in range(25):
        save({"name": f"Acme {number}"}, source().digest)
    assert len(list(folder.root.glob("brand.*.bak"))) == 20


def test_a_link_is_not_written_through(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"name": "Elsewhere"}')
    (folder.root / "brand.json").symlink_to(tmp_path / "elsewhere.json")
    assert not brand_store.can_save()


def test_images_to_choose_from_are_those_that_are_served(state: Branding, folder: Folder) -> None:
    folder.write("assets/mark.png", PNG)
    folder.write("assets/fake.png", b"<html>")
    call(state, "open_app", "")
    assert "mark.png" in {one["value"] for one in state.images}
    assert "fake.png" not in {one["value"] for one in state.images}
    call(state, "choose", "logo", "mark.png")
    assert state.logo_url == "/brand/assets/mark.png"
