"""Which chat a mode shows: ask and workflow have one each (F-173, F-189, F-195).

What a tab remembers comes first; in a fresh tab, after signing in and on another device it is the newest chat that goes on.
"""

import contextlib
from dataclasses import dataclass

from sqlmodel import col, select

from mozaiks_shell.chat import service
from mozaiks_shell.chat.labels import label_of
from mozaiks_shell.chat.models import LIVE_STATUSES, Chat
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.foundation.settings import get_settings


@dataclass(frozen=True, slots=True)
class Thread:
    """A chat as far as the pane has to know it."""

    id: str
    workflow: str
    title: str


def assists(workflow: str) -> bool:
    """Whether this is the workflow behind Ask; the empty name stands for it."""
    return workflow in {"", get_settings().assistant_workflow}


async def find(principal: Principal, chat_id: str) -> Thread | None:
    """A chat of this person; None when it is not there or somebody else's."""
    try:
        chat = await service.find_chat(principal, chat_id)
    except NotFound:
        return None
    return Thread(chat.id, chat.workflow, chat.title)


async def running(principal: Principal, workflow: str) -> Thread | None:
    """This person's newest chat of a workflow that goes on."""
    return await _newest(principal, workflow=workflow)


async def of_mode(principal: Principal, mode: str, remembered: str) -> Thread | None:
    """The chat to show in ``ask`` or ``workflow``; None when one has to be begun."""
    if remembered and (thread := await find(principal, remembered)) is not None:
        return thread
    if mode == "ask":
        return await _newest(principal, workflow=get_settings().assistant_workflow)
    return await _newest(principal, workflow=get_settings().assistant_workflow, other=True)


async def _newest(principal: Principal, *, workflow: str, other: bool = False) -> Thread | None:
    which = col(Chat.workflow) != workflow if other else col(Chat.workflow) == workflow
    query = select(Chat).where(which, col(Chat.status).in_(LIVE_STATUSES)).order_by(col(Chat.updated_at).desc()).limit(1)
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        chat = (await db.execute(query)).scalars().first()
    return Thread(chat.id, chat.workflow, chat.title or label_of(chat.workflow)) if chat is not None else None


async def first_workflow(principal: Principal) -> str:
    """The first workflow in the operator's order, besides the assistant, that this person may start; empty without one."""
    offered = await service.launchable(principal)
    return next((one.workflow for one in offered if one.allowed and not assists(one.workflow)), "")


async def tell_mode(principal: Principal, chat_id: str, mode: str) -> None:
    """Tell a run where its person is. That it ended meanwhile, or cannot be reached, takes nothing from them."""
    with contextlib.suppress(ShellError):
        await service.turn_to(principal, chat_id, mode)
