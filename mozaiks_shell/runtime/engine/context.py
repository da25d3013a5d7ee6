"""Context variables of a run, as tools and conditions see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import yaml

from ..folders.models import Match, Trigger, Variable


class ContextVariables(MutableMapping[str, Any]):
    """A mapping with the published methods besides: ``get``, ``set``, ``update``, ``remove``, ``contains``, ``to_dict``."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data: dict[str, Any] = dict(data or {})

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def set(self, key: str, value: Any) -> None:
        """Same as ``context_variables[key] = value``."""
        self.data[key] = value

    def remove(self, key: str) -> bool:
        """Forget a variable; whether it was there."""
        return self.data.pop(key, None) is not None

    def contains(self, key: str) -> bool:
        """Whether a variable is known."""
        return key in self.data

    def to_dict(self) -> dict[str, Any]:
        """A copy."""
        return dict(self.data)


def first_values(variables: list[Variable], folder: Path) -> dict[str, Any]:
    """What the variables hold when a run begins. Sources this runtime has no access to hold their default."""
    values: dict[str, Any] = {}
    for variable in variables:
        source = variable.source
        values[variable.name] = source.default
        if source.type == "file" and source.path:
            values[variable.name] = _from_file(folder, source.path, source.format, source.default)
    return values


def _from_file(folder: Path, name: str, form: str, default: Any) -> Any:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        return default
    try:
        text = path.read_text("utf-8-sig")
        return json.loads(text) if form == "json" else yaml.safe_load(text) if form == "yaml" else text
    except (OSError, ValueError, yaml.YAMLError):
        return default


def matches(match: Match | None, text: str) -> bool:
    """Whether a trigger's condition holds for ``text``; without one it always does."""
    if match is None:
        return True
    told = text.strip()
    return (
        (match.equals is not None and told.casefold() == match.equals.strip().casefold())
        or (match.contains is not None and match.contains.casefold() in told.casefold())
        or (match.regex is not None and re.search(match.regex, told) is not None)
    )


def triggers(variables: list[Variable], kind: str) -> Iterator[tuple[Variable, Trigger]]:
    """Every trigger of a kind with its variable."""
    for variable in variables:
        for trigger in variable.source.triggers:
            if trigger.type == kind:
                yield variable, trigger


def response_value(response: Mapping[str, Any], key: str | None) -> Any:
    """What a UI tool's response holds under ``key``: at the top, or inside ``data`` or ``values``."""
    if key is None:
        return dict(response)
    for place in (response, response.get("data"), response.get("values")):
        if isinstance(place, Mapping) and key in place:
            return place[key]
        inner = place.get("values") if isinstance(place, Mapping) else None
        if isinstance(inner, Mapping) and key in inner:
            return inner[key]
    return None
