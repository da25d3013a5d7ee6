"""What a Python tool takes: read from its signature, checked before every call."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

INJECTED = ("context_variables", "self")


def arguments_model(function: Callable[..., Any], name: str) -> type[BaseModel]:
    """A model of the arguments. ``Annotated[str, "what it is"]`` becomes a description; what the runtime injects
    (``context_variables``) is left out; annotations nobody can resolve accept anything."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - annotations are the author's code
        hints = {}
    fields: dict[str, Any] = {}
    extra = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = True
        if parameter.name in INJECTED or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        kind, told = _kind(hints.get(parameter.name, Any))
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (kind, Field(default, description=told))
    config = ConfigDict(extra="allow" if extra else "ignore", arbitrary_types_allowed=True, protected_namespaces=())
    try:
        return create_model(name, __config__=config, **fields)
    except Exception:  # noqa: BLE001 - a type pydantic cannot describe: the names alone must do
        loose: dict[str, Any] = {key: (Any, value[1]) for key, value in fields.items()}
        return create_model(name, __config__=config, **loose)


def _kind(hint: Any) -> tuple[Any, str | None]:
    if typing.get_origin(hint) is not Annotated:
        return hint, None
    kind, *notes = typing.get_args(hint)
    return kind, next((note for note in notes if isinstance(note, str)), None)


def takes_context(function: Callable[..., Any]) -> bool:
    """Whether it wants the context variables."""
    return "context_variables" in inspect.signature(function).parameters


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema a language model is shown."""
    try:
        schema = model.model_json_schema()
    except Exception:  # noqa: BLE001 - a type without schema
        return {"type": "object", "properties": {name: {} for name in model.model_fields}}
    schema.pop("title", None)
    return schema
