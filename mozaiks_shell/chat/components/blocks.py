"""The built-in components of the runtime contract: core.form, core.table, core.card, core.list, core.markdown,
core.composite (F-181), and core.chart, core.file(s), core.image, core.progress beside them. Each takes the item as a Var; an
unknown name is shown as plain keys and values."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.components import labels, tool_labels
from mozaiks_shell.chat.components.form_view import tool_field, tool_form
from mozaiks_shell.chat.components.media_view import charts, files, images, progress
from mozaiks_shell.chat.components.registry import register, renderers
from mozaiks_shell.chat.components.stream import markdown
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.kit import icon


def tool_view(tool: Any) -> rx.Component:
    """The item, drawn by whoever registered its component name."""
    views = [(name, render(tool)) for name, render in renderers().items()]
    return rx.match(tool["component"], *views, _unknown(tool))


def _heading(block: Any) -> rx.Component:
    return rx.fragment(
        rx.cond(block["title"] != "", rx.el.h3(block["title"], dir="auto", class_name="mzc-block-title")), _description(block)
    )


def _description(block: Any) -> rx.Component:
    return rx.cond(block["description"] != "", rx.el.p(block["description"], dir="auto", class_name="mzc-block-note"))


def _top(tool: Any) -> rx.Component:
    """Title and description; the artifact panel shows the title in its own header."""
    return rx.cond(tool["display"] == "inline", _heading(tool), _description(tool))


def _told(tool: Any) -> rx.Component:
    """What went wrong, what was done, and why nothing can be done any more."""
    return rx.fragment(
        rx.cond(tool["error"] != "", rx.el.p(tool["error"], role="alert", class_name="mzc-error")),
        rx.cond(tool["stale"], rx.el.p(icon("triangle-alert", 14), tool_labels.STALE, class_name="mzc-over")),
        rx.cond(tool["note"] != "", rx.el.p(icon("lock", 14), tool["note"], class_name="mzc-over")),
        rx.el.p(tool["news"], role="status", class_name="mzc-hear"),
    )


def _button(tool: Any, action: Any, row: Any = "", *, small: bool = False, submits: bool = False) -> rx.Component:
    look = rx.match(action["look"], ("primary", "mz-primary"), ("ghost", "mz-ghost"), ("danger", "mz-danger"), "mz-secondary")
    shared: dict[str, Any] = {
        "class_name": "mz-button mz-button-small " + look.to(str) if small else "mz-button " + look.to(str),
        "custom_attrs": {"aria-busy": rx.cond(action["busy"], "true", "false")},
    }
    words = [
        rx.cond(action["busy"], rx.el.span(class_name="mzc-spin", aria_hidden="true"), _icon(action)),
        rx.el.span(action["label"]),
    ]
    tool_off = action["busy"] | ~tool["live"] | (ChatState.answering == tool["id"])
    answer_off = ~tool["open"] | (ChatState.answering == tool["id"])
    presses = rx.el.button(
        *words, type="button", disabled=tool_off, on_click=ChatState.press(tool["id"], action["id"], row), **shared
    )
    chooses = rx.el.button(
        *words, type="button", disabled=answer_off, on_click=ChatState.choose(tool["id"], action["id"]), **shared
    )
    if submits:
        sends = rx.el.button(*words, type="submit", disabled=answer_off, **shared)
        chooses = rx.cond(action["primary"], sends, chooses)
    return rx.cond(action["tool"] != "", presses, chooses)


def _icon(action: Any) -> rx.Component:
    return rx.cond(action["icon"] != "", icon(action["icon"], 16))


def _actions(tool: Any, block: Any | None = None, *, submits: bool = False) -> rx.Component:
    """The payload's buttons: those that call a tool stay as long as the run lives, those that answer until it is answered.

    ``submits``: the primary one sends the form around it.
    """
    offered = (tool if block is None else block)["actions"]

    def one(action: Any) -> rx.Component:
        return rx.cond((action["tool"] != "") | tool["open"], _button(tool, action, submits=submits))

    return rx.cond(offered.length() > 0, rx.el.div(rx.foreach(offered, one), class_name="mzc-actions"))


def _row_actions(tool: Any, row: Any) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.foreach(row["actions"], lambda action: _button(tool, action, row["id"], small=True)), class_name="mzc-row-actions"
        ),
        rx.cond(row["error"] != "", rx.el.p(row["error"], role="alert", class_name="mzc-error")),
    )


@register("core.form")
def form(tool: Any) -> rx.Component:
    """Fields, a submit and a cancel button."""
    busy = ChatState.answering == tool["id"]
    buttons = rx.el.div(
        rx.el.button(
            tool["submit_label"], type="submit", class_name="mz-button mz-primary",
            custom_attrs={"aria-busy": rx.cond(busy, "true", "false")},
        ),
        rx.el.button(
            tool["cancel_label"], type="button", class_name="mz-button mz-ghost", on_click=ChatState.choose(tool["id"], "cancel")
        ),
        class_name="mzc-actions",
    )  # fmt: skip
    return rx.el.div(
        tool_form(
            _top(tool),
            rx.el.fieldset(
                rx.foreach(tool["fields"], lambda field: tool_field(tool, field)),
                rx.cond(tool["open"], buttons),
                disabled=busy | ~tool["open"],
                class_name="mzc-fieldset",
            ),
            tool=tool,
            class_name="mzc-block",
            aria_label=tool["title"],
        ),
        _told(tool),
        _actions(tool),
        class_name="mzc-block",
    )


def _table(block: Any, tool: Any, *, sorts: bool = True) -> rx.Component:
    def head(column: Any) -> rx.Component:
        if not sorts:
            return rx.el.th(column["label"], scope="col", custom_attrs={"data-align": column["align"]})
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
        return rx.el.tr(
            rx.foreach(one["cells"], lambda cell: rx.el.td(cell["text"], data_align=cell["align"])),
            rx.cond(block["acts"], rx.el.td(_row_actions(tool, one))),
            key=one["id"],
        )

    doing = rx.el.th(rx.el.span(tool_labels.ROW_ACTIONS, class_name="mz-hidden"), scope="col")
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(rx.foreach(block["columns"], head), rx.cond(block["acts"], doing))),
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
    """Columns that sort, rows and their buttons, and the payload's buttons."""
    return rx.el.div(_top(tool), _table(tool, tool), _told(tool), _actions(tool), class_name="mzc-block")


