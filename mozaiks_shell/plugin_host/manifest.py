"""What a plugin says about itself: ``manifest.json``, else ``PLUGIN_CONFIG``, else its folder's name (F-075, F-076)."""

import ast
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem

CONTRACT = 1  # the major version of the plugin contract this host speaks


class Manifest(BaseModel):
    """The fields of ``manifest.json``. Unknown fields are kept out, not refused, so that newer plugins can carry more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(description="Must equal the folder's name.")
    version: str = Field("0.0.0", pattern=r"^\d+(\.\d+){0,2}([-+.][0-9A-Za-z.-]+)?$", description="Version of the plugin.")
    display_name: str = Field("", max_length=80, description="Name in the navigation. Default: made from the folder's name.")
    description: str = Field("", max_length=300, description="One sentence.")
    icon: str = Field("puzzle", max_length=64, description="Lucide name.")
    entry_point: str = Field("", description="Where `execute` is, such as `logic.py` or `backend/api.py:run`. Default: found.")
    contract_version: str = Field("1", description="Plugin contract the code was written for; `1` or `1.x`.")
    access: str = Field("signed_in", description="`public`, `signed_in`, `role:admin` or `plan:pro`; several names with commas.")
    enabled: bool = Field(True, description="False: listed for the operator, not loaded.")
    config: dict[str, Any] = Field(default_factory=dict, description="Handed to the constructor of the class form.")

    @field_validator("contract_version", mode="before")
    @classmethod
    def _supported(cls, value: object) -> str:
        text = str(value)
        if text.partition(".")[0] != str(CONTRACT):
            raise ValueError(f"{text} is not supported; this shell speaks {CONTRACT}")
        return text

    @field_validator("access")
    @classmethod
    def _access_word(cls, value: str) -> str:
        access_of(value)
        return value

    @property
    def demands(self) -> Access:
        """The manifest's access word as a declaration."""
        return access_of(self.access)

    @property
    def title(self) -> str:
        """Name for people."""
        return self.display_name or self.name.replace("-", " ").replace("_", " ").capitalize()


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


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the plugin in this folder.

    Raises:
        PluginProblem: unreadable JSON, a bad field, or a name that is not the folder's.
    """
    source, fields = _source(folder)
    try:
        manifest = Manifest.model_validate({"name": folder.name, **fields})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()
        )
        raise PluginProblem(Cause.MANIFEST, problems, source) from error
    if manifest.name != folder.name:
        raise PluginProblem(Cause.MANIFEST, f"name is {manifest.name!r}, but the folder is {folder.name!r}", source)
    return manifest


def _source(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / "manifest.json"
    if path.is_file():
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise PluginProblem(Cause.MANIFEST, f"not valid JSON: {error}", path.name, getattr(error, "lineno", 0)) from error
        if not isinstance(fields, dict):
            raise PluginProblem(Cause.MANIFEST, "must be a JSON object", path.name)
        return path.name, fields
    for name in ("__init__.py", "logic.py", "backend/logic.py"):
        if (folder / name).is_file() and (fields := _plugin_config(folder / name)):
            return name, fields
    return "", {}


def _plugin_config(path: Path) -> dict[str, Any]:
    """The literal dict assigned to ``PLUGIN_CONFIG``; read, not executed."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return {}  # the loader reports it with its line
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if node and any(isinstance(target, ast.Name) and target.id == "PLUGIN_CONFIG" for target in targets):
            try:
                value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except ValueError as error:
                raise PluginProblem(Cause.MANIFEST, "PLUGIN_CONFIG must be a literal dict", path.name, node.lineno) from error
            return value if isinstance(value, dict) else {}
    return {}
