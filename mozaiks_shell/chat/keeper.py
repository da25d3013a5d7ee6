"""Chats as the broker sees them."""

from collections.abc import Sequence

from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import Upstream
from mozaiks_shell.foundation.i18n import tr


class Keeper:
    """The broker's :class:`~mozaiks_shell.broker.ports.ChatKeeper` over the chat table."""

    async def find(self, chat_id: str) -> KnownChat | None:
        """See the port."""
        async with system_session() as db:
            return known(await db.get(Chat, chat_id))

    async def find_started(self, db: ScopedSession, principal: Principal, start_key: str) -> KnownChat | None:
        """See the port."""
        theirs = (col(Chat.user_id) == principal.user_id) & (col(Chat.start_key) == start_key)
        return known((await db.execute(select(Chat).where(theirs))).scalars().first())

    async def add(
        self, principal: Principal, chat_id: str, workflow: str, start_key: str | None, *, capability_id: str = "",
        along: Sequence[Executable] = (),
    ) -> KnownChat:  # fmt: skip
        """See the port."""
        row = Chat(user_id=principal.user_id, id=chat_id, runtime_chat_id=chat_id, workflow=workflow, start_key=start_key)
        told = {"chat_id": chat_id, "workflow": workflow, "capability": capability_id}
        try:
            async with system_session(principal.app_id) as db:
                db.add(row)
                await outbox.for_all(db, events.Event("chat.started", principal.app_id, principal.user_id, told))
                for statement in along:
                    await db.execute(statement)
        except IntegrityError:
            async with system_session(principal.app_id) as db:
                earlier = await self.find_started(db, principal, start_key) if start_key else None
            if earlier is None:
                raise Upstream(tr("The assistant's server gave a chat id twice."), code="RUNTIME_ERROR") from None
            return earlier
        return KnownChat(chat_id, chat_id, workflow, principal.user_id)


def known(chat: Chat | None) -> KnownChat | None:
    """What the broker may know of a row."""
    return KnownChat(chat.id, chat.runtime_chat_id, chat.workflow, chat.user_id) if chat else None
