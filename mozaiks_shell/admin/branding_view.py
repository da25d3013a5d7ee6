"""A draft in the words of the branding page: rows of colours with what is to say about each."""

from collections.abc import Mapping
from typing import TypedDict

from mozaiks_shell.admin.branding_draft import GROUNDS, GROUPS, INKS, KEYS, Mark, Seen, cell, split, told
from mozaiks_shell.appconfig.brand_store import Raw
from mozaiks_shell.appconfig.problems import Finding, json_path
from mozaiks_shell.foundation.i18n import number, tr


class Cell(TypedDict):
    """One colour in one appearance. ``value`` is what the draft says (empty: derived), ``shown`` the colour as ``#rrggbb``;
    ``level`` is empty, ``hint``, ``warning`` or ``error``; ``use`` is the colour that would help."""

    name: str
    label: str
    value: str
    shown: str
    ratio: str
    level: str
    note: str
    use: str


class Row(TypedDict):
    """One token in both appearances."""

    title: str
    light: Cell
    dark: Cell


class Group(TypedDict):
    """Rows that belong together."""

    title: str
    rows: list[Row]


class Problem(TypedDict):
    """What keeps a file from being used, and where."""

    path: str
    text: str


def groups_of(raw: Raw, look: Seen, typed: Mapping[str, tuple[str, str]]) -> list[Group]:
    """Everything the page lists."""
    found = []
    for _, title, inks in GROUPS:
        rows = [_row(raw, look, typed, ink) for ink in inks]
        found.append(Group(title=tr(title), rows=rows))
    return found


def problems_of(findings: list[Finding]) -> list[Problem]:
    """The first ten of what is wrong. The messages are for operators and stay English, as in the log."""
    return [Problem(path=json_path(one.where), text=f"{one.message} {one.fix}".strip()) for one in findings[:10]]


def _row(raw: Raw, look: Seen, typed: Mapping[str, tuple[str, str]], ink: str) -> Row:
    title = tr(INKS[ink][0])
    labels = {"light": tr("{color}, light", color=title), "dark": tr("{color}, dark", color=title)}
    cells = {mode: _cell(raw, look, typed, cell(mode, ink), labels[mode]) for mode in KEYS}
    return Row(title=title, light=cells["light"], dark=cells["dark"])


def _cell(raw: Raw, look: Seen, typed: Mapping[str, tuple[str, str]], name: str, label: str) -> Cell:
    value, mark, ratio = told(raw, name), look.marks.get(name), look.ratios.get(name)
    made = Cell(
        name=name,
        label=label,
        value=value,
        shown=look.shown[name],
        ratio=f"{number(round(ratio, 1))}:1" if ratio is not None else "",
        level="",
        note="",
        use="",
    )
    if name in typed:
        return {**made, "value": typed[name][0], "level": "error", "note": typed[name][1]}
    if mark is not None and value:
        return {**made, "level": mark.level, "note": _note(look, name, mark), "use": mark.use}
    return made


def _note(look: Seen, name: str, mark: Mark) -> str:
    """Why a colour is not shown as it is, and what is shown instead."""
    values = {"ratio": _ratio(mark.ratio), "needed": _ratio(mark.needed), "ground": tr(GROUNDS[mark.ground]), "color": mark.use}
    if mark.level == "error":
        return tr("{ratio} on {ground}; text needs {needed}. It cannot be used like this.", **values)
    if name.endswith("primary.main"):
        if look.tokens[split(name)[0]]["--color-fill"] == look.shown[name]:
            return tr("{ratio} as text on {ground}; {needed} is needed. Links use {color}; buttons keep your colour.", **values)
        return tr("{ratio} as text on {ground}; {needed} is needed. Links and buttons use a darker shade.", **values)
    return tr("{ratio} on {ground}; {needed} is needed. {color} is shown instead.", **values)


def _ratio(ratio: float) -> str:
    return f"{number(int(ratio * 10) / 10)}:1"
