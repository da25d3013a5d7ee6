"""The built-in components of the runtime contract: core.form, core.table, core.card, core.list, core.markdown,
core.composite (F-181). Each takes the item as a Var; an unknown name is shown as plain keys and values."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.registry import register, renderers
from mozaiks_shell.chat.components.stream import markdown
from mozaiks_shell.chat.state import ChatState


def tool_view(tool: Any) -> rx.Component:
    """The item, drawn by whoever registered its component name."""
    views = [(name, render(tool)) for name, render in renderers().items()]
    return rx.match(tool["component"], *views, _unknown(tool))


def _heading(block: Any) -> rx.Component:
    return rx.fragment(rx.cond(block["title"] != "", rx.el.h3(block["title"], class_name="mzc-block-title")), _description(block))


def _description(block: Any) -> rx.Component:
    return rx.cond(block["description"] != "", rx.el.p(block["description"], class_name="mzc-block-note"))


def _top(tool: Any) -> rx.Component:
    """Title and description; the artifact panel shows the title in its own header."""
    return rx.cond(tool["display"] == "inline", _heading(tool), _description(tool))


def _error(tool: Any) -> rx.Component:
    return rx.cond(tool["error"] != "", rx.el.p(tool["error"], role="alert", class_name="mzc-error"))


def _actions(tool: Any, *, submits: bool = False) -> rx.Component:
    """The payload's buttons. ``submits``: the primary one sends the form around it."""

    def one(action: Any) -> rx.Component:
        busy = ChatState.answering == tool["id"]
        chooses = rx.el.button(
            action["label"],
            type="button",
            class_name=rx.cond(action["primary"], "mz-button mz-primary", "mz-button mz-secondary"),
            disabled=busy,
            on_click=ChatState.choose(tool["id"], action["id"]),
        )
        if not submits:
            return chooses
        sends = rx.el.button(action["label"], type="submit", class_name="mz-button mz-primary", disabled=busy)
        return rx.cond(action["primary"], sends, chooses)

    return rx.cond(
        tool["open"] & (tool["actions"].length() > 0),
        rx.el.div(rx.foreach(tool["actions"], one), class_name="mzc-actions"),
    )


# -- form ------------------------------------------------------------------------------------------------


def _control(tool: Any, field: Any) -> rx.Component:
    ident = f"{tool['id']}-{field['name']}"
    shared: dict[str, Any] = {"id": ident, "name": field["name"], "required": field["required"]}

    def box(kind: str, **extra: Any) -> rx.Component:
        return rx.el.input(
            type=kind, default_value=field["value"], placeholder=field["placeholder"], class_name="mz-input", **shared, **extra
        )

    area = rx.el.textarea(
        default_value=field["value"], placeholder=field["placeholder"], rows="3", class_name="mz-input mz-textarea", **shared
    )
    options = rx.foreach(field["options"], lambda option: rx.el.option(option["label"], value=option["value"]))
    choice = rx.el.select(
        rx.el.option(labels.CHOOSE, value=""), options, default_value=field["value"], class_name="mz-input mz-select", **shared
    )
    return rx.match(
        field["type"],
        ("textarea", area),
        ("select", choice),
        ("number", box("number", step="any", min=field["min"], max=field["max"])),
        ("date", box("date", min=field["min"], max=field["max"])),
        ("email", box("email")),
        ("url", box("url")),
        ("password", box("password", auto_complete="off")),
        box("text"),
    )


def _field(tool: Any, field: Any) -> rx.Component:
    ident = f"{tool['id']}-{field['name']}"
    star = rx.cond(field["required"], rx.el.span("*", aria_hidden="true", class_name="mzc-required"))
    tick = rx.el.label(
        rx.el.input(type="checkbox", id=ident, name=field["name"], default_checked=field["checked"], required=field["required"]),
        rx.el.span(field["label"], star),
        class_name="mzc-tick",
    )
    entry = rx.fragment(
        rx.el.label(field["label"], star, html_for=ident, class_name="mzc-label"),
        _control(tool, field),
    )
    return rx.el.div(
        rx.cond(field["type"] == "checkbox", tick, entry),
        rx.cond(field["help"] != "", rx.el.p(field["help"], class_name="mzc-help")),
        class_name="mzc-field",
    )


@register("core.form")
def form(tool: Any) -> rx.Component:
    """Fields, a submit and a cancel button. The tool's id travels in a hidden field."""
    busy = ChatState.answering == tool["id"]
    return rx.el.form(
        _top(tool),
        rx.el.input(type="hidden", name="tool", value=tool["id"], read_only=True),
        rx.el.fieldset(
            rx.foreach(tool["fields"], lambda field: _field(tool, field)),
            _error(tool),
            rx.el.div(
                rx.el.button(tool["submit_label"], type="submit", class_name="mz-button mz-primary"),
                rx.el.button(
                    tool["cancel_label"],
                    type="button",
                    class_name="mz-button mz-ghost",
                    on_click=ChatState.choose(tool["id"], "cancel"),
                ),
                class_name="mzc-actions",
            ),
            disabled=busy | ~tool["open"],
            class_name="mzc-fieldset",
        ),
        on_submit=ChatState.answer_tool,
        class_name="mzc-block",
        aria_label=tool["title"],
    )


