"""From a runtime's payload, which may hold anything, to the typed and bounded item the pane can draw.

Nothing here trusts a shape: what does not fit is left out, and what nobody can draw is listed as
plain keys and values.
"""

import re
from collections.abc import Iterable, Mapping
from posixpath import normpath
from typing import Any, Final, TypedDict
from urllib.parse import unquote, urlsplit

from mozaiks_shell.chat.components.labels import ACCEPT, CANCEL, DISMISS, SUBMIT
from mozaiks_shell.foundation.i18n import joined, tr
from mozaiks_shell.foundation.settings import get_settings

MAX_ROWS: Final = 500
MAX_COLUMNS: Final = 24
MAX_FIELDS: Final = 60
MAX_TEXT: Final = 20_000
FIELD_TYPES: Final = frozenset({"text", "textarea", "select", "number", "checkbox", "date", "email", "url", "password"})
CANCELLING: Final = frozenset({"cancel", "cancelled", "dismiss", "dismissed", "close", "reject"})
_SERVER: Final = re.compile(r"/+(api|auth|brand|ws|login|_[^/]*|\.well-known)(/|$)", re.IGNORECASE)  # as in chat_markdown.js
_SKIPPED_BY_BROWSERS: Final = re.compile(r"[\t\r\n]")
_ENVELOPE: Final = frozenset(
    {"title", "description", "workflow_name", "display", "mode", "actions", "component", "component_type", "interaction_type"}
)


class OptionItem(TypedDict):
    value: str
    label: str


class FieldItem(TypedDict):
    """A form field. ``value`` is what the input starts with; a checkbox uses ``checked``."""

    name: str
    label: str
    type: str
    required: bool
    placeholder: str
    help: str
    value: str
    checked: bool
    min: str
    max: str
    options: list[OptionItem]


class ColumnItem(TypedDict):
    """``sort`` is ``ascending``, ``descending`` or ``none`` (the values of ``aria-sort``)."""

    key: str
    label: str
    align: str
    sort: str


class CellItem(TypedDict):
    text: str
    align: str


class RowItem(TypedDict):
    id: str
    cells: list[CellItem]


class LineItem(TypedDict):
    """A line of a list, or a key and its value."""

    title: str
    text: str
    href: str


class ActionItem(TypedDict):
    id: str
    label: str
    primary: bool


class Block(TypedDict):
    """What one built-in component shows; fields a component does not use are empty."""

    component: str
    title: str
    description: str
    text: str
    fields: list[FieldItem]
    submit_label: str
    cancel_label: str
    columns: list[ColumnItem]
    rows: list[RowItem]
    lines: list[LineItem]
    actions: list[ActionItem]


class ToolItem(Block):
    """A UI tool or artifact. ``payload`` is the raw payload, for components of plugins only."""

    id: str
    display: str
    error: str
    open: bool
    parts: list[Block]
    payload: dict[str, Any]


