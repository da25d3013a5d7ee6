"""Commands that people type in the chat after a slash, declared by plugins.

One with a template becomes a message of the person; one with a handler is run here, and what it answers is told to the person
alone. Filled while modules are imported.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from mozaiks_shell.billing import service as billing
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.chat.service import find_chat
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound, ShellError, TimedOut, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

Run = Callable[[str], Awaitable[object]]
BUILT_IN: Final = frozenset({"new", "stop", "export"})  # the pane's own
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
WORDS: Final = 4_000  # characters that may follow a command
SECONDS: Final = 10.0  # a handler may take
PER_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command. ``template`` is a text with ``{words}``; without one ``run`` gets the words that follow.

    ``hint`` says what may follow the name; ``in_service`` whether its owner is.
    """

    name: str
    description: str
    owner: str
    access: Access
    template: str = ""
    run: Run | None = None
    hint: str = ""
    in_service: Callable[[], bool] = lambda: True


_commands: dict[str, SlashCommand] = {}


def add(command: SlashCommand) -> None:
    """Offer a command; one of the same name and owner is replaced.

    Raises:
        ValueError: no such name, one that is taken, or neither a template nor a handler, or both.
    """
    if not NAME.fullmatch(command.name):
        raise ValueError(f"/{command.name}: a command's name is in small letters, digits and hyphens, such as task")
    if command.name in BUILT_IN:
        raise ValueError(f"/{command.name} is a command of the chat itself")
    before = _commands.get(command.name)
    if before is not None and before.owner != command.owner:
        raise ValueError(f"/{command.name} belongs to {before.owner} already")
    if bool(command.template) == (command.run is not None):
        raise ValueError(f"/{command.name} needs either a template or a handler")
    _commands[command.name] = command


def withdraw(owner: str) -> None:
    """Forget what this owner offers."""
    for name in [name for name, one in _commands.items() if one.owner == owner]:
        del _commands[name]


async def offered(principal: Principal) -> list[SlashCommand]:
    """Those this person may use now, by name."""
    live = sorted((one for one in _commands.values() if one.in_service()), key=lambda one: one.name)
    decisions = await billing.authorize_all(principal, [one.access for one in live])
    owners = {one.owner for one in live}
    unlocked = {owner: (await billing.plugin_allowed(principal, owner, Access.public())).allowed for owner in owners}
    return [one for one, decision in zip(live, decisions, strict=True) if decision.allowed and unlocked[one.owner]]


async def perform(principal: Principal, chat_id: str, name: str, words: str) -> str:
    """Run a command that has a handler; what it tells the person, perhaps nothing.

    Args:
        words: What follows the name, at most 4,000 characters.

    Raises:
        NotFound: not a chat of this person, or no such command for them.
        TooMany: more than 60 in a minute.
        TimedOut: it took longer than 10 seconds.
        Unavailable: it failed.
        ShellError: what it raised itself.
    """
    await hit("chat.command", principal.user_id, PER_MINUTE)
    await find_chat(principal, chat_id)
    command = next((one for one in await offered(principal) if one.name == name), None)
    if command is None or command.run is None:
        raise NotFound(tr("There is no such command."), code="COMMAND_NOT_FOUND")
    try:
        async with asyncio.timeout(SECONDS):
            told = await command.run(clean(words, WORDS).strip())
    except TimeoutError:
        raise TimedOut(tr("The command took too long.")) from None
    except (asyncio.CancelledError, KeyboardInterrupt, ShellError):
        raise
    except BaseException as error:  # SystemExit too: a plugin's command must end nothing but itself
        log.exception("chat command failed", command=name, owner=command.owner, error=type(error).__name__)
        raise Unavailable(tr("The command failed."), code="COMMAND_FAILED") from error
    return clean(told, WORDS).strip()


async def listed(principal: Principal) -> list[dict[str, Any]]:
    """The same for the composer; a null ``template`` means that the command is run here."""
    return [
        {"name": one.name, "description": one.description, "hint": one.hint, "template": one.template or None}
        for one in await offered(principal)
    ]
