"""Who may import whom, beyond what import-linter says (house rules 1 to 4)."""

from tests.invariants.product import Module, modules, plugin_modules
from tests.live import ROOT

FREE = {"foundation", "ui", "appconfig", ""}  # appconfig is what its files say: shapes and loaders
DOORS = {"service", "ports", "http_gate", "errors", "events"}
LISTENERS = {"audit", "usage", "insights", "notifications"}
ASSEMBLE = {"", "cli", "hosting", "shell", "admin", "sdk"}  # the front door, and the rooms that show other rooms
NAMES = {module.name for module in modules()}


def target(imported: str) -> tuple[str, str]:
    """(room, module within it) of an imported name of ours, or empty strings."""
    if not imported.startswith("mozaiks_shell."):
        return "", ""
    name = imported
    while name not in NAMES and "." in name:
        name = name.rpartition(".")[0]
    parts = name.split(".")
    return (parts[1] if len(parts) > 1 else "", ".".join(parts[2:]))


def edges() -> list[tuple[Module, str, str, str]]:
    """(module, room it reaches into, part of that room, place) for every import that leaves its room."""
    found = []
    for module in modules():
        for imported, line in module.imports():
            room, part = target(imported)
            if room and room != module.room:
                found.append((module, room, part, f"{module.path.relative_to(ROOT)}:{line} {imported}"))
    return found


def test_rooms_meet_at_their_doors():
    wrong = [
        place
        for module, room, part, place in edges()
        if room not in FREE
        and module.room not in ASSEMBLE
        and part.split(".")[0] not in DOORS
        and (room, part) != ("hosting", "state")
    ]
    assert wrong == []


def test_nobody_does_business_with_a_listener():
    allowed = ASSEMBLE | LISTENERS
    assert [place for module, room, _, place in edges() if room in LISTENERS and module.room not in allowed] == []


def test_the_runtime_is_a_process_of_its_own():
    """Only whoever starts it may name it; it names nothing but the foundation."""
    assert [place for module, room, _, place in edges() if room == "runtime" and module.room not in {"", "cli"}] == []
    assert [place for module, room, _, place in edges() if module.room == "runtime" and room != "foundation"] == []


def test_services_know_neither_reflex_nor_fastapi():
    wrong = []
    for module in modules():
        if module.name.rpartition(".")[2] in {"service", "models", "ports"} or module.room == "foundation":
            for imported, line in module.imports():
                if imported.split(".")[0] in {"reflex", "reflex_base", "fastapi", "starlette"}:
                    wrong.append(f"{module.path.relative_to(ROOT)}:{line} {imported}")
    assert wrong == []


def test_pages_and_components_touch_no_model():
    wrong = []
    for module in modules():
        if ".pages." in module.name or ".components." in module.name:
            for imported, line in module.imports():
                if target(imported)[1] == "models" or imported.split(".")[0] in {"sqlmodel", "sqlalchemy"}:
                    wrong.append(f"{module.path.relative_to(ROOT)}:{line} {imported}")
    assert wrong == []


def test_adapters_are_chosen_in_one_place():
    """An adapter is imported by its neighbours and by one other module of its room: the factory."""
    users: dict[str, set[str]] = {}
    for module in modules():
        for imported, _ in module.imports():
            room, part = target(imported)
            if part.startswith("adapters.") and ".adapters" not in module.name:
                users.setdefault(f"{room}.{part}", set()).add(module.name)
    assert {adapter: sorted(names) for adapter, names in users.items() if len(names) > 1} == {}


def test_plugins_import_only_the_sdk():
    wrong = []
    for module in plugin_modules():
        for imported, line in module.imports():
            inside = imported.startswith("mozaiks_shell.sdk") or imported.startswith("mozaiks_core_runtime")
            if imported.split(".")[0] in {"mozaiks_shell", "mozaiks_core_runtime"} and not inside:
                wrong.append(f"{module.path.relative_to(ROOT)}:{line} {imported}")
    assert wrong == []
