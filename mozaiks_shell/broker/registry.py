"""Workflows that programs register (F-159): rows of the app that become capabilities beside those of files and plugins.

Who asks for capabilities does not wait for the database: this process keeps what it read last and looks again every few
seconds, and at once where it matters (a start, a list).
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col, select

from mozaiks_shell.appconfig.capabilities import Capability, Sourced, more_from, sourced
from mozaiks_shell.broker.models import RegisteredWorkflow
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings

log = get_logger("broker")

REGISTERED: Final = "registered"
FRESH: Final = 2.0  # seconds for which the rows read last are believed
MOST: Final = 500  # workflows one app may register


@dataclass(frozen=True, slots=True)
class Entry:
    """A workflow of the app with where its capability comes from: a file, ``plugin NAME`` or ``registered``."""

    capability: Capability
    source: str


class _Read:
    """The rows as this process read them last."""

    settings: Settings | None = None
    found: tuple[Sourced, ...] = ()
    at: float = 0.0


_read = _Read()


def known() -> list[Sourced]:
    """What was registered, as read last."""
    return list(_read.found) if _read.settings is get_settings() else []


more_from(REGISTERED, known)


async def refresh(*, at_once: bool = False) -> None:
    """Read the rows again unless that was just done. Without a database what was read last stays."""
    settings = get_settings()
    if not at_once and _read.settings is settings and time.monotonic() - _read.at < FRESH:
        return
    try:
        async with system_session() as db:
            rows = list((await db.execute(select(RegisteredWorkflow).order_by(col(RegisteredWorkflow.name)))).scalars())
    except SQLAlchemyError as error:
        log.warning("registered workflows could not be read", error=type(error).__name__)
        return
    _read.found = tuple((REGISTERED, one) for row in rows if (one := _capability(row)) is not None)
    _read.settings, _read.at = settings, time.monotonic()


async def entries() -> list[Entry]:
    """Every capability of the app, in the operator's order."""
    await refresh()
    return [Entry(one, source) for source, one in sourced()]


async def register(principal: Principal, definition: dict[str, Any], version: str = "") -> tuple[Capability, bool]:
    """Keep a workflow for this app; registering the same name again replaces it. The caller has checked the role.

    Args:
        definition: Fields of a capability (F-143); ``workflow_id`` is the workflow's name.

    Returns:
        The capability, and whether it is new.

    Raises:
        Invalid: a field is wrong, with its name.
        Conflict: a file or a plugin has the id already, or too many are registered.
    """
    try:
        capability = Capability.model_validate(definition)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Invalid(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
    await refresh(at_once=True)
    for source, other in sourced():
        if other.id == capability.id and (source, other.workflow_id) != (REGISTERED, capability.workflow_id):
            said = tr("The id {id} is taken already ({source}).", id=capability.id, source=source)
            raise Conflict(said, code="CAPABILITY_EXISTS")
    made = await _write(principal, capability, version)
    await refresh(at_once=True)
    facts = {"workflow": capability.workflow_id, "capability": capability.id, "new": made}
    await events.publish(events.Event("workflow.registered", principal.app_id, principal.user_id, facts))
    return capability, made


async def unregister(principal: Principal, name: str) -> None:
    """Forget a registered workflow. Its chats stay.

    Raises:
        NotFound: none of this name was registered.
    """
    async with system_session(principal.app_id) as db:
        row = (await db.execute(select(RegisteredWorkflow).where(col(RegisteredWorkflow.name) == name))).scalars().first()
        if row is None:
            raise NotFound(tr("There is no such workflow."), code="WORKFLOW_NOT_FOUND")
        await db.delete(row)
    await refresh(at_once=True)
    await events.publish(events.Event("workflow.unregistered", principal.app_id, principal.user_id, {"workflow": name}))


async def _write(principal: Principal, capability: Capability, version: str) -> bool:
    told = capability.model_dump(mode="json")
    for _ in range(3):
        try:
            async with system_session(principal.app_id) as db:
                rows = list((await db.execute(select(RegisteredWorkflow))).scalars())
                row = next((one for one in rows if one.name == capability.workflow_id), None)
                if row is None:
                    if len(rows) >= MOST:
                        raise Conflict(tr("No more workflows can be registered."), code="TOO_MANY_WORKFLOWS")
                    db.add(
                        RegisteredWorkflow(
                            name=capability.workflow_id, capability=told, version=version, registered_by=principal.user_id
                        )
                    )
                    return True
                row.capability, row.version, row.updated_at = told, version, now()
                row.registered_by = principal.user_id
                return False
        except IntegrityError:
            await asyncio.sleep(0)  # somebody registered it just now; replace theirs
    raise Conflict(tr("Somebody else registers this workflow. Please try again."), code="CONFLICT")


def _capability(row: RegisteredWorkflow) -> Capability | None:
    try:
        return Capability.model_validate(row.capability)
    except ValidationError as error:
        log.error("a registered workflow cannot be read", workflow=row.name, problem=str(error.errors()[0]["msg"]))
        return None
