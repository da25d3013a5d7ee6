"""docs/plugin-reference.md names everything the SDK has, says what the docstrings say, and its examples work as printed."""

import ast
import json
import re
import textwrap
from pathlib import Path

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.sdk.testing import FakeBilling, FakeRuntime, installed
from tests.sdk import reference

TEXT = reference.PAGE.read_text(encoding="utf-8")
_BLOCK = re.compile(r"(?:^`plugins/(?P<path>[\w/.]+)`\n\n)?^```(?P<kind>[\w ]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(match["path"] or "", match["kind"], match["text"]) for match in _BLOCK.finditer(TEXT)]
PRELUDE = next(text for _, kind, text in BLOCKS if kind == "python prelude")
PAGES = [text for _, kind, text in BLOCKS if kind == "python page"]
STEPS = [text for path, kind, text in BLOCKS if kind == "python" and not path]
MANIFEST = {
    "name": "shelf", "version": "1.0.0",
    "permissions": ["files", "http", "jobs", "notifications", "payments", "raw_sql", "workflows"],
}  # fmt: skip


def test_every_name_is_on_the_page():
    named = reference.named(TEXT)
    modules = reference.modules()
    assert set(named) - {"sdk"} == set(modules)
    assert named["sdk"] | {place.removeprefix("sdk.") for place in named} >= set(sdk.__all__)
    assert all(names == {"*"} for place, names in named.items() if place != "sdk")


def test_the_tables_say_what_the_docstrings_say():
    assert reference.written(TEXT) == TEXT, "python -m tests.sdk.reference writes the tables anew"
    assert not re.search(r"^\| `sdk[.\w]*` \|\s*\|$", TEXT, re.MULTILINE), "a name without a docstring"


def test_every_block_is_run():
    assert len(BLOCKS) == TEXT.count("```") / 2
    files = [path for path, _, _ in BLOCKS if path]
    assert len(BLOCKS) == 1 + len(PAGES) + len(STEPS) + len(files)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin made of the page's blocks: declarations in ``page.py``, each other example a function of ``logic.py``."""
    shelf = tmp_path_factory.mktemp("reference") / "shelf"
    steps = [f"async def step_{number}():\n{textwrap.indent(text, '    ')}" for number, text in enumerate(STEPS)]
    front = "@sdk.page()\ndef front():\n    return ui.page_header('Shelf')\n"
    files = {
        "manifest.json": json.dumps(MANIFEST),
        "page.py": "\n\n".join([PRELUDE, *PAGES, front]),
        "logic.py": "\n\n".join([PRELUDE, "from .page import *", *steps, "async def execute(data):\n    return {}\n"]),
        **{path.removeprefix("shelf/"): text for path, _, text in BLOCKS if path},
    }
    for path, text in files.items():
        (shelf / path).parent.mkdir(parents=True, exist_ok=True)
        (shelf / path).write_text(text, encoding="utf-8")
    return shelf


async def test_its_pages_can_be_drawn(folder):
    async with installed(folder) as shelf:
        drawn = {page.route: shelf.render(page.route) for page in shelf.pages()}
        assert {"/plugins/shelf/counter", "/plugins/shelf/book/[book_id]", "/plugins/shelf/draft"} <= set(drawn)
        assert "shelf.counted" in shelf.sections()
        await shelf.user("ada", "editor")
        tab = shelf.tab("page.Counter")
        await tab.add(2)
        assert tab.count == 2 and tab.notices == ["Now 2."]
        await tab.start_over()
        assert tab.count == 0


@pytest.mark.parametrize("number", range(len(STEPS)), ids=[text.split("\n")[0][:60] for text in STEPS])
async def test_its_examples_work_as_printed(folder, number):
    assert ast.parse(f"async def step():\n{textwrap.indent(STEPS[number], '    ')}")
    async with installed(folder) as shelf:
        await shelf.user("ada")
        async with FakeRuntime() as runtime:
            runtime.answers["Summary"] = lambda data: {"summary": data["text"][:4]}
            with FakeBilling():
                await getattr(shelf.module("logic"), f"step_{number}")()
