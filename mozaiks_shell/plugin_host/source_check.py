"""Reads a plugin's code before it runs: the one import surface is ``mozaiks_shell.sdk`` (house rule 4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from mozaiks_shell.plugin_host.errors import Cause, PluginProblem

ALLOWED = ("mozaiks_shell.sdk", "mozaiks_core_runtime")
_GUARDED = ("mozaiks_shell", "plugins", "mozaiks_plugins")


def check_sources(folder: Path) -> None:
    """Parse every module of the plugin (its ``tests`` aside) without running any.

    Raises:
        PluginProblem: a syntax error, or an import that is not allowed, with file and line.
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
        for line, module in _imports(tree):
            if module.split(".")[0] in _GUARDED and not any(module == one or module.startswith(one + ".") for one in ALLOWED):
                raise PluginProblem(Cause.FORBIDDEN_IMPORT, f"imports {module}, which is not part of the SDK", str(file), line)


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, full dotted name) of everything that is imported absolutely, anywhere in the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for name in node.names:
                yield node.lineno, f"{node.module}.{name.name}"
