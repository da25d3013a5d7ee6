"""Reads a plugin's code for calls that do not belong into a plugin, before any of it runs (F-095).

This finds mistakes and shows a reviewer where to look. It is no jail: Python that wants to hide a call can. What keeps the
shell alive is the loader (import in a child first, quarantine, walls around data); what keeps secrets is the operator, who
decides which plugins to install.
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.permissions import Permission

Mode = Literal["off", "warn", "strict"]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """One kind of call that does not belong into a plugin.

    Attributes:
        rule: Its id, as ``mozaiks-shell check`` shows it.
        why: What goes wrong, as the end of a sentence that begins with the call.
        remedy: What to do instead.
        names: Dotted names; one that ends with a dot stands for everything below.
        permission: What the manifest may declare to silence it.
    """

    rule: str
    why: str
    remedy: str
    names: tuple[str, ...] = ()
    permission: Permission | None = None


def _below(package: str, names: str) -> tuple[str, ...]:
    return tuple(f"{package}.{name}" for name in names.split())


RULES: Final = (
    Forbidden(
        "scan-code",
        "runs text as code",
        "Write the code out; for data use json.loads or ast.literal_eval.",
        (*_below("builtins", "eval exec compile __import__"), "runpy."),
    ),
    Forbidden(
        "scan-shell",
        "starts another program",
        'Do without, or declare "subprocess" in the manifest\'s permissions so that the operator knows.',
        (
            *_below("os", "system popen execl execle execlp execlpe execv execve execvp execvpe fork forkpty"),
            *_below("os", "posix_spawn posix_spawnp spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe startfile"),
            *_below("asyncio", "create_subprocess_exec create_subprocess_shell"),
            "subprocess.", "pty.", "multiprocessing.", "concurrent.futures.ProcessPoolExecutor", "asyncio.subprocess.",
        ),
        Permission.SUBPROCESS,
    ),
    Forbidden(
        "scan-pickle",
        "runs code that hides in data",
        "Keep JSON.",
        (
            *_below("pickle", "load loads Unpickler"), *_below("marshal", "load loads"), "shelve.", "dill.", "cloudpickle.",
            *_below("joblib", "load"), *_below("yaml", "load unsafe_load full_load load_all"), *_below("jsonpickle", "decode"),
        ),
    ),
    Forbidden(
        "scan-network",
        "opens a connection past the shell's rules about addresses, time and size",
        "Use sdk.http.",
        (
            "socket.", "socketserver.", "ftplib.", "smtplib.", "telnetlib.", "poplib.", "imaplib.",
            *_below("asyncio", "open_connection"),
        ),
    ),
    Forbidden(
        "scan-http",
        "calls another server past the shell's rules about addresses, time and size",
        'Use sdk.http, and declare "http" in the manifest\'s permissions.',
        ("urllib.request.", "http.client.", "requests.", "httpx.", "aiohttp.", "urllib3.", "websockets."),
        Permission.HTTP,
    ),
    Forbidden(
        "scan-native",
        "reaches memory that Python does not guard",
        "Take a package that has the binding.",
        ("ctypes.", "cffi.", "_ctypes."),
    ),
    Forbidden(
        "scan-process",
        "ends or interrupts the whole server",
        "Raise an error of sdk.errors instead.",
        (
            *_below("os", "_exit abort kill killpg"),
            *_below("sys", "exit setrecursionlimit settrace setprofile setswitchinterval"),
            "signal.", *_below("builtins", "exit quit breakpoint"), *_below("threading", "settrace setprofile"), "faulthandler.",
            *_below("gc", "disable freeze get_objects get_referrers"),
        ),
    ),
    Forbidden(
        "scan-cwd",
        "changes the folder or the rights of the whole server",
        "Use absolute paths; keep files with sdk.files.",
        (*_below("os", "chdir fchdir chroot umask setuid setgid seteuid setegid"), "contextlib.chdir"),
    ),
    Forbidden(
        "scan-locale",
        "changes the language or time zone of every person",
        "Use sdk.i18n, which knows the person's.",
        ("locale.setlocale", "time.tzset"),
    ),
    Forbidden(
        "scan-environment",
        "reads or changes the server's environment, which holds its secrets",
        "Take values from sdk.settings or from the manifest's config.",
        _below("os", "environ environb getenv getenvb putenv unsetenv"),
    ),
    Forbidden(
        "scan-files",
        "changes files of the server",
        'Keep files with sdk.files, and declare "files" in the manifest\'s permissions.',
        (
            *_below("os", "remove unlink rename replace rmdir removedirs makedirs mkdir truncate chmod chown link symlink"),
            *_below("shutil", "rmtree move copy copy2 copyfile copytree chown"),
        ),
        Permission.FILES,
    ),
    Forbidden(
        "scan-database",
        "reaches a database past the wall between people and apps",
        'Use sdk.db; for SQL of your own declare "raw_sql" in the manifest\'s permissions.',
        (
            *_below("sqlalchemy", "text create_engine"), *_below("sqlalchemy.ext.asyncio", "create_async_engine"),
            *_below("sqlmodel", "create_engine text"), "sqlite3.", "psycopg.", "psycopg2.", "asyncpg.", "aiosqlite.", "pymongo.",
        ),
        Permission.RAW_SQL,
    ),
    Forbidden(
        "scan-modules",
        "changes what every other import finds",
        "Import what you need; own modules relatively (from . import x).",
    ),
    Forbidden(
        "scan-patch",
        "changes code that is not the plugin's",
        "Wrap it in a function of your own, or ask for a hook.",
    ),
    Forbidden(
        "scan-introspection",
        "reaches behind the interfaces",
        "Use what sdk offers.",
        (*_below("sys", "_getframe _current_frames"), *_below("inspect", "currentframe stack getouterframes")),
    ),
)  # fmt: skip
BY_ID: Final = {one.rule: one for one in RULES}
_EXACT: Final = {name: one for one in RULES for name in one.names if not name.endswith(".")}
_PACKAGES: Final = {name: one for one in RULES for name in one.names if name.endswith(".")}
_HARMLESS: Final = frozenset(
    _below("signal", "Signals") + _below("socket", "timeout gaierror error") + _below("multiprocessing", "cpu_count")
    + _below("httpx", "HTTPError TimeoutException URL") + _below("subprocess", "CalledProcessError TimeoutExpired")
)  # fmt: skip
_MODULE_TABLES: Final = ("sys.modules", "sys.path", "sys.meta_path", "sys.path_hooks", "sys.path_importer_cache")
_CHANGES: Final = frozenset(
    {"append", "insert", "extend", "pop", "remove", "clear", "update", "setdefault", "popitem", "__setitem__"}
)
_BEHIND: Final = frozenset(
    {"__subclasses__", "__globals__", "__builtins__", "__code__", "__closure__", "f_globals", "f_back", "f_locals"}
)
_BUILTINS: Final = frozenset(dir(builtins))
_SUSPECT: Final = frozenset({"sys", "setattr", "delattr", "open", "getattr", "importlib"})
_ALWAYS: Final = frozenset({"eval", "exec", "__import__"})  # whatever else the module calls so
_WRITES: Final = re.compile(r"[wax+]")

# To use something one must name its package, or the function itself where the package's name is an everyday word. A file
# in which no such word stands, and where nothing is assigned to an attribute of anything but self, need not be parsed.
_EVERYDAY: Final = frozenset({"builtins", "time", "contextlib", "asyncio", "concurrent"})


def _word(name: str) -> str:
    parts = name.rstrip(".").split(".")
    return parts[-1] if parts[0] in _EVERYDAY else parts[0]


_NAMES: Final = {_word(name) for one in RULES for name in one.names}
_WORDS: Final = re.compile(
    (
        rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, _NAMES | _BEHIND | _SUSPECT)))})(?!\w)"
        r"|^[ \t]*(?!self\.|cls\.)(?:del[ \t]+)?\w+(?:\.\w+)+(?:\[[^\]\n]*\])?[ \t]*(?:[-+*/|&]?=(?!=)|$)"
    ).encode(),
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A call that does not belong into a plugin, at ``file:line`` below its folder."""

    rule: Forbidden
    call: str
    file: str
    line: int

    @property
    def message(self) -> str:
        """``os.system starts another program``."""
        return f"{self.call} {self.rule.why}"

    @property
    def where(self) -> str:
        """``logic.py:12``."""
        return f"{self.file}:{self.line}"


