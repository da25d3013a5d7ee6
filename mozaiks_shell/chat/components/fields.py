"""The fields of a form an agent asks to be filled in (F-180): from a payload's own list, or from a JSON Schema.

What a field asks for is checked twice: by the browser while it is filled in, and here when it is sent.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Final, TypedDict

from mozaiks_shell.chat.components.wording import dicts, humane, text
from mozaiks_shell.foundation.i18n import tr

MAX_FIELDS: Final = 60
MAX_OPTIONS: Final = 200
MAX_ENTRY: Final = 20_000  # characters of one answer
TOOL_FIELD: Final = "__tool"  # the form's hidden field that says which tool it answers

KINDS: Final = frozenset(
    {
        "text", "textarea", "select", "radio", "checks", "number", "checkbox", "date", "time", "datetime-local", "email", "url",
        "tel", "password",
    }
)  # fmt: skip
_OTHER_WORDS: Final = {
    "boolean": "checkbox", "bool": "checkbox", "toggle": "checkbox", "switch": "checkbox", "integer": "number", "float": "number",
    "multiline": "textarea", "string": "text", "multiselect": "checks", "multi_select": "checks", "checkboxes": "checks",
    "datetime": "datetime-local", "phone": "tel", "dropdown": "select", "uri": "url",
}  # fmt: skip
_FORMATS: Final = {
    "email": "email", "uri": "url", "date": "date", "time": "time", "date-time": "datetime-local", "password": "password",
    "textarea": "textarea", "phone": "tel",
}  # fmt: skip
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)


class OptionItem(TypedDict):
    """``chosen``: ticked when the form appears (only of ``checks``)."""

    value: str
    label: str
    chosen: bool


class FieldItem(TypedDict):
    """A form field. ``value`` is what the input starts with; a checkbox uses ``checked``.

    ``path`` is where its answer belongs in the object that is sent; ``error`` what was wrong with what was sent.
    """

    name: str
    path: list[str]
    label: str
    type: str
    required: bool
    placeholder: str
    help: str
    value: str
    checked: bool
    min: str
    max: str
    step: str
    min_length: str
    max_length: str
    pattern: str
    options: list[OptionItem]
    error: str


def fields_of(payload: Mapping[str, Any]) -> list[FieldItem]:
    """The fields of a payload: its ``fields``, else the properties of its ``schema`` (JSON Schema), with its ``values``."""
    given = payload.get("values", payload.get("initial_values"))
    values: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    listed = dicts(payload.get("fields"), MAX_FIELDS)
    schema = next((one for name in ("schema", "json_schema") if isinstance(one := payload.get(name), Mapping)), None)
    if schema is not None and not listed:
        return _of_schema(schema, values, [], "")[:MAX_FIELDS]
    found = [_field(one, values) for one in listed]
    return [one for one in found if one is not None]


def _field(one: Mapping[str, Any], values: Mapping[str, Any]) -> FieldItem | None:
    name = text(one.get("name") or one.get("key") or one.get("id"), 80)
    if not name or name == TOOL_FIELD:
        return None
    choices = one.get("options") or one.get("choices")
    kind = text(one.get("type") or one.get("kind"), 20).lower()
    whole = kind == "integer"
    kind = _OTHER_WORDS.get(kind, kind)
    if kind == "select" and one.get("multiple") is True:
        kind = "checks"
    if kind not in KINDS:
        kind = "select" if choices else "text"
    value = values.get(name, one.get("value", one.get("default")))
    step = text(one.get("step"), 20) if _number(one.get("step")) else "1" if whole else "any"
    return _item(
        name, [name], one, kind, value, choices, required=one.get("required") is True, step=step,
        limits=(one.get("min"), one.get("max")),
        lengths=(one.get("min_length", one.get("minLength")), one.get("max_length", one.get("maxLength"))),
    )  # fmt: skip


def _of_schema(schema: Mapping[str, Any], values: Mapping[str, Any], path: list[str], above: str) -> list[FieldItem]:
    """Objects within objects become fields of one form; their answers go back to where they belong."""
    properties, needed = schema.get("properties"), schema.get("required")
    required = {str(one) for one in needed} if isinstance(needed, list) else set()
    found: list[FieldItem] = []
    for name, one in list(properties.items())[:MAX_FIELDS] if isinstance(properties, Mapping) else []:
        if not isinstance(one, Mapping):
            continue
        here, label = [*path, str(name)[:80]], text(one.get("title"), 200) or humane(name)
        label = f"{above} · {label}" if above else label
        value = values.get(str(name), one.get("default"))
        kind = _schema_kind(one)
        if kind == "object":
            if len(here) < 4:
                found += _of_schema(one, value if isinstance(value, Mapping) else {}, here, label)
            continue
        items = one.get("items")
        choices = _enumerated(items if kind == "checks" and isinstance(items, Mapping) else one)
        step = "1" if one.get("type") == "integer" else text(one.get("multipleOf"), 20) or "any"
        found.append(
            _item(
                ".".join(here), here, {**one, "label": label, "help": one.get("description")}, kind, value, choices,
                required=str(name) in required and kind != "checkbox", step=step,
                limits=(one.get("minimum"), one.get("maximum")), lengths=(one.get("minLength"), one.get("maxLength")),
            )
        )  # fmt: skip
    return found


def _schema_kind(one: Mapping[str, Any]) -> str:
    said = one.get("type")
    kind = next((each for each in said if each != "null"), "string") if isinstance(said, list) else said
    wished = text(one.get("ui:widget") or one.get("widget"), 20).lower()
    if kind == "object" or (kind is None and isinstance(one.get("properties"), Mapping)):
        return "object"
    if kind == "array":
        return "checks"
    if kind == "boolean":
        return "checkbox"
    if kind in {"number", "integer"} and "enum" not in one:
        return "number"
    if _enumerated(one):
        return "radio" if wished == "radio" else "select"
    wished = _OTHER_WORDS.get(wished, wished)
    long = _number(one.get("maxLength")) and one["maxLength"] > 300
    return wished if wished in KINDS else _FORMATS.get(text(one.get("format"), 20), "textarea" if long else "text")


def _enumerated(one: Mapping[str, Any]) -> list[Any]:
    titled = [
        {"value": each["const"], "label": each.get("title")}
        for each in dicts(one.get("oneOf") or one.get("anyOf"), MAX_OPTIONS)
        if "const" in each
    ]
    given, names = one.get("enum"), one.get("enumNames")
    if titled or not isinstance(given, list):
        return titled
    labels = names if isinstance(names, list) and len(names) == len(given) else [None] * len(given)
    return [{"value": value, "label": label} for value, label in zip(given, labels, strict=True)]


def _item(
    name: str, path: list[str], one: Mapping[str, Any], kind: str, value: Any, choices: Any, *, required: bool, step: str,
    limits: tuple[Any, Any], lengths: tuple[Any, Any],
) -> FieldItem:  # fmt: skip
    ticked = {text(each, 200) for each in value} if isinstance(value, list | tuple | set) else set()
    options = _options(choices, ticked)
    plain = kind not in {"checkbox", "checks"}
    return FieldItem(
        name=name,
        path=path,
        label=text(one.get("label"), 200) or humane(name),
        type=kind,
        required=required,
        placeholder=text(one.get("placeholder"), 200),
        help=text(one.get("help") or one.get("description"), 500),
        value=text(value, 4000) if plain else "",
        checked=kind == "checkbox" and value in (True, "true", "on", 1),
        min=_limit(limits[0]),
        max=_limit(limits[1]),
        step=step,
        min_length=_length(lengths[0]),
        max_length=_length(lengths[1]),
        pattern=text(one.get("pattern"), 300),
        options=options,
        error="",
    )


def _options(value: object, ticked: set[str]) -> list[OptionItem]:
    options: list[OptionItem] = []
    for one in value[:MAX_OPTIONS] if isinstance(value, list | tuple) else []:
        if isinstance(one, Mapping):
            key = text(one.get("value", one.get("id")), 200)
            label = text(one.get("label") or one.get("title"), 200) or key
        else:
            key = label = text(one, 200)
        options.append(OptionItem(value=key, label=label, chosen=key in ticked))
    return options


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _limit(value: object) -> str:
    return text(value, 40) if _number(value) or isinstance(value, str) else ""


def _length(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ENTRY else ""


# -- what was filled in ------------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """What a person is told about one field."""


def checked(fields: Iterable[FieldItem], form: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The typed answers of a submitted form, nested as the schema wants them, and what is wrong by field name.

    A pattern is left to the browser: one that was written to take for ever must not hold up everybody.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        try:
            value = _entered(field, form)
        except _Wrong as problem:
            wrong[field["name"]] = str(problem)
            continue
        inner = values
        for part in field["path"][:-1]:
            inner = inner.setdefault(part, {})
        inner[field["path"][-1]] = value
    return values, wrong


def _entered(field: FieldItem, form: Mapping[str, Any]) -> Any:
    name, kind = field["name"], field["type"]
    if kind == "checkbox":
        ticked = form.get(name) in (True, "on", "true", "1")
        if field["required"] and not ticked:
            raise _Wrong(tr("Tick this to go on."))
        return ticked
    if kind == "checks":
        chosen = [one["value"] for one in field["options"] if form.get(f"{name}:{one['value']}") in (True, "on", "true", "1")]
        if field["required"] and not chosen:
            raise _Wrong(tr("Choose at least one."))
        return chosen
    entered = text(form.get(name), MAX_ENTRY + 1)
    entered = entered if kind == "password" else entered.strip()
    if not entered:
        if field["required"]:
            raise _Wrong(tr("Please fill this in."))
        return "" if kind in {"text", "textarea", "password", "email", "url", "tel", "select", "radio"} else None
    if kind == "number":
        return _a_number(field, entered)
    if kind in {"select", "radio"} and entered not in {one["value"] for one in field["options"]}:
        raise _Wrong(tr("Choose one of the options."))
    _demand_length(field, entered)
    _demand_shape(field, entered)
    return entered


def _a_number(field: FieldItem, entered: str) -> int | float:
    try:
        number = float(entered)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _Wrong(tr("Enter a number."))
    if field["step"] == "1" and not number.is_integer():
        raise _Wrong(tr("Enter a whole number."))
    for limit, above in ((field["min"], False), (field["max"], True)):
        try:
            bound = float(limit) if limit else math.nan
        except ValueError:
            continue
        if (number > bound) if above else (number < bound):
            raise _Wrong(tr("At most {limit}.", limit=limit) if above else tr("At least {limit}.", limit=limit))
    return int(number) if number.is_integer() else number


def _demand_length(field: FieldItem, entered: str) -> None:
    if field["min_length"] and len(entered) < int(field["min_length"]):
        raise _Wrong(tr("At least {count} characters.", count=int(field["min_length"])))
    most = int(field["max_length"]) if field["max_length"] else MAX_ENTRY
    if len(entered) > most:
        raise _Wrong(tr("At most {count} characters.", count=most))


def _demand_shape(field: FieldItem, entered: str) -> None:
    reads = {"date": date.fromisoformat, "time": time.fromisoformat, "datetime-local": datetime.fromisoformat}
    kind = field["type"]
    if kind == "email" and not _EMAIL.fullmatch(entered):
        raise _Wrong(tr("Enter an e-mail address."))
    if kind == "url" and not _URL.fullmatch(entered):
        raise _Wrong(tr("Enter a web address, with https:// in front."))
    if kind in reads:
        try:
            reads[kind](entered)
        except ValueError:
            raise _Wrong(tr("This is not a date or a time.")) from None
        if field["min"] and entered < field["min"]:
            raise _Wrong(tr("At least {limit}.", limit=field["min"]))
        if field["max"] and entered > field["max"]:
            raise _Wrong(tr("At most {limit}.", limit=field["max"]))
