"""The tutorial works as printed: its blocks become the folder, the real loader loads it, its own tests pass."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mozaiks_shell.sdk.testing import installed

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^`plugins/(?P<path>[\w/.]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``notes``, as the tutorial has it."""
    text = (ROOT / "docs" / "plugin-tutorial.md").read_text(encoding="utf-8")
    blocks = {match["path"]: match["text"] for match in _BLOCK.finditer(text)}
    assert len(blocks) == text.count("```") / 2, "a block without a file name"
    for path, content in blocks.items():
        target = tmp_path / "plugins" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return tmp_path / "plugins" / "notes"


async def test_it_loads_with_page_and_api(folder):
    async with installed(folder) as notes:
        (page,) = notes.pages()
        assert (page.route, page.title, page.icon) == ("/plugins/notes", "Notes", "notebook-pen")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(notes.api()), base_url="http://app") as client:
            assert (await client.post("/api/execute/notes", json={"action": "list"})).status_code == 401
            notes.as_user("ada")
            made = (await client.post("/api/execute/notes", json={"action": "create", "text": "Milk"})).json()["note"]
            assert made["text"] == "Milk"
            assert (await client.post("/api/execute/notes", json={"action": "create", "text": ""})).status_code == 422
            assert (await client.post("/api/execute/notes", json={"action": "dance"})).status_code == 422
            notes.as_user("eve")
            assert (await client.post("/api/execute/notes", json={"action": "delete", "id": made["id"]})).status_code == 404
            notes.as_user("ada")
            assert (await client.post("/api/execute/notes", json={"action": "delete", "id": made["id"]})).json() == {
                "deleted": made["id"]
            }


async def test_its_state(folder):
    async with installed(folder) as notes:
        notes.as_user("ada")
        state = notes.state(notes.module("page").Notes)
        await notes.send(state, "load")
        assert state.ready and state.notes == []
        await notes.send(state, "add", {"text": "Milk"})
        await notes.send(state, "load")
        assert [note["text"] for note in state.notes] == ["Milk"] and state.kept == 1
        await notes.send(state, "remove", state.notes[0]["id"])
        await notes.send(state, "load")
        assert state.notes == []


def test_its_own_tests_pass(folder):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
