"""The tutorial works as printed: its blocks become the folder, the real loader loads it, its own tests and commands pass."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mozaiks_shell.sdk.testing import installed
from tests.live import ROOT, clean_environment

TEXT = (ROOT / "docs" / "plugin-tutorial.md").read_text(encoding="utf-8")
_FILE = re.compile(r"^`plugins/(?P<path>[\w/.]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {match["path"]: match["text"] for match in _FILE.finditer(TEXT)}
COMMANDS = [line for block in _COMMANDS.findall(TEXT) for line in block.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``books``, as the tutorial has it."""
    for path, content in FILES.items():
        target = tmp_path / "plugins" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return tmp_path / "plugins" / "books"


def test_every_block_is_a_file_or_a_command():
    assert len(FILES) + len(_COMMANDS.findall(TEXT)) == TEXT.count("```") / 2
    assert {command.split()[0] for command in COMMANDS} == {"mozaiks-shell", "pytest", "curl"}


async def test_it_loads_with_page_and_api(folder):
    curl = next(shlex.split(command) for command in COMMANDS if command.startswith("curl"))
    body, path = json.loads(curl[curl.index("-d") + 1]), urlsplit(curl[-1]).path
    async with installed(folder) as books:
        (page,) = books.pages()
        assert (page.route, page.title, page.icon) == ("/plugins/books", "Reading list", "book-open")
        ada = await books.user("ada")
        assert (await ada.web.post(path, json=body, auth=None)).status_code == 401
        made = (await ada.web.post(path, json=body)).json()["book"]
        assert made["title"] == "Emma"
        assert (await ada.web.post(path, json={"action": "add", "title": ""})).status_code == 422
        assert (await ada.web.post(path, json={"action": "dance"})).status_code == 422
        done = await ada.web.post(path, json={"action": "finish", "id": made["id"], "stars": 5})
        assert done.json()["book"]["stars"] == 5
        eve = await books.user("eve")
        assert (await eve.web.post(path, json={"action": "finish", "id": made["id"]})).status_code == 404
        assert "books.reading" in books.sections()


@pytest.mark.parametrize("command", [one for one in COMMANDS if not one.startswith("curl")])
def test_its_commands_do_what_they_say(folder, tmp_path, command):
    name, *arguments = shlex.split(command)
    kit = ["-q", "-p", "no:cacheprovider", "-p", "mozaiks_shell.sdk.testing", "-o", "asyncio_mode=auto"]
    program = ["mozaiks_shell.cli"] if name == "mozaiks-shell" else ["pytest", *kit]
    done = subprocess.run(
        [sys.executable, "-m", *program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env=clean_environment(
            PYTHONPATH=str(ROOT), MOZAIKS_DATA_DIR=str(tmp_path / "data"), MOZAIKS_PLUGINS_PATH=str(tmp_path / "plugins")
        ),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    expected = {"pytest": "4 passed", "check": "silver", "migrate": "books"}
    word = next(text for part, text in expected.items() if part in command)
    assert word in done.stdout.lower(), done.stdout + done.stderr
