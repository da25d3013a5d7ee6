"""What apps and plugins count of their own: named events with a few facts, without anything that names a person (F-239)."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import col, select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.insights.models import TrackedEvent

PER_MINUTE: Final = 600  # of one person and plugin
LARGEST: Final = 4_000  # bytes of JSON
_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,79}")
_PERSONAL: Final = frozenset({
    "email", "mail", "e_mail", "phone", "mobile", "telephone", "name", "first_name", "last_name", "full_name", "username",
    "user_name", "address", "street", "zip", "postcode", "ip", "ip_address", "password", "passwd", "secret", "token",
    "api_key", "authorization", "cookie", "session", "iban", "card", "card_number", "ssn", "birthday", "dob",
    "date_of_birth", "latitude", "longitude",
})  # fmt: skip


async def track(app_id: str, user_id: str, plugin: str, name: str, properties: Mapping[str, Any]) -> None:
    """Keep one event. Keys that name a person (``email``, ``ip_address``, ``userName`` …) are dropped, however deep.

    Raises:
        Invalid: no name of this kind, not JSON, or more than 4 kB.
        TooMany: more than 600 a minute of one person and plugin.
    """
    if not _NAME.fullmatch(name):
        raise Invalid("An event's name is in small letters, such as report_exported.")
    await hit("insights.track", f"{plugin}/{user_id}", PER_MINUTE)
    try:
        kept = _impersonal(checked(json.loads(json.dumps(dict(properties), allow_nan=False))))
    except (TypeError, ValueError) as error:
        raise Invalid(f"An event's properties must be JSON: {error}") from error
    if len(json.dumps(kept)) > LARGEST:
        raise Invalid(f"An event's properties may have {LARGEST} bytes.")
    async with system_session(app_id) as db:
        db.add(TrackedEvent(user_id=user_id, plugin=plugin, name=name, properties=kept))


async def tracked(
    app_id: str, *, plugin: str = "", name: str = "", since: datetime | None = None, limit: int = 100
) -> list[TrackedEvent]:
    """Kept events, newest first, for the operator."""
    query = (
        select(TrackedEvent).order_by(col(TrackedEvent.at).desc(), col(TrackedEvent.id).desc()).limit(max(1, min(limit, 1000)))
    )
    if plugin:
        query = query.where(col(TrackedEvent.plugin) == plugin)
    if name:
        query = query.where(col(TrackedEvent.name) == name)
    if since is not None:
        query = query.where(col(TrackedEvent.at) >= since)
    async with system_session(app_id) as db:
        return list((await db.execute(query)).scalars())


def _impersonal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _impersonal(inner) for key, inner in value.items() if _plain(key) not in _PERSONAL}
    if isinstance(value, list):
        return [_impersonal(one) for one in value]
    return value


def _plain(key: str) -> str:
    """``userName``, ``User-Name`` and ``user name`` are one word."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()).strip("_")
