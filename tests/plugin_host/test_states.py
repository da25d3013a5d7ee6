"""What an operator reads and chooses: seven states, on and off that outlive everything, the same in every process (F-077)."""

import asyncio
import json

import pytest
from sqlalchemy.exc import IntegrityError

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.errors import Conflict, NotFound
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import choices, loader, registry, service, startup
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.reports import plugin_reports, report_of
from mozaiks_shell.shell.event_gate import declared_access
from tests.conftest import ADA

GOOD = {"logic.py": "def execute(data): return {'ok': True}\n"}
PAGE = (
    "from mozaiks_shell import sdk\n\nclass Counter(sdk.State):\n    n: int = 0\n\n    @sdk.event\n    def add(self):\n"
    "        self.n += 1\n\n@sdk.page()\ndef front():\n    return sdk.ui.button('Add', Counter.n, on_click=Counter.add)\n"
)


def manifest(**fields):
    return {**GOOD, "manifest.json": json.dumps(fields)}


@pytest.fixture
async def running(write, database, load, as_person):
    """``await running({...})``: the plugins of this folder, loaded and started."""
    as_person(ADA)
    stops = []

    async def start(**plugins):
        for name, files in plugins.items():
            write(name, files)
        loaded = load()
        stops.append(await startup.start_plugins(get_settings()))
        return loaded

    yield start
    for stop in stops:
        await stop()


def states():
    return {one.name: one.state for one in plugin_reports()}


def restart(load):
    """Another process, as far as plugins go."""
    for plugin in registry.all_plugins():
        loader.unload(plugin.name)
    return load()


async def test_f077_off_takes_effect_at_once_and_outlives_a_restart(running, load):
    await running(crm={**GOOD, "page.py": PAGE}, other=GOOD)
    handler = "reflex___state____state.mozaiks_shell___ui___state____shell_state.mozaiks_plugins___crm___page____counter.add"
    handler = next((one for one in _handlers() if "mozaiks_plugins___crm" in one and one.endswith(".add")), handler)
    assert declared_access(handler) is not None
    await choices.set_enabled("crm", False, "boss")
    assert (states(), declared_access(handler)) == ({"crm": "disabled", "other": "loaded"}, None)
    with pytest.raises(NotFound):
        await service.execute("crm", {}, ADA)
    report = report_of(registry.find("crm"))
    assert (report.switch, report.can_enable, report.can_disable, report.needs_restart) == ("operator", True, False, False)
    loaded = restart(load)
    assert (loaded["crm"].state, loaded["crm"].switch, loaded["crm"].pages) == (PluginState.DISABLED, "operator", ())
    assert report_of(loaded["crm"]).needs_restart
    await choices.set_enabled("crm", True, "boss")
    assert loaded["crm"].state is PluginState.DISCOVERED and restart(load)["crm"].state is PluginState.LOADED


async def test_f077_on_again_without_a_restart(running):
    await running(crm={**GOOD, "page.py": PAGE})
    handler = next(one for one in _handlers() if "mozaiks_plugins___crm" in one and one.endswith(".add"))
    demanded = declared_access(handler)
    for _ in range(2):
        await choices.set_enabled("crm", False, "boss")
        await choices.set_enabled("crm", False, "boss")
        await choices.set_enabled("crm", True, "boss")
        await choices.set_enabled("crm", True, "boss")
    assert (states(), declared_access(handler)) == ({"crm": "loaded"}, demanded)
    assert await service.execute("crm", {}, ADA) == {"ok": True}


def _handlers():
    from reflex_base.registry import RegistrationContext

    return list(RegistrationContext.get().event_handlers)


async def test_f077_the_choice_wins_over_the_file_and_the_file_over_the_manifest(database, write, tmp_path, monkeypatch):
    configs = tmp_path / "configs"
    configs.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    get_settings.cache_clear()
    for name in ("by-manifest", "by-file-on", "by-file-off", "by-choice-on", "by-choice-off"):
        write(name, manifest(enabled=name not in {"by-manifest", "by-file-on", "by-choice-on"}))
    listed = {"by-file-on": True, "by-file-off": False, "by-choice-on": False, "by-choice-off": True}
    text = json.dumps({"plugins": [{"name": name, "enabled": on} for name, on in listed.items()]})
    (configs / "plugin_registry.json").write_text(text)
    for plugin in discover(get_settings()):
        registry.add(plugin)
    try:
        await choices.set_enabled("by-choice-on", True, "boss")
        await choices.set_enabled("by-choice-off", False, "boss")
        for _ in range(2):  # and again at every rescan
            seen = {one.name: (one.state.value, one.switch) for one in discover(get_settings())}
            assert seen == {
                "by-manifest": ("disabled", "manifest"),
                "by-file-on": ("discovered", "registry_file"),
                "by-file-off": ("disabled", "registry_file"),
                "by-choice-on": ("discovered", "operator"),
                "by-choice-off": ("disabled", "operator"),
            }
        assert (configs / "plugin_registry.json").read_text() == text
    finally:
        for plugin in registry.all_plugins():
            registry.discard(plugin.name)


async def test_another_process_follows(running):
    """What a second worker wrote arrives here; what it wrote for another app does not."""
    await running(crm=GOOD, notes=GOOD)
    async with db.system_session() as session:
        session.add(choices.PluginChoice(name="crm", enabled=False))
    async with db.system_session("another-app") as session:
        session.add(choices.PluginChoice(name="notes", enabled=False))
    await choices.refresh()
    assert states() == {"crm": "disabled", "notes": "loaded"}
    async with db.system_session() as session:
        (await session.get(choices.PluginChoice, (get_settings().app_id, "crm"))).enabled = True
    await choices.refresh()
    assert states() == {"crm": "loaded", "notes": "loaded"}


