"""The settings page's State."""

from typing import Any, ClassVar

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.identity.service import update_profile
from mozaiks_shell.shell.state import Frame, notify
from mozaiks_shell.ui.state import ShellState, event


class Profile(ShellState):
    """One's own name."""

    access: ClassVar[Access | None] = Access.signed_in()

    error: str = ""

    @event
    async def save(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Keep the display name."""
        self.error = ""
        name = form.get("full_name") if isinstance(form, dict) else None
        try:
            await update_profile(self._me(), {"full_name": name.strip() if isinstance(name, str) else ""})
        except ShellError as problem:
            self.error = problem.message
            return
        yield notify("Saved.", "success")
        frame = await self.get_state(Frame)
        frame.name = name.strip() if isinstance(name, str) else ""
