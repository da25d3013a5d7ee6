"""What the pane's State does with UI tools and artifacts: as they are kept, and on top of that what was just pressed.

``state`` is always the tab's :class:`~mozaiks_shell.chat.state.ChatState`.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from mozaiks_shell.chat import service
from mozaiks_shell.chat.actions import BadPatch, declared_tools, patched
from mozaiks_shell.chat.components import tool_labels
from mozaiks_shell.chat.components.payload import ToolItem, Under, sorted_rows, tool_item
from mozaiks_shell.chat.components.registry import renderers
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import joined, tr
from mozaiks_shell.foundation.ids import new_id


def find(state: Any, tool_id: object) -> ToolItem | None:
    """The item the pane shows under this id."""
    return next((one for one in [*state.tools, *state.artifact] if one["id"] == tool_id), None)


def replace(state: Any, item: ToolItem) -> None:
    """Show this instead of the item with its id."""
    state.tools = [item if one["id"] == item["id"] else one for one in state.tools]
    state.artifact = [item if one["id"] == item["id"] else one for one in state.artifact]


def item_of(state: Any, view: service.ToolView) -> ToolItem:
    """A tool as it is drawn: as it is kept, and on top of that what this person just pressed, until its end is known."""
    payload, under = view.payload, list(view.under)
    ended = {one["id"] for one in under if one["state"] in {"completed", "failed"}}
    known = {one["id"] for one in under}
    state._pressed = {number: one for number, one in state._pressed.items() if number not in ended}
    for number, one in state._pressed.items():
        if one["tool"] != view.id:
            continue
        if number not in known:
            under.append(one["under"])
        with contextlib.suppress(BadPatch):
            payload = patched(payload, one["patch"])
    said = {"answered": tool_labels.ANSWERED, "expired": tool_labels.EXPIRED}.get(view.state, "")
    if not (said or view.live) and any(declared_tools(payload)):
        said = tool_labels.OVER
    item = tool_item(
        view.id, view.component, view.display, view.title, payload, open_=view.state == "open", live=view.live,
        awaited=view.awaited, raw=view.component in renderers(), note=tr(said) if said else "", chat_id=view.chat_id, under=under,
        stale=view.stale,
    )  # fmt: skip
    return in_order(state, _kept_marks(state, item))


def _kept_marks(state: Any, item: ToolItem) -> ToolItem:
    """The same with what was wrong with its fields when they were sent, if the person is still at it."""
    before = find(state, item["id"])
    if before is None or not item["open"]:
        return item
    wrong = {field["name"]: field["error"] for block in (before, *before["parts"]) for field in block["fields"]}
    marked = {**item, "error": item["error"] or (before["error"] if any(wrong.values()) else "")}
    return _with_errors(marked, wrong)  # type: ignore[arg-type]


def in_order(state: Any, item: ToolItem) -> ToolItem:
    """The same with its table in the order the person chose."""
    key, down = state._sorted.get(item["id"], ("", False))
    index = next((at for at, one in enumerate(item["columns"]) if one["key"] == key), -1)
    if index < 0:
        return item
    direction = "descending" if down else "ascending"
    columns = [{**one, "sort": direction if at == index else "none"} for at, one in enumerate(item["columns"])]
    rows = sorted_rows(item["rows"], index, descending=down)
    return {**item, "columns": columns, "rows": rows}  # type: ignore[typeddict-item]


def _with_errors(item: ToolItem, wrong: Mapping[str, str]) -> ToolItem:
    def marked(block: Any) -> Any:
        return {**block, "fields": [{**one, "error": wrong.get(one["name"], "")} for one in block["fields"]]}

    return {**marked(item), "parts": [marked(part) for part in item["parts"]]}  # type: ignore[typeddict-item]


def mark_fields(state: Any, item: ToolItem, wrong: Mapping[str, str]) -> None:
    """Say beside each field what is wrong with it, and above the buttons which fields those are."""
    labels = [one["label"] for block in (item, *item["parts"]) for one in block["fields"] if one["name"] in wrong]
    error = tr("Please look again at: {fields}.", fields=joined(labels)) if labels else ""
    replace(state, {**_with_errors(item, wrong), "error": error})  # type: ignore[typeddict-item]


def set_error(state: Any, tool_id: str, problem: str) -> None:
    """Say in a tool what went wrong."""
    item = find(state, tool_id)
    if item is not None:
        replace(state, {**item, "error": problem})


async def show_at_once(state: Any, tool_id: str, key: str, row: str) -> str:
    """Show that an action is under way, and already what it is expected to do. Returns its number."""
    number = new_id("act")
    try:
        meant = await service.action_meant(state._me(), state.chat_id, tool_id, key, row)
        under = Under(id=number, key=key, row=row, label=meant.action.label, state="sent", message="", at=now().isoformat())
        state._pressed[number] = {"tool": tool_id, "under": under, "patch": meant.patch}
        replace(state, item_of(state, await service.tool_view(state._me(), state.chat_id, tool_id)))
    except ShellError as error:
        state._pressed.pop(number, None)
        set_error(state, tool_id, error.message)
    return number


async def carry_out(state: Any, number: str) -> None:
    """Have the action done. Its end is told through the stream; if it does not even begin, what was shown is taken back."""
    pressed = state._pressed.get(number)
    if pressed is None:
        return
    tool_id, under = pressed["tool"], pressed["under"]
    try:
        await service.act(state._me(), state.chat_id, tool_id, under["key"], under["row"], number)
    except ShellError as error:
        state._pressed.pop(number, None)
        with contextlib.suppress(ShellError):
            replace(state, item_of(state, await service.tool_view(state._me(), state.chat_id, tool_id)))
        set_error(state, tool_id, error.message)


async def answer(state: Any, tool_id: str, response: dict[str, Any]) -> None:
    """Send a response. The item leaves when the stream tells that it was taken, so a failure keeps the form."""
    try:
        await service.answer_tool(state._me(), state.chat_id, tool_id, response)
        set_error(state, tool_id, "")
    except ShellError as error:
        set_error(state, tool_id, error.message)
        state.answering = ""
