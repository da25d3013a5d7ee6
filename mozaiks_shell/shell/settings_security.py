"""State of the security page: one's password, and where one is signed in."""

from typing import Any, ClassVar, TypedDict

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.identity.service import (
    account_console,
    change_password,
    close_all_sessions,
    end_session,
    find_user,
    list_sessions,
)
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.shell.settings_devices import device
from mozaiks_shell.shell.state import notify
from mozaiks_shell.ui.state import ShellState, event

_FIELDS = {"password": "new", "password_again": "again"}
_MISSING = {
    "old": msg("Type your current password."),
    "new": msg("Type a new password."),
    "again": msg("Type the new password again."),
}


class SessionLine(TypedDict):
    """A place where one is signed in. Times are ISO 8601 in UTC."""

    id: str
    device: str
    icon: str
    ip: str
    seen: str
    since: str
    current: bool
    token: bool


class Security(ShellState):
    """Password and sessions of one person."""

    access: ClassVar[Access | None] = Access.signed_in()

    ready: bool = False
    local: bool = True
    console: str = ""
    username: str = ""
    errors: dict[str, str] = {}
    saved: int = 0
    failed: int = 0
    sessions: list[SessionLine] = []
    asking: str = ""
    leave: str = ""

    @event
    async def load(self) -> None:
        """Read everything anew; runs on every visit."""
        user = await find_user(self._me().user_id)
        self.local, self.username = not user.issuer, user.username
        self.console = account_console() if user.issuer else ""
        self.errors, self.asking, self.leave = {}, "", ""
        self.sessions = await _lines(self._me())
        self.ready = True

    @event
    async def change(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Set another password; every other session of this person ends."""
        old, new, again = (text_of(form, name, 300) for name in ("old", "new", "again"))
        self.errors = {}
        missing = {name: tr(text) for name, text in _MISSING.items() if not text_of(form, name)}
        try:
            if missing:
                self.errors = missing
                self.failed += 1
                return
            ended = await change_password(self._me(), old, new, again)
        except ShellError as problem:
            found = field_errors(problem, **_FIELDS)
            self.errors = {"old": found[""]} if "" in found and problem.code == "WRONG_PASSWORD" else found
            self.failed += 1
            return
        self.saved += 1
        self.sessions = await _lines(self._me())
        if ended:
            yield notify(tr("Password changed. All other sessions are signed out."), "success")

    @event
    async def end(self, session_id: str):  # type: ignore[no-untyped-def]
        """Sign out one other session."""
        name = next((line["device"] for line in self.sessions if line["id"] == session_id), "")
        if not isinstance(session_id, str) or session_id == self._me().session_id:
            return
        try:
            await end_session(self._me(), session_id)
        except NotFound:
            pass  # it ended meanwhile, which is what was wanted
        except ShellError as problem:
            yield notify(problem.message, "danger")
            return
        self.sessions = await _lines(self._me())
        yield notify(tr("Signed out: {device}.", device=name), "success")
        yield rx.set_focus("mz-sessions")

    @event
    def ask(self, which: str) -> None:
        """Ask before signing out ``others`` or ``everywhere``; anything else closes the question."""
        self.asking = which if isinstance(which, str) and which in {"others", "everywhere"} else ""

    @event
    async def sign_out_others(self):  # type: ignore[no-untyped-def]
        """End every session but this one."""
        me = self._me()
        await close_all_sessions(me.user_id, keep=me.session_id)
        self.asking = ""
        self.sessions = await _lines(me)
        yield notify(tr("All other sessions are signed out."), "success")

    @event
    async def sign_out_everywhere(self) -> None:
        """End every session, this one included."""
        await close_all_sessions(self._me().user_id)
        self.asking, self.leave = "", "/sign-in"


async def _lines(me: Any) -> list[SessionLine]:
    lines = []
    for one in await list_sessions(me):
        browser, system, icon = device(one.user_agent, one.kind)
        words = tr("{browser} on {system}", browser=browser, system=system) if browser and system else browser or system
        lines.append(
            SessionLine(
                id=one.id, device=words or tr("Unknown device"), icon=icon, ip=one.ip, seen=one.seen_at.isoformat(),
                since=one.created_at.isoformat(), current=one.current, token=one.kind == "token",
            )
        )  # fmt: skip
    return sorted(lines, key=lambda line: not line["current"])
