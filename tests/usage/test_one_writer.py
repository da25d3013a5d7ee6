"""F-248: one engine, one source of truth: only the usage room knows its rows, and one module of it writes the ledger."""

import ast

from tests.invariants.product import modules
from tests.live import ROOT

ROWS = {"usage_entry", "usage_budget", "usage_hold"}


def test_f248_only_the_usage_room_touches_usage_rows():
    wrong = []
    for module in modules():
        if module.room == "usage":
            continue
        where = module.path.relative_to(ROOT)
        wrong += [f"{where}:{line} {name}" for name, line in module.imports() if name.startswith("mozaiks_shell.usage.models")]
        for node in ast.walk(ast.parse(module.path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and any(row in node.value for row in ROWS):
                wrong.append(f"{where}:{node.lineno} names {node.value[:60]!r}")
    assert wrong == []


def test_f248_one_module_writes_the_ledger():
    writers = set()
    for module in modules():
        for node in ast.walk(ast.parse(module.path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                made = node.func.id == "UsageEntry"
                changed = node.func.id in {"insert", "update", "delete"} and "UsageEntry" in {
                    one.id for one in ast.walk(node) if isinstance(one, ast.Name)
                }
                if made or changed:
                    writers.add(module.name)
    assert writers == {"mozaiks_shell.usage.ledger"}