def _lines(block: Any, tool: Any) -> rx.Component:
    def line(one: Any) -> rx.Component:
        title = rx.cond(one["href"] != "", rx.el.a(one["title"], href=one["href"], rel="noopener noreferrer"), one["title"])
        return rx.el.li(
            rx.el.div(
                rx.cond(one["title"] != "", rx.el.strong(title, dir="auto")),
                rx.cond(one["text"] != "", rx.el.span(one["text"], dir="auto")),
                class_name="mzc-line-words",
            ),
            rx.cond(one["actions"].length() > 0, rx.el.div(_row_actions(tool, one))),
            key=one["id"],
        )

    return rx.cond(block["lines"].length() > 0, rx.el.ul(rx.foreach(block["lines"], line), class_name="mzc-lines"))


def _pairs(block: Any) -> rx.Component:
    def pair(one: Any) -> rx.Component:
        return rx.el.div(rx.el.dt(one["title"], dir="auto"), rx.el.dd(one["text"], dir="auto"))

    return rx.cond(block["lines"].length() > 0, rx.el.dl(rx.foreach(block["lines"], pair), class_name="mzc-pairs"))


def _prose(block: Any) -> rx.Component:
    return rx.cond(block["text"] != "", markdown(block["text"], labels.STREAM))


def _shown(tool: Any, *parts: rx.Component) -> rx.Component:
    return rx.el.div(_top(tool), *parts, _told(tool), _actions(tool), class_name="mzc-block")


@register("core.card")
def card(tool: Any) -> rx.Component:
    """Picture, text, keys and values."""
    return _shown(tool, images(tool), _prose(tool), _pairs(tool))


@register("core.list")
def list_(tool: Any) -> rx.Component:
    """Lines with a title, a text, perhaps a link and buttons."""
    return _shown(tool, _lines(tool, tool))


@register("core.markdown")
def prose(tool: Any) -> rx.Component:
    """Markdown."""
    return _shown(tool, _prose(tool))


@register("core.chart")
def chart(tool: Any) -> rx.Component:
    """Bars, lines, areas or a pie, and the figures behind them."""
    return _shown(tool, charts(tool), _prose(tool))


@register("core.file")
def file(tool: Any) -> rx.Component:
    """A file to fetch."""
    return _shown(tool, files(tool))


@register("core.files")
def files_(tool: Any) -> rx.Component:
    """Files to fetch."""
    return _shown(tool, files(tool))


@register("core.image")
def image(tool: Any) -> rx.Component:
    """One picture or several."""
    return _shown(tool, images(tool))


@register("core.progress")
def progress_(tool: Any) -> rx.Component:
    """How far something is."""
    return _shown(tool, _prose(tool), progress(tool))


@register("core.composite")
def composite(tool: Any) -> rx.Component:
    """Several of the above, one below the other or side by side; fields of all parts are sent as one form."""

    def part(block: Any, at: Any) -> rx.Component:
        drawn = rx.match(
            block["component"],
            ("core.table", _table(block, tool, sorts=False)),
            ("core.list", _lines(block, tool)),
            ("core.form", _fields(tool, block, at)),
            ("core.chart", rx.fragment(charts(block), _prose(block))),
            ("core.file", files(block)),
            ("core.files", files(block)),
            ("core.image", images(block)),
            ("core.progress", rx.fragment(_prose(block), progress(block))),
            rx.fragment(images(block), _prose(block), _pairs(block)),
        )
        return rx.el.div(_heading(block), drawn, _actions(tool, block), class_name="mzc-part")

    return tool_form(
        _top(tool),
        rx.el.fieldset(
            rx.foreach(tool["parts"], part),
            disabled=(ChatState.answering == tool["id"]),
            class_name="mzc-fieldset mzc-parts",
            data_layout=tool["layout"],
        ),
        _told(tool),
        _actions(tool, submits=True),
        tool=tool,
        class_name="mzc-block",
        aria_label=tool["title"],
    )


def _fields(tool: Any, block: Any, at: Any) -> rx.Component:
    fields = rx.foreach(block["fields"], lambda field: tool_field(tool, field, f"{at}-"))
    return rx.el.fieldset(fields, disabled=~tool["open"], class_name="mzc-fieldset")


def _unknown(tool: Any) -> rx.Component:
    return _shown(tool, rx.el.p(labels.NOT_SHOWN, class_name="mzc-block-note"), _pairs(tool))
