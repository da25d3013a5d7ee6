"""The bell in the header: how many notifications are unread, the newest of them, and where they lead (F-209)."""

from typing import Any, ClassVar, TypedDict, cast

import reflex as rx

from mozaiks_shell.appconfig.service import ui_config
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.notifications import service
from mozaiks_shell.shell.frame_icons import sign
from mozaiks_shell.shell.slots import header
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.i18n import t, tn
from mozaiks_shell.ui.kit import icon, menu
from mozaiks_shell.ui.live import live
from mozaiks_shell.ui.state import ShellState, event

SHOWN = 12


class Note(TypedDict):
    """A notification as the bell shows it. ``when`` is in the person's language and time zone."""

    id: str
    title: str
    message: str
    when: str
    read: bool


class Bell(ShellState):
    """The newest notifications of the person."""

    access: ClassVar[Access | None] = Access.signed_in()

    notes: list[Note] = []
    unread: int = 0
    said: str = ""
    empty: str = ""
    drawn: str = "bell"
    shown: bool = True

    @event
    async def load(self):  # type: ignore[no-untyped-def]
        """Runs when the header appears."""
        await self._read()

    @event
    async def hear(self, action: str, data: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Something is new, or the connection was lost for a while."""
        await self._read()
        if action == "new" and self.notes and not self.notes[0]["read"]:
            self.said = self.notes[0]["title"]

    @event
    async def follow(self, note_id: str):  # type: ignore[no-untyped-def]
        """Read one, and go where it leads."""
        rows, _ = await service.listing(self._scope(), limit=service.KEPT)
        found = next((row for row in rows if row.id == note_id), None)
        if found is not None:
            try:
                await service.mark_read(self._scope(), found.id)
            except NotFound:
                found = None  # deleted in between
        await self._read()
        if found is not None and found.link.startswith("/") and not found.link.startswith("//"):
            return rx.redirect(found.link)
        return None

    @event
    async def read_all(self):  # type: ignore[no-untyped-def]
        """Mark everything as read."""
        await service.mark_read(self._scope())
        await self._read()

    async def _read(self) -> None:
        if current_principal() is None:
            return
        said = ui_config().notifications
        rows, self.unread = await service.listing(self._scope(), limit=SHOWN)
        self.notes = [_shown(row) for row in rows]
        self.shown, self.drawn = said.show, said.icon or "bell"
        self.empty = tr(said.emptyText or _NOTHING)

    def _scope(self) -> Scope:
        me = self._me()
        return Scope(me.app_id, me.user_id)


def _shown(row: Any) -> Note:
    when = i18n.moment(aware(row.created_at))
    return Note(id=row.id, title=row.title, message=row.message, when=when, read=row.read_at is not None)


_NOTHING = msg("Nothing new.")


@header.section(msg("Notifications"), name="notifications", order=10, access=Access.signed_in())
def bell() -> rx.Component:
    """The button with the count, and the list behind it."""
    how_many, notes = cast(Any, Bell.unread), cast(Any, Bell.notes)
    count = rx.cond(how_many > 99, "99+", how_many.to(str))
    face = rx.el.span(
        sign(Bell.drawn, 17),
        rx.cond(Bell.unread > 0, rx.el.span(count, class_name="mz-bell-count", aria_hidden="true"), rx.fragment()),
        class_name="mz-bell-face",
    )
    unread = tn("Notifications, {count} unread", "Notifications, {count} unread", Bell.unread)
    label = rx.cond(Bell.unread > 0, unread, t("Notifications"))
    some = rx.fragment(
        rx.el.ul(rx.foreach(notes, _note), class_name="mz-notes"),
        rx.cond(
            Bell.unread > 0,
            rx.el.button(
                icon("check-check"),
                t("Mark all as read"),
                type="button",
                on_click=Bell.read_all,
                class_name="mz-menu-item mz-notes-all",
            ),
            rx.fragment(),
        ),
    )
    nothing = rx.el.p(Bell.empty, class_name="mz-notes-none")
    opened = menu(face, rx.cond(notes.length() > 0, some, nothing), id="mz-bell", label=label, class_name="mz-menu-bell")
    announced = rx.el.span(Bell.said, role="status", class_name="mz-hidden")
    # Drawn at once, so that nothing moves when the data comes; it asks and listens once it is known that somebody is there.
    hearing = rx.el.span(live("notification", Bell.hear), on_mount=Bell.load, hidden=True)
    there: Any = Frame.ready & Frame.signed_in
    shown = rx.fragment(opened, announced, rx.cond(there, hearing, rx.fragment()))
    return rx.el.div(rx.cond(Bell.shown, shown, rx.fragment()), class_name="mz-bell")


def _note(one: Any) -> rx.Component:
    state = rx.cond(
        one["read"].to(bool), rx.fragment(), rx.el.span(rx.el.span(t("Unread"), class_name="mz-hidden"), class_name="mz-note-new")
    )
    said = rx.cond(one["message"] != "", rx.el.span(one["message"], dir="auto", class_name="mz-note-said"), rx.fragment())
    return rx.el.li(
        rx.el.button(
            state,
            rx.el.span(
                rx.el.span(one["title"], dir="auto", class_name="mz-note-title"),
                said,
                rx.el.span(one["when"], class_name="mz-note-when"),
                class_name="mz-note-words",
            ),
            type="button",
            on_click=Bell.follow(one["id"]),
            class_name="mz-menu-item mz-note",
            custom_attrs={"data-done": ""},
        )
    )
