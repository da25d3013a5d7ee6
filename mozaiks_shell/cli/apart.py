"""Processes of ours that must not see this app: no settings, no secrets, a folder of their own."""

from pathlib import Path
from typing import Final

from mozaiks_shell.foundation.settings import ROOT, environment

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH")


def apart(folder: Path, **more: str) -> dict[str, str]:
    """The environment for a child that works in this empty folder: what Python needs, and ``more``.

    The folder becomes an app of its own, so that the child reads no ``.env`` but one that is put there.
    """
    (folder / "mozaiks.toml").touch()
    kept = {name: value for name, value in environment().items() if name in _KEPT}
    own = {"HOME": str(folder), "TMPDIR": str(folder), "MOZAIKS_DATA_DIR": str(folder / "data")}
    return kept | own | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | more
