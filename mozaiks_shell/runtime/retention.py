"""Old chats go by themselves, after as many days as the shell keeps its transcript (``MOZAIKS_CHAT_RETENTION_DAYS``).

Only those whose run has ended: an open run may still be answered. Every process of an installation may do it at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from . import uploads
from .archive import is_trouble

if TYPE_CHECKING:
    from .app import Services

log = logging.getLogger(__name__)
EVERY_SECONDS = 3600.0
BATCH = 100


async def retire(services: Services, days: float) -> int:
    """Delete the chats that ended and in which nothing was said for so many days, with their files; how many there were."""
    assert services.archive is not None
    border = (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None).isoformat(timespec="microseconds")
    born_before = time.time_ns() - int(days * 86_400e9)
    gone, after = 0, ("", "")
    while rows := await services.archive.ended(born_before, after, BATCH):
        for row in rows:
            head = json.loads(row.body)
            if head["updated_at"] >= border or not services.chats.idle(row.app_id, row.chat_id):
                continue
            if await services.archive.remove(row):
                services.chats.drop(row.app_id, row.chat_id)
                await asyncio.to_thread(uploads.forget, services.config, head["attachments"])
                gone += 1
        after = rows[-1].app_id, rows[-1].chat_id
    if gone:
        log.info("old chats deleted: %d", gone)
    return gone


async def keep_up(services: Services) -> None:
    """Do it every hour until cancelled."""
    while True:
        try:
            await retire(services, services.config.retention_days)
        except Exception as error:
            if not is_trouble(error):
                log.exception("old chats could not be deleted")
        await asyncio.sleep(EVERY_SECONDS)
