"""Workflows that plugins bring in their ``workflows/`` folder: told to the embedded runtime, which is a process of its own.

A file in the data folder names the folders of the plugins that are in service; the runtime looks at it every second. A plugin
that is switched off, or goes to quarantine, takes its workflows with it.
"""

import asyncio
import json
from pathlib import Path
from typing import Final

from mozaiks_shell.broker.ports import PLUGIN_WORKFLOWS
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import registry

log = get_logger("plugin_host")

FOLDER: Final = "workflows"
SECONDS: Final = 1.0


def folders() -> dict[str, str]:
    """Where the workflows of the plugins in service are, by plugin. Looks at the disk."""
    found = {one.name: one.folder / FOLDER for one in registry.all_plugins() if one.live}
    return {name: str(folder.resolve()) for name, folder in found.items() if folder.is_dir()}


def write(settings: Settings) -> bool:
    """Bring the file up to date; whether that was needed. Blocking."""
    file, now = settings.data_dir / PLUGIN_WORKFLOWS, folders()
    if now == _written(file):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.name}.{new_id('tmp')}")
    half.write_text(json.dumps({"folders": now}, indent=1), "utf-8")
    half.replace(file)
    log.info("workflows of plugins", plugins=list(now))
    return True


def _written(file: Path) -> dict[str, str]:
    try:
        told = json.loads(file.read_text("utf-8"))
        return dict(told["folders"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {"": ""}  # unlike any: write it anew


async def follow(settings: Settings) -> None:
    """Keep the file up to date until cancelled."""
    while True:
        try:
            await asyncio.to_thread(write, settings)
        except OSError as error:  # the disk may be full for a while; this must outlive it
            log.warning("the workflows of plugins cannot be told to the runtime", error=str(error))
        await asyncio.sleep(SECONDS)
