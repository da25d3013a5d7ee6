"""Counts what a plugin does wrong while it runs; too much of it takes the plugin out of service (D10).

A fault is an exception no plugin should let escape: in an event handler, a route, ``execute``, a job, a listener, or a
page that broke in the browser. ``MOZAIKS_PLUGIN_FAULT_LIMIT`` of them within ``MOZAIKS_PLUGIN_FAULT_MINUTES`` send the
plugin to quarantine, from where the operator's retry brings it back. Refusals (:class:`ShellError` below 500) are no
faults. Each worker counts for itself.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, get_args

from mozaiks_shell.foundation import limits
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.loop_guard import StalledAgain
from mozaiks_shell.plugin_host.registry import NAMESPACE, Plugin, PluginState
from mozaiks_shell.plugin_host.reports import faults_from

log = get_logger("plugin_host")

Kind = Literal["render", "on_load", "handler", "job", "route", "execute", "listener"]
KINDS: Final = get_args(Kind)
KEPT: Final = 100  # of each plugin, for the operator to read
RENDER_REPORTS: Final = 6  # a minute, from one person or address


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``where`` is ``file:line`` in the plugin's folder, else what was running; ``who`` counts once for ``render``."""

    kind: Kind
    message: str
    where: str = ""
    at: datetime = field(default_factory=now)
    moment: float = field(default_factory=lambda: time.monotonic())
    who: str = ""


_lock = threading.RLock()
_faults: dict[str, deque[Fault]] = {}
_forgiven: dict[str, float] = {}


def record(plugin: str, kind: Kind, error: BaseException, where: str = "") -> None:
    """Count a fault of a plugin; thread-safe and cheap. Unknown plugins and refusals do not count.

    Args:
        plugin: Its name.
        kind: What was running.
        error: What escaped; its traceback gives the line.
        where: What was running, in words, for when the traceback has no line of the plugin.
    """
    found = registry.find(plugin)
    if found is None or not is_fault(error) or any(hasattr(one, "_mozaiks_counted") for one in _chain(error)):
        return
    with contextlib.suppress(AttributeError, TypeError):  # an exception passes several of our frames and counts once
        error._mozaiks_counted = True  # type: ignore[attr-defined]
    reason = error.details.get("reason") if isinstance(error, ShellError) else None
    message = str(reason) if reason else f"{type(error).__name__}: {error}"
    _count(found, Fault(kind, message[:500], getattr(error, "where", "") or place(found, error) or where))


def blamed(error: BaseException, kind: Kind | None = None, answering: Any = None) -> Plugin | None:
    """Count an exception that left Reflex or FastAPI against the plugin whose code is in its traceback.

    Args:
        kind: What was running; None: ``on_load`` for the handlers of the plugin's pages, else ``handler``.
        answering: The endpoint, whose answer may be what cannot be sent; then no code of it is in the traceback.

    Returns:
        The plugin; None when no plugin's code took part.
    """
    plugin = culprit(error) or _plugin_of(str(getattr(answering, "__module__", "")))
    if plugin is not None:
        record(plugin.name, kind or handler_kind(plugin, error), error, getattr(answering, "__qualname__", ""))
    return plugin


def culprit(error: BaseException) -> Plugin | None:
    """The plugin whose code is innermost in the traceback of an exception or of what caused it."""
    for current in _chain(error):
        for frame in reversed(list(_frames(current.__traceback__))):
            if (plugin := _plugin_of(str(frame.tb_frame.f_globals.get("__name__", "")))) is not None:
                return plugin
    return None


def _plugin_of(module: str) -> Plugin | None:
    if not module.startswith(NAMESPACE + "."):
        return None
    slug = module.split(".")[1]
    return next((one for one in registry.all_plugins() if one.slug == slug), None)


async def rendered(name: str, message: str, principal: Principal | None, address: str = "") -> bool:
    """A browser says that a page of the plugin broke while it was drawn. Nothing it says is believed beyond that.

    Each person counts once among the faults that add up, and all who are not signed in together once, so that nobody
    takes a plugin out of service alone.

    Args:
        name: The plugin.
        message: What the browser says; kept short for the operator.
        principal: Who is signed in.
        address: Of somebody who is not.

    Returns:
        Whether it was taken; False for an unknown plugin and for too many reports.
    """
    plugin = registry.find(name)
    if plugin is None or not plugin.live:
        return False
    key = principal.user_id if principal else f"address {address}"
    try:
        await limits.hit("render-fault", key, RENDER_REPORTS)
    except TooMany:
        return False
    said = " ".join("".join(one if one.isprintable() else " " for one in str(message)[:500]).split())
    who = principal.user_id if principal else "anonymous"
    _count(plugin, Fault("render", said[:300] or "a page broke in the browser", "in the browser", who=who))
    return True