def scan(folder: Path, permissions: Collection[str] = ()) -> list[Found]:
    """Every call of the plugin's modules that does not belong there, by file and line. Nothing is executed.

    Its tests are left out; migrations may speak SQL. A module that cannot be parsed has no findings: that is told elsewhere.

    Args:
        permissions: What the manifest declares.
    """
    found: list[Found] = []
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(folder)
        if file.parts[0] == "tests" or not _WORDS.search(text := path.read_bytes()):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        allowed = {*permissions, Permission.RAW_SQL} if file.parts[0] == "migrations" else set(permissions)
        once: dict[tuple[str, int], Found] = {}
        for rule, call, line in _Reader().read(tree):
            if rule.permission is None or rule.permission not in allowed:
                once.setdefault((rule.rule, line), Found(rule, call, file.as_posix(), line))
        found += sorted(once.values(), key=lambda one: one.line)
    return found


def judge(folder: Path, permissions: Collection[str], mode: Mode) -> list[Note]:
    """What the loader makes of it: nothing (``off``), notes that make the plugin degraded (``warn``), or a refusal.

    Raises:
        PluginProblem: ``strict``, and there is a finding.
    """
    found = [] if mode == "off" else scan(folder, permissions)
    if found and mode == "strict":
        first = found[0]
        more = f" (and {len(found) - 1} more; mozaiks-shell check lists them)" if len(found) > 1 else ""
        raise PluginProblem(Cause.SCAN, first.message + more, first.file, first.line, remedy=f"{first.rule.remedy} Then restart.")
    return [Note("warning", one.message, one.where, one.rule.remedy) for one in found]


