"""A plugin's ``entitlements.yaml`` (schema 1.0): features, limits, tiers, actions and hooks (F-086, F-114, F-115, F-119).

A file with an error is broken as a whole, because nobody can know what the part with the error would have refused.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from mozaiks_shell.appconfig.document import Unreadable
from mozaiks_shell.appconfig.fields import Entries, FileModel, Sentence
from mozaiks_shell.appconfig.problems import Finding, Location, Problem, json_path, nearest, ordered, shown
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.plugin_host import yaml_file
from mozaiks_shell.plugin_host.errors import Note

FILE: Final = "entitlements.yaml"
UNLIMITED: Final = -1

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]{0,63}$")]
Count = Annotated[int, Field(ge=-1, le=10**12, strict=True)]
Amount = Annotated[int, Field(ge=1, le=10**12, strict=True)]
Hook = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$", max_length=200)]


def _empty(kind: type) -> BeforeValidator:
    return BeforeValidator(lambda value: kind() if value is None else value)


class Feature(FileModel):
    """Something a tier has or has not."""

    description: Sentence = Field("", description="One sentence for the operator.")
    default: bool = Field(True, strict=True, description="Whether tiers that do not say have it.")


class Limit(FileModel):
    """A number a tier may reach. ``consumable`` counts what is used in a period, ``cap`` how many there are."""

    description: Sentence = Field("", description="One sentence for the operator.")
    type: Literal["consumable", "cap"] = Field(
        "consumable", description="`consumable`: uses per period; `cap`: how many at once."
    )
    reset: Literal["monthly", "weekly", "daily", "never"] = Field(
        "monthly", description="When a consumable starts anew, in UTC; weeks begin on Monday. A cap never does."
    )
    default: Count = Field(UNLIMITED, description="For tiers that do not say; -1 for no limit.")


class Tier(FileModel):
    """What people of one plan get. Named like the plan, or mapped by `plugins` of subscription_config.json."""

    inherits: Annotated[str, _empty(str)] = Field("", description="Another tier, whose values count where this one says nothing.")
    features: Annotated[dict[Name, Annotated[bool, Field(strict=True)]], _empty(dict), Entries] = Field(
        {}, description="Features it has or has not."
    )
    limits: Annotated[dict[Name, Count], _empty(dict), Entries] = Field({}, description="Its limits; -1 for none.")


class Action(FileModel):
    """What an action needs. The name is the `action` of the call's data."""

    requires_features: Annotated[list[Name], _empty(list), Entries] = Field([], description="All of these features.")
    consumes: Annotated[dict[Name, Amount], _empty(dict), Entries] = Field(
        {}, description="Taken before it runs and given back when it fails."
    )
    checks: Annotated[dict[Name, Literal["exact", "estimate"]], _empty(dict), Entries] = Field(
        {}, description="Looked at, not taken. `exact`: what it needs must fit; `estimate`: something must be left."
    )


