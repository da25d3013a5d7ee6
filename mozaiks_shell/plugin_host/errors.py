"""Why a plugin is out of service, in words an operator can act on (D10, F-092)."""

from enum import StrEnum

from mozaiks_shell.foundation.errors import ShellError


class Cause(StrEnum):
    """What sent a plugin to quarantine. ``recoverable``: a retry without a restart can help."""

    NAME = "name"
    MANIFEST = "manifest"
    FORBIDDEN_IMPORT = "forbidden_import"
    SYNTAX = "syntax"
    IMPORT = "import"
    HANG = "hang"
    PAGE = "page"
    STATE = "state"
    ROUTE_CLASH = "route_clash"
    TABLE = "table"
    MIGRATION = "migration"
    INIT = "init"

    @property
    def recoverable(self) -> bool:
        """True when the plugin's code is in memory and only its start failed."""
        return self in {Cause.MIGRATION, Cause.INIT}

    @property
    def remedy(self) -> str:
        """What to do about it, in one sentence."""
        return _REMEDIES[self]


_RESTART = "then restart"
_REMEDIES = {
    Cause.NAME: f"Rename the folder: lower-case letters, digits, - and _, at most 40, {_RESTART}.",
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


class PluginProblem(Exception):
    """A plugin cannot be served.

    Args:
        cause: The class of the problem.
        message: What happened, for an operator.
        file: Path relative to the plugin's folder, when known.
        line: Line in that file, when known; 0 otherwise.
    """

    def __init__(self, cause: Cause, message: str, file: str = "", line: int = 0) -> None:
        shown = " ".join(message.split())
        self.message = shown if len(shown) <= 500 else shown[:499] + "…"
        self.cause, self.file, self.line = cause, file, line
        super().__init__(self.message)

    @property
    def where(self) -> str:
        """``file:line``, as far as known."""
        return f"{self.file}:{self.line}" if self.line else self.file


class BadRequest(ShellError):
    """The body of a request is not a JSON object."""

    status = 400
    code = "BAD_REQUEST"


class PluginFailed(ShellError):
    """A plugin raised, or answered something that is not a JSON object."""

    status = 500
    code = "PLUGIN_FAILED"
