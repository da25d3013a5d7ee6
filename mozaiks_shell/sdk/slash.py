"""``slash``: commands that people type in the chat after a slash (F-185)."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mozaiks_shell.chat.slash import SlashCommand, add, withdraw
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.plugin_host.service import plugin as find
from mozaiks_shell.sdk.auth import current_user
from mozaiks_shell.ui.page import also_forget

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[str | None]])


def template(name: str, description: str, text: str, *, hint: str = "", access: Access | None = None) -> None:
    """Offer a command that writes a message for the person, while a page module of the plugin is imported.

    Args:
        name: What is typed after the slash: ``summarise``. Small letters, digits, hyphens.
        description: What it does, in a few words, for the menu.
        text: The message; ``{words}`` stands for what the person types after the name.
        hint: What may follow the name, for the menu: ``a topic``.
        access: Who may. Default: the manifest's ``access``.

    Raises:
        ValueError: no such name, or one that is taken.

    Example:
        >>> sdk.slash.template("summarise", "Sum up in three lines", "Sum this up in three lines: {words}", hint="a text")
    """
    plugin = _plugin()
    add(SlashCommand(name, description, plugin.name, plugin.narrowed(access), text, None, hint, _alive(plugin.name)))


def command(name: str, description: str, *, hint: str = "", access: Access | None = None) -> Callable[[Handler], Handler]:
    """Decorator: offer a command that the coroutine carries out, while a page module of the plugin is imported.

    The coroutine gets the words after the name (at most 4,000 characters) and, if it wants a second argument, the
    :class:`~mozaiks_shell.sdk.auth.CurrentUser`. It runs on the person's behalf, so ``db`` shows their rows only, and has 10
    seconds. What it returns is told to the person below the text box; agents do not see it. An error of ``sdk.errors`` is
    told, too; any other is logged.

    Args:
        name: What is typed after the slash: ``task``. Small letters, digits, hyphens.
        description: What it does, in a few words, for the menu.
        hint: What may follow the name, for the menu: ``what is to be done``.
        access: Who may. Default: the manifest's ``access``.

    Raises:
        ValueError: no such name, or one that is taken.
        TypeError: the handler is no coroutine.

    Example:
        >>> @sdk.slash.command("task", "Note something to do", hint="what is to be done")
        ... async def note(words):
        ...     await sdk.db.tasks.add({"title": words})
        ...     return sdk.tr("Noted.")
    """
    plugin = _plugin()

    def keep(handler: Handler) -> Handler:
        called: Any = handler
        if not inspect.iscoroutinefunction(called):
            raise TypeError(f"{getattr(handler, '__name__', handler)}: a command of the chat is an async function")
        with_person = len(inspect.signature(called).parameters) > 1

        async def run(words: str) -> object:
            return await (called(words, current_user()) if with_person else called(words))

        add(SlashCommand(name, description, plugin.name, plugin.narrowed(access), "", run, hint, _alive(plugin.name)))
        return handler

    return keep


def _plugin() -> Plugin:
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.slash may only be used in a plugin's page.py or pages/*.py")
    return plugin


def _alive(name: str) -> Callable[[], bool]:
    def alive() -> bool:
        try:
            find(name)
        except ShellError:
            return False
        return True

    return alive


also_forget(withdraw)

__all__ = ["command", "template"]
