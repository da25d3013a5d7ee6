"""Who may sit in a chat that another site's page embeds (F-177, F-196; docs/decisions/0013-embedding.md).

The operator's back end knows who its visitor is. It asks for a ticket with an app token, its page hands the ticket to the
frame, and the frame exchanges it, once and within a minute, for a session of its own.
"""

from datetime import timedelta
from typing import Final

from sqlmodel import col, delete

from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Forbidden, NotFound, NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import digest, new_secret
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.acting import person_now
from mozaiks_shell.identity.app_tokens import ADMINS, EMBED, current_app_caller
from mozaiks_shell.identity.models import Session, User

TICKET: Final = "ticket"  # kind of the row; no request is ever answered to one
GOOD_FOR: Final = timedelta(seconds=60)
TICKETS_PER_MINUTE: Final = 60  # of one caller


async def ticket(caller: Principal, user_id: str = "") -> str:
    """A ticket for a person: good once, for a minute.

    Args:
        caller: A person, for themselves; or a program with an app token of the scope ``embed``.
        user_id: Whose; a program has to say it, unless its token acts for somebody.

    Raises:
        NotFound: ``EMBED_OFF``, nobody may embed; or nobody of this app has the id.
        Forbidden: for somebody else, or for an administrator, whose rights no embedding page gets.
        TooMany: more than 60 in a minute.
    """
    if not get_settings().embed_origins:
        raise NotFound(tr("This app is not embedded anywhere."), code="EMBED_OFF")
    program = current_app_caller()
    acts_for = caller.user_id if program is None else program.acts_for
    if program is not None and EMBED not in program.scopes:
        raise Forbidden(tr("This token is not made for that."), code="SCOPE_MISSING", needed=EMBED)
    if acts_for and user_id not in {"", acts_for}:
        raise Forbidden(tr("This is for somebody else."), code="NOT_YOURS")
    await hit("embed.ticket", caller.user_id, TICKETS_PER_MINUTE)
    person = await person_now(caller.app_id, acts_for or user_id)
    if person is None:
        raise NotFound(tr("There is no such person."), code="USER_NOT_FOUND")
    if {role.lower() for role in person.roles} & ADMINS:
        raise Forbidden(tr("Administrators use the app itself, not a page that embeds it."), code="ADMIN_NOT_EMBEDDED")
    secret, moment = new_secret(), clock.now()
    async with system_session() as db:
        db.add(
            Session(
                app_id=person.app_id, user_id=person.user_id, kind=TICKET, secret_digest=digest(secret),
                expires_at=moment + GOOD_FOR,
            )
        )  # fmt: skip
    return secret


async def redeem(secret: str) -> User:
    """The person of a ticket, which is used up by that.

    Raises:
        NotSignedIn: unknown, used or too old.
    """
    good = len(secret) <= 128 and secret.isascii() and bool(get_settings().embed_origins)
    async with system_session() as db:
        here = (col(Session.secret_digest) == digest(secret if good else "")) & (col(Session.kind) == TICKET)
        fresh = col(Session.expires_at) > clock.now()
        found = (await db.execute(delete(Session).where(here & fresh).returning(col(Session.user_id)))).first()
        user = await db.get(User, found[0]) if found is not None and good else None
        if user is None or user.disabled:
            raise NotSignedIn(tr("This ticket is used or too old."), code="TICKET_INVALID")
        db.expunge(user)
    return user
