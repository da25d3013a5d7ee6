"""Which chat the runtime attached us to, and whether it is ours to show (protocol §2.1 "Chat id choice")."""

from sqlalchemy import or_, select
from sqlmodel import col

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.loss import Choice
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.outcomes import Outcome
from mozaiks_shell.chat.upstream_frames import Meta
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.i18n import tr


async def refusal(principal: Principal, chat: KnownChat, meta: Meta) -> Outcome | None:
    """Why the chat that the runtime named must not be shown as ``chat``; None when it may.

    One nobody knows is followed. Somebody else's never is, and another one of the same person has a place of its own.
    """
    strangers = tr(
        "The assistant's server connected this conversation to one that belongs to somebody else, so it was left at once."
    )
    if (meta.user_id or principal.user_id) != principal.user_id or (meta.app_id or principal.app_id) != principal.app_id:
        return Outcome("failed", strangers, strangers)
    if not meta.chat_id or meta.chat_id == chat.runtime_chat_id:
        return None
    named = or_(col(Chat.id) == meta.chat_id, col(Chat.runtime_chat_id) == meta.chat_id)
    async with system_session() as db:
        other = (await db.execute(select(Chat).where(named, col(Chat.id) != chat.chat_id).limit(1))).scalars().first()
    if other is None:
        return None
    if (other.app_id, other.user_id) != (principal.app_id, principal.user_id):
        return Outcome("failed", strangers, strangers)
    reason = tr(
        "The assistant's server goes on with another conversation of yours instead: “{title}”.",
        title=other.title or other.workflow,
    )
    return Outcome("interrupted", reason, reason, Choice(reason, ("restart", "leave")))
