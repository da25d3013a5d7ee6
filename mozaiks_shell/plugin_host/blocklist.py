"""``plugin_blocklist.json``: versions of plugins that must not run; a packaged list, and the operator's own."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from mozaiks_shell.appconfig.document import Unreadable, read
from mozaiks_shell.appconfig.fields import Entries, FileModel, Sentence
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import compat
from mozaiks_shell.plugin_host.manifest import PluginName, Range

log = get_logger("plugin_host")

FILE: Final = "plugin_blocklist.json"
PACKAGED: Final = Path(__file__).parent / FILE


class Blocked(FileModel):
    """Versions of one plugin that must not run."""

    name: PluginName = Field(description="Name of the plugin.")
    versions: Range = Field("", description="Versions that are blocked, such as `<1.4.2` (PEP 440). Default: all.")
    reason: Sentence = Field("", description="Why; the operator reads it.")
    remedy: Sentence = Field("", description="What to do instead.")


class Blocklist(FileModel):
    """`plugin_blocklist.json`."""

    plugins: Annotated[list[Blocked], Entries] = Field([], description="What is blocked.")

    def entry(self, name: str, version: str) -> Blocked | None:
        """The entry that blocks this version of a plugin; None when it may run."""
        return next((one for one in self.plugins if one.name == name and compat.fits(version, one.versions)), None)


def blocklist(settings: Settings) -> Blocklist:
    """The operator's entries, then the packaged ones. A file that cannot be read blocks nothing and is written to the log."""
    own = settings.configs_path / FILE if settings.configs_path is not None else None
    entries = [entry for path in (own, PACKAGED) if path is not None and path.is_file() for entry in _read(path)]
    return Blocklist(plugins=entries)


def _read(path: Path) -> list[Blocked]:
    try:
        document = read(path)
    except Unreadable as error:
        log.error("block-list ignored", file=str(path), line=error.line, error=str(error))
        return []
    reading = check(Blocklist, document.raw)
    for one in reading.findings:
        log.warning("block-list entry", file=str(path), line=document.line(one.where), problem=one.message)
    return reading.value.plugins if reading.value is not None else []
