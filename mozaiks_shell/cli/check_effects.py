"""What importing a plugin changed in the process besides adding its own modules (anchors: abuse 41).

Take a :class:`Snapshot` before and compare after. What the host itself looks at with every import (threads, folder, locale,
signals, hooks) comes from :mod:`mozaiks_shell.plugin_host.traces`; here is also what would cost too much there.
"""

import builtins
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from mozaiks_shell.foundation.settings import environment
from mozaiks_shell.plugin_host import traces

_CORE: Final = (
    "mozaiks_shell",
    "mozaiks_core_runtime",
    "reflex",
    "reflex_base",
    "fastapi",
    "starlette",
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
)
_CODE: Final = (FunctionType, BuiltinFunctionType, MethodType, type, staticmethod, classmethod, property)
_OURS: Final = "mozaiks_plugins"

Effect = tuple[str, str]  # what happened, what to do


class Snapshot:
    """The process as it is now."""

    def __init__(self) -> None:
        self.modules = dict(sys.modules)
        self.code = dict(_all_code())
        self.traces = traces.take()
        self.environment = environment()
        self.path, self.finders, self.hooks = list(sys.path), list(sys.meta_path), list(sys.path_hooks)
        self.sys = {name: getattr(sys, name) for name in ("displayhook", "stdout", "stderr", "stdin")}
        self.recursion, self.trace, self.profile = sys.getrecursionlimit(), sys.gettrace(), sys.getprofile()
        self.umask = _umask()

    def effects(self) -> Iterator[Effect]:
        """Everything that is different now. Replaced code is put back, because whoever reports this needs it."""
        for (where, name), before in self.code.items():
            after = _code_of(where, self.modules).get(name)
            late = name.startswith("_") and str(getattr(after, "__module__", "")).partition(".")[0] in _CORE  # filled when needed
            if after is not before and not late:
                _put_back(_holder(where, self.modules), name, before)
                yield (
                    f"{_shown(where)}.{name} was replaced.",
                    "Wrap it in a function of your own; other people's code stays as it is.",
                )
        yield from self._modules()
        for note in traces.notes(self.traces):
            yield note.message, note.remedy
        if changed := environment().items() ^ self.environment.items():
            names = sorted({name for name, _ in changed})
            yield (
                f"The environment variables {', '.join(names[:5])} changed.",
                "Take values from sdk.settings or the manifest's config.",
            )
        for name, before in (("path", self.path), ("meta_path", self.finders), ("path_hooks", self.hooks)):
            if list(getattr(sys, name)) != before:
                yield f"sys.{name} changed.", "Import own modules relatively (from . import x)."
        for name, before in self.sys.items():
            if getattr(sys, name) is not before:
                yield f"sys.{name} was replaced.", "Leave it; log with logging.getLogger(__name__)."
        if (sys.getrecursionlimit(), sys.gettrace(), sys.getprofile()) != (self.recursion, self.trace, self.profile):
            yield "The recursion limit, trace or profile function changed.", "Leave the interpreter's switches alone."
        if _umask() != self.umask:
            yield "The umask changed.", "Keep files with sdk.files."

    def _modules(self) -> Iterator[Effect]:
        fix = "Leave sys.modules alone; import what you need."
        for name, before in self.modules.items():
            if name not in sys.modules:
                yield f"sys.modules[{name!r}] was removed.", fix
            elif sys.modules[name] is not before:
                yield f"sys.modules[{name!r}] was replaced.", fix
        for name in sys.modules.keys() - self.modules.keys():
            module = sys.modules[name]
            real = str(getattr(module, "__name__", ""))
            foreign = (
                not isinstance(module, ModuleType | None) or real.startswith(_OURS) or getattr(module, "__spec__", 0) is None
            )
            if foreign and not name.startswith(_OURS) and real.partition(".")[0] not in _CORE:
                yield f"sys.modules[{name!r}] was put there.", fix


def _all_code() -> Iterator[tuple[tuple[tuple[str, str], str], Any]]:
    """Every function and class of the core and of builtins, and every function of its classes, by place and name."""
    for module in _core_modules():
        place = (module.__name__, "")
        for name, value in _code_of(place, sys.modules).items():
            yield (place, name), value
        for inner in [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]:
            if vars(module).get(inner.__name__) is inner:
                for name, value in _code_of((module.__name__, inner.__name__), sys.modules).items():
                    yield ((module.__name__, inner.__name__), name), value


def _core_modules() -> list[ModuleType]:
    standard = sys.stdlib_module_names
    return [
        builtins,
        *(
            module
            for name, module in sorted(sys.modules.items())
            if isinstance(module, ModuleType) and (root := name.partition(".")[0]) and (root in _CORE or root in standard)
            and name not in {"builtins", "__main__"} and module.__name__ == name
        ),
    ]  # fmt: skip


def _holder(place: tuple[str, str], modules: Mapping[str, ModuleType]) -> Any:
    module = modules.get(place[0])
    return vars(module).get(place[1]) if place[1] and module is not None else module


def _code_of(place: tuple[str, str], modules: Mapping[str, ModuleType]) -> dict[str, Any]:
    holder = _holder(place, modules)
    found = dict(vars(holder)) if holder is not None else {}
    return {name: value for name, value in found.items() if isinstance(value, _CODE)}


def _put_back(holder: Any, name: str, before: Any) -> None:
    with suppress(AttributeError, TypeError):
        setattr(holder, name, before)


def _shown(place: tuple[str, str]) -> str:
    return ".".join(filter(None, place))


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