async def test_following_goes_on_when_the_database_does_not_answer(running, monkeypatch):
    from sqlalchemy.exc import OperationalError

    await running(crm=GOOD)
    asked = asyncio.Event()
    calls = 0

    async def failing():
        nonlocal calls
        calls += 1
        if calls > 2:
            asked.set()
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(choices, "chosen", failing)
    task = asyncio.create_task(choices.follow(0.001))
    await asyncio.wait_for(asked.wait(), 30)
    task.cancel()


async def test_choices_on_either_database(write, either_database, load):
    write("crm", GOOD)
    load()
    await choices.set_enabled("crm", False, "boss")
    assert (choices.stored(either_database), await choices.chosen()) == ({"crm": False}, {"crm": False})
    await choices.set_enabled("crm", True, "boss")
    assert choices.stored(either_database) == {"crm": True}


async def test_two_processes_write_the_first_choice_at_once(running, monkeypatch):
    await running(crm=GOOD)
    real, waited = choices._keep, asyncio.Event()

    async def late(name, enabled, actor):
        if not waited.is_set():
            waited.set()
            raise IntegrityError("INSERT", {}, Exception("there is one"))
        await real(name, enabled, actor)

    monkeypatch.setattr(choices, "_keep", late)
    await choices.set_enabled("crm", False, "boss")
    assert await choices.chosen() == {"crm": False}


async def test_switching_what_is_not_there(running):
    await running()
    with pytest.raises(NotFound):
        await choices.set_enabled("ghost", True, "boss")


async def test_safe_mode_keeps_every_choice(running, load, monkeypatch):
    await running(crm=GOOD, notes=GOOD)
    await choices.set_enabled("notes", False, "boss")
    monkeypatch.setenv("MOZAIKS_SAFE_MODE", "true")
    get_settings.cache_clear()
    restart(load)
    assert states() == {"crm": "disabled", "notes": "disabled"}
    with pytest.raises(Conflict):
        await choices.set_enabled("crm", True, "boss")
    await choices.refresh()
    assert states() == {"crm": "disabled", "notes": "disabled"} and await choices.chosen() == {"notes": False}
    monkeypatch.setenv("MOZAIKS_SAFE_MODE", "false")
    get_settings.cache_clear()
    restart(load)
    assert states() == {"crm": "loaded", "notes": "disabled"}


async def test_a_plugin_out_of_service_stays_so_when_it_is_switched_off_and_on(running):
    loaded = await running(crm={"logic.py": "def on_load(): raise ValueError('no disk')\ndef execute(data): return {}\n"})
    crm = loaded["crm"]
    assert (crm.state, crm.problem.cause, crm.problem.where) == (PluginState.QUARANTINED, Cause.INIT, "logic.py:1")
    assert report_of(crm).can_retry and report_of(crm).recoverable
    await choices.set_enabled("crm", False, "boss")
    assert (report_of(crm).state, report_of(crm).cause, report_of(crm).can_enable) == ("disabled", "", True)
    await choices.set_enabled("crm", True, "boss")
    assert (report_of(crm).state, report_of(crm).cause) == ("quarantined", "init")


@pytest.mark.parametrize(
    ("fields", "state"), [({"requires": {"sdk": ">=9"}}, "incompatible"), ({"version": "new"}, "quarantined")]
)
async def test_switching_cures_nothing(running, fields, state):
    crm = (await running(crm=manifest(**fields)))["crm"]
    reason = report_of(crm).reason
    await choices.set_enabled("crm", False, "boss")
    assert report_of(crm).state == "disabled"
    await choices.set_enabled("crm", True, "boss")
    assert (report_of(crm).state, report_of(crm).reason) == (state, reason)


def test_every_state_says_whether_it_can_recover(write, load):
    write("crm", GOOD)
    plugin = load()["crm"]
    told = {}
    for state in PluginState:
        for cause in (Cause.INIT, Cause.SYNTAX):
            plugin.state = state
            plugin.problem = PluginProblem(cause, "x") if state is PluginState.QUARANTINED else None
            report = report_of(plugin)
            told[state.value, cause.value] = (
                report.live,
                report.recoverable,
                report.can_enable,
                report.can_disable,
                report.can_retry,
            )
    for cause in ("init", "syntax"):
        assert told["loaded", cause] == told["degraded", cause] == (True, False, False, True, False)
        assert told["disabled", cause] == (False, False, True, False, False)
        assert told["incompatible", cause] == told["blocked", cause] == (False, False, False, True, False)
    assert told["quarantined", "init"] == (False, True, False, True, True)
    assert told["quarantined", "syntax"] == (False, False, False, True, False)


def test_a_warning_degrades_and_a_hint_does_not(write, load):
    write("crm", GOOD)
    plugin = load()["crm"]
    plugin.notes.append(Note("hint", "a"))
    assert plugin.resting is PluginState.LOADED
    plugin.notes.append(Note("warning", "b"))
    assert plugin.resting is PluginState.DEGRADED


def test_f102_every_cause_has_a_remedy():
    assert all(cause.remedy.endswith(".") and len(cause.remedy) > 20 for cause in Cause)
