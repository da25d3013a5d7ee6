"""Actions an artifact offers (F-182): what its payload declares, and which of them a click meant.

``{"label", "icon", "tool", "params", "scope": artifact|row, "style", "confirm", "optimistic"}``. What is carried out is
read from the payload that is kept, never from the browser: it says only which button of which row was pressed.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jsonpatch
import jsonpointer

from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import checked

MAX_ACTIONS: Final = 12
MAX_PATCH: Final = 1_000  # operations
_STYLES: Final = {"primary": "primary", "secondary": "secondary", "ghost": "ghost", "danger": "danger", "destructive": "danger"}
_SLOT: Final = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_PARTS: Final = ("children", "components", "items")
_ROWS: Final = ("rows", "items", "data")


class BadPatch(Invalid):
    code = "BAD_PATCH"


@dataclass(frozen=True, slots=True)
class Action:
    """One button. ``key`` names it within its payload; without ``tool`` it answers the agent instead of calling a tool."""

    key: str
    id: str
    label: str
    icon: str
    style: str
    confirm: str
    tool: str
    params: Mapping[str, Any] = field(default_factory=dict)
    optimistic: Any = None


@dataclass(frozen=True, slots=True)
class Meant:
    """What a click means: the action with its params filled in, and the patch to show before it is done (perhaps empty)."""

    action: Action
    params: dict[str, Any]
    patch: list[dict[str, Any]]


def actions_of(payload: Mapping[str, Any], prefix: str = "") -> list[Action]:
    """The actions of the whole artifact."""
    return [one for one, scope in _declared(payload.get("actions"), f"{prefix}a") if scope != "row"]


def row_actions_of(payload: Mapping[str, Any], row: Mapping[str, Any] | None = None, prefix: str = "") -> list[Action]:
    """The actions of a row; one of a list may bring its own."""
    shared = [one for one, _ in _declared(payload.get("row_actions"), f"{prefix}r")]
    scoped = [one for one, scope in _declared(payload.get("actions"), f"{prefix}a") if scope == "row"]
    own = [one for one, _ in _declared(row.get("actions"), f"{prefix}i")] if row else []
    return [one for one in [*own, *shared, *scoped] if one.tool]


def meant(payload: Mapping[str, Any], key: str, row_id: str = "") -> Meant:
    """The action behind a key, its ``{{slots}}`` filled from the row and the payload.

    Raises:
        NotFound: the payload (any more) has no such action or row.
    """
    part, pointer = _part(payload, key)
    row, place = _row(part, row_id) if row_id else (None, "")
    prefix = key[: key.rfind(".") + 1]
    offered = row_actions_of(part, row, prefix) if row_id else actions_of(part, prefix)
    action = next((one for one in offered if one.key == key), None)
    if action is None or not action.tool:
        raise NotFound(tr("This is no longer offered."), code="ACTION_NOT_FOUND")
    values = {**{name: part[name] for name in part if name not in {"actions", "row_actions"}}, **(row or {})}
    params = _filled(action.params, values)
    patch = _optimistic(_filled(action.optimistic, values), pointer, f"{pointer}{place}" if row_id else pointer)
    return Meant(action, params, patch)


def declared_tools(value: Any, depth: int = 0) -> Iterator[str]:
    """Every tool that some action of a payload names."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in {"actions", "row_actions"}:
                yield from (one.tool for one, _ in _declared(inner, "") if one.tool)
            if depth < 8:
                yield from declared_tools(inner, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for inner in value:
            yield from declared_tools(inner, depth + 1)


def patched(payload: Mapping[str, Any], patch: Any) -> dict[str, Any]:
    """The payload after a JSON Patch (RFC 6902); the one that is given stays as it is.

    Raises:
        BadPatch: it is no patch, does not fit, or makes something that is no object or too deep.
    """
    if not isinstance(patch, list) or len(patch) > MAX_PATCH:
        raise BadPatch(tr("This change cannot be understood."))
    try:
        result = jsonpatch.apply_patch(copy.deepcopy(dict(payload)), patch)
        if not isinstance(result, dict):
            raise BadPatch(tr("This change cannot be understood."))
        return checked(result)
    except BadPatch:
        raise
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, Invalid) as error:
        raise BadPatch(tr("This change cannot be understood.")) from error
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise BadPatch(tr("This change cannot be understood.")) from error


