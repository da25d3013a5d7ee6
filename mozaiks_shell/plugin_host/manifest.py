"""What a plugin says about itself, checked without importing it (F-075, F-076, F-084, F-102); :mod:`.sources` finds it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from mozaiks_shell.appconfig.capabilities import Capability
from mozaiks_shell.appconfig.fields import Entries, FileModel, Icon, Label, Sentence, part
from mozaiks_shell.appconfig.notifications_config import NotificationKind
from mozaiks_shell.appconfig.problems import Finding, json_path
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.appconfig.settings_config import Option, SettingsField
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host import compat
from mozaiks_shell.plugin_host.compat import CONTRACT, SDK_VERSION, SHELL_VERSION
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.permissions import Permission
from mozaiks_shell.plugin_host.sources import Source, find_source

__all__ = [
    "CONTRACT",
    "Dependencies",
    "Limits",
    "Manifest",
    "Nav",
    "PluginSetting",
    "Quality",
    "Requires",
    "access_of",
    "read_manifest",
]

Quality = Literal["", "bronze", "silver", "gold", "platinum"]
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|[-_](?![-_])){0,39}")


def is_name(text: str) -> bool:
    """Whether a plugin may be called so: lower-case letters, digits, single - and _, at most 40, no - or _ first (F-079)."""
    return _NAME.fullmatch(text) is not None


def _version(text: str) -> str:
    compat.version(text)
    return text


def _range(text: str) -> str:
    compat.specifier(text)
    return text


def _requirement(text: str) -> str:
    compat.requirement(text)
    return text


def _plugin_name(text: str) -> str:
    if not is_name(text):
        raise ValueError("must be a plugin's name: lower-case letters, digits, - and _, at most 40")
    return text


VersionText = Annotated[str, Field(max_length=60), AfterValidator(_version)]
Range = Annotated[str, Field(max_length=200), AfterValidator(_range)]
RequirementText = Annotated[str, Field(max_length=300), AfterValidator(_requirement)]
PluginName = Annotated[str, Field(max_length=40), AfterValidator(_plugin_name)]


class Requires(FileModel):
    """Which shell and SDK the plugin was written for."""

    shell: Range = Field("", description="Versions of Mozaiks Shell, such as `>=0.1,<1` (PEP 440). Default: any.")
    sdk: Range = Field("", description="Versions of the SDK, such as `>=1,<2`. Default: any.")


class Nav(FileModel):
    """The plugin's entry in the navigation; what is empty is taken from its page."""

    title: Label = Field("", description="Name in the menu.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    order: int | None = Field(None, ge=-1_000_000, le=1_000_000, description="Position within the group, small first.")
    group: Label = Field("", description="Heading it stands under.")
    hidden: bool = Field(False, description="True keeps it out of the menu.")


class Dependencies(FileModel):
    """What must be there before the plugin is loaded. Nothing is installed."""

    python: Annotated[list[RequirementText], Entries] = Field([], description="Python packages, such as `markdown>=3` (PEP 508).")
    plugins: Annotated[dict[PluginName, Range], Entries] = Field({}, description="Other plugins and the versions that will do.")

    @field_validator("plugins", mode="before")
    @classmethod
    def _any_version(cls, value: Any) -> Any:
        return dict.fromkeys(value, "") if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


class Limits(FileModel):
    """Bounds of the plugin's calls; 0 means what the operator set."""

    timeout_seconds: float = Field(0, ge=0, le=3600, allow_inf_nan=False, description="Longest call, in seconds.")
    concurrency: int = Field(0, ge=0, le=1000, description="Calls at once.")
    memory_mb: int = Field(0, ge=0, le=1_000_000, description="Memory of a process of its own, in MB.")
    cpu_seconds: float = Field(0, ge=0, le=3600, allow_inf_nan=False, description="CPU time of one call in a process of its own.")


class PluginSetting(SettingsField):
    """A setting of the plugin: the shape of a field in settings_config.json, with a default (F-084)."""

    type: Literal["text", "email", "textarea", "toggle", "select", "number", "date"] = Field(  # type: ignore[assignment]
        "text", description="Kind of field."
    )
    options: Annotated[list[Option], Entries] = Field([], description="Choices of a `select`.")
    default: str | bool | int | float | None = Field(None, description="What counts until a person chooses.")
    minimum: float | None = Field(None, allow_inf_nan=False, description="Smallest number.")
    maximum: float | None = Field(None, allow_inf_nan=False, description="Largest number.")

    @model_validator(mode="after")
    def _whole(self) -> "PluginSetting":
        if self.type == "select" and not self.options:
            raise ValueError("a select needs options")
        fitting = {"toggle": bool, "number": (int, float)}.get(self.type, str)
        if self.default is not None and (
            not isinstance(self.default, fitting) or (isinstance(self.default, bool) and self.type != "toggle")  # type: ignore[arg-type]
        ):
            raise ValueError(f"the default {self.default!r} does not fit the type {self.type}")
        return self


class Manifest(FileModel):
    """The fields of ``manifest.json``. Unknown keys are kept out, with a note, so that newer plugins can carry more."""

    name: str = Field(max_length=200, description="Must equal the folder's name.")
    version: VersionText = Field("0.0.0", description="Version of the plugin (PEP 440).")
    display_name: Label = Field("", description="Name in the navigation. Default: made from the folder's name.")
    description: Sentence = Field("", description="One sentence.")
    icon: Icon = Field("puzzle", description="Lucide name.")
    author: Label = Field("", description="Who wrote it.")
    homepage: str = Field("", max_length=300, pattern=r"^(https?://[^\s<>\"]+)?$", description="Where one reads about it.")
    license: Label = Field("", description="Licence, such as `MIT`.")
    entry_point: str = Field(
        "",
        max_length=200,
        pattern=r"^([A-Za-z_]\w*(/[A-Za-z_]\w*)*\.py(:[A-Za-z_]\w*)?|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?)?$",
        description="Where `execute` is, such as `logic.py` or `backend/api.py:run`. Default: found.",
    )
    settings_entry_point: str = Field("", max_length=200, description="Read and not needed: `settings.py` is found.")
    created_at: str = Field("", max_length=60, description="When it was made; not read.")
    contract_version: str = Field(
        "1", max_length=20, pattern=r"^\d+(\.\d+)*$", description="Plugin contract the code was written for; `1` or `1.x`."
    )
    requires: Requires = part(Requires, "Versions of shell and SDK.")
    access: str = Field(
        "signed_in",
        max_length=400,
        description="`public`, `signed_in`, `role:admin` or `plan:pro`; several names with commas.",
    )
    plan: str = Field("", max_length=80, pattern=r"^[A-Za-z0-9_.-]*$", description="Lowest plan that opens it: `plan:NAME`.")
    permissions: Annotated[list[Permission], Entries] = Field([], description="What it may do beyond pages and its own rows.")
    nav: Nav = part(Nav, "Its entry in the menu.")
    dependencies: Dependencies = part(Dependencies, "Python packages and plugins that must be there.")
    settings: Annotated[list[PluginSetting], Entries] = Field([], description="Fields a person may set; a form is made of them.")
    notifications: Annotated[list[NotificationKind], Entries] = Field([], description="Kinds of notifications it sends.")
    capabilities: Annotated[list[Capability], Entries] = Field([], description="Workflows it brings for people to launch.")
    quality: Quality = Field("", description="Tier its author claims; `mozaiks-shell check` proves it.")
    isolation: Literal["in_process", "process"] = Field("in_process", description="`process`: `execute` runs in its own process.")
    limits: Limits = part(Limits, "Bounds of its calls.")
    enabled: bool = Field(True, description="False: listed for the operator, not loaded.")
    config: dict[str, Any] = Field({}, max_length=500, description="Handed to the constructor of the class form.")

    @field_validator("contract_version", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("access")
    @classmethod
    def _access_word(cls, value: str) -> str:
        access_of(value)
        return value

    @field_validator("settings", mode="before")
    @classmethod
    def _fields_by_id(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if set(value) == {"fields"}:
            return value["fields"]
        return [{"id": key, **one} if isinstance(one, Mapping) else one for key, one in value.items()]

    @field_validator("settings")
    @classmethod
    def _unlike_ids(cls, value: list[PluginSetting]) -> list[PluginSetting]:
        ids = [one.id for one in value]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"the id {twice[0]!r} is used twice")
        return value

    @field_validator("capabilities")
    @classmethod
    def _unlike_capabilities(cls, value: list[Capability]) -> list[Capability]:
        ids = [one.id for one in value]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"the id {twice[0]!r} is used twice")
        return value

    @model_validator(mode="after")
    def _one_demand(self) -> "Manifest":
        if self.plan and "access" in self.model_fields_set and self.access != f"plan:{self.plan}":
            raise ValueError(f"plan says {self.plan!r} and access says {self.access!r}; write one of the two")
        return self

    @property
    def demands(self) -> Access:
        """The manifest's access word, or plan, as a declaration."""
        return Access.plan(self.plan) if self.plan else access_of(self.access)

    @property
    def title(self) -> str:
        """Name for people."""
        return self.display_name or self.nav.title or self.name.replace("-", " ").replace("_", " ").capitalize()

    def incompatible(self) -> str:
        """Why this shell cannot run the plugin; empty when it can (F-102)."""
        if self.contract_version.partition(".")[0] != str(CONTRACT):
            return f"is written for the plugin contract {self.contract_version}, and this shell speaks {CONTRACT}"
        for what, have, wanted in (
            ("Mozaiks Shell", SHELL_VERSION, self.requires.shell),
            ("SDK", SDK_VERSION, self.requires.sdk),
        ):
            if wanted and not compat.fits(have, wanted):
                return f"needs {what} {wanted}, and this is {have}"
        return ""


def access_of(word: str) -> Access:
    """``role:admin,editor`` and friends as an :class:`Access`.

    Raises:
        ValueError: not one of the four words, or a list that is missing.
    """
    kind, _, listed = word.partition(":")
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    if kind in {"public", "signed_in"} and not listed:
        return Access.public() if kind == "public" else Access.signed_in()
    if kind in {"role", "plan"} and names:
        return Access.role(*names) if kind == "role" else Access.plan(*names)
    raise ValueError("must be public, signed_in, role:NAME or plan:NAME")


def read_manifest(folder: Path, notes: list[Note] | None = None, name: str = "") -> Manifest:
    """The manifest of the plugin in this folder.

    Args:
        name: What the plugin is called; default the folder's name. A package calls it as its entry point says.
        notes: Gets what is worth a word without being wrong, such as a key nobody reads.

    Raises:
        PluginProblem: unreadable, a bad field (with JSON path and line), or a name that is not the folder's.
    """
    source, name = find_source(folder), name or folder.name
    raw = {"name": name, **source.fields}
    reading = check(Manifest, raw)
    errors = [one for one in reading.findings if one.level == "error"]
    if errors or reading.value is None:
        raise _problem(source, errors)
    manifest = reading.value
    if manifest.name != name:
        raise _problem(source, [Finding(("name",), "error", f"is {manifest.name!r}, but the folder is {name!r}.")])
    if notes is not None:
        for one in (*source.findings, *reading.findings):
            where = f"{source.file}{f':{line}' if (line := source.line(one.where)) else ''}"
            notes.append(Note("hint", f"{json_path(one.where)}: {one.message}", where, one.fix))
    return manifest


def _problem(source: Source, errors: list[Finding]) -> PluginProblem:
    first = errors[0] if errors else Finding((), "error", "cannot be used.")
    told = "; ".join(f"{json_path(one.where)} {one.message.rstrip('.')}" for one in errors[:5])
    more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
    remedy = f"{first.fix} Correct {source.file or 'the manifest'}, then restart." if first.fix else ""
    return PluginProblem(
        Cause.MANIFEST, told + more, source.file, source.line(first.where) or 0, remedy=remedy, path=json_path(first.where)
    )
