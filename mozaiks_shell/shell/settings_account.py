"""State of the page with which one takes one's data along, or leaves for good."""

from typing import Any, ClassVar

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import joined, tr
from mozaiks_shell.identity.service import find_user
from mozaiks_shell.plugin_host.service import plugins
from mozaiks_shell.shell.account import delete_account
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.ui.state import ShellState, event


class Account(ShellState):
    """Leaving."""

    access: ClassVar[Access | None] = Access.signed_in()

    ready: bool = False
    username: str = ""
    local: bool = True
    plugins: str = ""
    asking: bool = False
    busy: bool = False
    errors: dict[str, str] = {}
    problem_code: str = ""
    leave: str = ""

    @event
    async def load(self) -> None:
        """Who it is, and what they have here; runs on every visit."""
        user = await find_user(self._me().user_id)
        self.username, self.local = user.username, not user.issuer
        self.plugins = joined(one.display_name for one in await plugins(self._me()))
        self.asking, self.busy, self.errors, self.problem_code, self.leave = False, False, {}, "", ""
        self.ready = True

    @event
    def ask(self, open_it: bool) -> None:
        """Show or hide the question."""
        self.asking = open_it is True
        self.errors, self.problem_code = {}, ""

    @event
    async def delete(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Delete the account, when the name was typed right and the password is the present one."""
        self.errors, self.problem_code = {}, ""
        typed, password = text_of(form, "confirmation").strip(), text_of(form, "password", 300)
        wrong = {}
        if typed.casefold() != self.username.casefold():
            wrong["confirmation"] = tr("Type {name} to confirm.", name=self.username)
        if self.local and not password:
            wrong["password"] = tr("Type your current password.")
        if not wrong:
            try:
                await delete_account(self._me(), password)
            except ShellError as problem:
                found = field_errors(problem)
                wrong = {"password": found[""]} if problem.code == "WRONG_PASSWORD" and "" in found else found
                self.problem_code = problem.code
        if wrong:
            self.errors = wrong
            for name, control in (("confirmation", "delete-name"), ("password", "delete-password")):
                if name in wrong:
                    yield rx.set_focus(control)
                    break
            return
        self.asking, self.leave = False, "/sign-in"
