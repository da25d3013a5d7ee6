"""The page at ``/plugins/tasks``."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, t, ui

from .service import LONGEST, SHOWN
from .state import Tasks


@sdk.page(on_load=Tasks.load, order=40)
def tasks() -> rx.Component:
    """Add, look through, edit, complete and delete tasks."""
    return rx.el.div(
        ui.page_header(t("Tasks"), t("What you want to get done, with due dates, in one list for all your devices.")),
        ui.stack(
            ui.card(_add_form()),
            rx.cond(Tasks.open + Tasks.done > 0, _toolbar(), rx.fragment()),
            rx.cond(Tasks.ready, _list(), ui.card(ui.skeleton(5))),
        ),
        _delete_question(),
    )


def _add_form() -> rx.Component:
    title = ui.text_input(
        id="task-title", name="title", placeholder=t("Buy milk"), auto_complete="off", max_length=LONGEST, aria_required=True
    )
    return rx.el.form(
        ui.row(
            rx.el.div(ui.field(t("New task"), title, error=Tasks.add_error), class_name="grow basis-64"),
            rx.el.div(ui.field(t("Due"), ui.text_input(id="task-due", name="due", type="date")), class_name="grow sm:grow-0"),
            ui.button(ui.icon("plus"), t("Add"), type="submit", variant="primary", class_name="mt-[1.65rem]"),
            class_name="items-start",
        ),
        on_submit=Tasks.add,
        key="add-" + Tasks.added.to_string(),
        no_validate=True,
    )


def _toolbar() -> rx.Component:
    search = ui.text_input(
        type="search",
        placeholder=t("Search"),
        aria_label=t("Search tasks"),
        default_value=Tasks.search,
        on_change=Tasks.look_for.debounce(250),
        class_name="sm:max-w-56",
    )
    choices = rx.el.fieldset(
        rx.el.legend(t("Show"), class_name="mz-hidden"),
        _choice("open", t("Open"), Tasks.open),
        _choice("done", t("Done"), Tasks.done),
        _choice("all", t("All"), Tasks.open + Tasks.done),
        class_name="mz-choices",
    )
    return ui.row(choices, rx.el.div(search, class_name="ms-auto w-full sm:w-auto"))


def _choice(value: str, label: Any, count: Any) -> rx.Component:
    radio = rx.el.input(
        type="radio", name="show", value=value, checked=Tasks.show == value, on_change=lambda _: Tasks.filter(value)
    )
    return rx.el.label(radio, label, " ", rx.el.span(count, class_name="mz-muted mz-small tabular-nums"), class_name="mz-choice")


def _list() -> rx.Component:
    some = rx.el.ul(rx.foreach(Tasks.lines, _line), aria_label=t("Tasks"), class_name="divide-y divide-[var(--color-line)]")
    full = ui.notice(t("These are the first {count}. Search to find others.", count=SHOWN))
    return rx.fragment(
        ui.card(rx.cond(Tasks.lines.length() > 0, some, _nothing()), class_name="py-2"),
        rx.cond(Tasks.lines.length() >= SHOWN, full, rx.fragment()),
    )


def _nothing() -> rx.Component:
    return rx.cond(
        Tasks.search != "",
        ui.empty_state("search", t("Nothing found"), t("No task here has these words in its title.")),
        rx.match(
            Tasks.show,
            ("done", ui.empty_state("circle-check", t("Nothing done yet"), t("Tasks you tick off are kept here."))),
            (
                "open",
                rx.cond(
                    Tasks.done > 0,
                    ui.empty_state("party-popper", t("All done"), t("Nothing is open. Add the next task above.")),
                    _first(),
                ),
            ),
            _first(),
        ),
    )


def _first() -> rx.Component:
    return ui.empty_state(
        "list-checks", t("No tasks yet"), t("Write down the first thing you want to get done, and press Enter.")
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(rx.cond(Tasks.editing == line["id"], _edit_form(line), _task(line)), key=line["id"], class_name="py-1.5")


def _task(line: Any) -> rx.Component:
    title = rx.el.span(line["title"], class_name=rx.cond(line["done"], "line-through text-[var(--color-muted)]", ""))
    due = rx.cond(line["late"], ui.badge(line["when"], "danger"), ui.badge(line["when"]))
    words = rx.el.div(
        rx.el.div(
            ui.checkbox(title, checked=line["done"], on_change=lambda _: Tasks.toggle(line["id"], ~line["done"])),
            class_name="grow basis-48 min-w-0 wrap-anywhere",
        ),
        rx.cond(line["when"] != "", rx.el.div(due, class_name="ms-[27px] sm:ms-0 sm:mt-0.5"), rx.fragment()),
        class_name="flex flex-wrap items-start gap-x-3 gap-y-0.5 grow basis-0 min-w-0",
    )
    tools = ui.row(
        _tool("pencil", t("Edit {title}", title=line["title"]), line, Tasks.edit, auto_focus=Tasks.edited == line["id"]),
        _tool("trash-2", t("Delete {title}", title=line["title"]), line, Tasks.ask_to_delete),
        gap=1,
    )
    return rx.el.div(words, tools, class_name="flex items-start gap-2")


def _tool(icon: str, label: Any, line: Any, handler: Any, **props: Any) -> rx.Component:
    return ui.button(ui.icon(icon), variant="ghost", small=True, aria_label=label, on_click=handler(line["id"]), **props)


def _edit_form(line: Any) -> rx.Component:
    title = ui.text_input(
        name="title",
        default_value=line["title"],
        auto_focus=True,
        max_length=LONGEST,
        auto_complete="off",
        on_key_down=lambda key: rx.cond(key == "Escape", Tasks.stop_editing(), rx.noop()),
    )
    return rx.el.form(
        ui.row(
            rx.el.div(ui.field(t("Title"), title, error=Tasks.edit_error), class_name="grow basis-64"),
            ui.field(t("Due"), ui.text_input(name="due", type="date", default_value=line["due"])),
            ui.row(
                ui.button(t("Save"), type="submit", variant="primary"),
                ui.button(t("Cancel"), on_click=Tasks.stop_editing),
                gap=2,
                class_name="sm:mt-[1.65rem]",
            ),
            class_name="items-start",
        ),
        on_submit=Tasks.save,
        no_validate=True,
        class_name="py-1.5",
    )


def _delete_question() -> rx.Component:
    return ui.dialog(
        rx.el.p(t("“{title}” will be gone for good.", title=Tasks.deleting_title)),
        id="delete-task",
        title=t("Delete this task?"),
        open=Tasks.deleting != "",
        on_close=Tasks.keep,
        actions=[
            ui.button(t("Keep it"), on_click=Tasks.keep),
            ui.button(t("Delete"), variant="danger", on_click=Tasks.delete),
        ],
    )
