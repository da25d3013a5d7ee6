"""Fields of the settings page: what ``settings_config.json`` and plugins' typed models ask for, and the one judge of values.

The form and every endpoint use :func:`check`; :func:`rule` puts it before the store itself, so that no way around the
form leads past a required or read-only field (F-222 to F-225).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any, Final

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import msg, offered, tr
from mozaiks_shell.identity import service as identity

TYPES: Final = (
    "text", "email", "textarea", "password-change", "toggle", "theme-selector", "select", "image", "plugin-settings", "number",
    "date", "locale-selector", "timezone-selector",
)  # fmt: skip
_OWN_PLACE: Final = {"theme-selector": "theme", "locale-selector": "locale", "timezone-selector": "timezone"}
NO_VALUE: Final = frozenset({"password-change", "image", "plugin-settings"})  # these have ways of their own
OURS: Final = frozenset({"username", "email"})  # of the account; nobody changes them here
_TEXT, _LONG_TEXT = 500, 4000  # characters
_UNSHOWABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field.

    Attributes:
        id: Key of its value.
        type: One of :data:`TYPES`.
        options: ``(value, label)`` pairs of a select.
        plugin: Whose settings it belongs to; empty for the shell's.
        default: What counts while the person has chosen nothing.
        minimum, maximum: Bounds of a number, inclusive. ``max_length``: characters of a text.
        channels: How a notification may reach the person.
    """

    id: str
    label: str
    type: str = "text"
    required: bool = False
    editable: bool = True
    visible: bool = True
    options: tuple[tuple[str, str], ...] = ()
    plugin: str = ""
    category: str = ""
    description: str = ""
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    whole_number: bool = False
    max_length: int = 0
    channels: tuple[str, ...] = ()
    placeholder: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Scope and key under which :mod:`identity.preferences <mozaiks_shell.identity.preferences>` keeps the value."""
        return self.plugin, self.id if self.plugin else _OWN_PLACE.get(self.type, self.id)

    @property
    def writable(self) -> bool:
        """Whether a person may change it here."""
        return self.editable and self.visible and (bool(self.plugin) or self.id not in OURS)

    def choices(self) -> tuple[tuple[str, str], ...]:
        """Values and labels to choose from; those of languages, time zones and themes are as this installation has them."""
        there: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
            "theme": lambda: identity.themes().items(),
            "locale": lambda: offered().items(),
            "timezone": lambda: ((name, name.replace("_", " ")) for name in sorted(identity.timezones())),
        }
        known = there.get(_OWN_PLACE.get(self.type, "" if self.plugin else self.id))
        return tuple(known()) if known and not self.options else self.options

    def as_file(self) -> dict[str, Any]:
        """As it stands in ``settings_config.json``."""
        told: dict[str, Any] = {
            "id": self.id, "label": tr(self.label), "type": self.type, "required": self.required, "editable": self.writable,
            "visible": self.visible,
        }  # fmt: skip
        if self.type in {"select", "theme-selector", "locale-selector"}:
            told["options"] = [{"value": value, "label": tr(label)} for value, label in self.choices()]
        for name in ("category", "description", "placeholder"):
            told |= {name: tr(getattr(self, name))} if getattr(self, name) else {}
        if self.plugin:
            told["plugin"] = self.plugin
        if self.default is not None:
            told["default_enabled" if self.type == "toggle" else "default"] = self.default
        bounds = {"minimum": self.minimum, "maximum": self.maximum, "max_length": self.max_length or None}
        told |= {name: bound for name, bound in bounds.items() if bound is not None}
        return told | ({"channels": list(self.channels)} if self.channels else {})


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields. ``notifications`` are its ``plugin_notification_fields``."""

    id: str
    title: str
    description: str = ""
    icon: str = ""
    order: float = 0
    visible: bool = True
    editable: bool = True
    fields: tuple[FieldSpec, ...] = ()
    notifications: tuple[FieldSpec, ...] = ()

    def as_file(self) -> dict[str, Any]:
        """As it stands in ``settings_config.json``."""
        return {
            "id": self.id, "title": tr(self.title), "description": tr(self.description), "icon": self.icon,
            "order": self.order, "visible": self.visible, "editable": self.editable,
            "fields": [one.as_file() for one in self.fields],
            "plugin_notification_fields": [one.as_file() for one in self.notifications],
        }  # fmt: skip


def field_from(said: Mapping[str, Any], *, editable: bool = True, visible: bool = True, type: str = "text") -> FieldSpec:
    """A field as the file says it.

    Args:
        said: The keys of F-224.
        editable, visible: What its section allows.
        type: Where the file names none.
    """
    options = tuple((str(one["value"]), str(one.get("label") or one["value"])) for one in said.get("options") or ())
    return FieldSpec(
        id=said["id"],
        label=said.get("label") or humanised(said["id"]),
        type=said.get("type") or type,
        required=bool(said.get("required")),
        editable=editable and said.get("editable") is not False,
        visible=visible and said.get("visible") is not False,
        options=options,
        plugin=said.get("plugin") or "",
        category=said.get("category") or "",
        description=said.get("description") or "",
        default=bool(said.get("default_enabled")) if (said.get("type") or type) == "toggle" else None,
        max_length=said.get("max_length") or 0,
        placeholder=said.get("placeholder") or "",
        channels=tuple(said.get("channels") or ()),
    )