def _declared(value: object, mark: str) -> Iterator[tuple[Action, str]]:
    for number, one in enumerate(value[:MAX_ACTIONS] if isinstance(value, list) else []):
        if not isinstance(one, Mapping):
            continue
        tool, label = _word(one.get("tool"), 120), _word(one.get("label"), 80)
        answer = _word(one.get("id") or one.get("action") or label, 80)
        if not (tool or answer):
            continue
        params = one.get("params")
        confirm = one.get("confirm")
        yield (
            Action(
                key=f"{mark}{number}",
                id=answer or tool,
                label=label or _humane(answer or tool),
                icon=_word(one.get("icon"), 60),
                style=_STYLES.get(_word(one.get("style") or one.get("variant"), 20).lower(), "secondary"),
                confirm=_word(confirm, 400) or (tr("Go on?") if confirm is True else ""),
                tool=tool,
                params=params if isinstance(params, Mapping) else {},
                optimistic=one.get("optimistic"),
            ),
            _word(one.get("scope"), 20).lower(),
        )


def _part(payload: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], str]:
    """The part of a composite that a key (``2.a0``) is of, and where it stands."""
    at, dot, _ = key.rpartition(".")
    if not dot:
        return payload, ""
    name = next((one for one in _PARTS if payload.get(one)), "")
    parts = payload.get(name)
    if not at.isdigit() or not isinstance(parts, list) or int(at) >= len(parts) or not isinstance(parts[int(at)], Mapping):
        raise NotFound(tr("This is no longer offered."), code="ACTION_NOT_FOUND")
    part, pointer = parts[int(at)], f"/{name}/{at}"
    for wrapper in ("payload", "props"):
        if isinstance(part.get(wrapper), Mapping):
            return part[wrapper], f"{pointer}/{wrapper}"
    return part, pointer


def _row(part: Mapping[str, Any], row_id: str) -> tuple[Mapping[str, Any], str]:
    name = next((one for one in _ROWS if isinstance(part.get(one), list)), "")
    for number, row in enumerate(part.get(name) or []):
        if isinstance(row, Mapping) and str(row.get("id", number)) == row_id:
            return row, f"/{name}/{number}"
    raise NotFound(tr("This is no longer there."), code="ROW_NOT_FOUND")


def _filled(value: Any, values: Mapping[str, Any], depth: int = 0) -> Any:
    if depth > 12:
        return None
    if isinstance(value, str):
        whole = _SLOT.fullmatch(value.strip())
        if whole:
            return _slot(whole[1], values)
        return _SLOT.sub(lambda found: str(_slot(found[1], values) or ""), value)
    if isinstance(value, Mapping):
        return {str(name): _filled(inner, values, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values, depth + 1) for inner in value]
    return value


def _slot(name: str, values: Mapping[str, Any]) -> Any:
    found: Any = values
    for part in name.removeprefix("row.").removeprefix("artifact.").split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _optimistic(value: Any, whole: str, place: str) -> list[dict[str, Any]]:
    """What to show at once, as a patch of the whole payload. An object is laid over the row, or the artifact."""
    if isinstance(value, list):
        return [{**one, "path": f"{whole}{one['path']}"} for one in value if isinstance(one, Mapping) and "path" in one]
    if not isinstance(value, Mapping):
        return []
    return [{"op": "add", "path": f"{place}/{_escaped(name)}", "value": inner} for name, inner in value.items()]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _word(value: object, limit: int) -> str:
    return value.strip()[:limit] if isinstance(value, str) else ""


def _humane(name: str) -> str:
    words = name.rpartition(".")[2].replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
