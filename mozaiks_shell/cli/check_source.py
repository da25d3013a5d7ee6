"""What can be said of a plugin by reading its files, without running any of them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.cli import catalogues
from mozaiks_shell.cli.quality import Finding
from mozaiks_shell.cli.texts import ERRORS, untranslated
from mozaiks_shell.foundation.locales import LOCALES, SOURCE
from mozaiks_shell.plugin_host import entitlements
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest, read_manifest
from mozaiks_shell.plugin_host.scan import scan
from mozaiks_shell.plugin_host.source_check import check_sources
from mozaiks_shell.plugin_host.sources import Source, find_source

_SDK: Final = "mozaiks_shell.sdk"
_COLOUR: Final = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|(?<![\w-])(?:bg|text|border|ring|fill|stroke|from|to|via|outline|divide|accent)-"
    r"(?:black|white|slate|gray|zinc|neutral|stone|red|orange|amber|yellow|lime|green|emerald|teal|cyan|sky|blue|indigo|violet|"
    r"purple|fuchsia|pink|rose)(?![\w])"
)
_SIDE: Final = re.compile(
    r"(?<![\w-])-?(?:ml|mr|pl|pr|left|right|border-l|border-r|rounded-l|rounded-r|rounded-tl|rounded-tr|rounded-bl|rounded-br|"
    r"scroll-ml|scroll-mr)-[\w\[]|(?<![\w-])(?:text|float|clear)-(?:left|right)(?![\w-])"
)


@dataclass
class Module:
    """One parsed file of the plugin."""

    file: str
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                self.names.update({one.asname or one.name.split(".")[0]: one.name for one in node.names})
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                self.names.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})

    def meaning(self, node: ast.expr) -> str:
        """``mozaiks_shell.sdk.page`` for ``sdk.page``, ``page`` and ``sdk.page(...)``."""
        if isinstance(node, ast.Call):
            return self.meaning(node.func)
        if isinstance(node, ast.Attribute):
            return f"{self.meaning(node.value)}.{node.attr}"
        return self.names.get(node.id, node.id) if isinstance(node, ast.Name) else ""

    def is_sdk(self, node: ast.expr, *names: str) -> bool:
        """Whether an expression is one of these names of the SDK."""
        return self.meaning(node) in {f"{_SDK}.{name}" for name in names}


@dataclass
class Reading:
    """A plugin's folder as read. ``manifest`` is None when it cannot be used; ``tests`` is all that its tests say."""

    folder: Path
    source: Source = field(default_factory=lambda: Source("", {}))
    manifest: Manifest | None = None
    modules: list[Module] = field(default_factory=list)
    tests: str = ""
    findings: list[Finding] = field(default_factory=list)

    def states(self) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Its State classes, as far as they derive directly from the SDK's."""
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef) and any(module.is_sdk(base, "State") for base in node.bases):
                    yield module, node

    def handlers(self) -> Iterator[tuple[Module, ast.ClassDef, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Their event handlers."""
        for module, state in self.states():
            for node in state.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                    module.is_sdk(one, "event", "rx.event") for one in node.decorator_list
                ):
                    yield module, state, node

    def tables(self) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Its tables."""
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef) and any(one.arg == "table" for one in node.keywords):
                    yield module, node

    def add(self, rule: str, message: str, file: str = "", line: int = 0, fix: str = "") -> None:
        """One more finding."""
        self.findings.append(Finding(rule, message, file, line, fix))


def read_plugin(folder: Path) -> Reading:
    """Everything that reading the folder finds. Never raises for a fault of the plugin."""
    reading = Reading(folder)
    _manifest(reading)
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(folder)
        if file.parts[0] == "tests":
            reading.tests += path.read_text("utf-8", errors="replace")
            continue
        try:
            reading.modules.append(Module(file.as_posix(), ast.parse(path.read_bytes())))
        except (SyntaxError, ValueError, RecursionError) as error:
            reading.add(
                "parses",
                str(getattr(error, "msg", error)),
                file.as_posix(),
                getattr(error, "lineno", 0) or 0,
                "Correct the line.",
            )
    _imports(reading)
    for found in scan(folder, reading.manifest.permissions if reading.manifest else ()):
        reading.add(found.rule.rule, found.message, found.file, found.line, found.rule.remedy)
    for look in (
        _entitlements,
        _access,
        _handlers,
        _migrations,
        _settings,
        _tests,
        _texts,
        _looks,
        _lists,
        _papers,
        _annotations,
    ):
        look(reading)
    return reading


def _manifest(reading: Reading) -> None:
    try:
        reading.source = find_source(reading.folder)
        reading.manifest = said = read_manifest(reading.folder)
    except PluginProblem as problem:
        reading.add("manifest-valid", problem.message, problem.file, problem.line, problem.remedy)
        return
    source = reading.source
    wanted = {
        "display_name": said.display_name,
        "description": said.description,
        "icon": said.icon != "puzzle",
        "version": said.version != "0.0.0",
        "requires.shell": said.requires.shell,
        "requires.sdk": said.requires.sdk,
    }
    lacking = [name for name, value in wanted.items() if not value]
    if lacking:
        fix = "Add them to manifest.json" + (
            ' ("requires": {"shell": ">=0.1,<1", "sdk": ">=1,<2"}).' if "requires" in str(lacking) else "."
        )
        reading.add("manifest-complete", f"The manifest lacks {', '.join(lacking)}.", source.file or "manifest.json", 1, fix)
    if not said.author or not said.license:
        reading.add(
            "origin",
            "The manifest names no author or no licence.",
            source.file or "manifest.json",
            1,
            'Add "author" and "license".',
        )


def _imports(reading: Reading) -> None:
    if any(one.rule == "parses" for one in reading.findings):
        return
    try:
        check_sources(reading.folder)
    except PluginProblem as problem:
        rule = "imports-sdk" if problem.cause is Cause.FORBIDDEN_IMPORT else "parses"
        reading.add(rule, problem.message, problem.file, problem.line, problem.remedy)


def _entitlements(reading: Reading) -> None:
    for one in entitlements.problems(reading.folder):
        if one.level == "error":
            reading.add("entitlements-valid", f"{one.path}: {one.message}", entitlements.FILE, one.line or 0, one.fix)


def _access(reading: Reading) -> None:
    if reading.manifest is None or {"access", "plan"} & reading.source.fields.keys():
        return
    places: list[tuple[str, str, int]] = []
    for module, state in reading.states():
        if not any(isinstance(one, ast.AnnAssign) and getattr(one.target, "id", "") == "access" for one in state.body):
            places.append((f"the State {state.name}", module.file, state.lineno))
    for module in reading.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and module.is_sdk(node, "page") and "access" not in {one.arg for one in node.keywords}:
                places.append(("this page", module.file, node.lineno))
        if module.file in {"logic.py", "backend/logic.py", "routes.py"}:
            places.append(("the API", module.file, 1))
    for what, file, line in places:
        fix = 'Add "access": "signed_in" (or public, role:NAME, plan:NAME) to manifest.json.'
        reading.add("access-declared", f"Nothing says who may use {what}.", file, line, fix)


def _handlers(reading: Reading) -> None:
    for module, state, handler in reading.handlers():
        given = [*handler.args.posonlyargs, *handler.args.args, *handler.args.kwonlyargs][1:]
        for one in given:
            if one.annotation is None:
                fix = f"Write {one.arg}: str, or what it is."
                reading.add(
                    "handlers-typed", f"{state.name}.{handler.name}: {one.arg} has no type.", module.file, one.lineno, fix
                )
        if not re.search(rf"\b{re.escape(handler.name)}\b", reading.tests):
            reading.add(
                "handlers-tested", f"No test names {state.name}.{handler.name}.", module.file, handler.lineno,
                f'Call it in a test: await plugin.send(state, "{handler.name}").',
            )  # fmt: skip


def _migrations(reading: Reading) -> None:
    scripts = [one for one in reading.modules if one.file.startswith("migrations/")]
    if not scripts:
        for module, table in reading.tables():
            fix = "Write migrations/0001_….py, or let mozaiks-shell migration draft it."
            reading.add("tables-migrated", f"No migration makes the table of {table.name}.", module.file, table.lineno, fix)
    for script in scripts:
        functions = {one.name: one for one in script.tree.body if isinstance(one, ast.FunctionDef)}
        if "upgrade" not in functions:
            continue
        back = functions.get("downgrade")
        does = back is not None and any(not isinstance(one, ast.Pass) and not _is_text(one) for one in back.body)
        if _does_something(functions["upgrade"]) and not does:
            line = back.lineno if back else 1
            reading.add(
                "migrations-reversible", "downgrade() takes nothing back.", script.file, line, "Undo in it what upgrade() does."
            )


def _does_something(function: ast.FunctionDef) -> bool:
    return any(not isinstance(one, ast.Pass) and not _is_text(one) for one in function.body)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _settings(reading: Reading) -> None:
    for setting in reading.manifest.settings if reading.manifest else ():
        if not setting.label or setting.default is None:
            reading.add(
                "settings-described", f"The setting {setting.id} has no label or no default.", reading.source.file,
                reading.source.line(("settings",)) or 0, 'Add "label" and "default".',
            )  # fmt: skip
    for module in reading.modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef) or not any(module.is_sdk(one, "settings.form") for one in node.decorator_list):
                continue
            for one in node.body:
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not _labelled(one.value):
                    fix = 'Write Field(default, title="…").'
                    reading.add("settings-described", f"The setting {one.target.id} has no label.", module.file, one.lineno, fix)


