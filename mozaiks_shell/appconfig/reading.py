"""From a parsed file to its model: what is wrong is located and graded, and only the offending entry is left out."""

import copy
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mozaiks_shell.appconfig.fields import MOST_ENTRIES, Advice
from mozaiks_shell.appconfig.problems import Finding, Level, Location, nearest, shown

MOST_FINDINGS: Final = 200
_ROUNDS: Final = 40
_WRAPPER: Final = "capability"  # a capability may be written as {"capability": {…}}

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass
class Reading(Generic[Shape]):
    """What became of a value. ``value`` is None when nothing of it can be used."""

    value: Shape | None
    findings: list[Finding] = field(default_factory=list)
    kept: dict[Location, list[int]] = field(default_factory=dict)

    def original(self, where: Location) -> Location:
        """A place in ``value`` as a place in the file: entries that were left out count there."""
        found: Location = ()
        for part in where:
            if isinstance(part, int) and (places := self.kept.get(found)) is not None and part < len(places):
                part = places[part]
            found = (*found, part)
        return found


def check(model: type[Shape], raw: Any) -> Reading[Shape]:
    """Validate ``raw``; leave out the list entry (or the optional key) of every error and try again."""
    reading: Reading[Shape] = Reading(None, list(advice(model, raw)))
    work, copied = raw, False
    for _ in range(_ROUNDS):
        try:
            reading.value = model.model_validate(work)
            break
        except RecursionError:
            reading.findings.append(Finding((), "error", "is nested too deeply."))
            break
        except ValidationError as error:
            if not copied:
                work, copied = copy.deepcopy(raw), True
            found = _grouped(work, error)
            reading.findings += [_translated(reading, finding) for finding in found]
            drops = {finding.drop for finding in found if finding.drop is not None}
            if () in drops or not drops or not _drop(work, drops, reading):
                break
    if len(reading.findings) > MOST_FINDINGS:
        more = len(reading.findings) - MOST_FINDINGS
        level: Level = "error" if any(one.level == "error" for one in reading.findings[MOST_FINDINGS:]) else "warning"
        reading.findings[MOST_FINDINGS:] = [Finding((), level, f"has {more} further problems that are not listed.")]
    return reading


def _translated(reading: Reading[Any], finding: Finding) -> Finding:
    return Finding(reading.original(finding.where), finding.level, finding.message, finding.fix, finding.drop)


def _grouped(raw: Any, error: ValidationError) -> list[Finding]:
    """One finding per place; a value that fits none of several forms is named once."""
    found: dict[Location, Finding] = {}
    for one in error.errors(include_url=False):
        finding = _finding(raw, one)
        before = found.get(finding.where)
        if before is not None and finding.message not in before.message:
            finding = Finding(finding.where, before.level, f"{before.message[:-1]}, or {finding.message}", drop=before.drop)
        found[finding.where] = finding
    return list(found.values())


def _finding(raw: Any, error: ErrorDetails) -> Finding:
    where = _within(raw, error["loc"], error["type"])
    if error["type"] == "extra_forbidden":
        return Finding(where, "warning", "is not a known key; it is left out.", "Check its spelling.", where)
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message[:1].lower() + message[1:] + "."
    value = error.get("input")
    if error["type"] != "missing" and isinstance(value, str | int | float | bool | None):
        message = f"{message[:-1]}, not {'null' if value is None else shown(value, 40)}."
    if error["type"] == "missing":
        message = "is required and missing."
    return Finding(where, "error", message, drop=_victim(where, error["type"]))


def _within(raw: Any, location: tuple[int | str, ...], kind: str) -> Location:
    """The part of pydantic's location that exists in the file; names of alternatives and wrappers are not in it."""
    where: Location = ()
    for place, part in enumerate(location):
        if place == 0 and isinstance(raw, Mapping) and part not in raw and isinstance(raw.get(_WRAPPER), Mapping):
            where, raw = (*where, _WRAPPER), raw[_WRAPPER]
        if _has(raw, part):
            raw = raw[part]
        elif kind == "missing" and place == len(location) - 1:
            return (*where, part)
        else:
            continue
        where = (*where, part)
    return where


