"""What importing a plugin may not leave behind in the process: threads, another folder, another locale, replaced functions."""

import locale
import os
import signal
import sys
import threading
from _signal import getsignal  # signal.getsignal, without looking for an enumeration's name for every answer
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any, Final

from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem

# Modules whose functions and classes nobody may replace. Those of the shell are looked into class by class.
_OURS: Final = "mozaiks_shell."
_CORE: Final = (
    "asyncio", "asyncio.events", "asyncio.runners", "asyncio.tasks", "base64", "builtins", "contextvars", "datetime", "hashlib",
    "hmac", "http.client", "importlib", "importlib.metadata", "inspect", "io", "json", "json.decoder", "json.encoder", "logging",
    "os", "os.path", "pathlib", "pickle", "random", "re", "secrets", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess",
    "sys", "tempfile", "threading", "time", "traceback", "types", "urllib.parse", "urllib.request", "uuid", "warnings", "weakref",
    "alembic.command", "fastapi", "fastapi.applications", "fastapi.routing", "httpx", "pydantic", "pydantic.main", "reflex",
    "reflex.app", "reflex.state", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.engine.base", "sqlalchemy.ext.asyncio",
    "sqlalchemy.ext.asyncio.session", "sqlalchemy.orm", "sqlalchemy.orm.session", "sqlmodel", "sqlmodel.main",
    "starlette.applications", "starlette.requests", "starlette.responses", "starlette.routing", "structlog",
)  # fmt: skip
_CODE: Final = (FunctionType, BuiltinFunctionType, type, ModuleType, MethodDescriptorType, WrapperDescriptorType)
_HOOKS: Final = frozenset({"excepthook", "unraisablehook"})  # noted and put back, not refused
_MEMBERS: Final = (FunctionType, classmethod, staticmethod, property)
_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "SIGALRM", "SIGWINCH")
    if hasattr(signal, name)
)


@dataclass
class Traces:
    """How the process stood before. Take with :func:`take`."""

    folder: str
    locale: str
    signals: dict[int, Any]
    hooks: tuple[Any, ...]
    threads: set[int | None]
    modules: dict[str, ModuleType] = field(default_factory=dict)
    code: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: list[tuple[type, dict[str, Any]]] = field(default_factory=list)


def take(*, deep: bool = False) -> Traces:
    """The state of this process. ``deep`` also remembers every function of the shell and of what it stands on."""
    found = Traces(
        _folder(),
        _locale(),
        {one: getsignal(one) for one in _SIGNALS},
        _hooks(),
        {one.ident for one in threading.enumerate()},
    )
    if deep:
        found.modules = dict(sys.modules)
        for name, module in found.modules.items():
            ours = name.startswith(_OURS)
            if not ours and name not in _CORE:
                continue
            found.code[name] = {k: v for k, v in vars(module).items() if isinstance(v, _CODE) and k not in _HOOKS}
            for value in list(found.code[name].values()):
                if isinstance(value, type) and value.__module__ == name:
                    found.members.append((value, {k: v for k, v in vars(value).items() if isinstance(v, _MEMBERS)}))
    return found


def notes(before: Traces) -> Iterator[Note]:
    """What was left behind that can be put back or lived with."""
    for thread in threading.enumerate():
        if thread.ident not in before.threads and thread.is_alive():
            yield Note(
                "warning",
                f"leaves the thread {thread.name!r} running when it is imported",
                remedy="Start it in on_load and stop it in on_shutdown, or use sdk.jobs.",
            )
    if (now := _folder()) != before.folder:
        yield Note("warning", f"changes the working folder to {now}", remedy="Use absolute paths, such as Path(__file__).parent.")
    if (now := _locale()) != before.locale:
        yield Note("warning", f"changes the locale to {now}", remedy="Use sdk.i18n to write numbers and dates.")
    changed = [signal.Signals(one).name for one in _SIGNALS if getsignal(one) is not before.signals[one]]
    if changed := [one for one in changed if one != "SIGALRM"]:
        yield Note("warning", f"takes over the signal {', '.join(changed)}", remedy="Use on_shutdown to hear of the end.")
    if _hooks() != before.hooks:
        yield Note("warning", "replaces a hook for exceptions of the whole process", remedy="Catch exceptions where they happen.")


def put_back(before: Traces) -> None:
    """Undo what :func:`notes` names, threads aside."""
    with suppress(OSError, locale.Error):  # the folder may be gone
        if _folder() != before.folder:
            os.chdir(before.folder)
        if _locale() != before.locale:
            locale.setlocale(locale.LC_ALL, before.locale)
    if threading.current_thread() is threading.main_thread():
        for one, handler in before.signals.items():
            if handler is not None and getsignal(one) is not handler:
                signal.signal(one, handler)
    sys.excepthook, threading.excepthook, sys.unraisablehook = before.hooks


def check_core(before: Traces, folder: Path, module: str) -> None:
    """Nobody replaced code of the shell, of Python or of a library under both.

    Args:
        before: A deep snapshot.
        folder, module: The plugin's folder and package.

    Raises:
        PluginProblem: naming what was replaced and, as far as known, the line of the replacement.
    """
    for name, old in before.modules.items():
        if sys.modules.get(name) is not old and not name.startswith(module):
            raise _patched(f"replaces the module {name} in sys.modules", None, folder)
    for name, known in before.code.items():
        current = vars(before.modules[name])
        for key, old in known.items():
            if (new := current.get(key)) is not old:
                raise _patched(f"replaces {name}.{key}", new, folder)
    for owner, known in before.members:
        current = vars(owner)  # type: ignore[assignment]
        for key, old in known.items():
            if (new := current.get(key)) is not old:
                raise _patched(f"replaces {owner.__module__}.{owner.__qualname__}.{key}", new, folder)


def _patched(message: str, new: Any, folder: Path) -> PluginProblem:
    new = getattr(new, "fget", None) or getattr(new, "__func__", None) or new
    code = getattr(new, "__code__", None)
    file, line = "", 0
    if code is not None and (place := Path(code.co_filename)).is_relative_to(folder):
        file, line = str(place.relative_to(folder)), code.co_firstlineno
    return PluginProblem(Cause.PATCH, message, file, line)


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - asked twice for every plugin
    except OSError:
        return ""


def _locale() -> str:
    return locale.setlocale(locale.LC_ALL)


def _hooks() -> tuple[Any, ...]:
    return sys.excepthook, threading.excepthook, sys.unraisablehook
