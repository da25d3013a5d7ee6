"""State of the account pages: what the address says went wrong, and which ways in are open. It never sees a password."""

from typing import Any, ClassVar
from urllib.parse import quote

import reflex as rx

from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service
from mozaiks_shell.identity.errors import FIELDS, MESSAGES
from mozaiks_shell.ui.state import ShellState, event

NOTICES = {"SIGNED_OUT_HERE": msg("You are signed out of this app, but still signed in at the sign-in service.")}
NO_FIELD_ERRORS = {"username": "", "email": "", "full_name": "", "password": ""}


def issuer_name() -> str:
    """What to call the issuer on a button; empty when there is none."""
    settings = get_settings()
    return settings.oidc_name if settings.oidc_authority else service.provider_title()


class SignIn(ShellState):
    """Both account pages. Every sentence shown is ours: the address carries codes only."""

    access: ClassVar[Access | None] = Access.public()

    local: bool = get_settings().local_accounts
    registration: bool = get_settings().registration
    issuer_name: str = get_settings().oidc_name if get_settings().oidc_authority else ""
    fresh: bool = False
    next: str = ""
    next_query: str = ""
    notice: str = ""
    problem: str = ""
    wait: int = 0
    field_errors: dict[str, str] = NO_FIELD_ERRORS
    username: str = ""
    email: str = ""
    full_name: str = ""

    @event
    async def enter(self) -> Any:
        """Runs when an account page opens; who is signed in already is sent on."""
        query = self.router.url.query_parameters
        wanted = service.safe_next(query.get("next", ""))
        if current_principal() is not None:
            return rx.redirect(wanted)
        settings = get_settings()
        self.local = settings.local_accounts or service.asks_for_passwords()
        self.registration, self.issuer_name = settings.registration and settings.local_accounts, issuer_name()
        self.fresh = await service.is_fresh_installation()
        self.next = wanted if wanted != "/" else ""
        self.next_query = f"?next={quote(self.next, safe='/')}" if self.next else ""
        self.username, self.email, self.full_name = (query.get(name, "")[:254] for name in ("username", "email", "full_name"))
        self.notice = tr(NOTICES.get(query.get("notice", ""), ""))
        codes = [code for code in query.get("error", "").split(",")[:8] if code in MESSAGES]
        self.field_errors = NO_FIELD_ERRORS | {
            FIELDS[code]: tr(MESSAGES[code]) for code in codes if FIELDS.get(code) in NO_FIELD_ERRORS
        }
        general = [tr(MESSAGES[code]) for code in codes if code not in FIELDS]
        wait = query.get("wait", "")
        self.wait = int(wait) if "LIMIT_EXCEEDED" in codes and wait.isascii() and wait.isdigit() and len(wait) < 6 else 0
        self.problem = " ".join(general) or (tr("Please correct what is marked below.") if codes else "")
        return None
