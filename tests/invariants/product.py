"""What the product declares, seen from outside: its modules as syntax trees, its models, its assembled app."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import mozaiks_shell
from tests.live import ROOT, clean_environment


@dataclass(frozen=True)
class Module:
    """A module of the product. ``name`` is dotted; a package has the name of its folder."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """``identity`` for ``mozaiks_shell.identity.service``; empty for the front door."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 2 or self.path.name == "__init__.py" and len(parts) > 1 else ""

    def imports(self) -> list[tuple[str, int]]:
        """Dotted name and line of everything imported anywhere in the module, functions included.

        ``from a.b import c`` gives ``a.b.c``; the caller need not know whether c is a module.
        """
        found: list[tuple[str, int]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    package = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
                    base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
                found += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
        return found


def _modules(folder: Path) -> list[Module]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "tests" in parts:
            continue
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text("utf-8"), str(path))))
    return found


@lru_cache(maxsize=1)
def modules() -> list[Module]:
    """Every module of ``mozaiks_shell``."""
    return _modules(ROOT / "mozaiks_shell")


@lru_cache(maxsize=1)
def plugin_modules() -> list[Module]:
    """Every module of the plugins in ``plugins/``, without their tests."""
    return _modules(ROOT / "plugins") if (ROOT / "plugins").is_dir() else []


def import_models() -> None:
    """Import the models of every room."""
    for room in pkgutil.iter_modules(mozaiks_shell.__path__):
        if room.ispkg and (Path(mozaiks_shell.__path__[0]) / room.name / "models.py").exists():
            importlib.import_module(f"mozaiks_shell.{room.name}.models")


_DESCRIBE = """
import json, sys
from reflex_base.registry import RegistrationContext
from mozaiks_shell.mozaiks_shell import api, app
from mozaiks_shell.foundation.db import AppRow, UserRow
from mozaiks_shell.shell.event_gate import declared_access, is_framework
from mozaiks_shell.ui.page import pages
from mozaiks_shell.ui.state import ShellState
from sqlmodel import SQLModel
from starlette.routing import Mount

def word(access):
    return None if access is None else [access.kind, *access.names]

def guards(dependant):
    for one in dependant.dependencies:
        yield getattr(one.call, "__module__", "") + ":" + getattr(one.call, "__qualname__", repr(one.call))
        yield from guards(one)

def walk(routes):
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            yield from walk(route.effective_route_contexts())
            continue
        if isinstance(route, Mount):
            yield {"path": route.path, "methods": ["MOUNT"], "endpoint": repr(route.app), "guards": []}
            continue
        real = getattr(route, "starlette_route", None) or route
        yield {
            "path": getattr(route, "path", "") or real.path,
            "methods": sorted(getattr(real, "methods", None) or getattr(route, "methods", None) or ["WS"]),
            "endpoint": real.endpoint.__module__ + ":" + real.endpoint.__qualname__,
            "guards": list(guards(real.dependant)) if getattr(real, "dependant", None) else [],
        }

def tables(base=SQLModel):
    for child in base.__subclasses__():
        if "__table__" in vars(child):
            yield {"name": child.__table__.name, "class": child.__module__ + ":" + child.__name__,
                   "scope": "user" if issubclass(child, UserRow) else "app" if issubclass(child, AppRow) else None}
        yield from tables(child)

handlers = []
for name, one in RegistrationContext.get().event_handlers.items():
    fn = one.handler.fn
    code = getattr(fn, "__code__", None)
    handlers.append({
        "name": name, "framework": is_framework(name), "access": word(declared_access(name)),
        "owner": one.states[0].__module__ if one.states else "",
        "arguments": list(code.co_varnames[1:code.co_argcount]) if code else [],
    })

def page(one):
    return {"route": one.route, "title": one.title, "access": word(one.access), "owner": one.owner,
            "chat": one.chat, "in_nav": one.in_nav}

json.dump({
    "handlers": handlers,
    "pages": [page(one) for one in pages()],
    "reflex_routes": sorted(app._unevaluated_pages),
    "routes": list(walk(api.routes)),
    "tables": list(tables()),
}, sys.stdout)
"""


@lru_cache(maxsize=1)
def assembled() -> dict[str, Any]:
    """Pages, State handlers, API routes and tables of the app, as the front door assembles it.

    Asked of a process of its own, so that nothing a test declares is counted and nothing leaks into the tests.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as data:
        answer = subprocess.run(
            [sys.executable, "-c", _DESCRIBE], cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=clean_environment(MOZAIKS_DATA_DIR=data, PYTHONPATH=str(ROOT), REFLEX_WEB_WORKDIR=f"{data}/web"),
        )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    return json.loads(answer.stdout[answer.stdout.index("{") :])
