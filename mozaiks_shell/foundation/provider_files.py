"""Provider plugins: one Python file that stands in for a part of the shell, chosen by a setting (F-053, F-098).

``plugins/payments/<name>.py`` and ``plugins/auth/<name>.py`` define ``Provider``: a class, or a function that makes one. It is
called with the file's own settings: the environment variables that begin with its name (``PAYPAL_CLIENT_ID`` for ``paypal``).
"""

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from mozaiks_shell.foundation.settings import get_settings, provider_file, variables_of

Kind = Literal["payments", "auth"]
Config = Mapping[str, str]

NAMESPACE: Final = "mozaiks_providers"
SETTING: Final[dict[str, str]] = {"payments": "MOZAIKS_BILLING_PROVIDER", "auth": "MOZAIKS_AUTH_PROVIDER"}

_modules: dict[Path, ModuleType] = {}


class ProviderProblem(Exception):
    """A provider file cannot be used. ``line`` is 0 when no line is to blame."""

    def __init__(self, kind: Kind, file: Path, message: str, line: int = 0) -> None:
        self.kind, self.file, self.line, self.message = kind, file, line, " ".join(message.split())[:500]
        place = f"{file}:{line}" if line else str(file)
        super().__init__(f"{SETTING[kind]}: {place}: {self.message}")


def make(kind: Kind, name: str, methods: Mapping[str, bool], check: Callable[[Any], str] = lambda _: "") -> Any:
    """The provider in a file. The file is imported once per process; each call makes another provider.

    Args:
        methods: What it must have, and whether (True) or only may (False).
        check: Looks at the made provider; returns what is wrong with it.

    Raises:
        ProviderProblem: with file and line, whatever the file does: a syntax error, ``SystemExit``, a missing method.
    """
    file = provider_file(get_settings(), kind, name)
    if file is None:
        raise ProviderProblem(kind, Path("plugins") / kind / f"{name}.py", "there is no such file")
    module = _modules.get(file) or _load(kind, name, file)
    factory = getattr(module, "Provider", None)
    if not callable(factory):
        raise ProviderProblem(kind, file, "defines no `Provider`, a class or a function of one argument (its settings)")
    try:
        made = factory(variables_of(name))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the start is what must end, with a reason
        raise ProviderProblem(kind, file, f"Provider(settings): {_said(error)}", _line(error, file)) from error
    if problem := _lacks(made, methods) or check(made):
        raise ProviderProblem(kind, file, problem, _line_of(factory))
    return made


def forget() -> None:
    """Import every file anew when it is asked for next (tests)."""
    _modules.clear()


def _load(kind: Kind, name: str, file: Path) -> ModuleType:
    try:
        compile(file.read_bytes(), str(file), "exec")
    except (SyntaxError, ValueError, OSError) as error:
        raise ProviderProblem(kind, file, _said(error), getattr(error, "lineno", 0) or 0) from error
    full = f"{NAMESPACE}.{kind}.{name}"
    spec = spec_from_file_location(full, file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the start is what must end, with a reason
        del sys.modules[full]
        raise ProviderProblem(kind, file, _said(error), _line(error, file)) from error
    _modules[file] = module
    return module


def _lacks(made: Any, methods: Mapping[str, bool]) -> str:
    for method, needed in methods.items():
        found = getattr(made, method, None)
        if found is None and not needed:
            continue
        ours = str(getattr(found, "__module__", "")).startswith("mozaiks_shell.")  # the interface's own, which does nothing
        if ours or not inspect.iscoroutinefunction(found):
            return f"Provider needs `async def {method}`"
    return ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {getattr(error, 'msg', '') or error}"


def _line(error: BaseException, file: Path) -> int:
    """The innermost line of the file in the traceback."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    return lines[-1] if lines else 0


def _line_of(thing: Any) -> int:
    try:
        return inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return 0