# -- table -----------------------------------------------------------------------------------------------


def _table(block: Any, tool: Any | None) -> rx.Component:
    def head(column: Any) -> rx.Component:
        if tool is None:
            return rx.el.th(column["label"], scope="col", data_align=column["align"])
        mark = rx.match(column["sort"], ("ascending", "↑"), ("descending", "↓"), "")
        button = rx.el.button(
            column["label"],
            rx.el.span(mark, aria_hidden="true"),
            type="button",
            class_name="mzc-sort",
            on_click=ChatState.sort(tool["id"], column["key"]),
        )
        return rx.el.th(button, scope="col", aria_sort=column["sort"], data_align=column["align"])

    def row(one: Any) -> rx.Component:
        return rx.el.tr(rx.foreach(one["cells"], lambda cell: rx.el.td(cell["text"], data_align=cell["align"])), key=one["id"])

    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(rx.foreach(block["columns"], head))),
            rx.el.tbody(rx.foreach(block["rows"], row)),
            class_name="mzc-table",
        ),
        class_name="mzc-scroll",
        tab_index=0,
        role="group",
        aria_label=block["title"],
    )


@register("core.table")
def table(tool: Any) -> rx.Component:
    """Columns that sort, rows, and the payload's buttons."""
    return rx.el.div(_top(tool), _table(tool, tool), _error(tool), _actions(tool), class_name="mzc-block")


# -- card, list, markdown, composite, unknown ------------------------------------------------------------


def _lines(block: Any) -> rx.Component:
    def line(one: Any) -> rx.Component:
        title = rx.cond(one["href"] != "", rx.el.a(one["title"], href=one["href"], rel="noopener noreferrer"), one["title"])
        return rx.el.li(
            rx.cond(one["title"] != "", rx.el.strong(title)),
            rx.cond(one["text"] != "", rx.el.span(one["text"])),
        )

    return rx.cond(block["lines"].length() > 0, rx.el.ul(rx.foreach(block["lines"], line), class_name="mzc-lines"))


def _pairs(block: Any) -> rx.Component:
    def pair(one: Any) -> rx.Component:
        return rx.el.div(rx.el.dt(one["title"]), rx.el.dd(one["text"]))

    return rx.cond(block["lines"].length() > 0, rx.el.dl(rx.foreach(block["lines"], pair), class_name="mzc-pairs"))


def _prose(block: Any) -> rx.Component:
    return rx.cond(block["text"] != "", markdown(block["text"], labels.STREAM))


@register("core.card")
def card(tool: Any) -> rx.Component:
    """Title, text, keys and values."""
    return rx.el.div(_top(tool), _prose(tool), _pairs(tool), _error(tool), _actions(tool), class_name="mzc-block")


@register("core.list")
def list_(tool: Any) -> rx.Component:
    """Lines with a title, a text and perhaps a link."""
    return rx.el.div(_top(tool), _lines(tool), _error(tool), _actions(tool), class_name="mzc-block")


@register("core.markdown")
def prose(tool: Any) -> rx.Component:
    """Markdown."""
    return rx.el.div(_top(tool), _prose(tool), _error(tool), _actions(tool), class_name="mzc-block")


@register("core.composite")
def composite(tool: Any) -> rx.Component:
    """Several of the above, one below the other; fields of all parts are sent as one form."""

    def part(block: Any) -> rx.Component:
        drawn = rx.match(
            block["component"],
            ("core.table", _table(block, None)),
            ("core.list", _lines(block)),
            ("core.form", rx.foreach(block["fields"], lambda field: _field(tool, field))),
            rx.fragment(_prose(block), _pairs(block)),
        )
        return rx.el.div(_heading(block), drawn, class_name="mzc-part")

    return rx.el.form(
        _top(tool),
        rx.el.input(type="hidden", name="tool", value=tool["id"], read_only=True),
        rx.el.fieldset(rx.foreach(tool["parts"], part), disabled=~tool["open"], class_name="mzc-fieldset"),
        _error(tool),
        _actions(tool, submits=True),
        on_submit=ChatState.answer_tool,
        class_name="mzc-block",
    )


def _unknown(tool: Any) -> rx.Component:
    return rx.el.div(
        _top(tool),
        rx.el.p(labels.NOT_SHOWN, class_name="mzc-block-note"),
        _pairs(tool),
        _error(tool),
        _actions(tool),
        class_name="mzc-block",
    )