class _Reader:
    """Knows what names mean in one module: imports, their aliases, and what a function's own names hide."""

    def __init__(self) -> None:
        self._meaning: dict[str, str] = {}
        self._own: set[str] = set()
        self._hidden: list[set[str]] = []

    def read(self, tree: ast.Module) -> Iterator[tuple[Forbidden, str, int]]:
        self._learn(tree)
        yield from self._visit(tree)

    def _learn(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._own.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._own.add(node.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    self._meaning[one.asname or one.name.split(".")[0]] = one.name if one.asname else one.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                for one in node.names:
                    self._meaning[one.asname or one.name] = f"{node.module}.{one.name}"
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (meant := self._named(node.value)):
                self._meaning.setdefault(node.targets[0].id, meant)

    def _visit(self, node: ast.AST) -> Iterator[tuple[Forbidden, str, int]]:
        function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else None
        if function is not None:
            given = function.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            self._hidden.append({one.arg for one in every if one is not None})
        yield from self._look(node)
        for inner in ast.iter_child_nodes(node):
            yield from self._visit(inner)
        if function is not None:
            self._hidden.pop()

    def _look(self, node: ast.AST) -> Iterator[tuple[Forbidden, str, int]]:
        if isinstance(node, ast.ImportFrom):
            if node.names[0].name == "*" and (rule := _PACKAGES.get(f"{node.module}.")) is not None:
                yield rule, f"from {node.module} import *", node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr in _BEHIND:
                yield BY_ID["scan-introspection"], node.attr, node.lineno
            elif (rule := _rule_of(name := self._named(node))) is not None:
                yield rule, name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if (rule := _rule_of(name := self._named(node))) is not None:
                yield rule, name.removeprefix("builtins."), node.lineno
        elif isinstance(node, ast.Call):
            yield from self._called(node)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else node.targets
            for target in targets:
                for one in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                    yield from self._changed(one)

    def _called(self, node: ast.Call) -> Iterator[tuple[Forbidden, str, int]]:
        name = self._named(node.func)
        table, _, method = name.rpartition(".")
        if table in _MODULE_TABLES and method in _CHANGES:
            yield BY_ID["scan-modules"], name, node.lineno
        elif name in {"builtins.setattr", "builtins.delattr"} and node.args:
            if (target := self._named(node.args[0])) and not target.startswith("builtins."):
                yield BY_ID["scan-patch"], f"{name.removeprefix('builtins.')}({target}, …)", node.lineno
        elif name == "builtins.open" and self._writes(node):
            yield BY_ID["scan-files"], "open(…) for writing", node.lineno
        elif name == "builtins.getattr" and (rule := _rule_of(self._named(node))) is not None:
            yield rule, self._named(node), node.lineno

    def _writes(self, node: ast.Call) -> bool:
        given = node.args[1] if len(node.args) > 1 else next((one.value for one in node.keywords if one.arg == "mode"), None)
        return isinstance(given, ast.Constant) and isinstance(given.value, str) and bool(_WRITES.search(given.value))

    def _changed(self, target: ast.expr) -> Iterator[tuple[Forbidden, str, int]]:
        if isinstance(target, ast.Subscript):
            if (name := self._named(target.value)) in _MODULE_TABLES:
                yield BY_ID["scan-modules"], f"{name}[…] =", target.lineno
            elif name.endswith(".__dict__"):
                yield BY_ID["scan-patch"], f"{name}[…] =", target.lineno
        elif isinstance(target, ast.Attribute):
            name = self._named(target)
            if name in _MODULE_TABLES:
                yield BY_ID["scan-modules"], f"{name} =", target.lineno
            elif name and not name.startswith("builtins.") or name.startswith("builtins.") and name.count(".") == 1:
                yield BY_ID["scan-patch"], f"{name} =", target.lineno

    def _named(self, node: ast.expr) -> str:
        """The full dotted name an expression stands for, as far as it can be seen; empty when it is the plugin's own."""
        if isinstance(node, ast.Name):
            if any(node.id in names for names in self._hidden):
                return ""
            if node.id in self._meaning:
                return self._meaning[node.id]
            if node.id == "__builtins__":
                return "builtins"
            hidden = node.id in self._own and node.id not in _ALWAYS
            return f"builtins.{node.id}" if node.id in _BUILTINS and not hidden else ""
        if isinstance(node, ast.Attribute):
            inner = self._named(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        if isinstance(node, ast.Call) and node.args:
            name, first = self._named(node.func), _text(node.args[0])
            if name in {"builtins.__import__", "importlib.import_module"} and first:
                return first
            if name == "builtins.getattr" and len(node.args) > 1 and (attribute := _text(node.args[1])):
                inner = self._named(node.args[0])
                return f"{inner}.{attribute}" if inner else ""
        return ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _rule_of(name: str) -> Forbidden | None:
    if not name or name in _HARMLESS:
        return None
    if name in _EXACT:
        return _EXACT[name]
    end = name.find(".")
    while end != -1:
        if (rule := _PACKAGES.get(name[: end + 1])) is not None:
            return rule
        end = name.find(".", end + 1)
    return None
