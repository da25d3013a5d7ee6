"""From a runtime's payload, which may hold anything, to the typed and bounded item the pane can draw.

Nothing here trusts a shape: what does not fit is left out, and what nobody can draw is listed as
plain keys and values.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, TypedDict
from urllib.parse import quote

from mozaiks_shell.chat.actions import Action, actions_of, row_actions_of
from mozaiks_shell.chat.components.charts import ChartItem, chart_of
from mozaiks_shell.chat.components.fields import FieldItem, fields_of
from mozaiks_shell.chat.components.labels import ACCEPT, CANCEL, DISMISS, SUBMIT
from mozaiks_shell.chat.components.links import safe_href
from mozaiks_shell.chat.components.media import FileItem, ImageItem, StepItem, files_of, images_of, percent_of, steps_of
from mozaiks_shell.chat.components.wording import dicts, humane, text
from mozaiks_shell.foundation.i18n import tr

MAX_ROWS: Final = 500
MAX_COLUMNS: Final = 24
CANCELLING: Final = frozenset({"cancel", "cancelled", "dismiss", "dismissed", "close", "reject"})
KINDS: Final = frozenset(
    {
        "core.form", "core.table", "core.card", "core.list", "core.markdown", "core.composite", "core.chart", "core.file",
        "core.files", "core.image", "core.progress",
    }
)  # fmt: skip
_QUIET: Final = frozenset(
    {"core.chart", "core.file", "core.files", "core.image", "core.progress"}
)  # want no answer by themselves
_ENVELOPE: Final = frozenset(
    {
        "title", "description", "workflow_name", "display", "mode", "actions", "row_actions", "component", "component_type",
        "interaction_type", "artifact_id", "artifact_type",
    }
)  # fmt: skip


class ColumnItem(TypedDict):
    """``sort`` is ``ascending``, ``descending`` or ``none`` (the values of ``aria-sort``)."""

    key: str
    label: str
    align: str
    sort: str


class CellItem(TypedDict):
    text: str
    align: str


class ActionItem(TypedDict):
    """A button. One with a ``tool`` has it called; another answers the agent with its ``id``. ``look`` is a style of the kit."""

    id: str
    label: str
    look: str
    icon: str
    tool: str
    primary: bool
    busy: bool


class RowItem(TypedDict):
    id: str
    cells: list[CellItem]
    actions: list[ActionItem]
    error: str


class LineItem(TypedDict):
    """A line of a list, or a key and its value."""

    id: str
    title: str
    text: str
    href: str
    actions: list[ActionItem]
    error: str


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
    acts: bool  # some row has buttons
    lines: list[LineItem]
    actions: list[ActionItem]
    charts: list[ChartItem]
    files: list[FileItem]
    images: list[ImageItem]
    percent: str
    steps: list[StepItem]


class ToolItem(Block):
    """A UI tool or artifact. ``payload`` is the raw payload, for components of plugins only.

    ``note``: why it cannot be used any more; ``news``: what became of the last action; ``live``: its run goes on;
    ``stale``: a change of it was lost, so it may be out of date.
    """

    id: str
    display: str
    layout: str
    error: str
    open: bool
    live: bool
    note: str
    news: str
    stale: bool
    parts: list[Block]
    payload: dict[str, Any]


class Under(TypedDict):
    """An action that was pressed. ``state``: sent, started, completed or failed; ``at``: when (ISO 8601)."""

    id: str
    key: str
    row: str
    label: str
    state: str
    message: str
    at: str


def tool_item(
    tool_id: str, component: str, display: str, title: str, payload: Mapping[str, Any], *, open_: bool = True, live: bool = True,
    awaited: bool = True, raw: bool = False, note: str = "", chat_id: str = "", under: Collection[Under] = (),
    stale: bool = False,
) -> ToolItem:  # fmt: skip
    """The item for one tool.

    Args:
        tool_id: Id to answer with.
        component: Component name as the workflow wrote it.
        display: ``inline`` or ``artifact``.
        title: Used when the payload has none.
        payload: Anything.
        open_: False when it was answered; its controls are then off.
        live: False when its run has ended; no action can be carried out any more.
        awaited: Whether the agent waits for an answer.
        raw: True when a plugin renders it and needs the payload itself.
        note: Why it cannot be used any more.
        chat_id: The chat it stands in.
        under: Actions that were pressed.
        stale: Whether a change of it was lost.
    """
    files = f"/api/chats/{quote(chat_id, safe='')}/tools/{quote(tool_id, safe='')}/files/" if chat_id else ""
    block = block_of(component, payload, under=under, files=files)
    block["title"] = block["title"] or text(title, 200)
    answers = any(not one["tool"] for one in block["actions"])
    if open_ and awaited and not answers and component != "core.form" and component not in _QUIET:
        block["actions"] += [
            _answer("accept", tr(ACCEPT), "secondary" if block["actions"] else "primary"),
            _answer("dismiss", tr(DISMISS), "ghost" if block["actions"] else "secondary"),
        ]
    failed = [one for one in under if one["state"] == "failed" and not one["row"]][-1:]
    ended = [one for one in under if one["state"] in {"completed", "failed"}][-1:]
    return ToolItem(
        **block,
        id=tool_id,
        display=display,
        layout=text(payload.get("layout"), 10),
        error=failed[0]["message"] if failed else text(payload.get("error"), 500),
        open=open_,
        live=live,
        note=note,
        news=tr("Done: {action}", action=ended[0]["label"]) if ended and ended[0]["state"] == "completed" else "",
        stale=stale,
        parts=_parts(payload, under, files) if component == "core.composite" else [],
        payload=dict(payload) if raw else {},
    )


def block_of(
    component: str, payload: Mapping[str, Any], prefix: str = "", under: Collection[Under] = (), files: str = ""
) -> Block:  # fmt: skip
    """The typed content of one component.

    Args:
        prefix: Of the keys of its actions, within a composite.
        under: Actions that were pressed.
        files: Address of the files whose contents stand in the payload.
    """
    kind = component if component in KINDS else "unknown"
    columns = _columns(payload) if kind == "core.table" else []
    rows = _rows(payload, columns, prefix, under) if kind == "core.table" else []
    inner = payload.get("data")
    if isinstance(inner, Mapping) and kind != "unknown" and not (set(payload) - _ENVELOPE - {"data"}):
        return block_of(component, {**inner, **payload, "data": None}, prefix, under, files)
    return Block(
        component=component,
        title=text(payload.get("title"), 200),
        description=text(payload.get("description") or payload.get("subtitle"), 2000),
        text=_text(kind, payload),
        fields=fields_of(payload) if kind == "core.form" else [],
        submit_label=text(payload.get("submit_label") or payload.get("submitLabel"), 60) or tr(SUBMIT),
        cancel_label=text(payload.get("cancel_label") or payload.get("cancelLabel"), 60) or tr(CANCEL),
        columns=columns,
        rows=rows,
        acts=any(row["actions"] for row in rows),
        lines=_lines(kind, payload, prefix, under),
        actions=[_action(one, under) for one in actions_of(payload, prefix)],
        charts=chart_of(payload) if kind == "core.chart" else [],
        files=files_of(payload, files) if kind in {"core.file", "core.files"} else [],
        images=images_of(payload) if kind in {"core.image", "core.card"} else [],
        percent=percent_of(payload) if kind == "core.progress" else "",
        steps=steps_of(payload) if kind == "core.progress" else [],
    )


def _text(kind: str, payload: Mapping[str, Any]) -> str:
    if kind not in {"core.card", "core.markdown", "core.progress", "core.chart"}:
        return ""
    found = next((payload[key] for key in ("markdown", "content", "text", "body", "status_message") if payload.get(key)), "")
    if not found and kind in {"core.card", "core.markdown"}:
        found = payload.get("value") or ""
    return text(found)


def _columns(payload: Mapping[str, Any]) -> list[ColumnItem]:
    given = payload.get("columns")
    columns: list[ColumnItem] = []
    for one in list(given)[:MAX_COLUMNS] if isinstance(given, list | tuple) else []:
        if isinstance(one, Mapping):
            if one.get("type") == "actions":
                continue
            key = text(one.get("key") or one.get("field") or one.get("name"), 80)
            label = text(one.get("label") or one.get("header") or one.get("title"), 120) or humane(key)
            align = "right" if one.get("align") in {"right", "end"} or one.get("type") == "number" else "left"
        else:
            key, label, align = text(one, 80), humane(one), "left"
        columns.append(ColumnItem(key=key, label=label, align=align, sort="none"))
    rows = dicts(payload.get("rows"), 1)
    if not columns and rows:
        shown = [key for key in rows[0] if key != "actions"][:MAX_COLUMNS]
        columns = [ColumnItem(key=str(key), label=humane(key), align="left", sort="none") for key in shown]
    return columns


def _rows(payload: Mapping[str, Any], columns: list[ColumnItem], prefix: str, under: Collection[Under]) -> list[RowItem]:
    rows: list[RowItem] = []
    given = payload.get("rows")
    for at, one in enumerate(list(given)[:MAX_ROWS] if isinstance(given, list | tuple) else []):
        if isinstance(one, Mapping):
            cells = [CellItem(text=text(one.get(column["key"]), 2000), align=column["align"]) for column in columns]
            key = text(one.get("id", at), 200)
            actions = [_action(each, under, key) for each in row_actions_of(payload, one, prefix)]
            rows.append(RowItem(id=key, cells=cells, actions=actions, error=_went_wrong(under, prefix, key)))
        elif isinstance(one, list | tuple):
            cells = [CellItem(text=text(value, 2000), align=column["align"]) for column, value in zip(columns, one, strict=False)]
            rows.append(RowItem(id=str(at), cells=cells, actions=[], error=""))
    return rows


def _lines(kind: str, payload: Mapping[str, Any], prefix: str, under: Collection[Under]) -> list[LineItem]:
    if kind == "unknown":
        return pairs({key: value for key, value in payload.items() if key not in _ENVELOPE})
    if kind not in {"core.list", "core.card"}:
        return []
    given = payload.get("items", payload.get("fields", payload.get("metadata")))
    if isinstance(given, Mapping):
        return pairs(given)
    lines: list[LineItem] = []
    for at, one in enumerate(list(given)[:MAX_ROWS] if isinstance(given, list | tuple) else []):
        if isinstance(one, Mapping):
            key = text(one.get("id", at), 200)
            offered = row_actions_of(payload, one, prefix) if kind == "core.list" else []
            lines.append(
                LineItem(
                    id=key,
                    title=text(one.get("title") or one.get("label") or one.get("name"), 200),
                    text=text(one.get("text", one.get("description", one.get("subtitle", one.get("value")))), 2000),
                    href=safe_href(one.get("href") or one.get("url")),
                    actions=[_action(each, under, key) for each in offered],
                    error=_went_wrong(under, prefix, key),
                )
            )
        else:
            lines.append(_line(at, text(one, 2000), ""))
    return lines


def pairs(values: Mapping[str, Any]) -> list[LineItem]:
    """Keys and values as lines, for content nobody can draw."""
    return [_line(at, humane(key), text(value, 2000)) for at, (key, value) in enumerate(list(values.items())[:100])]


def _line(at: int, title: str, said: str) -> LineItem:
    return LineItem(id=str(at), title=title, text=said, href="", actions=[], error="")


def _answer(key: str, label: str, look: str) -> ActionItem:
    return ActionItem(id=key, label=label, look=look, icon="", tool="", primary=look == "primary", busy=False)


def _action(one: Action, under: Collection[Under], row: str = "") -> ActionItem:
    busy = any((each["key"], each["row"]) == (one.key, row) and each["state"] in {"sent", "started"} for each in under)
    key = one.key if one.tool else one.id
    primary = one.style == "primary"
    return ActionItem(id=key, label=one.label, look=one.style, icon=one.icon, tool=one.tool, primary=primary, busy=busy)


def _went_wrong(under: Collection[Under], prefix: str, row: str) -> str:
    """What the newest action on a row failed with; empty when it did not."""
    newest = [one for one in under if one["row"] == row and one["key"].startswith(prefix)][-1:]
    return newest[0]["message"] if newest and newest[0]["state"] == "failed" else ""


def _parts(payload: Mapping[str, Any], under: Collection[Under], files: str) -> list[Block]:
    parts: list[Block] = []
    listed = payload.get("children") or payload.get("components") or payload.get("items")
    for at, one in enumerate(listed[:40] if isinstance(listed, list) else []):
        if not isinstance(one, Mapping):
            continue
        named = one.get("component") or one.get("component_type") or one.get("artifact_type") or one.get("type")
        inner = one.get("payload", one.get("props"))
        parts.append(
            block_of(text(named, 80), inner if isinstance(inner, Mapping) else one, f"{at}.", under, files and f"{files}{at}.")
        )
    return parts


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
