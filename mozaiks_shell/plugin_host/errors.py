"""Why a plugin is out of service, in words an operator can act on (D10, F-092)."""

import traceback
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from mozaiks_shell.foundation.errors import ShellError


class Cause(StrEnum):
    """What sent a plugin to quarantine. ``recoverable``: a retry without a restart can help."""

    NAME = "name"
    DUPLICATE = "duplicate"
    MANIFEST = "manifest"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"
    REQUIREMENT = "requirement"
    DEPENDENCY = "dependency"
    SCAN = "scan"
    FORBIDDEN_IMPORT = "forbidden_import"
    SYNTAX = "syntax"
    IMPORT = "import"
    HANG = "hang"
    CRASH = "crash"
    MEMORY = "memory"
    PATCH = "patch"
    PAGE = "page"
    STATE = "state"
    ROUTE_CLASH = "route_clash"
    TABLE = "table"
    MIGRATION = "migration"
    INIT = "init"
    FAULTS = "faults"

    @property
    def recoverable(self) -> bool:
        """True when the plugin's code is in memory and only its start failed."""
        return self in {Cause.MIGRATION, Cause.INIT, Cause.FAULTS}

    @property
    def remedy(self) -> str:
        """What to do about it, in one sentence."""
        return _REMEDIES[self]


_RESTART = "then restart"
_REMEDIES = {
    Cause.NAME: f"Rename the folder: lower-case letters, digits, - and _, at most 40, {_RESTART}.",
    Cause.DUPLICATE: f"Remove or rename one of the two folders, {_RESTART}.",
    Cause.INCOMPATIBLE: f"Install a version of the plugin for this shell, or update the shell, {_RESTART}.",
    Cause.BLOCKED: f"Install another version of the plugin, {_RESTART}; or take it off the block-list.",
    Cause.REQUIREMENT: f"Install what is missing, {_RESTART}. Nothing is installed by itself.",
    Cause.DEPENDENCY: f"Install or repair the other plugin, {_RESTART}.",
    Cause.SCAN: f"Remove the call, or declare the permission in manifest.json, {_RESTART}.",
    Cause.CRASH: f"Remove what ends the process when the module is imported, {_RESTART}.",
    Cause.MEMORY: f"Move what needs that much memory from module level into a function, {_RESTART}.",
    Cause.PATCH: f"Do not replace code that is not the plugin's: wrap it in a function of your own, {_RESTART}.",
    Cause.FAULTS: "Correct what fails again and again (the plugin's log shows it), then retry.",
    Cause.MANIFEST: f"Correct manifest.json, {_RESTART}.",
    Cause.FORBIDDEN_IMPORT: f"Import from mozaiks_shell.sdk, and own modules relatively (from . import x), {_RESTART}.",
    Cause.SYNTAX: f"Correct the line, {_RESTART}.",
    Cause.IMPORT: f"Correct what fails when the module is imported (a package may be missing), {_RESTART}.",
    Cause.HANG: f"Move slow work from module level into a function, {_RESTART}.",
    Cause.PAGE: f"Correct the page function: it must return a component without raising, {_RESTART}.",
    Cause.STATE: f"Derive the class from sdk.State and declare pages with sdk.page, {_RESTART}.",
    Cause.ROUTE_CLASH: f"Choose another path in one of the two, {_RESTART}.",
    Cause.TABLE: f"Derive tables from sdk.Model or sdk.SharedModel and start their names with the plugin's name, {_RESTART}.",
    Cause.MIGRATION: "Correct the script in migrations/, or the database, and retry; if models.py changed, restart.",
    Cause.INIT: "Correct what on_init needs and retry; if the code changes, restart.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a word of a plugin that runs. A ``warning`` makes it degraded, a ``hint`` does not.

    ``where`` is ``file:line`` as far as known, ``remedy`` what to do about it.
    """

    level: Literal["warning", "hint"]
    message: str
    where: str = ""
    remedy: str = ""


class PluginProblem(Exception):
    """A plugin cannot be served.

    Args:
        cause: The class of the problem.
        message: What happened, for an operator.
        file: Path relative to the plugin's folder, when known.
        line: Line in that file, when known; 0 otherwise.
        remedy: What to do, when more can be said than of every problem of this cause.
        pip: The exact ``pip install`` line that helps; empty when none does.
        path: JSON path in the file (``$.version``), when known.
    """

    def __init__(
        self, cause: Cause, message: str, file: str = "", line: int = 0, *, remedy: str = "", pip: str = "", path: str = ""
    ) -> None:
        shown = " ".join(message.split())
        self.message = shown if len(shown) <= 500 else shown[:499] + "…"
        self.cause, self.file, self.line = cause, file, line
        self.remedy, self.pip, self.path = remedy or cause.remedy, pip, path
        super().__init__(self.message)

    @property
    def where(self) -> str:
        """``file:line``, as far as known."""
        return f"{self.file}:{self.line}" if self.line else self.file


def place_in(folder: Path, error: BaseException) -> tuple[str, int]:
    """The innermost line of a traceback that stands in this folder: file relative to it, and line; empty and 0 for none."""
    root = folder.resolve()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename).resolve()
        if path.is_relative_to(root):
            return str(path.relative_to(root)), frame.lineno or 0
    return "", 0


class BadRequest(ShellError):
    """The body of a request is not a JSON object."""

    status = 400
    code = "BAD_REQUEST"


class PluginFailed(ShellError):
    """A plugin raised, or answered something that is not a JSON object."""

    status = 500
    code = "PLUGIN_FAILED"
