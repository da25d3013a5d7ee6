"""``entitlements``: what the current person's plan lets them do with this plugin (F-113).

The plugin's ``entitlements.yaml`` says which features and limits each tier has, and what an action needs. For
``execute`` the shell looks by itself before the plugin runs; in State handlers, routes and jobs ask here:

    from mozaiks_shell.sdk import entitlements

    if not await entitlements.check_feature("export"):
        return sdk.notify("Exports are part of Pro.")
    async with entitlements.action("create"):           # 403 or 429 unless it may be done; given back on an error
        ...

In ``async`` code every function is awaited; in plain functions (a ``def execute``) it is not. Nobody signed in counts
as the default plan; what has to be counted then raises ``NotSignedIn``. A broken file raises ``Unavailable`` with the
code ``ENTITLEMENT_ERROR``.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.plugin_host import gates as _gates
from mozaiks_shell.plugin_host.gates import ActionCheck, FeatureCheck, LimitCheck
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.registry import calling as _calling
from mozaiks_shell.plugin_host.service import either_way


def check_feature(feature: str) -> Any:
    """Whether the current person has a feature, as a :class:`FeatureCheck`. One the file does not name is there.

    Example:
        >>> found = await entitlements.check_feature("export")
        >>> found.allowed, found.needed
        (False, 'Pro')
    """
    return either_way(_feature(_plugin(), feature))


def check_limit(limit: str, amount: int = 1) -> Any:
    """Whether ``amount`` more of a limit is left, as a :class:`LimitCheck`. Nothing is taken.

    Example:
        >>> found = await entitlements.check_limit("exports")
        >>> f"{found.remaining} of {found.allowed} left"
        '3 of 10 left'
    """
    return either_way(_limit(_plugin(), limit, _positive(amount)))


def consume_limit(limit: str, amount: int = 1) -> Any:
    """Take ``amount`` of a limit, if so much is left: checked and counted in one step.

    Returns:
        A :class:`LimitCheck`; false when it does not fit and nothing was taken.

    Raises:
        NotSignedIn: nobody is signed in.

    Example:
        >>> if not await entitlements.consume_limit("exports"):
        ...     raise errors.TooMany("That was the last export of this month.")
    """
    return either_way(_consume(_plugin(), limit, _positive(amount)))


def refund_limit(limit: str, amount: int = 1) -> Any:
    """Give back what :func:`consume_limit` took, when what it was taken for failed.

    Returns:
        The :class:`LimitCheck` after it.

    Example:
        >>> await entitlements.refund_limit("exports")
    """
    return either_way(_refund(_plugin(), limit, _positive(amount)))


def get_usage() -> Any:
    """Every limit of the file with what is used of it, as a dict of :class:`LimitCheck` by name.

    Example:
        >>> usage = await entitlements.get_usage()
        >>> usage["exports"].used
        7
    """
    return either_way(_usage(_plugin()))


def check_action(action: str, **data: Any) -> Any:
    """Whether the current person may do an action of the file now, as an :class:`ActionCheck`. Nothing is taken.

    Args:
        action: Its name in the file; one the file does not name is free.
        **data: What the hooks of its limits need to know.

    Example:
        >>> found = await entitlements.check_action("create")
        >>> found.code
        'LIMIT_EXCEEDED'
    """
    return either_way(_action(_plugin(), action, data))


def action(name: str, **data: Any) -> AbstractAsyncContextManager[None]:
    """Do an action of the file: check it, take what it consumes, and give that back if the block raises.

    Raises (when entered):
        PlanNeeded: a feature is missing; names the plan that has it.
        TooMany: a limit is used up; says what remains and when it starts anew.
        Unavailable, NotSignedIn: as the module says.

    Example:
        >>> async with entitlements.action("create"):
        ...     await db.contacts.create(name=name)
    """
    return _acting(_plugin(), name, data)


@asynccontextmanager
async def _acting(plugin: Plugin, name: str, data: dict[str, Any]) -> AsyncIterator[None]:
    held = await _gates.enter(await _standing(plugin), name, data)
    try:
        yield
    except BaseException:
        await held.give_back()
        raise


async def _feature(plugin: Plugin, name: str) -> FeatureCheck:
    return (await _standing(plugin)).feature(name)


async def _limit(plugin: Plugin, name: str, amount: int) -> LimitCheck:
    at = await _standing(plugin)
    async with _gates.checked(plugin):
        return await at.limit(name, amount)
    return at.judged(name, 0, 0)


async def _consume(plugin: Plugin, name: str, amount: int) -> LimitCheck:
    at = await _standing(plugin)
    async with _gates.checked(plugin):
        return await _gates.consume(at, name, amount)
    return at.judged(name, 0, 0)


async def _refund(plugin: Plugin, name: str, amount: int) -> LimitCheck:
    at = await _standing(plugin)
    await _gates.Held(at, at.takes({name: amount})).give_back()
    async with _gates.checked(plugin):
        return await at.limit(name, 0)
    return at.judged(name, 0, 0)


async def _usage(plugin: Plugin) -> dict[str, LimitCheck]:
    at = await _standing(plugin)
    names = list(at.book.file.limits) if at.book else []
    async with _gates.checked(plugin):
        used = await at.used(names, {})
        return {name: at.judged(name, used[name], 0) for name in names}
    return {}


async def _action(plugin: Plugin, name: str, data: dict[str, Any]) -> ActionCheck:
    at = await _standing(plugin)
    async with _gates.checked(plugin):
        return await at.action(name, data)
    return ActionCheck(name, True)


async def _standing(plugin: Plugin) -> _gates.Standing:
    return await _gates.standing(plugin, current_principal())


def _plugin() -> Plugin:
    plugin = _calling(3)
    if plugin is None:
        raise RuntimeError("sdk.entitlements belongs to a plugin: call it from a plugin's code")
    return plugin


def _positive(amount: int) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
        raise ValueError("amount must be a whole number of at least 1")
    return amount


__all__ = [
    "ActionCheck", "FeatureCheck", "LimitCheck", "action", "check_action", "check_feature", "check_limit", "consume_limit",
    "get_usage", "refund_limit",
]  # fmt: skip
