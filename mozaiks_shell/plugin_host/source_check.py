"""Reads a plugin's code before it runs: the one import surface is ``mozaiks_shell.sdk`` (house rule 4)."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem

SDK = "mozaiks_shell.sdk"
_PACKAGES = (SDK, "mozaiks_core_runtime")
_GUARDED = ("mozaiks_shell", "mozaiks_core_runtime", "plugins", "mozaiks_plugins")
_FOR_TESTS = f"{SDK}.testing"


def check_sources(folder: Path) -> None:
    """Parse every module of the plugin (its ``tests`` aside) without running any.

    What it may reach is what the SDK's modules name in their ``__all__``. This catches mistakes, not malice: a plugin
    is Python in this process.

    Raises:
        PluginProblem: a syntax error, or something of the shell that is not for plugins, with file and line.
    """
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(folder)
        if file.parts[0] == "tests":
            continue
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError) as error:
            raise PluginProblem(
                Cause.SYNTAX, str(getattr(error, "msg", error)), str(file), getattr(error, "lineno", 0) or 0
            ) from error
        for line, reached in _reached(tree):
            if reached.split(".")[0] in _GUARDED and not _is_public(reached):
                raise PluginProblem(Cause.FORBIDDEN_IMPORT, f"imports {reached}, which is not part of the SDK", str(file), line)


def _reached(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, full dotted name) of everything that is imported absolutely or taken from the SDK package by its name."""
    packages: dict[str, str] = {}
    attributes: list[ast.Attribute] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                # Without "as" the name of the topmost package is bound, and through it everything below.
                yield node.lineno, name.name if name.asname else name.name.split(".")[0]
                packages[name.asname or name.name] = name.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for name in node.names:
                yield node.lineno, f"{node.module}.{name.name}"
                packages[name.asname or name.name] = f"{node.module}.{name.name}"
        elif isinstance(node, ast.Attribute):
            attributes.append(node)
    for node in attributes:
        if isinstance(node.value, ast.Name) and (package := packages.get(node.value.id)) in _PACKAGES:
            yield node.lineno, f"{package}.{node.attr}"


def _is_public(reached: str) -> bool:
    if reached in _PACKAGES:
        return True
    module, _, name = reached.rpartition(".")
    known = module in _PACKAGES or module.startswith(tuple(f"{package}." for package in _PACKAGES)) and module != _FOR_TESTS
    return known and (name == "*" or name in _names(module))


@lru_cache(maxsize=64)
def _names(module: str) -> frozenset[str]:
    """What a module of the SDK lists in ``__all__``; nothing when there is no such module."""
    place = ROOT.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.is_file():
        return frozenset()
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == "__all__":
                return frozenset(ast.literal_eval(node.value))
    return frozenset()