def section_from(said: Mapping[str, Any]) -> Section:
    """A section as the file says it."""
    visible, editable = said.get("visible") is not False, said.get("editable") is not False
    return Section(
        said["id"],
        said.get("title") or humanised(said["id"]),
        said.get("description") or "",
        said.get("icon") or "",
        said.get("order") or 0,
        visible,
        editable,
        tuple(field_from(one, editable=editable, visible=visible) for one in said.get("fields") or ()),
        tuple(
            field_from(one, editable=editable, visible=visible, type="toggle")
            for one in said.get("plugin_notification_fields") or ()
        ),
    )


def humanised(name: str) -> str:
    """``daily_goal`` as people write it: ``Daily goal``."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


Problem = tuple[str, str]  # code and English sentence
_REQUIRED: Final = ("REQUIRED", msg("This is required."))
_READ_ONLY: Final = ("READ_ONLY", msg("This cannot be changed here."))
_NO_OPTION: Final = ("NO_OPTION", msg("Choose one of the options."))
_NO_TEXT: Final = ("NO_TEXT", msg("This must be a text in one line."))
_TOO_LONG: Final = ("TOO_LONG", msg("This is too long."))
_NO_EMAIL: Final = ("NO_EMAIL", msg("This does not look like an e-mail address."))
_NO_NUMBER: Final = ("NO_NUMBER", msg("This must be a number."))
_NO_WHOLE: Final = ("NO_WHOLE_NUMBER", msg("This must be a whole number."))
_TOO_SMALL: Final = ("TOO_SMALL", msg("This is too small."))
_TOO_BIG: Final = ("TOO_BIG", msg("This is too big."))
_NO_DATE: Final = ("NO_DATE", msg("This must be a date."))
_NO_TOGGLE: Final = ("NO_TOGGLE", msg("This must be on or off."))


def check(
    fields: Iterable[FieldSpec],
    changes: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    *,
    whole: bool = False,
    operator: bool = False,
) -> dict[str, Any]:
    """The values as they may be stored, by field id. Forms send texts: ``"on"`` and ``"3"`` become True and 3.

    Args:
        fields: The fields there are. Keys of ``changes`` that are none of them pass unjudged.
        changes: Values by field id; None means no value of one's own.
        before: Present values; a read-only field may be sent unchanged.
        whole: A whole form: a required field that is missing is named, and an unticked toggle is off.
        operator: For settings of the app, where fields that people may only read get their value.

    Raises:
        Invalid: ``errors`` has ``{field, code, message}`` for every wrong field at once.
    """
    good, wrong = dict(changes), list[dict[str, str]]()
    for field in fields:
        if field.id not in changes and not (whole and field.writable and field.type not in NO_VALUE):
            continue
        value = changes.get(field.id, False if field.type == "toggle" else None)
        problem = None
        if field.type in NO_VALUE or not (field.writable or operator):
            problem = _READ_ONLY if value != (before or {}).get(field.id) else None
            good.pop(field.id, None)
        elif value is None or value == "":
            needed = field.required and not operator and field.default in (None, "")
            good[field.id], problem = None, _REQUIRED if needed else None
        else:
            good[field.id], problem = _cleaned(field, value)
        if problem:
            code, sentence = problem
            wrong.append({"field": field.id, "label": tr(field.label), "code": code, "message": tr(sentence)})
    if wrong:
        raise Invalid(" ".join(f"{one['label']}: {one['message']}" for one in wrong), errors=wrong)
    return good


def _cleaned(field: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    return _JUDGES.get(field.type, _text)(field, value)


def _text(field: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    if not isinstance(value, str):
        return None, _NO_TEXT
    long = field.type == "textarea"
    value = value.replace("\r\n", "\n").strip()
    if _UNSHOWABLE.search(value) or (not long and ("\n" in value or "\t" in value)):
        return None, _NO_TEXT
    if len(value) > (field.max_length or (_LONG_TEXT if long else _TEXT)):
        return None, _TOO_LONG
    if not value:
        return None, _REQUIRED if field.required else None
    return value, _NO_EMAIL if field.type == "email" and not identity.looks_like_email(value) else None


def _toggle(_: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    known = {"on": True, "true": True, "off": False, "false": False}
    if isinstance(value, str):
        value = known.get(value.lower(), value)
    return value, None if isinstance(value, bool) else _NO_TOGGLE


def _select(field: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    there = {choice for choice, _ in field.choices()}
    return value, None if isinstance(value, str) and value in there else _NO_OPTION


def _number(field: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not isfinite(number):
        return None, _NO_NUMBER
    if field.whole_number and not number.is_integer():
        return None, _NO_WHOLE
    if field.minimum is not None and number < field.minimum:
        return None, _TOO_SMALL
    if field.maximum is not None and number > field.maximum:
        return None, _TOO_BIG
    return int(number) if number.is_integer() and abs(number) < 2**53 else number, None


def _date(_: FieldSpec, value: Any) -> tuple[Any, Problem | None]:
    try:
        return date.fromisoformat(value).isoformat(), None
    except (ValueError, TypeError):
        return None, _NO_DATE


Judge = Callable[[FieldSpec, Any], tuple[Any, Problem | None]]
_JUDGES: Final[dict[str, Judge]] = {
    "toggle": _toggle, "select": _select, "number": _number, "date": _date, **dict.fromkeys(_OWN_PLACE, _select),
}  # fmt: skip
