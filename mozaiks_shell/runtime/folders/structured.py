"""``structured_outputs.yaml`` as pydantic models."""

from __future__ import annotations

from typing import Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

SIMPLE: dict[str, Any] = {
    "str": str, "string": str, "int": int, "integer": int, "float": float, "number": float, "bool": bool, "boolean": bool,
    "dict": dict[str, Any], "Dict": dict[str, Any], "any": Any, "optional_str": str | None, "Optional[str]": str | None,
    "optional_int": int | None, "optional_float": float | None, "optional_bool": bool | None,
    "optional_dict": dict[str, Any] | None, "null": None, "none": None,
}  # fmt: skip
KINDS = (*SIMPLE, "list", "optional_list", "literal", "union")


class Shapeless(ValueError):
    """A model cannot be built; ``where`` is the place below ``models``."""

    def __init__(self, where: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.where = where


class Models:
    """Builds the models of one file; models may name each other in any order, not in a circle."""

    def __init__(self, written: dict[str, Any]) -> None:
        self._written = written
        self._built: dict[str, Any] = {}
        self._building: list[str] = []

    def build(self, name: str) -> Any:
        """The type called ``name``: a model, or an alias of kind literal or union.

        Raises:
            Shapeless: it is not there, goes in a circle, or a field makes no sense.
        """
        if name in self._built:
            return self._built[name]
        spec = self._written.get(name)
        if not isinstance(spec, dict):
            raise Shapeless((name,), f"there is no model {name!r}")
        if name in self._building:
            raise Shapeless((name,), f"{' > '.join([*self._building, name])} goes in a circle")
        self._building.append(name)
        try:
            built = self._alias(name, spec) if spec.get("type") in ("literal", "union") else self._model(name, spec)
        finally:
            self._building.pop()
        self._built[name] = built
        return built

    def _alias(self, name: str, spec: dict[str, Any]) -> Any:
        return self._type(spec, (name,))

    def _model(self, name: str, spec: dict[str, Any]) -> type[BaseModel]:
        fields = spec.get("fields")
        if not isinstance(fields, dict) or not fields:
            raise Shapeless((name, "fields"), "needs a mapping of fields")
        made: dict[str, Any] = {}
        for field, told in fields.items():
            where = (name, "fields", field)
            told = {"type": told} if isinstance(told, str) else told
            if not isinstance(told, dict):
                raise Shapeless(where, "needs a type")
            kind = self._type(told, where)
            optional = str(told.get("type", "")).lower().startswith("optional")
            default = told.get("default", None if optional else ...)
            if default is None and not optional:
                kind = Union[kind, None]  # noqa: UP007 - it may be a Literal or Any
            made[field] = (kind, Field(default, description=told.get("description")))
        try:
            return create_model(name, __config__=ConfigDict(extra="ignore", protected_namespaces=()), **made)
        except (NameError, TypeError, ValueError) as error:
            raise Shapeless((name,), str(error)) from None

    def _type(self, told: dict[str, Any], where: tuple[str, ...]) -> Any:
        kind = str(told.get("type", "")).strip()
        if kind in ("list", "List", "optional_list"):
            items = told.get("items")
            inner = self._type(items if isinstance(items, dict) else {"type": items or "any"}, (*where, "items"))
            made: Any = list[inner]  # type: ignore[valid-type]
            return made | None if kind == "optional_list" else made
        if kind == "literal":
            values = told.get("values")
            if not isinstance(values, list) or not values:
                raise Shapeless((*where, "values"), "a literal needs a list of values")
            return Literal[tuple(values)]
        if kind == "union":
            variants = told.get("variants")
            if not isinstance(variants, list) or not variants:
                raise Shapeless((*where, "variants"), "a union needs a list of variants")
            return Union[tuple(self._named(str(variant), where) for variant in variants)]  # noqa: UP007 - made of a tuple
        return self._named(kind, where)

    def _named(self, kind: str, where: tuple[str, ...]) -> Any:
        if kind in SIMPLE or kind.lower() in ("null", "none"):
            return SIMPLE.get(kind)
        if kind in self._written:
            return self.build(kind)
        raise Shapeless(
            where, f"{kind or 'an empty type'!r} is no type; use {', '.join(KINDS[:7])}, list, literal, union or a model"
        )


def example(model: type[BaseModel], text: str = "") -> dict[str, Any]:
    """Values that satisfy ``model``, made from its schema; texts are ``text`` where that reads sensibly."""
    schema = model.model_json_schema()
    made = example_of(schema, schema.get("$defs", {}), text)
    return made if isinstance(made, dict) else {}


def example_of(schema: dict[str, Any], defs: dict[str, Any], text: str, name: str = "", depth: int = 0) -> Any:
    """A value that satisfies a JSON schema as pydantic writes it."""
    if "$ref" in schema:
        return example_of(defs.get(schema["$ref"].rsplit("/", 1)[-1], {}), defs, text, name, depth + 1)
    if schema.get("default") is not None:
        return schema["default"]
    for key in ("const", "enum", "examples"):
        if key in schema:
            return schema[key] if key == "const" else schema[key][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], defs, text, name, depth + 1)
    match schema.get("type"):
        case "object":
            needed = schema.get("properties", {})
            return {} if depth > 8 else {key: example_of(one, defs, text, key, depth + 1) for key, one in needed.items()}
        case "array":
            return [] if depth > 4 else [example_of(schema.get("items", {}), defs, text, name, depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    return text.strip() or str(schema.get("title") or name or "text")
