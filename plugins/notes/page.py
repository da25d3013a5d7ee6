"""The page at ``/plugins/notes``: all notes, and what the palette and the start page show of them."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from . import service
from .state import Notes, Recent, path_of, shown_title
from .words import excerpt, folded

_LEAD = msg("Written in Markdown, found again in a moment.")


@sdk.page(on_load=Notes.load, description=_LEAD, order=41, shortcut="g n")
def notes() -> rx.Component:
    """Look through the notes, begin a new one."""
    new = ui.button(ui.icon("plus"), t("New note"), variant="primary", on_click=Notes.create)
    save = ui.link_button(t("Export"), "/api/plugins/notes/export", icon_name="download", custom_attrs={"download": ""})
    return rx.el.div(
        ui.page_header(t("Notes"), t(_LEAD), [save, new]),
        ui.stack(
            rx.cond(Notes.ready & ((Notes.all > 0) | Notes.archived), _toolbar(), rx.fragment()),
            rx.cond(Notes.tags.length() > 0, _tags(), rx.fragment()),
            rx.cond(Notes.ready, _list(), ui.grid(*[ui.card(ui.skeleton(4)) for _ in range(3)])),
        ),
    )


def _toolbar() -> rx.Component:
    search = ui.text_input(
        type="search",
        placeholder=t("Search in all words"),
        aria_label=t("Search notes"),
        default_value=Notes.search,
        on_change=Notes.look_for.debounce(250),
        class_name="sm:max-w-72",
    )
    places = rx.el.fieldset(
        rx.el.legend(t("Show"), class_name="mz-hidden"),
        _place(False, t("Notes")),
        _place(True, t("Archive")),
        class_name="mz-choices",
    )
    return ui.row(places, rx.el.div(search, class_name="ms-auto w-full sm:w-auto"))


def _place(archived: bool, label: Any) -> rx.Component:
    radio = rx.el.input(
        type="radio",
        name="place",
        value="archive" if archived else "desk",
        checked=Notes.archived == archived,
        on_change=lambda _: Notes.turn(archived),
    )
    return rx.el.label(radio, label, class_name="mz-choice")


def _tags() -> rx.Component:
    def one(tag: Any) -> rx.Component:
        return ui.button(
            "#" + tag["name"].to(str),
            rx.el.span(tag["count"], class_name="mz-muted tabular-nums"),
            small=True,
            on_click=Notes.choose(tag["name"]),
            aria_pressed=rx.cond(Notes.tag == tag["name"], "true", "false"),
            class_name=rx.cond(Notes.tag == tag["name"], "!bg-[var(--color-accent-soft)] !border-[var(--color-accent)]", ""),
        )

    return ui.row(rx.foreach(Notes.tags, one), gap=2, role="group", aria_label=t("Tags"))


def _list() -> rx.Component:
    some = rx.el.ul(rx.foreach(Notes.cards, _card), aria_label=t("Notes"), class_name="mz-grid")
    more = ui.row(
        ui.button(t("Show more"), on_click=Notes.more),
        rx.el.span(t("{shown} of {total}", shown=Notes.cards.length(), total=Notes.total), class_name="mz-muted mz-small"),
        class_name="justify-center",
    )
    return rx.cond(
        Notes.cards.length() > 0,
        ui.stack(some, rx.cond(Notes.total > Notes.cards.length(), more, rx.fragment())),
        ui.card(_nothing()),
    )


def _nothing() -> rx.Component:
    new = ui.button(ui.icon("plus"), t("Write the first one"), variant="primary", on_click=Notes.create)
    return rx.cond(
        (Notes.search != "") | (Notes.tag != ""),
        ui.empty_state("search", t("Nothing found"), t("No note here has all of these words.")),
        rx.cond(
            Notes.archived,
            ui.empty_state("archive", t("The archive is empty"), t("Notes you no longer need at hand rest here.")),
            ui.empty_state(
                "notebook-pen", t("No notes yet"), t("Ideas, minutes, recipes: what you write here you find again."), new
            ),
        ),
    )


def _card(card: Any) -> rx.Component:
    title = ui.link(card["title"], href=card["path"], class_name="mz-strong wrap-anywhere after:absolute after:inset-0")
    body = ui.stack(
        rx.el.h2(title, dir="auto", class_name="pe-16"),
        rx.cond(
            card["excerpt"] != "",
            rx.el.p(card["excerpt"], dir="auto", class_name="mz-small mz-muted line-clamp-4 wrap-anywhere"),
            rx.fragment(),
        ),
        ui.row(
            rx.foreach(card["tags"].to(list[str]), lambda tag: ui.badge("#" + tag.to(str))),
            rx.el.span(sdk.i18n.t_date(card["when"], "relative"), class_name="mz-muted mz-small ms-auto"),
            gap=1,
            class_name="mt-auto",
        ),
        gap=2,
        class_name="h-full",
    )
    return rx.el.li(
        ui.card(body, _tools(card), class_name="relative h-full hover:border-[var(--color-line-strong)]"), key=card["id"]
    )


def _tools(card: Any) -> rx.Component:
    pinned = rx.cond(card["pinned"], t("Unpin {title}", title=card["title"]), t("Pin {title}", title=card["title"]))
    moved = rx.cond(
        Notes.archived, t("Take {title} out of the archive", title=card["title"]), t("Archive {title}", title=card["title"])
    )
    pin = ui.button(
        rx.cond(card["pinned"], ui.icon("pin-off"), ui.icon("pin")),
        variant="ghost",
        small=True,
        aria_label=pinned,
        title=pinned,
        on_click=Notes.pin(card["id"], ~card["pinned"].to(bool)),
        class_name=rx.cond(card["pinned"], "text-[var(--color-accent)]", ""),
    )
    move = ui.button(
        rx.cond(Notes.archived, ui.icon("archive-restore"), ui.icon("archive")),
        variant="ghost",
        small=True,
        aria_label=moved,
        title=moved,
        on_click=Notes.move(card["id"], ~Notes.archived),
    )
    return rx.el.div(rx.cond(Notes.archived, rx.fragment(), pin), move, class_name="absolute top-2 end-2 flex z-1")


# -- the palette and the start page --------------------------------------------------------------------------------------

sdk.commands.register(sdk.msg("New note"), run=Notes.create, icon="notebook-pen", keywords="write", shortcut="n n")


@sdk.search.provider(sdk.msg("Notes"))
async def in_palette(query: str) -> list[sdk.search.Result]:
    """Notes that have the words, archived ones last."""
    words = folded(query).split()
    found = [*await service.find(query, limit=8), *await service.find(query, archived=True, limit=8)][:8]
    return [sdk.search.Result(shown_title(one), path_of(one.id), excerpt(one.text, words, 90), "notebook-pen") for one in found]


@sdk.dashboard.section(sdk.msg("Recent notes"), on_load=Recent.load, order=60, rows=4)
def recent() -> rx.Component:
    """The notes changed last."""
    new = ui.button(ui.icon("plus"), t("New note"), small=True, on_click=Notes.create)
    return rx.cond(
        Recent.cards.length() > 0,
        ui.card(rx.el.ul(rx.foreach(Recent.cards, _line)), class_name="mz-card-flush"),
        ui.card(ui.row(rx.el.p(t("Nothing written yet."), class_name="mz-muted grow"), new)),
    )


def _line(card: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(card["title"], dir="auto", class_name="mz-list-title mz-truncate"),
        rx.el.span(card["excerpt"], dir="auto", class_name="mz-list-text mz-truncate"),
        class_name="mz-list-words",
    )
    when = rx.el.span(sdk.i18n.t_date(card["when"], "relative"), class_name="mz-muted mz-small")
    return rx.el.li(ui.link(words, when, href=card["path"], class_name="mz-list-row"), key=card["id"])
