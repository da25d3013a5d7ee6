"""What the palette offers besides pages and workflows: commands and search providers, of the shell and of plugins.

Filled while modules are imported, before the app is compiled. What belongs to a plugin counts only while the plugin is in
service, so a quarantine withdraws it and a retry brings it back.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host.service import plugin
from mozaiks_shell.ui.page import also_forget

log = get_logger("shell")

SEARCH_SECONDS: Final = 2.0  # the time box of a provider
MOST_RESULTS: Final = 8  # of one provider
_AT_ONCE: Final = 20  # searches of one provider that may be under way: those that ignore cancellation pile up to here
_SERVER: Final = ("/api/", "/auth/", "/brand/", "/ws/", "/_")


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do. ``run`` is a path of this app, or what a handler may yield; ``owner`` is ``shell`` or a plugin."""

    key: str
    title: str
    run: Any
    icon: str
    access: Access
    keywords: str = ""
    shortcut: str = ""
    owner: str = "shell"

    @property
    def path(self) -> str:
        """Where it leads; empty for a handler."""
        return self.run if isinstance(self.run, str) else ""


@dataclass(frozen=True, slots=True)
class Result:
    """Something a search found.

    Attributes:
        title: Its name.
        path: The page of this app that shows it: ``/plugins/crm/42``.
        text: A line about it.
        icon: Lucide name.
    """

    title: str
    path: str
    text: str = ""
    icon: str = ""


Find = Callable[[str, Principal], Awaitable[Sequence[Result | Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A search. ``find`` gets what was typed and the person, and runs on that person's behalf."""

    key: str
    title: str
    find: Find
    access: Access
    owner: str = "shell"


Thing = TypeVar("Thing", Command, Provider)
_commands: dict[str, Command] = {}
_providers: dict[str, Provider] = {}
_under_way: Counter[str] = Counter()


def own_path(path: object) -> bool:
    """Whether this is the address of a page of this app: no other origin, no script, nothing the server does."""
    return (
        isinstance(path, str)
        and 0 < len(path) <= 1000
        and path.startswith("/")
        and not path.startswith("//")
        and not path.startswith(_SERVER)
        and "\\" not in path
        and path.isprintable()
        and " " not in path
    )


def add_command(command: Command) -> None:
    """Offer a command; one of the same key is replaced.

    Raises:
        ValueError: its path is no page of this app.
    """
    if isinstance(command.run, str) and not own_path(command.run):
        raise ValueError(f"{command.run!r} is no path of this app")
    _commands[command.key] = command


def add_provider(provider: Provider) -> None:
    """Offer a search; one of the same key is replaced."""
    _providers[provider.key] = provider


def withdraw(owner: str) -> None:
    """Forget what this owner offers."""
    for offered in (_commands, _providers):
        for key in [key for key, one in offered.items() if one.owner == owner]:
            del offered[key]


def commands() -> list[Command]:
    """Every command in service, by title."""
    return sorted((one for one in _commands.values() if _in_service(one.owner)), key=lambda one: one.title.casefold())


def providers() -> list[Provider]:
    """Every search in service, the shell's first."""
    found = (one for one in _providers.values() if _in_service(one.owner))
    return sorted(found, key=lambda one: (one.owner != "shell", one.title.casefold()))


def _in_service(owner: str) -> bool:
    if owner == "shell":
        return True
    try:
        plugin(owner)
    except ShellError:
        return False
    return True


async def permitted(principal: Principal | None, things: Sequence[Thing]) -> list[Thing]:
    """Those of them this person may use, at the price of one query."""
    own = await billing.authorize_all(principal, [one.access for one in things])
    owners = sorted({one.owner for one in things if one.owner != "shell"})
    unlocked = {owner: (await billing.plugin_allowed(principal, owner, Access.public())).allowed for owner in owners}
    return [one for one, decision in zip(things, own, strict=True) if decision.allowed and unlocked.get(one.owner, True)]


async def command_for(principal: Principal, key: str) -> Command | None:
    """The command of this key, if it is in service and this person may run it now."""
    one = _commands.get(key)
    if one is None or not _in_service(one.owner):
        return None
    return next(iter(await permitted(principal, [one])), None)


async def answers(principal: Principal, query: str) -> AsyncIterator[tuple[Provider, list[Result]]]:
    """Ask every provider at once and give each answer as it comes. One that fails or takes too long gives none.

    Stop iterating, or cancel, and what is still under way is cancelled.
    """
    asked = {
        asyncio.create_task(_ask(one, query, principal), name=f"search {one.key}"): one
        for one in await permitted(principal, providers())
        if _under_way[one.key] < _AT_ONCE
    }
    loop, waiting = asyncio.get_running_loop(), set(asked)
    deadline = loop.time() + SEARCH_SECONDS
    try:
        while waiting and (left := deadline - loop.time()) > 0:
            done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield asked[task], task.result()
        for task in waiting:
            log.warning("search too slow", provider=asked[task].key, seconds=SEARCH_SECONDS)
    finally:
        for task in asked:
            task.cancel()


async def _ask(provider: Provider, query: str, principal: Principal) -> list[Result]:
    _under_way[provider.key] += 1
    try:
        return _clean(provider, await provider.find(query, principal))
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too: a plugin's search must end nothing but itself
        log.exception("search failed", provider=provider.key, owner=provider.owner, error=type(error).__name__)
        return []
    finally:
        _under_way[provider.key] -= 1


def _clean(provider: Provider, found: object) -> list[Result]:
    """Results as they may be shown: texts cut, paths of this app only."""
    results: list[Result] = []
    for one in list(found if isinstance(found, list | tuple) else [])[:MOST_RESULTS]:
        said = dict(one) if isinstance(one, Mapping) else {name: getattr(one, name, "") for name in Result.__slots__}
        title, path = said.get("title"), _address(said.get("path"))
        if not isinstance(title, str) or not title.strip() or not own_path(path):
            log.warning("search result left out", provider=provider.key, path=path[:200])
            continue
        results.append(Result(_line(title, 160), path, _line(said.get("text"), 240), _line(said.get("icon"), 60)))
    return results


def _address(path: object) -> str:
    """A path with what an address may not hold in its percent form; empty for what is none."""
    return quote(path[:1000], safe="/?&=#%:@!$'()*+,;~-._[]|\\") if isinstance(path, str) and path.isprintable() else ""


def _line(value: object, most: int) -> str:
    """One line of printable text; what is none becomes empty."""
    text = value[: most * 2] if isinstance(value, str) else ""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:most]


also_forget(withdraw)
