"""A configuration folder as an operator would fill it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mozaiks_shell.appconfig import live
from mozaiks_shell.appconfig.problems import Problem
from mozaiks_shell.appconfig.service import configuration_problems

SAMPLES = Path(__file__).parent / "samples"


class Folder:
    """``MOZAIKS_CONFIGS_PATH``. A file that is written is seen at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: Any) -> Path:
        """Put a file there: text as it is, anything else as JSON; looked at afresh."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        self.look()
        return file

    def sample(self, name: str, source: str = "") -> Path:
        """Put one of the samples there."""
        return self.write(name, (SAMPLES / (source or name)).read_text("utf-8"))

    def look(self) -> None:
        """Have every file looked at now instead of within half a second."""
        for file in live.files():
            for app_id in ("", *live.apps()):
                file.current(app_id, fresh=True)

    def problems(self, *levels: str) -> list[Problem]:
        """Problems of these levels; errors and warnings unless told."""
        return [one for one in configuration_problems() if one.level in (levels or ("error", "warning"))]

    def said(self, *levels: str) -> list[str]:
        """The same in words."""
        return [str(one) for one in self.problems(*levels)]


Write = Callable[[str, Any], Path]
