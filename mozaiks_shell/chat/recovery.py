"""What a person chose to do about a run whose connection was lost. Every choice is judged anew when it is made."""

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import loss
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.runs import Runs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Invalid, ShellError
from mozaiks_shell.foundation.i18n import tr

_OVER = frozenset({"interrupted", "failed", "stopped", "completed"})


class NotSafe(Conflict):
    code = "NOT_SAFE"


async def choose(runs: Runs, principal: Principal, chat: Chat, option: str) -> str:
    """Do it; returns the id of the chat to show now.

    Raises:
        Invalid: no such option. NotSafe: it is not (any more) one of the safe ones; the chat then offers what is.
        ShellError: whatever forbids a start.
    """
    known = KnownChat(chat.id, chat.runtime_chat_id, chat.workflow, chat.user_id)
    if option not in loss.OPTIONS:
        raise Invalid(tr("There is no such choice."), code="NO_SUCH_CHOICE")
    if chat.status not in _OVER:
        raise NotSafe(tr("This run is still open."))
    if option == "restart":
        new = await _restart(runs, principal, chat.workflow)
        await _note(runs, principal, known, chat.title, option, new)
        return new
    if option == "leave":
        await _note(runs, principal, known, chat.title, option)
        return chat.id
    standing = await loss.how_it_stands(principal, known)
    crowded = await runs.newest(principal, chat.workflow) not in {None, chat.id}
    offer = loss.choice(standing, crowded=crowded)
    safe = option in offer.options and chat.status == "interrupted"
    if option == "reconnect" and safe:
        await _note(runs, principal, known, chat.title, option)
        await runs.reopen(principal, known, chat.title)
        return chat.id
    async with runs.holding(principal, known, chat.title) as conversation:
        conversation.chosen(option)
        if standing.state == "completed":
            conversation.set_status("completed")
        elif chat.status == "interrupted":
            conversation.offer(offer)
    if option == "reconnect":
        raise NotSafe(offer.reason)
    return chat.id


async def _restart(runs: Runs, principal: Principal, workflow: str) -> str:
    try:
        return await runs.start(principal, workflow, new=True)
    except ShellError as error:
        told = error.details.get("chat_id")
        if isinstance(told, str):
            return told  # started, but its run could not be opened: the chat tells why
        raise


async def _note(runs: Runs, principal: Principal, known: KnownChat, title: str, option: str, new: str = "") -> None:
    async with runs.holding(principal, known, title) as conversation:
        conversation.chosen(option, new)
