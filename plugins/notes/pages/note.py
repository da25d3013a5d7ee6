"""The page at ``/plugins/notes/<id>``: write on the left, read on the right. It saves itself."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, t, ui

from .. import service
from ..state import path_of, shown_title


class Desk(sdk.State):
    """One note. ``first`` is what the form began with at this ``visit``; ``text`` what is stored and shown beside it."""

    note_id: str = ""
    visit: int = 0
    first: dict[str, str] = {}
    title: str = ""
    text: str = ""
    words: int = 0
    pinned: bool = False
    archived: bool = False
    saved: int = 0
    version: str = ""
    error: str = ""
    ready: bool = False
    missing: bool = False
    blank: bool = False
    asking: bool = False

    @sdk.event
    async def open(self) -> None:
        """Runs on every visit."""
        wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
        if wanted != self.note_id:
            self.ready = False
        try:
            note = await service.get(wanted)
        except sdk.errors.NotFound:
            self.note_id, self.missing, self.ready = "", True, True
            return
        self.first = {"title": note.title, "text": note.text, "tags": " ".join(note.tag_list)}
        self.visit += 1
        self.note_id, self.missing, self.error, self.asking = note.id, False, "", False
        self._show(note)
        self.blank = note.blank
        self.ready = True

    @sdk.event
    async def save(self, edit: dict[str, Any]) -> AsyncIterator[Any]:
        """Store what was typed. What was changed elsewhere in the meantime, or deleted, stays; this becomes a note of its own."""
        values, turn, version = edit.get("values"), edit.get("turn"), edit.get("version")
        if not isinstance(values, dict) or not isinstance(turn, int):
            return
        words = {name: values.get(name, "") for name in ("title", "text", "tags")}
        try:
            note, same = await service.rewrite(edit.get("name"), **words, revision=version)
        except sdk.errors.Invalid as problem:
            self.error = problem.message
            return
        self.error, self.saved = "", turn
        if edit.get("name") != self.note_id:
            return  # another note is open by now
        if same:
            self._show(note)
            return
        yield sdk.notify(sdk.tr("This note was changed elsewhere. What you typed is now a note of its own."), "warning")
        yield rx.redirect(path_of(note.id), replace=True)

    @sdk.event
    async def pin(self) -> None:
        """Keep it at the top of the list, or not."""
        self._show(await service.mark(self.note_id, pinned=not self.pinned))

    @sdk.event
    async def move(self) -> None:
        """Into the archive, or out of it."""
        self._show(await service.mark(self.note_id, archived=not self.archived))

    @sdk.event
    def ask(self) -> None:
        """Open the question whether to delete."""
        self.asking = True

    @sdk.event
    def keep(self) -> None:
        """Close it."""
        self.asking = False

    @sdk.event
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the note and go back to the list."""
        self.asking = False
        with suppress(sdk.errors.NotFound):  # deleted in another tab: what was wanted is the case
            await service.delete(self.note_id)
        yield sdk.notify(sdk.tr("Note deleted."), "success")
        yield rx.redirect("/plugins/notes")

    def _show(self, note: Any) -> None:
        self.title, self.text, self.words = shown_title(note), note.text, len(note.text.split())
        self.pinned, self.archived, self.version = note.pinned, note.archived, str(note.revision)


@sdk.page("/[note_id]", title=sdk.msg("Note"), in_nav=False, parent="/plugins/notes", on_load=Desk.open)
def note() -> rx.Component:
    """Write a note."""
    waiting = rx.fragment(ui.page_header(t("Note")), ui.card(ui.skeleton(6)))
    gone = rx.fragment(
        ui.page_header(t("Note")),
        ui.card(
            ui.empty_state(
                "notebook-pen",
                t("This note is not here"),
                t("It may have been deleted, or it belongs to somebody else."),
                ui.link_button(t("All notes"), "/plugins/notes", "primary"),
            )
        ),
    )
    return rx.cond(Desk.ready, rx.cond(Desk.missing, gone, _desk()), waiting)


def _desk() -> rx.Component:
    return rx.fragment(
        ui.page_header(rx.el.span(Desk.title, dir="auto", class_name="wrap-anywhere"), "", _actions()),
        rx.cond(Desk.error != "", ui.notice(Desk.error, "danger", class_name="mb-4"), rx.fragment()),
        rx.el.div(ui.card(_form()), _preview(), class_name="grid gap-4 lg:grid-cols-2 items-start"),
        ui.dialog(
            rx.el.p(t("“{title}” will be gone for good.", title=Desk.title)),
            id="delete-note",
            title=t("Delete this note?"),
            open=Desk.asking,
            on_close=Desk.keep,
            actions=[ui.button(t("Keep it"), on_click=Desk.keep), ui.button(t("Delete"), variant="danger", on_click=Desk.delete)],
        ),
    )


def _form() -> rx.Component:
    title = ui.text_input(
        id="note-title",
        name="title",
        default_value=Desk.first["title"],
        max_length=service.LONGEST_TITLE,
        dir="auto",
        auto_focus=Desk.blank,
    )
    text = ui.text_area(
        name="text",
        default_value=Desk.first["text"],
        max_length=service.LONGEST_TEXT,
        dir="auto",
        rows=14,
        class_name="font-[family-name:var(--font-mono)] !text-sm !max-h-[70vh]",
    )
    tags = ui.text_input(name="tags", default_value=Desk.first["tags"], placeholder=t("home garden"), dir="auto", max_length=300)
    return ui.autosave(
        ui.stack(ui.field(t("Title"), title), ui.field(t("Text"), text), ui.field(t("Tags"), tags)),
        name=Desk.note_id,
        on_save=Desk.save,
        saved=Desk.saved,
        version=Desk.version,
        key=Desk.visit.to_string(),
        class_name="flex flex-col gap-3",
    )


def _preview() -> rx.Component:
    empty = rx.el.p(
        t("What you write is shown here as it will be read: # heading, **bold**, - list, [ ] to do."), class_name="mz-muted"
    )
    count = rx.el.span(sdk.i18n.tn("{count} word", "{count} words", Desk.words), class_name="mz-muted mz-small tabular-nums")
    return ui.card(
        rx.cond(Desk.text != "", ui.markdown(Desk.text), empty),
        title=t("Preview"),
        actions=[count],
        class_name="lg:min-h-64",
    )


def _actions() -> list[rx.Component]:
    return [
        ui.button(
            rx.cond(Desk.pinned, ui.icon("pin-off"), ui.icon("pin")),
            rx.cond(Desk.pinned, t("Unpin"), t("Pin")),
            on_click=Desk.pin,
            disabled=Desk.archived,
        ),
        ui.button(
            rx.cond(Desk.archived, ui.icon("archive-restore"), ui.icon("archive")),
            rx.cond(Desk.archived, t("Take out of the archive"), t("Archive")),
            on_click=Desk.move,
        ),
        ui.link_button(
            t("Download"),
            "/api/plugins/notes/note/" + Desk.note_id,
            icon_name="download",
            outside=True,
            custom_attrs={"download": ""},
        ),
        ui.button(ui.icon("trash-2"), t("Delete"), variant="danger", on_click=Desk.ask),
    ]
