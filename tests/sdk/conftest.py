"""A plugin folder made of text, installed."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from mozaiks_shell.sdk.testing import InstalledPlugin, installed


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[InstalledPlugin]]:
    """``async with plugin("name", {"logic.py": "..."}) as one``."""

    def make(name: str, files: dict[str, str]) -> AbstractAsyncContextManager[InstalledPlugin]:
        folder = tmp_path / "plugins" / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return installed(folder)

    return make
