"""The ledger as CSV (F-252): streamed, and harmless in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, Final

from sqlmodel import and_, col, or_, select

from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.usage.models import UsageEntry
from mozaiks_shell.usage.prices import as_decimal, plain
from mozaiks_shell.usage.sums import Span

PAGE: Final = 500
HEAD: Final = (
    "at", "person", "chat", "workflow", "agent", "model", "prompt_tokens", "completion_tokens", "total_tokens", "cached",
    "duration_ms", "cost", "currency", "event_id", "invocation_id",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


async def lines(scope: Scope, span: Span) -> AsyncIterator[str]:
    """The file in pieces, oldest call first. ``cost`` is empty where the model has no price.

    Reads a page at a time, each in a transaction of its own; calls that are written meanwhile may or may not be in it.
    """
    yield _written([HEAD])
    at, key = col(UsageEntry.at), col(UsageEntry.id)
    query = select(UsageEntry).where(*span.conditions()).order_by(at, key).limit(PAGE)
    last: UsageEntry | None = None
    while True:
        page = query if last is None else query.where(or_(at > last.at, and_(at == last.at, key > last.id)))
        async with session(scope) as db:
            rows = list((await db.execute(page)).scalars())
        if rows:
            yield _written([_row(one) for one in rows])
            last = rows[-1]
        if len(rows) < PAGE:
            return


def _row(one: UsageEntry) -> tuple[Any, ...]:
    return (
        aware(one.at).astimezone(UTC).isoformat(),
        *map(_harmless, (one.user_id, one.chat_id, one.workflow, one.agent, one.model)),
        one.prompt_tokens,
        one.completion_tokens,
        one.prompt_tokens + one.completion_tokens,
        "yes" if one.cached else "no",
        one.duration_ms,
        "" if one.cost_pico is None else plain(as_decimal(one.cost_pico)),
        one.currency,
        _harmless(one.event_id),
        _harmless(one.invocation_id),
    )


def _harmless(text: str) -> str:
    """A text no spreadsheet takes for a formula: names of agents and models come from the runtime."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _written(rows: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
