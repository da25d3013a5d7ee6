"""Taking one's data along and leaving (F-234)."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.billing import service as billing
from mozaiks_shell.billing.errors import NothingToCancel
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import Conflict, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.models import DeletedUser, Founder, User
from mozaiks_shell.shell import personal_data

log = get_logger("account")

FORMAT: Final = 1  # of the exported file


class LastAdministrator(Conflict):
    """Without them nobody could administer the app."""

    code = "LAST_ADMINISTRATOR"


class StillReferred(Conflict):
    """Rows of a plugin, shared by several people, refer to rows of this person."""

    code = "ACCOUNT_IN_USE"


async def export_account(principal: Principal) -> dict[str, Any]:
    """Everything kept about a person: profile, acts on record, and their rows in every table, by area and table.

    Reads it all into memory; :func:`export_stream` does not.
    """
    return dict(json.loads("".join([part async for part in export_stream(principal)])))


async def export_stream(principal: Principal) -> AsyncIterator[str]:
    """The same as JSON text, in parts of a bounded size. No passwords, digests or other credentials."""
    head = {
        "format": FORMAT,
        "app_id": principal.app_id,
        "exported_at": clock.now().isoformat(),
        "profile": await identity.profile(principal),
        "acts": await audit.of_person(principal.app_id, principal.user_id),
    }
    yield _dumps(head)[:-1] + ',"data":{'
    areas: dict[str, list[Any]] = {}
    for table in await personal_data.tables():
        areas.setdefault(personal_data.area_of(table.name), []).append(table)
    for place, (area, tables) in enumerate(sorted(areas.items())):
        yield f"{',' * bool(place)}{_dumps(area)}:{{"
        for at, table in enumerate(tables):
            yield f"{',' * bool(at)}{_dumps(table.name)}:["
            first = True
            async for page in personal_data.rows(table, principal.app_id, principal.user_id):
                yield ("" if first else ",") + _dumps(page)[1:-1]
                first = False
            yield "]"
        yield "}"
    yield '},"kept":{'
    for place, keeper in enumerate(personal_data.keepers()):
        yield f"{',' * bool(place)}{_dumps(keeper.name)}:["
        async for part in keeper.export(principal.app_id, principal.user_id):
            yield part
        yield "]"
    yield "}}"


async def delete_account(principal: Principal, password: str = "") -> None:
    """Delete a person's account and everything kept about them, for good.

    A paid plan is cancelled first, so that nobody pays for an account that is gone. Then one transaction removes every
    row; stopped before its end, it leaves the account as it was. What remains is the id, in the record of acts and in the
    list of those who left.

    Args:
        password: The present one; not needed by people who signed in through the issuer minutes ago.

    Raises:
        WrongCredentials, SignInAgain, TooMany: as :func:`identity.service.prove_again`.
        LastAdministrator: nobody else could administer the app.
        PaymentUpstream: the payment service could not cancel; nothing was deleted.
        StillReferred: a plugin's shared rows refer to rows of this person.
    """
    await identity.prove_again(principal, password)
    async with system_session(principal.app_id) as db:
        await _not_the_last_administrator(db, principal)
    await _cancel_plan(principal)
    await _let_go_of_chats(principal)
    sign_in = "local"
    try:
        async with system_session(principal.app_id) as db:
            db.add(DeletedUser(id=principal.user_id))  # the first statement writes, so SQLite queues the writers
            await db.flush()
            await db.execute(select(Founder).with_for_update())  # and on PostgreSQL, two administrators who both leave wait here
            await _not_the_last_administrator(db, principal)
            user = (await db.execute(select(User).where(col(User.id) == principal.user_id))).scalars().one()
            sign_in = "oidc" if user.issuer else "local"
            ended = await identity.sessions_of(db, principal.user_id)
            await audit.forget_person(db, principal.user_id, "user.deleted", {"sign_in": sign_in})
            await personal_data.erase(db, principal.app_id, principal.user_id)
            await db.execute(delete(User).where(col(User.id) == principal.user_id))
    except IntegrityError as error:
        if await _is_gone(principal):
            return  # the other tab was first
        log.error("account not deleted", user_id=principal.user_id, reason=str(error.orig))
        raise StillReferred(tr("Something shared with others still refers to your data. Please ask an administrator.")) from error
    log.info("account deleted", user_id=principal.user_id)
    for keeper in personal_data.keepers():
        await keeper.erase(principal.app_id, principal.user_id)
    await events.publish(events.Event("user.deleted", principal.app_id, principal.user_id, {"sign_in": sign_in}))
    await identity.tell_ended(ended)
    await sweep(principal.app_id, principal.user_id)


async def sweep(app_id: str | None = None, user_id: str = "") -> int:
    """Remove rows that were written for somebody after they left: by a run in another process, by a late webhook.

    Args:
        user_id: Only of this person; empty for everybody who left. Run it at every start.

    Returns:
        How many rows there were.
    """
    app = app_id or get_settings().app_id
    async with system_session(app) as db:
        if (await db.execute(select(DeletedUser).limit(1))).first() is None:
            return 0
        gone = await personal_data.erase(db, app, user_id or select(col(DeletedUser.id)).where(col(DeletedUser.app_id) == app))
        left = set((await db.execute(select(DeletedUser.id))).scalars())
    if gone:
        log.info("rows of people who left removed", rows=gone)
    for keeper in personal_data.keepers():
        for one in left & set(await keeper.people(app)):
            await keeper.erase(app, one)
    return gone


async def _not_the_last_administrator(db: ScopedSession, principal: Principal) -> None:
    granted = col(User.roles).contains("admin") | col(User.issuer_roles).contains("admin")
    people = (await db.execute(select(User).where(granted, col(User.disabled).is_(False)))).scalars().all()
    admins = {user.id for user in people if identity.principal_of(user).has_role("admin")}
    if admins == {principal.user_id}:
        raise LastAdministrator(tr("You are the only administrator. Make somebody else an administrator first."))


async def _cancel_plan(principal: Principal) -> None:
    try:
        await billing.cancel(principal)
    except NothingToCancel:
        return


async def _let_go_of_chats(principal: Principal) -> None:
    """End the open runs, whichever process holds them, so that nothing is written for the person any more."""
    for chat in await chats.list_chats(principal, 200):
        with contextlib.suppress(Unavailable):
            await chats.let_go(principal, chat.id)


async def _is_gone(principal: Principal) -> bool:
    async with system_session(principal.app_id) as db:
        return (await db.execute(select(User.id).where(col(User.id) == principal.user_id))).first() is None


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
