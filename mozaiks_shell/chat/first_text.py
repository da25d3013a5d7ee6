"""The first text of a workflow that begins with one (UserDriven, protocol §2.1): over HTTP, because over the socket it would
only be stored and echoed (protocol §0 fact 6)."""

from typing import Final

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError, TimedOut
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")
_WITHIN: Final = 3600.0  # seconds; the published route answers when the run pauses or ends


async def waited_for(principal: Principal, chat: KnownChat) -> bool | None:
    """Whether the workflow begins with a text of the person; None when the runtime could not be asked."""
    try:
        session = await broker.connect(principal, chat)
        found = (await (await broker.runtime()).workflows(session.token)).get(chat.workflow)
    except ShellError as error:
        log.info("startup mode unknown", workflow=chat.workflow, code=error.code)
        return None
    return isinstance(found, dict) and found.get("startup_mode") == "UserDriven"


async def send(principal: Principal, chat: KnownChat, text: str) -> ShellError | None:
    """Begin the run with this text. Returns when the run pauses or ends, or why it was not taken."""
    try:
        session = await broker.connect(principal, chat)
        client = await broker.runtime()
        await client.say(principal.app_id, chat.workflow, chat.runtime_chat_id, principal.user_id, text, session.token, _WITHIN)
    except TimedOut:
        log.info("a run begun over http goes on", chat=chat.chat_id)
    except ShellError as error:
        return error
    return None
