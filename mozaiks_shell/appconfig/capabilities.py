"""``ai_capabilities.json`` and ``capability_specs/*.json``: what people may launch (F-143, F-144)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mozaiks_shell.appconfig.loader import ConfigError, load, path_of
from mozaiks_shell.foundation.settings import get_settings

FILE = "ai_capabilities.json"
SPECS = "capability_specs"


class Capability(BaseModel):
    """A workflow under the name people know it by, and who may launch it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
    display_name: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=400)
    icon: str = Field(default="sparkles", max_length=40)
    workflow_id: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    enabled: bool = True
    visibility: Literal["user", "admin"] = "user"
    allowed_plans: tuple[str, ...] = ()
    requires_superadmin: bool = False

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        """Accept the wrapped form ``{"capability": {...}}`` as well."""
        return value["capability"] if isinstance(value, dict) and isinstance(value.get("capability"), dict) else value


class Capabilities(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="ignore")

    capabilities: list[Capability] = []


def load_capabilities() -> list[Capability]:
    """Every capability of the main file and of the spec folder, in that order; ``_``-prefixed specs are ignored.

    Raises:
        ConfigError: a file is unusable, or two entries share an id.
    """
    found = list(load(FILE, Capabilities).capabilities)
    folder = get_settings().configs_path
    specs = sorted((folder / SPECS).glob("*.json")) if folder is not None else []
    found += [load(f"{SPECS}/{spec.name}", Capability) for spec in specs if not spec.name.startswith("_")]
    ids = [one.id for one in found]
    problems = [f"$.capabilities: the id {one!r} is used twice" for one in sorted(set(ids)) if ids.count(one) > 1]
    if problems:
        raise ConfigError(path_of(FILE), problems)
    return found