def _victim(where: Location, kind: str) -> Location:
    """What to leave out: the innermost list entry around the error, else the key itself, else everything."""
    if kind == "too_long" and where:
        return (*where, -1)  # the entries beyond the limit
    for end in range(len(where), 0, -1):
        if isinstance(where[end - 1], int):
            return where[:end]
    return where[:-1] if kind == "missing" else where


def _drop(raw: Any, victims: set[Location], reading: Reading[Any]) -> bool:
    """Remove the victims from ``raw``; False when that changes nothing."""
    lists: dict[int, tuple[list[Any], Location, set[int]]] = {}
    changed = False
    for victim in victims:
        parent: Any = raw
        for part in victim[:-1]:
            parent = parent[part] if _has(parent, part) else None
        last = victim[-1]
        if isinstance(parent, list) and isinstance(last, int):
            gone = {last} if last >= 0 else set(range(MOST_ENTRIES, len(parent)))
            lists.setdefault(id(parent), (parent, reading.original(victim[:-1]), set()))[2].update(gone)
        elif isinstance(parent, dict) and last in parent:
            del parent[last]
            changed = True
    for parent, where, gone in lists.values():
        before = reading.kept.get(where, list(range(len(parent))))
        reading.kept[where] = [index for place, index in enumerate(before) if place not in gone]
        parent[:] = [one for place, one in enumerate(parent) if place not in gone]
        changed = changed or bool(gone)
    return changed


def _has(parent: Any, part: int | str) -> bool:
    if isinstance(parent, list):
        return isinstance(part, int) and part < len(parent)
    return isinstance(parent, Mapping) and part in parent


def advice(annotation: Any, raw: Any, where: Location = ()) -> Iterator[Finding]:
    """Warnings and hints that follow from the shape alone: unknown and deprecated keys, and what fields advise."""
    kind = get_origin(annotation)
    if kind is Annotated:
        yield from advice(get_args(annotation)[0], raw, where)
    elif kind in {Union, types.UnionType}:
        for one in get_args(annotation):
            yield from advice(one, raw, where)
    elif kind in {list, tuple, set, frozenset} and isinstance(raw, list):
        for place, value in enumerate(raw[:2000]):
            yield from advice(get_args(annotation)[0], value, (*where, place))
    elif kind is dict and isinstance(raw, Mapping):
        for key, value in raw.items():
            yield from advice(get_args(annotation)[1], value, (*where, key))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(raw, Mapping):
        yield from _model_advice(annotation, raw, where)


def _model_advice(model: type[BaseModel], raw: Mapping[str, Any], where: Location) -> Iterator[Finding]:
    if getattr(model, "may_be_wrapped", False) and isinstance(raw.get(_WRAPPER), Mapping):
        raw, where = raw[_WRAPPER], (*where, _WRAPPER)
    known = {key: info for name, info in model.model_fields.items() for key in _keys(name, info)}
    for key, value in raw.items():
        place = (*where, key)
        info = known.get(key)
        if info is None:
            if model.model_config.get("extra") == "ignore" and not key.startswith(("_", "$")):
                meant = nearest(key, [name for name in known if name not in raw])
                fix = f"Did you mean {meant!r}?" if meant else f"Known here: {', '.join(sorted(known)[:24])}."
                yield Finding(place, "warning", f"the key {shown(key)} is not known and not read.", fix)
            continue
        if info.deprecated:
            yield Finding(place, "hint", f"{info.deprecated if isinstance(info.deprecated, str) else 'is deprecated.'}")
        for one in info.metadata:
            if isinstance(one, Advice) and (said := one.look(value)) is not None:
                yield Finding(place, *said)
        yield from advice(info.annotation, value, place)


def _keys(name: str, info: FieldInfo) -> list[str]:
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [str(alias), name] if alias else [name]
