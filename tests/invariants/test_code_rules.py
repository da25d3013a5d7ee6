"""House rules that a linter cannot say."""

import ast
import re

import pytest

from tests.invariants.product import Module, modules, plugin_modules
from tests.live import ROOT

EVERY = [*modules(), *plugin_modules()]
MAY_READ_THE_ENVIRONMENT = {
    "mozaiks_shell.foundation.settings",
    "mozaiks_shell.hosting.reflex_build",
    "mozaiks_shell.hosting.reflex_config",
}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|(?i:coming soon|not implemented yet|lorem ipsum)")


def where(module: Module, line: int) -> str:
    return f"{module.path.relative_to(ROOT)}:{line}"


def test_only_the_settings_read_the_environment():
    found = []
    for module in EVERY:
        if module.name in MAY_READ_THE_ENVIRONMENT:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb", "os.putenv"}:
                found.append(where(module, node.lineno))
        found += [where(module, line) for name, line in module.imports() if name in {"os.environ", "os.getenv"}]
    assert found == []


def test_nobody_prints():
    calls = [
        where(module, node.lineno)
        for module in EVERY
        if module.name != "plugins.my-plugin.logic"  # as the founding document prints it
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "breakpoint"}
    ]
    assert calls == []


def test_nothing_is_left_for_later():
    found = []
    for module in EVERY:
        for number, line in enumerate(module.path.read_text("utf-8").splitlines(), 1):
            if UNFINISHED.search(line):
                found.append(f"{where(module, number)} {line.strip()}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.dump(node.exc):
                found.append(where(module, node.lineno))
    assert found == []


def test_no_module_is_longer_than_600_lines():
    sizes = {module.name: len(module.path.read_text("utf-8").splitlines()) for module in EVERY}
    assert {name: size for name, size in sizes.items() if size > 600} == {}


def test_nothing_of_a_developers_machine_is_in_the_tree():
    """No home folders or workplaces in what is shipped."""
    private = re.compile(r"(?<![\w.])/(?:work|farm|root|home/\w+|tmp)/[a-z0-9.]")
    found = [
        f"{where(module, number)} {line.strip()}"
        for module in EVERY
        for number, line in enumerate(module.path.read_text("utf-8").splitlines(), 1)
        if private.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("forbidden", ["toast", "call_script", "set_clipboard", "html"])
def test_nothing_needs_eval_or_raw_html(forbidden):
    """The content security policy has no ``unsafe-eval``; these would be dead or dangerous (D6)."""
    found = [
        where(module, node.lineno)
        for module in EVERY
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {f"rx.{forbidden}", f"reflex.{forbidden}"}
    ]
    assert found == []


def test_markdown_never_renders_raw_html():
    for module in EVERY:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"rx.markdown", "reflex.markdown"}:
                raw = {word.arg: getattr(word.value, "value", None) for word in node.keywords}.get("use_raw")
                assert raw is False, where(module, node.lineno)
