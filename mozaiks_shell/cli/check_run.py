"""Runs a copy of a plugin in a process of its own and brings back what that found. Nothing it does reaches this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mozaiks_shell.cli.apart import apart
from mozaiks_shell.cli.quality import BY_ID, Finding
from mozaiks_shell.plugin_host.errors import PluginProblem
from mozaiks_shell.plugin_host.manifest import read_manifest

SECONDS: Final = 60.0
MEMORY_MB: Final = 1024
_START_SECONDS: Final = 120.0  # until the host itself is imported, on a busy machine
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "node_modules", ".git", ".venv", "*.pyc")
_STAGES: Final = {"import": "importing it", "migrate": "running its migrations", "pages": "building its pages"}


def run_plugin(folder: Path, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> list[Finding]:
    """What loading, migrating and rendering the plugin finds. Never raises for a fault of the plugin.

    Args:
        folder: The plugin; a copy of it is run, with the plugins beside it that it depends on.
        seconds: How long importing, migrating and rendering it may take together.
        memory_mb: How much memory the plugin may ask for.
    """
    with TemporaryDirectory(prefix="mozaiks-check-") as temporary:
        place = Path(temporary)
        for one in [folder, *_needed(folder)]:
            shutil.copytree(one, place / "plugins" / one.name, ignore=_LEFT_OUT, symlinks=True)
        result, log = place / "result.json", place / "log.txt"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "mozaiks_shell.cli.check_child", folder.name, str(result), str(memory_mb << 20)],
                cwd=place, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
                env=apart(
                    place, MOZAIKS_PLUGIN_PROBE="false", MOZAIKS_PLUGIN_SCAN="off", PLUGIN_WATCH="false", LOG_LEVEL="error",
                    MOZAIKS_PLUGINS_PATH=str(place / "plugins"),
                ),
            )  # fmt: skip
            try:
                hung = not _over(child, result.exists, _START_SECONDS) and not _over(child, lambda: False, seconds)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        told = _read(result)
        found = [Finding(rule, *rest) for rule, *rest in told.get("findings", []) if rule in BY_ID]
        if told.get("stage") != "done":
            found.append(_ended(told.get("stage", ""), hung, child.returncode, seconds, log))
        return list(dict.fromkeys(found))


def _over(child: subprocess.Popen[bytes], enough: Callable[[], bool], seconds: float) -> bool:
    """Wait until the process ends (True), or there is ``enough`` or the time is up (False)."""
    deadline = time.monotonic() + seconds
    while child.poll() is None:
        if enough() or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _ended(stage: str, hung: bool, code: int, seconds: float, log: Path) -> Finding:
    doing = _STAGES.get(stage)
    if doing is None:
        last = log.read_text("utf-8", errors="replace").strip().splitlines()[-1:] or ["nothing was said"]
        return Finding("loads", f"The check itself did not start: {last[0]}", fix="mozaiks-shell doctor tells more.")
    if hung:
        message = f"{doing.capitalize()} took longer than {seconds:g} seconds."
        return Finding("import-bounded", message, fix="Move slow work from module level into a function.")
    if "MemoryError" in log.read_text("utf-8", errors="replace"):
        return Finding(
            "import-bounded", f"{doing.capitalize()} took too much memory.", fix="Move it from module level into a function."
        )
    how = f"with code {code}" if code >= 0 else f"by signal {-code}"
    return Finding("import-bounded", f"{doing.capitalize()} ended the process {how}.", fix="Remove what ends the process.")


def _read(result: Path) -> dict[str, Any]:
    try:
        told = json.loads(result.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _needed(folder: Path) -> list[Path]:
    """The folders of the plugins it depends on, as far as they stand beside it."""
    found: dict[str, Path] = {}
    waiting = [folder]
    while waiting:
        with suppress(PluginProblem):
            for name in read_manifest(waiting.pop()).dependencies.plugins:
                beside = folder.parent / name
                if name != folder.name and name not in found and beside.is_dir():
                    found[name] = beside
                    waiting.append(beside)
    return list(found.values())