def recent(name: str) -> list[Fault]:
    """The last faults of a plugin, newest first, at most :data:`KEPT`."""
    with _lock:
        return list(reversed(_faults.get(name, ())))


def forgive(name: str) -> None:
    """Start counting anew (retry, reload); what happened stays readable in :func:`recent`."""
    with _lock:
        _forgiven[name] = time.monotonic()


def forget(name: str) -> None:
    """Forget all faults of a plugin (it was unloaded)."""
    with _lock:
        _faults.pop(name, None)
        _forgiven.pop(name, None)


def is_fault(error: BaseException) -> bool:
    """Whether this exception is the plugin's fault: not refusals, a full house, other systems, cancellation."""
    if isinstance(error, ShellError):
        return error.status in {500, 504}
    return isinstance(error, Exception | SystemExit | KeyboardInterrupt | StalledAgain)


def place(plugin: Plugin, error: BaseException) -> str:
    """``file:line`` of the innermost line of the plugin in a traceback; empty when there is none."""
    root = str(plugin.folder.resolve())
    for current in _chain(error):
        for one in reversed(list(_frames(current.__traceback__))):
            file = one.tb_frame.f_code.co_filename
            if file.startswith(root + "/"):
                return f"{Path(file).relative_to(root)}:{one.tb_lineno}"
    return ""


def _count(plugin: Plugin, fault: Fault) -> None:
    settings = get_settings()
    log.warning("plugin fault", plugin=plugin.name, kind=fault.kind, where=fault.where, reason=fault.message)
    with _lock:
        faults = _faults.setdefault(plugin.name, deque(maxlen=max(KEPT, settings.plugin_fault_limit)))
        if fault.kind == "listener" and any(_same(fault, one) for one in faults):
            return
        faults.append(fault)
        if not settings.plugin_fault_limit or not plugin.live:
            return
        since = max(fault.moment - settings.plugin_fault_minutes * 60, _forgiven.get(plugin.name, 0.0))
        counted = [one for one in faults if one.moment >= since]
        named = {one.who for one in counted if one.who}
        if sum(not one.who for one in counted) + len(named) >= settings.plugin_fault_limit:
            _take_out(plugin, fault, len(counted))


def _same(fault: Fault, before: Fault) -> bool:
    """The bus tries a listener three times; that is one fault."""
    alike = (fault.kind, fault.where, fault.message) == (before.kind, before.where, before.message)
    return alike and fault.moment - before.moment < 1


def _take_out(plugin: Plugin, last: Fault, count: int) -> None:
    """Quarantine while the product runs: handlers are refused, pages say so, the API answers 503."""
    from mozaiks_shell.plugin_host.withdraw import silence  # it needs Reflex, which nobody else here does
    from mozaiks_shell.plugin_host.worker import retire

    minutes = get_settings().plugin_fault_minutes
    file, _, line = last.where.rpartition(":")
    if not line.isdigit():
        file, line = last.where, "0"
    message = f"{count} faults within {minutes:g} minutes; the last, in {last.kind}: {last.message}"
    plugin.problem = PluginProblem(Cause.FAULTS, message, file, int(line))
    plugin.state = PluginState.QUARANTINED
    silence(plugin)
    retire(plugin)
    registry.report(plugin)


def handler_kind(plugin: Plugin, error: BaseException) -> Kind:
    """``on_load`` when what ran is bound to a visit of one of the plugin's pages, else ``handler``."""
    from mozaiks_shell.ui.page import pages

    ran = {one.tb_frame.f_code for one in _frames(error.__traceback__)}
    loads = {_code(handler) for one in pages() if one.owner == plugin.name for handler in one.on_load}
    return "on_load" if ran & loads else "handler"


def _code(handler: Any) -> Any:
    function: Any = getattr(getattr(handler, "handler", handler), "fn", None)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return getattr(function, "__code__", None)


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and what led to it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < 16:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


faults_from(lambda name: recent(name)[::-1])

__all__ = [
    "KINDS", "Fault", "Kind", "blamed", "culprit", "forget", "forgive", "handler_kind", "is_fault", "place", "recent", "record",
    "rendered",
]  # fmt: skip
