"""Chats that a run starts beside its own (``chat.workflow_started``, ``chat.workflow_batch_started``): they become the person's.

Without a row nobody could open them, and the budget, the list and the deletion of an account would not know of them (F-189).
They are not connected to: that is done, as safely as for any other chat, when the person opens one.
"""

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.labels import label_of
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.upstream_frames import Child, Late, Resumed, Spawned
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")


class Children:
    """What a run's own conversation tells of the chats it started."""

    def __init__(self) -> None:
        self.workflows: dict[str, str] = {}
        self._ended: set[str] = set()

    async def take_over(self, principal: Principal, parent: KnownChat, told: Spawned, conversation: Conversation) -> None:
        """Make them the person's, and say so once."""
        for chat_id, workflow in await adopt(principal, parent, told):
            self.workflows[chat_id] = workflow
            text = tr("It started another conversation, {name}. It is in your list.", name=label_of(workflow))
            if told.awaited:
                text = tr("It started {name} and waits for it. The conversation is in your list.", name=label_of(workflow))
            conversation.notice(text)

    def tell(self, value: Child | Resumed | Late, conversation: Conversation) -> None:
        """Say how those it waits for are doing."""
        match value:
            case Child(chat_id, done, total, good) if chat_id in self.workflows and chat_id not in self._ended:
                self._ended.add(chat_id)
                told = {"name": label_of(self.workflows[chat_id]), "done": str(done), "total": str(total)}
                text = tr("{name} is done ({done} of {total}).", **told)
                conversation.notice(text if good else tr("{name} did not succeed ({done} of {total} are done).", **told))
            case Resumed(_, 0):
                conversation.notice(tr("Everything it waited for is done. It goes on with the results."))
            case Resumed(good, failed):
                counts = {"good": str(good), "total": str(good + failed)}
                conversation.notice(tr("{good} of {total} it waited for succeeded. It goes on with what there is.", **counts))
            case Late():
                conversation.notice(tr("What it waits for takes longer than planned. It goes on waiting."))


async def adopt(principal: Principal, parent: KnownChat, told: Spawned) -> list[tuple[str, str]]:
    """Make the chats this person's; those that are new, with their workflows.

    One that the runtime gives to somebody else, or that is known already, whoever has it, is left as it is.
    """
    if (told.app_id or principal.app_id, told.user_id or principal.user_id) != (principal.app_id, principal.user_id):
        log.warning("chats of somebody else started", chat=parent.chat_id)
        return []
    new = []
    for chat_id, workflow in told.chats:
        if chat_id not in {parent.chat_id, parent.runtime_chat_id} and await _add(principal, parent, chat_id, workflow):
            new.append((chat_id, workflow))
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
            await outbox.for_all(db, events.Event("chat.started", principal.app_id, principal.user_id, data))
    except IntegrityError:
        return False
    log.info("a run started another chat", chat=parent.chat_id, started=chat_id, workflow=workflow)
    return True
