"""State of the operator's page of app tokens (F-158)."""

from typing import Any, ClassVar, Final, TypedDict

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.identity import app_tokens
from mozaiks_shell.identity.accounts import find_login
from mozaiks_shell.identity.service import find_user
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.state import ShellState, event

DAYS: Final = ("7", "30", "90", "366")
USUAL_DAYS: Final = "90"
STATES: Final = {
    "active": (msg("Active"), "success"),
    "expired": (msg("Expired"), "neutral"),
    "revoked": (msg("Revoked"), "neutral"),
}
_WORDS: Final = {
    app_tokens.NOTIFY: msg("Send notifications"),
    app_tokens.BUILDS: msg("Report and download builds"),
    "plugins:*": msg("Call every plugin"),
}
_NO_ERRORS: Final[dict[str, str]] = {}


class Scope(TypedDict):
    """Something a token may be good for: its name, and what that means."""

    name: str
    title: str


class TokenRow(TypedDict):
    """A token. Times are ISO 8601, ``used`` is empty when it never was; ``acts_for`` is somebody's name, or empty."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    acts_for: str
    made_by: str
    label: str
    tone: str
    used: str
    expires: str
    active: bool


class Tokens(ShellState):
    """The list, making one, ending one."""

    access: ClassVar[Access | None] = Access.role("admin")

    loaded: bool = False
    rows: list[TokenRow] = []
    offered: list[Scope] = []
    making: bool = False
    secret: str = ""  # of the token just made, until the dialog is closed
    errors: dict[str, str] = _NO_ERRORS
    doomed: str = ""
    doomed_name: str = ""
    said: str = ""
    said_tone: str = "neutral"

    @event
    async def enter(self) -> None:
        """Read everything anew; runs on every visit."""
        self.making, self.secret, self.errors, self.doomed, self.said = False, "", {}, "", ""
        plugins = [f"plugins:{one.name}" for one in sorted(plugin_reports(), key=lambda one: one.title.lower())]
        titles = _titles()
        self.offered = [Scope(name=name, title=_words(name, titles)) for name in (*_WORDS, *plugins)]
        await self._read()

    @event
    def ask(self, on: bool) -> None:
        """Open or close the form. A secret that was shown is gone then."""
        self.making, self.secret, self.errors = bool(on), "", {}

    @event
    async def create(self, form: dict[str, Any]) -> None:
        """Make a token from the form and show its secret."""
        self.errors, self.said = {}, ""
        scopes = [one["name"] for one in self.offered if form.get(one["name"])]
        days = str(form.get("days") or USUAL_DAYS)
        try:
            acts_for = await _person(str(form.get("acts_for") or "").strip()[:254])
            self.secret, _ = await app_tokens.create(
                self._me(),
                str(form.get("name") or ""),
                scopes,
                days=float(days if days in DAYS else USUAL_DAYS),
                acts_for=acts_for,
            )
        except ShellError as error:
            fields = [one["field"] for one in error.details.get("errors", ())]
            self.errors = {fields[0] if fields else "acts_for" if error.code == "PERSON_NOT_FOUND" else "": error.message}
            if not scopes and "scopes" in self.errors:
                self.errors = {"scopes": tr("Choose at least one.")}
            return
        await self._read()

    @event
    def doom(self, token_id: str) -> None:
        """Ask whether a token is to be revoked; empty: it is not."""
        found = next((row for row in self.rows if row["id"] == token_id), None)
        self.doomed, self.doomed_name = (found["id"], found["name"]) if found else ("", self.doomed_name)

    @event
    async def revoke(self) -> None:
        """End the token that was asked about."""
        token_id, self.doomed = self.doomed, ""
        try:
            await app_tokens.revoke(self._me(), token_id)
            self.said, self.said_tone = tr("{name} is revoked. Its next call is refused.", name=self.doomed_name), "success"
        except ShellError as error:
            self.said, self.said_tone = error.message, "danger"
        await self._read()

    async def _read(self) -> None:
        found = sorted(await app_tokens.listing(self._me()), key=lambda one: one["state"] != "active")
        names = {one: await _name(one) for one in {row[key] for row in found for key in ("acts_for", "created_by")}}
        titles = _titles()
        self.rows = [_row(one, names, titles) for one in found[:200]]
        self.loaded = True


def _row(one: dict[str, Any], names: dict[str, str], titles: dict[str, str]) -> TokenRow:
    label, tone = STATES[one["state"]]
    return TokenRow(
        id=one["id"], name=one["name"], prefix=one["prefix"], scopes=[_words(scope, titles) for scope in one["scopes"]],
        acts_for=names[one["acts_for"]], made_by=names[one["created_by"]], label=tr(label), tone=tone,
        used=one["used_at"] or "", expires=one["expires_at"], active=one["state"] == "active",
    )  # fmt: skip


def _titles() -> dict[str, str]:
    return {one.name: tr(one.title) for one in plugin_reports()}


def _words(scope: str, titles: dict[str, str]) -> str:
    name = scope.removeprefix("plugins:")
    return tr(_WORDS[scope]) if scope in _WORDS else tr("Call {name}", name=titles.get(name, name))


async def _person(login: str) -> str:
    """The id of the person with this user name or e-mail address; empty for nobody.

    Raises:
        NotFound: there is none.
    """
    if not login:
        return ""
    found = await find_login(login)
    if found is None:
        raise NotFound(tr("There is no such person."), code="PERSON_NOT_FOUND")
    return found.id


async def _name(user_id: str) -> str:
    if not user_id:
        return ""
    try:
        user = await find_user(user_id)
    except NotFound:
        return f"…{user_id[-8:]}"
    return user.full_name or user.username
