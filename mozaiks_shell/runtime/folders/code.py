"""Python tool files: imported apart from each other, and never able to take the runtime down."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import itertools
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .shims import install

IMPORT_SECONDS = 10.0
_generation = itertools.count(1)


class ToolFileError(Exception):
    """A tool file cannot be used; the message is for its author."""


class _Fresh(importlib.machinery.SourceFileLoader):
    """Compiles what the file holds now; a cached byte code of the same second would be the old text."""

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.get_data(self.path), self.path)


class ToolFiles:
    """The tool files of one workflow folder; every instance imports them anew.

    Files live in ``<folder>/tools/`` or in the folder itself. They may import each other relatively (``from .helpers import
    x``). Names from the published runtime (``mozaiksai...ui_tools``) resolve to this runtime's helpers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._package = f"_mozaiks_workflows.{''.join(c if c.isalnum() else '_' for c in folder.name)}_{next(_generation)}"
        self._modules: dict[Path, types.ModuleType] = {}

    def find(self, file: str) -> Path | None:
        """The file's place, or None. A path that leaves the folder is not found."""
        root = self._folder.resolve()
        for base in (self._folder / "tools", self._folder):
            path = (base / file).resolve()
            if path.is_file() and path.is_relative_to(root):
                return path
        return None

    def function(self, path: Path, name: str) -> Callable[..., Any]:
        """The function ``name`` of a file.

        Raises:
            ToolFileError: the file fails to import, takes too long, or has no such function.
        """
        module = self._modules.get(path)
        if module is None:
            module = self._modules[path] = self._import(path)
        found = getattr(module, name, None)
        if not callable(found):
            offered = [key for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")]
            raise ToolFileError(f"has no function {name!r}; it has: {', '.join(offered) or 'none'}")
        return found  # type: ignore[no-any-return]

    def _import(self, path: Path) -> types.ModuleType:
        outcome: list[types.ModuleType | BaseException] = []

        def run() -> None:
            try:
                outcome.append(self._load(path))
            except BaseException as error:  # noqa: BLE001 - SystemExit included: a tool file must not end the runtime
                outcome.append(error)

        thread = threading.Thread(target=run, name=f"import {path.name}", daemon=True)
        thread.start()
        thread.join(IMPORT_SECONDS)
        if not outcome:
            raise ToolFileError(f"did not finish importing within {IMPORT_SECONDS:.0f} s")
        if isinstance(outcome[0], types.ModuleType):
            return outcome[0]
        raise ToolFileError(_told(outcome[0], path))

    def _load(self, path: Path) -> types.ModuleType:
        install()
        for name in ("_mozaiks_workflows", self._package):
            if name not in sys.modules:
                package = types.ModuleType(name)
                package.__path__ = [str(path.parent)] if name == self._package else []
                sys.modules[name] = package
        name = f"{self._package}.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path, loader=_Fresh(name, str(path)))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
        return module

    def forget(self) -> None:
        """Let the modules go; runs that use their functions keep them."""
        for name in [key for key in sys.modules if key == self._package or key.startswith(self._package + ".")]:
            del sys.modules[name]


def _told(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"is not Python: {error.msg} (line {error.lineno})"
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    at = f" (line {line})" if line else ""
    return f"cannot be imported: {type(error).__name__}: {' '.join(str(error).split())[:200]}{at}"
