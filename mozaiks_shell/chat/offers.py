"""What the composer of a chat may offer its person, told by the chat socket whenever a chat is opened.

Also who is there, so that one person's drafts are never shown to another in the same tab.
"""

import hashlib
from typing import Any

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat.feedback import given
from mozaiks_shell.chat.slash import listed
from mozaiks_shell.chat.uploads import welcome
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings

FILES_AT_ONCE = 10  # files of one message
SUGGESTIONS = 8  # at most so many are offered


async def offers(principal: Principal, chat_id: str, workflow: str) -> dict[str, Any]:
    """The frame ``offers``: ``me``, ``uploads`` (null where the workflow takes no files), ``feedback`` by message,
    ``commands`` of plugins, ``suggestions`` to begin with.

    Args:
        chat_id: A chat of this person.
        workflow: The chat's.
    """
    return {
        "t": "offers",
        "chat": chat_id,
        "me": person_key(principal),
        "uploads": _uploads(workflow),
        "feedback": await given(principal, chat_id),
        "commands": await listed(principal),
        "suggestions": _suggestions(workflow),
    }


def person_key(principal: Principal) -> str:
    """Tells people apart in a browser's storage, and nothing else: no name, no id."""
    return hashlib.sha256(f"{principal.app_id}\n{principal.user_id}".encode()).hexdigest()[:16]


def _suggestions(workflow: str) -> list[dict[str, Any]]:
    """Of every capability that people know the workflow by."""
    found = [one for each in broker.capabilities() if each.workflow_id == workflow for one in each.suggestions]
    return [{"title": one.title, "prompt": one.message, "send": one.send} for one in found[:SUGGESTIONS]]


def _uploads(workflow: str) -> dict[str, Any] | None:
    if not welcome(workflow):
        return None
    settings = get_settings()
    return {"most": settings.upload_max_bytes, "count": FILES_AT_ONCE, "types": settings.upload_types}
