"""State of the profile page: one's picture and name."""

from typing import Any, ClassVar

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.identity.service import clear_avatar, profile
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.shell.settings_fields import FieldSpec
from mozaiks_shell.shell.settings_values import fields_in, write_settings
from mozaiks_shell.shell.state import Frame, notify
from mozaiks_shell.ui.state import ShellState, event

_NAME = FieldSpec("full_name", "Name", max_length=120)


class Profile(ShellState):
    """One's own picture, name, user name and e-mail."""

    access: ClassVar[Access | None] = Access.signed_in()

    ready: bool = False
    avatar: str = ""
    initials: str = ""
    full_name: str = ""
    username: str = ""
    email: str = ""
    since: str = ""
    name_fixed: bool = False
    error: str = ""
    saved: int = 0
    failed: int = 0

    @event
    async def load(self) -> None:
        """Read everything anew; runs on every visit."""
        found = await profile(self._me())
        self.full_name, self.username, self.email = found["full_name"], found["username"], found["email"]
        self.avatar, self.since = found["avatar"], found["created_at"]
        self.initials = initials(self.full_name)
        self.name_fixed = not _name_field().writable
        self.error = ""
        self.ready = True

    @event
    async def save(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Keep the name; the header follows."""
        name = text_of(form, "full_name", 500)
        self.error = ""
        try:
            await write_settings(self._me(), {"full_name": name}, whole=(_name_field(),))
        except ShellError as problem:
            found = field_errors(problem)
            self.error = found.get("full_name") or found.get("") or problem.message
            self.failed += 1
            return
        self.full_name = name.strip()
        self.initials = initials(self.full_name)
        self.saved += 1
        yield Frame.enter

    @event
    async def refresh(self):  # type: ignore[no-untyped-def]
        """A new picture is stored: show it here and in the header."""
        self.avatar = (await profile(self._me()))["avatar"]
        yield Frame.enter
        yield notify(tr("Picture saved."), "success")

    @event
    async def remove_picture(self):  # type: ignore[no-untyped-def]
        """Back to initials."""
        await clear_avatar(self._me())
        self.avatar = ""
        yield Frame.enter
        yield notify(tr("Picture removed."), "success")


def initials(name: str) -> str:
    """Up to two letters that stand for a person."""
    return "".join(part[0] for part in name.split()[:2]).upper()


def _name_field() -> FieldSpec:
    """What ``settings_config.json`` says of the name: its label, whether it is required or fixed."""
    return next((one for one in fields_in("") if one.id == "full_name"), _NAME)
