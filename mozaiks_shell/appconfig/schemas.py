"""JSON Schemas of the configuration files, made from the models that read them: for editors and for other tools."""

import importlib
from contextlib import suppress
from typing import Any, Final

from pydantic import BaseModel, BeforeValidator
from pydantic.json_schema import GenerateJsonSchema

from mozaiks_shell.appconfig import live
from mozaiks_shell.appconfig.overview import NAMES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

ABOUT: Final = {
    "brand.json": "Name, images, fonts, colours and shadows of the app.",
    "branding.json": "The older shape of the brand, and the layout of the frame.",
    "theme_config.json": "Themes people may choose between, and the one they start with.",
    "navigation.json": "The menu and pages of the operator, in the newer or the older shape.",
    "navigation_config.json": "The menu, as entries for everybody and entries of plugins.",
    "ui.json": "Chat modes, header, profile menu, notifications, footer and dashboard.",
    "settings_config.json": "Sections and fields of the settings and profile pages.",
    "notifications_config.json": "Kinds of notifications that plugins send.",
    "subscription_config.json": "The plans.",
    "ai_capabilities.json": "What people may launch.",
    "usage_config.json": "What tokens cost and how many may be spent.",
    "triggers.json": "Which event, or which time, starts which workflow.",
    "apps.json": "Which app id answers under which host.",
}


# Other forms of a shape, and of one field, that are read as if they were written in full.
_TEXT: Final = {"type": "string"}
ALSO: Final[dict[str, dict[str, Any]]] = {
    "Shade": _TEXT,
    "Option": _TEXT,
    "DashboardSection": _TEXT,
    "Capability": {"type": "object", "properties": {"capability": {"type": "object"}}, "required": ["capability"]},
}
ALSO_FIELD: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("Font", "fallbacks"): {"type": ["string", "null"]},
    ("Dashboard", "sections"): {"type": "object"},
    ("PageShape", "badge"): {"type": ["integer", "null"]},
    ("EntryShape", "badge"): {"type": ["integer", "null"]},
    ("Option", "value"): {"type": "number"},
    ("Plan", "billing_cycle"): {"type": ["string", "null"]},
}


def file_name(name: str) -> str:
    """``navigation.json`` -> ``navigation.schema.json``."""
    return name.removesuffix(".json") + ".schema.json"


def models(name: str) -> tuple[type[BaseModel], ...]:
    """The shapes a file may have."""
    found: list[type[BaseModel]] = []
    for file in live.files():
        if file.name == name:
            found += [model for model in file.models if model not in found]
    return tuple(found)


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of every file by its name."""
    importlib.import_module("mozaiks_shell.appconfig.service")
    importlib.import_module("mozaiks_shell.appconfig.capabilities")
    importlib.import_module("mozaiks_shell.appconfig.navigation_files")
    importlib.import_module("mozaiks_shell.appconfig.triggers_config")
    importlib.import_module("mozaiks_shell.appconfig.usage_config")
    return {name: schema(name) for name in NAMES if models(name)}


def schema(name: str) -> dict[str, Any]:
    """The schema of one file. Of two shapes the keys tell which counts; of one file with two readers both must fit."""
    shapes = models(name)
    head: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:mozaiks-shell:{name}",
        "title": name,
        "description": ABOUT.get(name, ""),
    }
    made = [shape.model_json_schema(schema_generator=_Tidy) for shape in shapes]
    if len(made) == 1:
        return {**made[0], **head, "description": head["description"] or made[0].get("description", "")}
    definitions: dict[str, Any] = {}
    for one in made:
        for key, value in one.pop("$defs", {}).items():
            definitions.setdefault(key, value)
    if sum(file.name == name for file in live.files()) > 1:
        return {**head, "allOf": made, "$defs": definitions}
    marks = [{"required": [key]} for key in getattr(shapes[1], "told_by", ())]
    told = {"anyOf": marks, "not": {"required": list(shapes[1].unless)}}  # type: ignore[attr-defined]
    return {**head, "if": told, "then": made[1], "else": made[0], "$defs": definitions}


class _Tidy(GenerateJsonSchema):
    """Without the titles pydantic makes of field names; with the other forms that validators take before the types count."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """None are."""
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """A shape, and what else may stand in its place."""
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, one in made.get("properties", {}).items():
            if (also := ALSO_FIELD.get((model.__name__, name))) is not None:
                made["properties"][name] = _either(one, also)
            elif _takes_null(model, name):
                made["properties"][name] = _either(one, {"type": "null"})
        return _either(made, ALSO[model.__name__]) if model.__name__ in ALSO else made


def tidy_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model, for files that other rooms read."""
    return model.model_json_schema(schema_generator=_Tidy)


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both forms; what describes the first describes the whole."""
    about: dict[str, Any] = {key: one[key] for key in ("description", "default") if key in one}
    inner = {key: value for key, value in one.items() if key not in about}
    return {"anyOf": [*inner["anyOf"], other] if set(inner) == {"anyOf"} else [inner, other], **about}


def _takes_null(model: type[BaseModel], name: str) -> bool:
    """Whether a validator makes something of ``null``."""
    makers = [one.func for one in model.model_fields[name].metadata if isinstance(one, BeforeValidator)]
    for one in model.__pydantic_decorators__.field_validators.values():
        if name in one.info.fields and one.info.mode == "before":
            makers.append(one.func)
    for make in makers:
        with suppress(ValueError, TypeError):
            if make(None) is not None:  # type: ignore[call-arg, arg-type]
                return True
    return False
