"""Chats that a run starts beside its own (``chat.workflow_started``, ``chat.workflow_batch_started``): they become the person's.

Without a row nobody could open them, and the budget, the list and the deletion of an account would not know of them (F-189).
They are not connected to: that is done, as safely as for any other chat, when the person opens one.
"""

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.protocol import Spawned
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")


async def adopt(principal: Principal, parent: KnownChat, told: Spawned) -> list[str]:
    """Make the chats this person's; the workflows of those that are new.

    One that the runtime gives to somebody else, or that is known already, whoever has it, is left as it is.
    """
    if (told.app_id or principal.app_id, told.user_id or principal.user_id) != (principal.app_id, principal.user_id):
        log.warning("chats of somebody else started", chat=parent.chat_id)
        return []
    new = []
    for chat_id, workflow in told.chats:
        if chat_id not in {parent.chat_id, parent.runtime_chat_id} and await _add(principal, parent, chat_id, workflow):
            new.append(workflow)
    return new


async def _add(principal: Principal, parent: KnownChat, chat_id: str, workflow: str) -> bool:
    async with system_session(principal.app_id) as db:
        known = select(col(Chat.id)).where(or_(col(Chat.id) == chat_id, col(Chat.runtime_chat_id) == chat_id)).limit(1)
        if (await db.execute(known)).first() is not None:
            return False
    try:
        async with session(Scope(principal.app_id, principal.user_id)) as db:
            db.add(Chat(id=chat_id, runtime_chat_id=chat_id, workflow=workflow))
            data = {"chat_id": chat_id, "workflow": workflow, "capability": "", "parent": parent.chat_id}
            await outbox.along(db, events.Event("chat.started", principal.app_id, principal.user_id, data))
    except IntegrityError:
        return False
    log.info("a run started another chat", chat=parent.chat_id, started=chat_id, workflow=workflow)
    return True