def _labelled(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and "title" in {one.arg for one in value.keywords}


def _tests(reading: Reading) -> None:
    if not re.search(r"^\s*(?:async )?def test_", reading.tests, re.MULTILINE):
        fix = "Write tests/test_….py; mozaiks_shell.sdk.testing loads the plugin for it."
        reading.add("tests-present", "There is no test.", "tests", 0, fix)


def _texts(reading: Reading) -> None:
    for module in reading.modules:
        for line, text in untranslated(module.tree, ERRORS):
            shown = text if len(text) <= 40 else text[:39] + "…"
            fix = "Write t(…) around it, or tr(…) in a handler or an error."
            reading.add("texts-translatable", f"{shown!r} is shown in English to everybody.", module.file, line, fix)
    try:
        there = any(one.id for one in catalogues.texts(reading.folder))
    except (SyntaxError, ValueError):
        return
    folder = reading.folder / "locales"
    every = {code: catalogues.gaps(reading.folder, folder, code) for code in LOCALES if code != SOURCE} if there else {}
    if lacking := [code for code, gaps in every.items() if gaps.missing or gaps.broken]:
        most = max(len(every[code].missing) + len(every[code].broken) for code in lacking)
        message = (
            f"{', '.join(lacking)}: up to {most} text{'s' if most > 1 else ''} of the plugin are not translated, or wrongly."
        )
        fix = "mozaiks-shell catalogues FOLDER, then fill in what is empty."
        reading.add("translated", message, f"locales/{lacking[0]}.po", 0, fix)


def _looks(reading: Reading) -> None:
    """Fixed colours and sides, in class names and styles."""
    for module in reading.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.keyword) and node.arg in {"class_name", "style", "color", "background", "background_color"}:
                for text in ast.walk(node.value):
                    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
                        continue
                    if found := _COLOUR.search(text.value):
                        fix = "Take a token: var(--color-accent), text-[var(--color-muted)] …"
                        reading.add("brand-colours", f"{found[0]!r} is a fixed colour.", module.file, text.lineno, fix)
                    if found := _SIDE.search(text.value):
                        fix = "Write ms-, me-, ps-, pe-, start-, end-, text-start, text-end."
                        reading.add("logical-sides", f"{found[0]!r} names a side.", module.file, text.lineno, fix)


