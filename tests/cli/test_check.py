"""``mozaiks-shell check`` finds what is wrong with a plugin, where, and how good it is; a hostile one harms nobody."""

import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mozaiks_shell.cli import quality
from mozaiks_shell.cli.check import judge
from mozaiks_shell.cli.main import app
from mozaiks_shell.foundation.settings import ROOT

MANIFEST = {
    "name": "sample", "version": "1.0.0", "display_name": "Sample", "description": "A sample.", "icon": "star",
    "access": "signed_in", "requires": {"shell": ">=0.1,<1", "sdk": ">=1,<2"}, "author": "Ada", "license": "MIT",
}  # fmt: skip
PAGE = '''"""The page."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, t, ui


class Sample(sdk.State):
    """Its state."""

    lines: list[str] = []

    @sdk.event
    async def load(self, form: dict[str, Any]) -> None:
        """Reads."""


@sdk.page(on_load=Sample.load)
def page() -> rx.Component:
    """A list."""
    some = rx.el.ul(rx.foreach(Sample.lines, rx.el.li))
    nothing = ui.empty_state("star", t("Nothing"), t("Add one."))
    return ui.stack(ui.page_header(t("Sample")), rx.cond(Sample.lines, some, nothing))
'''
TEST = "async def test_load(sample):\n    await sample.send(state, 'load')\n"
WHOLE = {
    "manifest.json": json.dumps(MANIFEST), "page.py": PAGE, "tests/test_sample.py": TEST, "README.md": "# Sample",
    "__init__.py": '"""A sample."""\n',
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """``write({"page.py": ...})`` makes ``sample`` of these files over a whole one."""

    def make(files=(), base=WHOLE) -> Path:
        folder = tmp_path / "plugins" / "sample"
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in {**base, **dict(files)}.items():
            if text is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, "utf-8")
        return folder

    return make


def said(verdict) -> list[str]:
    return [f"{one.rule} {one.where}".strip() for one in verdict.findings]


def manifest(**more) -> dict[str, str]:
    return {"manifest.json": json.dumps({**MANIFEST, **more})}


def handler(text: str) -> dict[str, str]:
    return {"page.py": PAGE.replace("async def load(self, form: dict[str, Any]) -> None:", text)}


def line(text: str) -> dict[str, str]:
    """The page with its heading replaced: line 24."""
    return {"page.py": PAGE.replace('ui.page_header(t("Sample"))', text)}


