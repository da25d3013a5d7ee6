"""Typed settings of plugins: a pydantic model becomes fields of a form, and judges what is stored."""

from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.plugin_host import own_settings, registry
from mozaiks_shell.plugin_host.manifest import PluginSetting
from mozaiks_shell.shell.settings_fields import TYPES, FieldSpec, field_from, humanised
from mozaiks_shell.ui.page import also_forget

_models: dict[str, type[BaseModel]] = {}
_LONG: Final = 200  # characters from which on a text gets several lines


def register_settings(plugin: str, model: type[BaseModel]) -> None:
    """Let the fields of ``model`` be settings of a plugin; a person without a choice has the model's defaults.

    Raises:
        ValueError: a field has no default, or no form can show it.
    """
    fields_of(model, plugin)
    try:
        model()
    except ValidationError as error:
        lacking = ", ".join(str(one["loc"][0]) if one["loc"] else one["msg"] for one in error.errors())
        raise ValueError(f"{model.__name__}: settings need defaults that are valid: {lacking}") from error
    _models[plugin] = model
    own_settings.declare_form(plugin)


def declared_fields(plugin: str) -> list[FieldSpec]:
    """The fields a plugin declares by itself: of its typed model, then of its manifest (F-084)."""
    if not plugin:
        return []
    own = fields_of(model, plugin) if (model := model_of(plugin)) else []
    typed = {one.id for one in own}
    found = registry.find(plugin)
    said = [one for one in found.manifest.settings if one.id not in typed] if found else []
    return [*own, *(_of_manifest(one, plugin) for one in said)]


def _of_manifest(one: PluginSetting, plugin: str) -> FieldSpec:
    told = field_from(one.model_dump(mode="json", by_alias=True))
    default = one.default if one.default is not None else told.default
    return replace(told, plugin=plugin, default=default, minimum=one.minimum, maximum=one.maximum)


def model_of(plugin: str) -> type[BaseModel] | None:
    """The plugin's typed settings, if it has any."""
    return _models.get(plugin)


def forget_settings(plugin: str) -> None:
    """Take a plugin's model back (it went to quarantine)."""
    _models.pop(plugin, None)


def fields_of(model: type[BaseModel], plugin: str = "") -> list[FieldSpec]:
    """The fields of a form for a pydantic model.

    bool is a toggle, Literal and Enum a select, int and float a number, date a date, EmailStr an e-mail address, a str of
    more than 200 characters a textarea, every other str a text. ``Field(title=..., description=...)`` label it;
    ``json_schema_extra={"type": "textarea", "category": "...", "editable": False}`` overrules.

    Raises:
        ValueError: a field is of another type.
    """
    schema = model.model_json_schema(mode="validation")
    shared, required = schema.get("$defs", {}), set(schema.get("required", ()))
    found = []
    for name, said in schema.get("properties", {}).items():
        told = {**_resolved(said, shared), **{key: value for key, value in said.items() if key != "anyOf"}}
        kind, options = _kind(told, name, model)
        title = str(told.get("title") or "")
        longest = int(told.get("maxLength") or 0)
        found.append(
            FieldSpec(
                id=name,
                label=humanised(name) if title in ("", name.replace("_", " ").title(), told.get("class")) else title,
                type=kind,
                required=name in required or bool(told.get("minLength")),
                editable=told.get("editable") is not False,
                visible=told.get("visible") is not False,
                options=options,
                plugin=plugin,
                category=str(told.get("category") or ""),
                description=str(told.get("description") or ""),
                default=told.get("default"),
                minimum=told.get("minimum", told.get("exclusiveMinimum")),
                maximum=told.get("maximum", told.get("exclusiveMaximum")),
                whole_number=told.get("schema_type") == "integer",
                max_length=longest,
            )
        )
    return found


def _resolved(said: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference, and within ``X | None``."""
    for one in [said, *said.get("anyOf", []), *said.get("allOf", [])]:
        if "$ref" in one:
            target = dict(shared[one["$ref"].rpartition("/")[2]])
            return {**target, "class": target.pop("title", ""), "description": "", "schema_type": target.get("type")}
    inner = next((one for one in said.get("anyOf", []) if one.get("type") != "null"), said)
    return {**inner, "schema_type": inner.get("type")}


def _kind(told: dict[str, Any], name: str, model: type[BaseModel]) -> tuple[str, tuple[tuple[str, str], ...]]:
    asked, native = told.get("type"), told.get("schema_type")
    given = told.get("options")
    values = told.get("enum") or ([told["const"]] if "const" in told else None)
    if isinstance(given, list):
        return "select", tuple((str(one["value"]), str(one.get("label") or one["value"])) for one in given)
    if values and all(isinstance(one, str) for one in values):
        return "select", tuple((one, humanised(one)) for one in values)
    if asked in TYPES and asked != "number":
        return str(asked), ()
    by_format = {"email": "email", "date": "date"}
    if native == "string":
        return by_format.get(told.get("format", ""), "textarea" if (told.get("maxLength") or 0) > _LONG else "text"), ()
    kinds = {"boolean": "toggle", "integer": "number", "number": "number"}
    if native not in kinds or values:
        raise ValueError(f"{model.__name__}.{name}: settings are texts, numbers, dates, switches or choices between texts")
    return kinds[str(native)], ()


def judged(plugin: str, changes: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """``changes`` as the plugin's model has them; unchanged for a plugin without one.

    Raises:
        Invalid: ``errors`` names the fields the model refuses.
    """
    model = model_of(plugin)
    if model is None:
        return changes
    stored = {key: value for key, value in {**before, **changes}.items() if value is not None and key in model.model_fields}
    try:
        whole = model.model_validate(stored).model_dump(mode="json")
    except ValidationError as error:
        errors = [
            {"field": str(one["loc"][0]) if one["loc"] else "", "code": "NOT_VALID", "message": str(one["msg"])}
            for one in error.errors()
        ]
        raise Invalid("; ".join(f"{one['field']}: {one['message']}" for one in errors), errors=errors) from error
    return {key: whole[key] if value is not None and key in whole else value for key, value in changes.items()}


def defaults(plugin: str) -> dict[str, Any]:
    """What the plugin's model says where a person chose nothing."""
    model = model_of(plugin)
    return model().model_dump(mode="json") if model else {}


also_forget(forget_settings)