class EntitlementsFile(FileModel):
    """`entitlements.yaml` in a plugin's folder."""

    schema_version: Annotated[Literal["1.0"], BeforeValidator(str)] = Field("1.0", description="Version of this shape.")
    plugin: Annotated[str, _empty(str)] = Field("", max_length=64, description="Name of the plugin, for readers.")
    features: Annotated[dict[Name, Feature], _empty(dict), Entries] = Field({}, description="Features by name.")
    limits: Annotated[dict[Name, Limit], _empty(dict), Entries] = Field({}, description="Limits by name.")
    tiers: Annotated[dict[Name, Tier], _empty(dict), Entries] = Field({}, description="Tiers by name.")
    actions: Annotated[dict[Name, Action], _empty(dict), Entries] = Field({}, description="Actions by name.")
    hooks: Annotated[dict[Name, Hook], _empty(dict), Entries] = Field(
        {}, description="`module.function` by limit: of a cap how many there are, of a consumable how many a call will use."
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """What one tier gives: every feature and every limit of the file."""

    tier: str
    features: dict[str, bool]
    limits: dict[str, int]


class Book:
    """A file without errors."""

    def __init__(self, file: EntitlementsFile) -> None:
        self.file = file
        self.tiers = {name: self._resolve(name) for name in file.tiers}
        features = {name: one.default for name, one in file.features.items()}
        limits = {name: one.default for name, one in file.limits.items()}
        self.defaults = Grant("", features, limits)
        self.nothing = Grant("", dict.fromkeys(features, False), dict.fromkeys(limits, 0))
        self.everything = Grant("", dict.fromkeys(features, True), dict.fromkeys(limits, UNLIMITED))

    def _resolve(self, name: str) -> Grant:
        features = {key: one.default for key, one in self.file.features.items()}
        limits = {key: one.default for key, one in self.file.limits.items()}
        for tier in reversed(list(_line(self.file, name))):
            features |= self.file.tiers[tier].features
            limits |= self.file.tiers[tier].limits
        return Grant(name, features, limits)


class Broken(Exception):
    """The file has errors; ``problems`` says which."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(one) for one in problems if one.level == "error")[:500])


def read(folder: Path) -> tuple[Book | None, list[Problem]]:
    """The file of the plugin in this folder and everything wrong with it; no book where there is no file or an error."""
    path = folder / FILE
    if not path.is_file():
        return None, []
    try:
        document = yaml_file.read(path)
    except Unreadable as error:
        return None, [Problem(FILE, json_path(error.where), "error", str(error), error.line, error.fix)]
    reading = check(EntitlementsFile, document.raw)
    findings = [*document.findings, *reading.findings]
    if reading.value is not None:
        findings += _contradictions(reading.value, folder)
    problems = ordered(
        Problem(FILE, json_path(one.where), one.level, one.message, document.line(one.where), one.fix) for one in findings
    )
    if reading.value is None or any(one.level == "error" for one in problems):
        return None, problems
    return Book(reading.value), problems


_lock = threading.Lock()
_read: dict[Path, tuple[tuple[int, int] | None, Book | None, list[Problem]]] = {}


def book(folder: Path) -> Book | None:
    """The book of the plugin in this folder as the file is now; None without a file. Looks at the disk, reads what changed.

    Raises:
        Broken: the file has errors.
    """
    _, found, problems = _current(folder)
    if found is None and problems:
        raise Broken(problems)
    return found


def problems(folder: Path) -> list[Problem]:
    """Everything wrong with the file, for the operator and for ``mozaiks-shell check``."""
    return _current(folder)[2]


def notes(folder: Path) -> list[Note]:
    """The same as notes on the plugin: an error makes it degraded."""
    return [
        Note("warning" if one.level == "error" else "hint", f"{one.path} {one.message}", f"{FILE}:{one.line or 1}", one.fix)
        for one in problems(folder)
    ]


def json_schema() -> dict[str, Any]:
    """JSON Schema of the file, for editors."""
    from mozaiks_shell.appconfig.schemas import DIALECT

    made = EntitlementsFile.model_json_schema()
    return {**made, "$schema": DIALECT, "$id": f"urn:mozaiks-shell:plugin-{FILE}", "title": f"{FILE} of a plugin"}


def _current(folder: Path) -> tuple[tuple[int, int] | None, Book | None, list[Problem]]:
    try:
        seen = (folder / FILE).stat()
        stamp = (seen.st_mtime_ns, seen.st_size)
    except OSError:
        stamp = None
    known = _read.get(folder)
    if known is None or known[0] != stamp:
        with _lock:
            known = _read[folder] = (stamp, *read(folder))
    return known


def _line(file: EntitlementsFile, name: str) -> Iterator[str]:
    """A tier and those it inherits from, nearest first; ends where it would go round or leave the file."""
    seen: list[str] = []
    while name in file.tiers and name not in seen:
        seen.append(name)
        yield name
        name = file.tiers[name].inherits


def _contradictions(file: EntitlementsFile, folder: Path) -> Iterator[Finding]:
    if file.plugin and file.plugin != folder.name:
        yield Finding(
            ("plugin",), "warning", f"names {shown(file.plugin)}, but the folder is {shown(folder.name)}.", "Correct it."
        )
    for name, tier in file.tiers.items():
        where: Location = ("tiers", name)
        if tier.inherits:
            yield from _unknown(tier.inherits, file.tiers, "tier", (*where, "inherits"))
            chain = list(_line(file, name))
            if (last := file.tiers[chain[-1]].inherits) == name:
                said = f"inherits from itself: {' → '.join([*chain, last])}."
                yield Finding((*where, "inherits"), "error", said, "Take one of these `inherits` away.")
        for key in tier.features:
            yield from _unknown(key, file.features, "feature", (*where, "features", key))
        for key in tier.limits:
            yield from _unknown(key, file.limits, "limit", (*where, "limits", key))
    for name, action in file.actions.items():
        where = ("actions", name)
        for place, key in enumerate(action.requires_features):
            yield from _unknown(key, file.features, "feature", (*where, "requires_features", place))
        for part, keys in (("consumes", action.consumes), ("checks", action.checks)):
            for key in keys:
                yield from _unknown(key, file.limits, "limit", (*where, part, key))
    for key, hook in file.hooks.items():
        yield from _unknown(key, file.limits, "limit", ("hooks", key))
        module = folder.joinpath(*hook.split(".")[:-1])
        if not module.with_suffix(".py").is_file() and not (module / "__init__.py").is_file():
            said = f"there is no {'/'.join(hook.split('.')[:-1])}.py in the plugin's folder."
            yield Finding(("hooks", key), "error", said, "Write `module.function` with a module of the plugin.")


def _unknown(name: str, known: dict[str, Any], kind: str, where: Location) -> Iterator[Finding]:
    if name not in known:
        meant = nearest(name, known)
        fix = f"Did you mean {meant!r}?" if meant else f"Declare it under `{kind}s`."
        yield Finding(where, "error", f"there is no {kind} {shown(name)}.", fix)