UNGUARDED = {key: value for key, value in MANIFEST.items() if key != "access"}
TABLE = (
    '"""M."""\n\nfrom mozaiks_shell import sdk\n\n\nclass Row(sdk.Model, table=True):\n    """R."""\n\n'
    '    __tablename__ = "sample_row"\n'
    "    id: str = sdk.Field(primary_key=True, max_length=64)\n    title: str = sdk.Field(max_length=20)\n"
)
SCRIPT = '''"""the table"""
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sample_row",
        sa.Column("app_id", sa.String(64), nullable=False, index=True),
        sa.Column("user_id", sa.String(64), nullable=False, index=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("title", sa.String(20), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("sample_row")
'''
NAMELESS = {"id": "many", "type": "toggle", "default": True}
REFUSAL = '"""S."""\nfrom mozaiks_shell import sdk\nraise sdk.errors.Invalid("Too long.")'
SILENT = PAGE.replace('ui.empty_state("star", t("Nothing"), t("Add one."))', "rx.fragment()")
TYPO = SCRIPT.replace('"title", sa.String(20)', '"titel", sa.String(20)')
READ = {
    "bad JSON": ({"manifest.json": '{\n"name": '}, "manifest-valid manifest.json:2"),
    "bad field": (manifest(version="new"), "manifest-valid manifest.json:1"),
    "syntax": ({"service.py": "\ndef f(:"}, "parses service.py:2"),
    "foreign import": ({"service.py": '"""S."""\nfrom mozaiks_shell.foundation import db'}, "imports-sdk service.py:2"),
    "shell": ({"service.py": '"""S."""\nimport os\nos.system("ls")'}, "scan-shell service.py:3"),
    "no entitlements": ({"entitlements.yaml": "tiers: 5"}, "entitlements-valid entitlements.yaml:1"),
    "thin manifest": (manifest(description="", requires={}), "manifest-complete manifest.json:1"),
    "page without access": ({"manifest.json": json.dumps(UNGUARDED)}, "access-declared page.py:9"),
    "untyped argument": (handler("async def load(self, form) -> None:"), "handlers-typed page.py:15"),
    "no migration": ({"models.py": TABLE}, "tables-migrated models.py:6"),
    "no way back": (
        {"models.py": TABLE, "migrations/0001_a.py": SCRIPT.replace('op.drop_table("sample_row")', "pass")},
        "migrations-reversible migrations/0001_a.py:19",
    ),
    "nameless setting": (manifest(settings=[NAMELESS]), "settings-described manifest.json:1"),
    "no test": ({"tests/test_sample.py": None}, "tests-present tests"),
    "plain text": (line('rx.el.h1("Hello there")'), "texts-translatable page.py:24"),
    "plain error": ({"service.py": REFUSAL}, "texts-translatable service.py:3"),
    "red": (line('rx.el.h1(t("Sample"), class_name="text-red-500")'), "brand-colours page.py:24"),
    "left": (line('rx.el.h1(t("Sample"), class_name="ml-2")'), "logical-sides page.py:24"),
    "no empty state": ({"page.py": SILENT}, "empty-state page.py:22"),
    "no readme": ({"README.md": None}, "readme README.md"),
    "no docstring": ({"service.py": "X = 1"}, "documented service.py:1"),
    "unannotated": ({"service.py": '"""S."""\n\ndef _f(a): return a'}, "typed service.py:3"),
    "untested": ({"tests/test_sample.py": "def test_x(): pass"}, "handlers-tested page.py:15"),
    "no author": (manifest(author=""), "origin manifest.json:1"),
}  # fmt: skip
RUN = {
    "wide column": ({"models.py": TABLE, "migrations/0001_a.py": TYPO}, "tables-migrated"),
    "left behind": (
        {"models.py": TABLE, "migrations/0001_a.py": SCRIPT.replace('op.drop_table("sample_row")', 'op.drop_table("other")')},
        "migrations-reversible",
    ),
    "raises": ({"logic.py": '"""L."""\nraise ValueError("no")'}, "loads logic.py:2"),
    "ends": ({"logic.py": '"""L."""\nimport os\nos._exit(3)'}, "import-bounded"),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_reading_the_files_finds_it_with_its_place(write, case):
    files, expected = READ[case]
    assert expected in said(judge(write(files), run=False))


def test_every_rule_is_broken_by_some_test():
    seen = {expected.split()[0] for _, expected in [*READ.values(), *RUN.values()]}
    elsewhere = {
        "loads-clean",
        "import-effects",
        "translated",
        "a11y-image",
        "a11y-label",
        "a11y-name",
        "a11y-heading",
        "a11y-tabindex",
    }
    assert {one.id for one in quality.RULES if not one.id.startswith("scan-")} - seen == elsewhere


@pytest.mark.parametrize("case", RUN)
def test_running_it_finds_it(write, case):
    files, expected = RUN[case]
    assert any(one.startswith(expected) for one in said(judge(write(files))))


def test_a_whole_plugin_has_every_tier_but_for_its_translations(write):
    verdict = judge(write(manifest(quality="silver")))
    assert said(verdict) == ["translated locales/de.po"]
    assert (verdict.tier, verdict.honest) == ("silver", True)


def test_pages_are_looked_at_without_a_browser(write):
    body = """ui.stack(
        rx.el.h2(t("Too deep")),
        rx.el.h4(t("Deeper")),
        rx.el.img(src="/x.png"),
        rx.el.input(name="bare"),
        rx.el.button(ui.icon("x"), tab_index=3),
        rx.el.label(t("Fine"), html_for="fine"),
        rx.el.input(id="fine"),
        rx.el.button(ui.icon("x"), aria_label=t("Close")),
        rx.el.img(src="/x.png", alt=""),
        ui.field(t("Name"), ui.text_input(name="name")),
    )"""
    found = [one for one in said(judge(write(line(body)))) if one.startswith("a11y")]
    assert found == [
        "a11y-heading page.py:25", "a11y-heading page.py:26", "a11y-image page.py:27", "a11y-label page.py:28",
        "a11y-name page.py:29", "a11y-tabindex page.py:29",
    ]  # fmt: skip


HOSTILE = '''"""Changes everything it can reach."""
import locale, os, signal, sys, threading, types
from mozaiks_shell import sdk
sdk.State.on_load = 1
import json, builtins
json.dumps = lambda *a, **k: "{}"
builtins.sorted = lambda *a, **k: []
sdk.rx.Component.render = lambda self: {}
sys.modules["requests"] = types.ModuleType("requests")
sys.modules["fractions"] = types.ModuleType("fractions")
os.chdir("/")
locale.setlocale(locale.LC_ALL, "C.UTF-8")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.environ["DATABASE_URL"] = "sqlite:///elsewhere.db"
os.umask(0)
sys.setrecursionlimit(5000)
sys.path.append("/nowhere")
threading.Thread(target=threading.Event().wait, name="lingering", daemon=True).start()
'''


def test_abuse_41_what_importing_changes_for_others_is_told_and_stays_in_the_child(write):
    before = (
        Path.cwd(),
        os.environ.get("DATABASE_URL"),
        signal.getsignal(signal.SIGTERM),
        sys.modules.get("fractions"),
        json.dumps,
    )
    threads = threading.active_count()
    verdict = judge(write({"logic.py": HOSTILE}))
    effects = " ".join(one.message for one in verdict.findings if one.rule == "import-effects")
    for part in (
        "json.dumps was replaced", "builtins.sorted was replaced", "Component.render was replaced", "sys.modules['requests']",
        "the working folder to /", "the locale to", "SIGTERM", "DATABASE_URL", "umask", "recursion limit", "sys.path changed",
        "thread 'lingering'",
    ):  # fmt: skip
        assert part in effects, (part, effects)
    assert verdict.tier == "" and verdict.fails(strict=False)
    after = (
        Path.cwd(),
        os.environ.get("DATABASE_URL"),
        signal.getsignal(signal.SIGTERM),
        sys.modules.get("fractions"),
        json.dumps,
    )
    assert (after, threading.active_count()) == (before, threads)


def test_one_that_never_ends_is_ended(write):
    text = '"""L."""\nwhile True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n'
    (finding,) = [one for one in judge(write({"logic.py": text}), seconds=3).findings if one.rule == "import-bounded"]
    assert "longer than 3 seconds" in finding.message


def test_one_that_wants_all_memory_gets_none(write):
    verdict = judge(write({"logic.py": '"""L."""\nHOARD = [bytearray(64 << 20) for _ in range(400)]\n'}))
    assert {"loads", "import-bounded"} & {one.rule for one in verdict.findings if one.level == "error"}


def test_the_child_gets_no_secret_and_cannot_touch_the_folder(write, monkeypatch, tmp_path):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_secret")
    text = '"""L."""\nimport os, pathlib\npathlib.Path(__file__).write_text("")\nassert "STRIPE_SECRET_KEY" not in os.environ\n'
    folder = write({"logic.py": text})
    assert [one for one in said(judge(folder)) if one.startswith("loads")] == []
    assert (folder / "logic.py").read_text() == text


def test_a_claim_is_verified_and_json_is_for_programs(write):
    folder = write(manifest(quality="gold"))
    result = CliRunner().invoke(app, ["check", str(folder), "--json", "--no-run"])
    (one,) = json.loads(result.output)["plugins"]
    assert (result.exit_code, one["tier"], one["claimed"], one["next_tier"], one["missing"]) == (
        1, "silver", "gold", "gold", ["translated"],
    )  # fmt: skip
    assert one["findings"][0]["tier"] == "gold" and one["findings"][0]["fix"]
    result = CliRunner().invoke(app, ["check", str(folder), "--no-run"])
    assert "The manifest claims gold." in result.output and "For gold: translated" in result.output


def test_strict_counts_warnings_and_names_find_plugins(write, monkeypatch, settings):
    folder = write()
    monkeypatch.setattr(settings, "plugins_paths", [folder.parent])
    assert CliRunner().invoke(app, ["check", "sample", "--no-run"]).exit_code == 0
    assert CliRunner().invoke(app, ["check", "--no-run", "--strict"]).exit_code == 1
    assert CliRunner().invoke(app, ["check", "nothing", "--no-run"]).exit_code == 2


def test_the_page_about_quality_is_made_from_the_rules():
    assert quality.PAGE.read_text("utf-8") == quality.document(), "run `python -m mozaiks_shell.cli docs`"
    assert len({one.id for one in quality.RULES}) == len(quality.RULES)


def test_the_tasks_plugin_is_platinum():
    verdict = judge(ROOT / "plugins" / "tasks")
    assert (verdict.tier, verdict.claimed) == ("platinum", "platinum"), said(verdict)


@pytest.mark.parametrize("folder", [one for one in sorted((ROOT / "plugins").iterdir()) if (one / "manifest.json").is_file()])
def test_the_samples_are_what_they_claim_to_be(folder):
    verdict = judge(folder, run=False)
    assert verdict.honest and verdict.tier in {"gold", "platinum"}, said(verdict)
