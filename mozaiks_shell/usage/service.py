"""The one writer of token usage (F-248): sums what the chat reports, each event once."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.events import Event, subscribe
from mozaiks_shell.usage.models import UsageEntry


@dataclass(frozen=True, slots=True)
class Totals:
    """Tokens, and the number of model calls they came from."""

    prompt_tokens: int
    completion_tokens: int
    calls: int


@subscribe("chat.usage")
async def record(event: Event) -> None:
    """Write one ledger row; an ``event_id`` seen before changes nothing (F-250)."""
    data = event.data
    entry = UsageEntry(
        user_id=event.user_id,
        event_id=str(data["event_id"])[:64],
        chat_id=str(data.get("chat_id", "")),
        workflow=str(data.get("workflow", "")),
        agent=str(data.get("agent", "")),
        model=str(data.get("model", "")),
        prompt_tokens=max(0, int(data.get("prompt_tokens", 0))),
        completion_tokens=max(0, int(data.get("completion_tokens", 0))),
        at=event.at,
    )
    try:
        async with system_session(event.app_id) as db:
            db.add(entry)
    except IntegrityError:
        return


async def totals(app_id: str, user_id: str | None = None) -> Totals:
    """Tokens of one person, or of the whole app when ``user_id`` is None (admins)."""
    columns = (
        func.coalesce(func.sum(col(UsageEntry.prompt_tokens)), 0),
        func.coalesce(func.sum(col(UsageEntry.completion_tokens)), 0),
        func.count(col(UsageEntry.id)),
    )
    async with session(Scope(app_id, user_id)) as db:
        row = (await db.execute(select(*columns))).one()
    return Totals(int(row[0]), int(row[1]), int(row[2]))
