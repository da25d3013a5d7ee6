"""People of the shell's tests, and pages declared for one test only."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.navigation import drop_menus
from mozaiks_shell.ui import page as declared


@pytest.fixture
def ada() -> Principal:
    return Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")


@pytest.fixture
def root() -> Principal:
    return Principal("usr_root", "dev-app", "Root Admin", "root@example.com", frozenset({"admin"}), "ses_root")


@pytest.fixture
def no_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start from no declared page at all."""
    monkeypatch.setattr(declared, "_pages", {})
    yield


@pytest.fixture(autouse=True)
def no_menus() -> None:
    """Nothing is kept from the test before."""
    drop_menus()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``write("navigation.json", {...})`` puts a file into the operator's folder; it counts at once."""
    folder = tmp_path / "configs"

    def put(name: str, content: Any) -> None:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), "utf-8")
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        get_settings.cache_clear()

    return put
