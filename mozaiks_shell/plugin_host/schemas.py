"""JSON Schemas of a plugin's files, made from the models that read them: for editors and for other tools."""

from typing import Any, Final

from pydantic import BaseModel

from mozaiks_shell.appconfig.schemas import DIALECT, tidy_schema
from mozaiks_shell.plugin_host import entitlements
from mozaiks_shell.plugin_host.blocklist import Blocklist
from mozaiks_shell.plugin_host.manifest import Manifest

FILES: Final[dict[str, tuple[type[BaseModel], str]]] = {
    "manifest.json": (Manifest, "What a plugin says about itself; `name` may be left out, it is the folder's."),
    "plugin_blocklist.json": (Blocklist, "Versions of plugins that must not run."),
}


def plugin_schemas() -> dict[str, dict[str, Any]]:
    """The schema of every file by the name it is published under in ``docs/schemas``."""
    made = {name.replace(".json", ".schema.json"): _schema(name, model, about) for name, (model, about) in FILES.items()}
    return {"plugin-entitlements.schema.json": entitlements.json_schema(), **made}


def _schema(name: str, model: type[BaseModel], about: str) -> dict[str, Any]:
    made = tidy_schema(model)
    made |= {"$schema": DIALECT, "$id": f"urn:mozaiks-shell:{name}", "title": name, "description": about}
    if model is Manifest:
        made["required"] = [one for one in made.get("required", []) if one != "name"]
        known = made["properties"]
        fields = known["settings"]
        inner = {key: value for key, value in fields.items() if key not in {"default", "description"}}
        by_id = {"type": "object", "properties": {"fields": inner}, "additionalProperties": {"type": "object"}}
        known["settings"] = {"anyOf": [inner, by_id], "default": [], "description": fields["description"]}
        others = made["$defs"]["Dependencies"]["properties"]["plugins"]
        names = {"type": "array", "items": {"type": "string"}}
        inner = {key: value for key, value in others.items() if key not in {"default", "description"}}
        made["$defs"]["Dependencies"]["properties"]["plugins"] = {
            "anyOf": [inner, names], "default": {}, "description": others["description"],
        }  # fmt: skip
        known["contract_version"] = {**known["contract_version"], "type": ["string", "number"]}
        made["$defs"]["PluginSetting"]["required"] = []
        made = {key: value for key, value in made.items() if value != []}
    return made
