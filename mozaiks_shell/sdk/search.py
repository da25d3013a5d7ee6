"""``search``: results of a plugin in the command palette."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.sdk.auth import current_user
from mozaiks_shell.shell.commands import Provider, Result, add_provider

Search = TypeVar("Search", bound=Callable[..., Awaitable[Sequence[Result | Mapping[str, Any]]]])


def provider(title: str = "", *, access: Access | None = None) -> Callable[[Search], Search]:
    """Decorator: let the palette search here too.

    The coroutine gets what was typed (2 to 100 characters) and, if it wants a second argument, the
    :class:`~mozaiks_shell.sdk.auth.CurrentUser`; it returns at most 8 :class:`Result` (or dicts of that shape), the best
    first. It runs on the person's behalf, so ``db`` shows their rows only. It has 2 seconds and is cancelled when the person
    types on; whatever it raises is logged and spoils nobody else's results.

    Args:
        title: Heading of the results. Default: the plugin's name.
        access: Who may search here. Default: the manifest's ``access``.

    Example:
        >>> @sdk.search.provider("Tasks")
        ... async def find(query):
        ...     async with sdk.db.session() as db:
        ...         rows = await db.execute(select(Task).where(col(Task.title).icontains(query, autoescape=True)).limit(8))
        ...     return [sdk.search.Result(task.title, f"/plugins/tasks?task={task.id}") for task in rows.scalars()]
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.search.provider may only be used in a plugin's page.py or pages/*.py")
    name, heading, demands = plugin.name, title or plugin.manifest.title, plugin.narrowed(access)

    def keep(search: Search) -> Search:
        called: Any = search
        if not inspect.iscoroutinefunction(called):
            raise TypeError(f"{getattr(search, '__name__', search)}: a search provider is an async function")
        with_person = len(inspect.signature(called).parameters) > 1

        async def find(query: str, _: Principal) -> Sequence[Result | Mapping[str, Any]]:
            return await (called(query, current_user()) if with_person else called(query))

        add_provider(Provider(f"{name}:{heading}", heading, find, demands, name))
        return search

    return keep


__all__ = ["Result", "provider"]
