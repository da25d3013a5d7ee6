"""An operator's folder of configuration files."""

from pathlib import Path

import pytest

from mozaiks_shell.foundation.settings import Settings, get_settings
from tests.appconfig.brands import Folder
from tests.appconfig.folder import Folder as Configs


@pytest.fixture
def folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """``MOZAIKS_CONFIGS_PATH``, empty."""
    root = tmp_path / "configs"
    root.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(root))
    get_settings.cache_clear()
    return Folder(root)


@pytest.fixture
def configs(folder: Folder) -> Configs:
    """The same, for files of any kind."""
    return Configs(folder.root)
