"""``ai_capabilities.json`` and ``capability_specs/*.json``: what people may launch (F-143, F-144).

Rooms above add what plugins declare and programs register (:func:`more_from`); what a file says counts first.
"""

import time
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from mozaiks_shell.appconfig.fields import Entries, FileModel, Icon
from mozaiks_shell.appconfig.live import INTERVAL, LiveFile, Report
from mozaiks_shell.appconfig.loader import ConfigError, path_of
from mozaiks_shell.appconfig.problems import Problem
from mozaiks_shell.appconfig.ui_config import once
from mozaiks_shell.foundation.settings import Settings, get_settings

FILE = "ai_capabilities.json"
SPECS = "capability_specs"

PlanName = Annotated[str, Field(max_length=64)]


class Suggestion(FileModel):
    """Something to begin a conversation with; a bare text is its title."""

    title: str = Field(min_length=1, max_length=80, description="What people see.")
    message: str = Field("", max_length=2000, description="What is written; empty: the title.")
    send: bool = Field(True, description="False: it is put into the text box, to be completed.")

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        return {"title": value} if isinstance(value, str) else value


class Capability(FileModel):
    """A workflow under the name people know it by, and who may launch it."""

    may_be_wrapped: ClassVar[bool] = True  # {"capability": {…}}

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$", description="Unique.")
    display_name: str = Field(min_length=1, max_length=80, description="Name people see.")
    description: str = Field("", max_length=400, description="One sentence.")
    icon: Icon = Field("sparkles", description="Lucide name, or a file below assets/.")
    workflow_id: str = Field(
        min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Workflow of the runtime."
    )
    enabled: bool = Field(True, description="False: nobody may launch it.")
    visibility: Literal["user", "admin"] = Field("user", description="`admin`: only administrators see it.")
    allowed_plans: Annotated[tuple[PlanName, ...], Entries] = Field((), description="Plans that open it; empty for all.")
    requires_superadmin: bool = Field(False, description="Only for the operator.")
    suggestions: Annotated[tuple[Suggestion, ...], Entries] = Field(
        (), max_length=8, description="Offered in its chat until the person has said something."
    )
    spec: Any = Field(None, description="Kept for the runtime; not read.")

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        """Accept the wrapped form ``{"capability": {...}}`` as well."""
        return value["capability"] if isinstance(value, dict) and isinstance(value.get("capability"), dict) else value

    @field_validator("icon", mode="after")
    @classmethod
    def _some_icon(cls, value: str) -> str:
        return value or "sparkles"


class Capabilities(FileModel):
    """`ai_capabilities.json`."""

    version: str | int | float = Field("", description="Free; not read.")
    capabilities: Annotated[list[Capability], Entries] = Field([], description="What people may launch, in this order.")


def _build(file: Capabilities, report: Report) -> list[Capability]:
    return once(file.capabilities, ("capabilities",), report)


CAPABILITIES: LiveFile[list[Capability]] = LiveFile(FILE, Capabilities, build=_build)


def _spec_file(name: str) -> LiveFile[Capability | None]:
    return LiveFile(name, Capability, build=lambda one, _: one, default=lambda: None)


class _Specs:
    """The files of the spec folder, as last listed."""

    files: dict[str, LiveFile[Capability | None]]

    def __init__(self) -> None:
        self.files, self.listed, self.settings = {}, 0.0, None

    listed: float
    settings: Settings | None

    def now(self, fresh: bool) -> list[LiveFile[Capability | None]]:
        settings = get_settings()
        if fresh or settings is not self.settings or time.monotonic() - self.listed > INTERVAL:
            folder, prefix = settings.capability_specs_dir, ""
            if folder is None and settings.configs_path is not None:
                folder, prefix = settings.configs_path / SPECS, f"{SPECS}/"
            found = sorted(folder.glob("*.json")) if folder is not None else []
            names = [f"{prefix}{one.name}" if prefix else str(one.absolute()) for one in found if one.name[0] != "_"]
            for gone in set(self.files) - set(names):
                self.files.pop(gone).withdraw()
            self.files = {name: self.files.get(name) or _spec_file(name) for name in names}
            self.listed, self.settings = time.monotonic(), settings
        return list(self.files.values())


_specs = _Specs()


Sourced = tuple[str, Capability]
_more: dict[str, Callable[[], Iterable[Sourced]]] = {}


def more_from(kind: str, source: Callable[[], Iterable[Sourced]]) -> None:
    """Name who else knows capabilities; ``source()`` gives ``(where it comes from, capability)`` and must be quick.

    One source per ``kind`` (``plugins``, ``registered``); a later one replaces it.
    """
    _more[kind] = source


def sourced(fresh: bool = False) -> list[Sourced]:
    """Every capability with where it comes from: the main file, the spec folder, then the other sources. Never raises.

    ``_``-prefixed specs are ignored. Of two with the same id the first counts.
    """
    return [one for one, first in _every(fresh) if first is None]


def capabilities_now(fresh: bool = False) -> list[Capability]:
    """Every capability that counts now, in the operator's order. Never raises."""
    return [capability for _, capability in sourced(fresh)]


def capability_problems() -> list[Problem]:
    """Ids that are used twice. What is wrong within one file is that file's own problem."""
    found = []
    for (where, one), first in _every(fresh=False):
        if first is not None:
            message = f"the id {one.id!r} is used twice: {first} has it too; this one is left out."
            level: Literal["error", "warning"] = "error" if where.endswith(".json") else "warning"
            found.append(Problem(where, "$.id", level, message, fix="Give one of the two another id."))
    return found


def _every(fresh: bool) -> Iterable[tuple[Sourced, str | None]]:
    """Every capability there is, and who had its id before; one file's own doubles are left out already."""
    taken: dict[str, str] = {}
    for where, one in _listed(fresh):
        yield (where, one), taken.get(one.id)
        taken.setdefault(one.id, where)


def _listed(fresh: bool) -> Iterable[Sourced]:
    for one in CAPABILITIES.current(fresh=fresh):
        yield FILE, one
    for file in _specs.now(fresh):
        spec = file.current(fresh=fresh)
        if spec is not None:
            yield file.name, spec
    for source in list(_more.values()):
        yield from source()


def load_capabilities() -> list[Capability]:
    """The same as :func:`capabilities_now`, read afresh, or not at all.

    Raises:
        ConfigError: a file has an error, or two files share an id.
    """
    found = capabilities_now(fresh=True)
    every: list[LiveFile[Any]] = [CAPABILITIES, *_specs.now(fresh=False)]
    for file in every:
        if errors := [f"{one.path}: {one.message} {one.fix}".strip() for one in file.problems() if one.level == "error"]:
            raise ConfigError(file.path() or path_of(file.name), errors)
    if twice := [f"{one.path}: {one.message}" for one in capability_problems() if one.level == "error"]:
        raise ConfigError(path_of(FILE), twice)
    return found