def text(value: object, limit: int = MAX_TEXT) -> str:
    """A value as a person reads it: no ``None``, no braces for simple things, never longer than ``limit``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return tr("Yes") if value else tr("No")
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e15 else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text(inner, 200)}" for key, inner in list(value.items())[:20])[:limit]
    if isinstance(value, list | tuple | set):
        return ", ".join(text(inner, 200) for inner in list(value)[:50])[:limit]
    return str(value)[:limit]


def humane(key: object) -> str:
    """``due_date`` as ``Due date``."""
    words = text(key, 80).replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def tool_item(
    tool_id: str, component: str, display: str, title: str, payload: Mapping[str, Any], *, open_: bool = True, raw: bool = False
) -> ToolItem:
    """The item for one tool.

    Args:
        tool_id: Id to answer with.
        component: Component name as the workflow wrote it.
        display: ``inline`` or ``artifact``.
        title: Used when the payload has none.
        payload: Anything.
        open_: False when it was answered; its controls are then off.
        raw: True when a plugin renders it and needs the payload itself.
    """
    block = block_of(component, payload)
    block["title"] = block["title"] or text(title, 200)
    if component != "core.form" and not block["actions"] and open_:
        block["actions"] = [
            ActionItem(id="accept", label=tr(ACCEPT), primary=True),
            ActionItem(id="dismiss", label=tr(DISMISS), primary=False),
        ]
    parts = _parts(payload) if component == "core.composite" else []
    return ToolItem(
        **block, id=tool_id, display=display, error=text(payload.get("error"), 500), open=open_, parts=parts,
        payload=dict(payload) if raw else {},
    )  # fmt: skip


def block_of(component: str, payload: Mapping[str, Any]) -> Block:
    """The typed content of one component."""
    kind = component if component.startswith("core.") else "unknown"
    columns = _columns(payload) if kind == "core.table" else []
    return Block(
        component=component,
        title=text(payload.get("title"), 200),
        description=text(payload.get("description") or payload.get("subtitle"), 2000),
        text=_text(kind, payload),
        fields=_fields(payload) if kind == "core.form" else [],
        submit_label=text(payload.get("submit_label") or payload.get("submitLabel"), 60) or tr(SUBMIT),
        cancel_label=text(payload.get("cancel_label") or payload.get("cancelLabel"), 60) or tr(CANCEL),
        columns=columns,
        rows=_rows(payload, columns) if kind == "core.table" else [],
        lines=_lines(kind, payload),
        actions=_actions(payload),
    )


def _text(kind: str, payload: Mapping[str, Any]) -> str:
    if kind not in {"core.card", "core.markdown"}:
        return ""
    found = next((payload[key] for key in ("markdown", "content", "text", "body", "value") if payload.get(key)), "")
    return text(found)


def _dicts(value: object, limit: int) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)][:limit] if isinstance(value, list | tuple) else []


def _fields(payload: Mapping[str, Any]) -> list[FieldItem]:
    given = payload.get("values")
    values: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    fields: list[FieldItem] = []
    for one in _dicts(payload.get("fields"), MAX_FIELDS):
        name = text(one.get("name") or one.get("key") or one.get("id"), 80)
        if not name:
            continue
        options = _options(one.get("options") or one.get("choices"))
        kind = text(one.get("type") or one.get("kind"), 20).lower()
        kind = {"boolean": "checkbox", "bool": "checkbox", "integer": "number", "multiline": "textarea"}.get(kind, kind)
        if kind not in FIELD_TYPES:
            kind = "select" if options else "text"
        value = values.get(name, one.get("value", one.get("default")))
        fields.append(
            FieldItem(
                name=name,
                label=text(one.get("label"), 200) or humane(name),
                type=kind,
                required=one.get("required") is True,
                placeholder=text(one.get("placeholder"), 200),
                help=text(one.get("help") or one.get("description"), 500),
                value="" if kind == "checkbox" else text(value, 4000),
                checked=kind == "checkbox" and value in (True, "true", "on", 1),
                min=text(one.get("min"), 40),
                max=text(one.get("max"), 40),
                options=options,
            )
        )
    return fields


def _options(value: object) -> list[OptionItem]:
    options: list[OptionItem] = []
    for one in value[:200] if isinstance(value, list | tuple) else []:
        if isinstance(one, Mapping):
            key = text(one.get("value", one.get("id")), 200)
            options.append(OptionItem(value=key, label=text(one.get("label"), 200) or key))
        else:
            options.append(OptionItem(value=text(one, 200), label=text(one, 200)))
    return options


def _columns(payload: Mapping[str, Any]) -> list[ColumnItem]:
    given = payload.get("columns")
    columns: list[ColumnItem] = []
    for one in list(given)[:MAX_COLUMNS] if isinstance(given, list | tuple) else []:
        if isinstance(one, Mapping):
            key = text(one.get("key") or one.get("field") or one.get("name"), 80)
            label = text(one.get("label") or one.get("header") or one.get("title"), 120) or humane(key)
            align = "right" if one.get("align") in {"right", "end"} else "left"
        else:
            key, label, align = text(one, 80), humane(one), "left"
        columns.append(ColumnItem(key=key, label=label, align=align, sort="none"))
    rows = _dicts(payload.get("rows"), 1)
    if not columns and rows:
        columns = [ColumnItem(key=str(key), label=humane(key), align="left", sort="none") for key in list(rows[0])[:MAX_COLUMNS]]
    return columns


def _rows(payload: Mapping[str, Any], columns: list[ColumnItem]) -> list[RowItem]:
    rows: list[RowItem] = []
    given = payload.get("rows")
    for number, one in enumerate(list(given)[:MAX_ROWS] if isinstance(given, list | tuple) else []):
        if isinstance(one, Mapping):
            cells = [CellItem(text=text(one.get(column["key"]), 2000), align=column["align"]) for column in columns]
            rows.append(RowItem(id=text(one.get("id", number), 200), cells=cells))
        elif isinstance(one, list | tuple):
            cells = [CellItem(text=text(value, 2000), align=column["align"]) for column, value in zip(columns, one, strict=False)]
            rows.append(RowItem(id=str(number), cells=cells))
    return rows


def _lines(kind: str, payload: Mapping[str, Any]) -> list[LineItem]:
    if kind == "unknown":
        return pairs({key: value for key, value in payload.items() if key not in _ENVELOPE})
    if kind not in {"core.list", "core.card"}:
        return []
    given = payload.get("items", payload.get("fields"))
    if isinstance(given, Mapping):
        return pairs(given)
    lines: list[LineItem] = []
    for one in list(given)[:MAX_ROWS] if isinstance(given, list | tuple) else []:
        if isinstance(one, Mapping):
            title = text(one.get("title") or one.get("label") or one.get("name"), 200)
            lines.append(
                LineItem(
                    title=title,
                    text=text(one.get("text", one.get("description", one.get("value"))), 2000),
                    href=safe_href(one.get("href") or one.get("url")),
                )
            )
        else:
            lines.append(LineItem(title=text(one, 2000), text="", href=""))
    return lines


def pairs(values: Mapping[str, Any]) -> list[LineItem]:
    """Keys and values as lines, for content nobody can draw."""
    return [LineItem(title=humane(key), text=text(value, 2000), href="") for key, value in list(values.items())[:100]]


def _actions(payload: Mapping[str, Any]) -> list[ActionItem]:
    actions: list[ActionItem] = []
    for one in _dicts(payload.get("actions"), 8):
        key = text(one.get("id") or one.get("action") or one.get("tool") or one.get("label"), 80)
        if key:
            primary = one.get("style") == "primary" or one.get("variant") == "primary"
            actions.append(ActionItem(id=key, label=text(one.get("label"), 80) or humane(key), primary=primary))
    return actions


def _parts(payload: Mapping[str, Any]) -> list[Block]:
    parts: list[Block] = []
    given = payload.get("children") or payload.get("components") or payload.get("items")
    for one in _dicts(given, 40):
        component = text(one.get("component") or one.get("component_type") or one.get("type"), 80)
        inner = one.get("payload", one.get("props"))
        parts.append(block_of(component, inner if isinstance(inner, Mapping) else one))
    return parts


def safe_href(value: object) -> str:
    """An address a link may have: a page of ours, http(s) or mail; anything else is no link.

    Nor are addresses of our own server (``/auth/logout``): a click there acts with the person's cookie.
    """
    href = _SKIPPED_BY_BROWSERS.sub("", text(value, 2000)).strip()
    if href.lower().startswith("mailto:"):
        return href
    try:
        parts = urlsplit(href.replace("\\", "/"))
        ours = parts.hostname in {None, *(urlsplit(origin).hostname for origin in get_settings().allowed_origins)}
    except ValueError:
        return ""
    if ours and _SERVER.match(normpath(unquote(parts.path))):
        return ""
    if href.startswith("/") and not parts.netloc:
        return href
    return href if href.lower().startswith(("https://", "http://")) else ""


def sorted_rows(rows: list[RowItem], index: int, *, descending: bool) -> list[RowItem]:
    """Rows ordered by one column: numbers by size and before words, empty cells last."""

    def value(row: RowItem) -> tuple[int, float, str]:
        shown = row["cells"][index]["text"] if index < len(row["cells"]) else ""
        try:
            return (0, float(shown.replace(",", "")), "")
        except ValueError:
            return (1, 0.0, shown.casefold())

    filled = [row for row in rows if index < len(row["cells"]) and row["cells"][index]["text"]]
    empty = [row for row in rows if row not in filled]
    return sorted(filled, key=value, reverse=descending) + empty


def values_of(fields: Iterable[FieldItem], form: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The typed values of a submitted form, and what is wrong with them (empty when nothing is)."""
    values: dict[str, Any] = {}
    missing: list[str] = []
    for field in fields:
        given = form.get(field["name"])
        if field["type"] == "checkbox":
            values[field["name"]] = given in (True, "on", "true", "1")
            if field["required"] and not values[field["name"]]:
                missing.append(field["label"])
            continue
        entered = text(given, MAX_TEXT).strip()
        if not entered:
            if field["required"]:
                missing.append(field["label"])
            values[field["name"]] = None if field["type"] in {"number", "date"} else ""
            continue
        if field["type"] == "number":
            try:
                number = float(entered)
            except ValueError:
                return {}, f"{field['label']} must be a number."
            values[field["name"]] = int(number) if number.is_integer() else number
        elif field["type"] == "select" and entered not in {one["value"] for one in field["options"]}:
            return {}, f"{field['label']}: choose one of the options."
        else:
            values[field["name"]] = entered
    return values, tr("Please fill in: {fields}.", fields=joined(missing)) if missing else ""