def _lists(reading: Reading) -> None:
    lists = [
        (module.file, node.lineno)
        for module in reading.modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and module.is_sdk(node, "rx.foreach")
    ]
    says = any(
        isinstance(node, ast.Attribute | ast.Name) and (getattr(node, "attr", "") or getattr(node, "id", "")) == "empty_state"
        for module in reading.modules
        for node in ast.walk(module.tree)
    )
    if lists and not says:
        fix = "Show ui.empty_state(icon, title, what to do) when it is empty."
        reading.add("empty-state", "Nothing is said while this list is empty.", *lists[0], fix)


def _papers(reading: Reading) -> None:
    if not any((reading.folder / name).is_file() for name in ("README.md", "README.rst", "readme.md")):
        reading.add("readme", "There is no README.md.", "README.md", 0, "Say what it does, what it needs and what it stores.")


def _annotations(reading: Reading) -> None:
    for module in reading.modules:
        if module.file.startswith("migrations/"):
            continue
        if ast.get_docstring(module.tree) is None and module.tree.body:
            reading.add("documented", "The module has no docstring.", module.file, 1, "One sentence: what it is for.")
        for one in _public(module.tree):
            if not one.name.startswith("_") and ast.get_docstring(one) is None:
                reading.add("documented", f"{one.name} has no docstring.", module.file, one.lineno, "One sentence.")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (bare := _unannotated(node)):
                reading.add("typed", f"{node.name}: no type for {', '.join(bare)}.", module.file, node.lineno, "Annotate it.")


def _public(tree: ast.Module) -> list[Any]:
    """Top-level definitions and the methods of top-level classes."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    top = [one for one in tree.body if isinstance(one, kinds)]
    classes = [one for one in top if isinstance(one, ast.ClassDef) and not one.name.startswith("_")]
    return [*top, *(inner for one in classes for inner in one.body if isinstance(inner, kinds))]


def _unannotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    more = [one for one in (function.args.vararg, function.args.kwarg) if one is not None]
    bare = [one.arg for one in [*given, *more] if one.annotation is None and one.arg not in {"self", "cls"}]
    return [*bare, *(["what it returns"] if function.returns is None else [])]
