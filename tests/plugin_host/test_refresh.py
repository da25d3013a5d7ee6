"""Production follows changed plugin code without a restart, as far as the build allows (F-091, F-097)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import refresh, registry, service
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.refresh import Refresher, fixed_modules
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.routes import mount_plugins
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.plugin_host.watch import Follower
from mozaiks_shell.plugin_host.withdraw import plugin_states, withdraw
from mozaiks_shell.ui.page import pages
from tests.plugin_host.conftest import Write
from tests.plugin_host.test_reload import LISTENER, LOGIC, PAGE, PUBLIC, SLOW, STATE, said

ROUTES = """from fastapi import APIRouter

from .words import word

router = APIRouter()


@router.get("/word")
def answer():
    return word()
"""
WORDS = "def word():\n    return '%s'\n"


def tried(plugin: registry.Plugin) -> PluginProblem | None:
    """What the probe would say of the sources: enough here, where nothing ends the process."""
    try:
        refresh.importing.read_sources(plugin, get_settings())
    except PluginProblem as problem:
        return problem
    return None


class Bench:
    """Plugins in service in a process that follows their folders as production does."""

    def __init__(self, settings: Settings, api: FastAPI) -> None:
        self.follower = Follower(lambda: settings.plugin_roots)
        self.refresher = Refresher(settings, api, tried)

    async def saved(self) -> None:
        """What happens at the next look."""
        for change in self.follower.look():
            await self.refresher.apply(change)


Made = Callable[[], Awaitable[Bench]]


@pytest.fixture
async def bench(database: Settings, load: Callable[[], object], api: FastAPI) -> AsyncIterator[Made]:
    """Call it when the plugins are written: they are loaded and started."""
    stops = []

    async def make() -> Bench:
        load()
        mount_plugins(api)
        stops.append(await start_plugins(database))
        return Bench(database, api)

    yield make
    for stop in stops:
        await stop()


def plugin(name: str = "hello") -> registry.Plugin:
    """The plugin as registered now."""
    found = registry.find(name)
    assert found is not None
    return found


async def test_f091_the_next_look_serves_the_new_code_and_an_error_keeps_the_old(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "backend/logic.py": LOGIC % "one"})
    found = await bench()
    write("hello", {"backend/logic.py": LOGIC % "two"})
    await found.saved()
    assert await said() == "two"
    write("hello", {"backend/logic.py": "def execute(data)\n"})
    await found.saved()
    assert await said() == "two"
    assert plugin().state is PluginState.DEGRADED and plugin().live
    assert plugin().notes[-1].where == "backend/logic.py:1" and "not in service" in plugin().notes[-1].message
    write("hello", {"backend/logic.py": "raise SystemExit(1)\n"})
    await found.saved()
    assert await said() == "two" and "SystemExit" in plugin().notes[-1].message
    write("hello", {"backend/logic.py": LOGIC % "three"})
    await found.saved()
    assert await said() == "three" and plugin().state is PluginState.LOADED and not plugin().notes


async def test_f091_what_logic_and_routes_import_is_new_too(write: Write, bench: Made, api: FastAPI) -> None:
    logic = "from .words import word\n\n\ndef execute(data):\n    return {'said': word()}\n"
    files = {"logic.py": logic, "routes.py": ROUTES, "words.py": WORDS % "one"}
    write("hello", {"manifest.json": PUBLIC % "hello", **files})
    found = await bench()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        assert (await client.get("/api/plugins/hello/word")).json() == "one"
        write("hello", {"words.py": WORDS % "two"})
        await found.saved()
        assert await said() == "two"
        assert (await client.get("/api/plugins/hello/word")).json() == "two"


async def test_f091_calls_that_run_end_on_the_code_they_began_with(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": SLOW.replace("0.05", "0.3") % "old"})
    found = await bench()
    running = asyncio.create_task(said())
    await asyncio.sleep(0)
    write("hello", {"logic.py": SLOW % "new"})
    await found.saved()
    assert await running == "old"
    assert await said() == "new"


async def test_f091_pages_and_states_wait_for_the_next_start_and_the_note_says_so(write: Write, bench: Made) -> None:
    state = "from .words import word\n" + STATE % "a"
    logic = "from .words import word\n\n\ndef execute(data):\n    return {'said': word()}\n"
    write("hello", {"manifest.json": PUBLIC % "hello", "page.py": PAGE % "First", "state.py": state, "words.py": WORDS % "one"})
    write("hello", {"logic.py": logic})
    found = await bench()
    before = plugin().entry
    write("hello", {"page.py": PAGE % "Second"})
    await found.saved()
    assert [one.title for one in pages() if one.owner == "hello"] == ["First"]
    assert "page.py changed" in plugin().notes[-1].message and "next start" in plugin().notes[-1].message
    assert plugin().entry is before and plugin().state is PluginState.LOADED
    write("hello", {"words.py": WORDS % "two"})
    await found.saved()
    assert await said() == "two"
    assert "words.py changed" in plugin().notes[-1].message  # its State still holds the old one
    assert fixed_modules(plugin()) == {"mozaiks_plugins.hello.page", "mozaiks_plugins.hello.state"}
    assert [one.title for one in pages() if one.owner == "hello"] == ["First"]


async def test_f097_a_removed_folder_unloads_and_an_added_one_loads(
    write: Write, bench: Made, api: FastAPI, request: pytest.FixtureRequest
) -> None:
    write(
        "hello", {"manifest.json": PUBLIC % "hello", "page.py": PAGE % "First", "state.py": STATE % "a", "logic.py": LOGIC % "x"}
    )
    write("other", {"manifest.json": PUBLIC % "other", "logic.py": LOGIC % "other"})
    found = await bench()
    gone = plugin()
    request.addfinalizer(partial(withdraw, gone))  # its States stay in the process until it ends
    shutil.rmtree(write("hello", {}))
    await found.saved()
    assert registry.find("hello") is None
    assert not [one for one in pages() if one.owner == "hello"]  # and so no entry in the menu
    with pytest.raises(NotFound):
        service.plugin("hello")
    assert all(not state.access for state in plugin_states(gone))  # so that its open pages reach no handler of it
    write("third", {"manifest.json": PUBLIC % "third", "logic.py": LOGIC % "third", "routes.py": ROUTES, "words.py": WORDS % "w"})
    await found.saved()
    assert await said("third") == "third" and await said("other") == "other"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        assert (await client.get("/api/plugins/third/word")).json() == "w"
    shutil.rmtree(write("third", {}))
    await found.saved()
    assert registry.find("third") is None


async def test_f091_an_added_plugin_with_pages_waits_for_the_next_start(write: Write, bench: Made) -> None:
    write("other", {"logic.py": LOGIC % "other"})
    found = await bench()
    write("hello", {"page.py": PAGE % "First", "state.py": STATE % "a"})
    await found.saved()
    assert plugin().state is PluginState.DISCOVERED and not plugin().imported
    assert "next start" in plugin().notes[-1].message
    write("broken", {"logic.py": "def execute(:\n"})
    await found.saved()
    assert plugin("broken").state is PluginState.QUARANTINED
    write("broken", {"manifest.json": PUBLIC % "broken", "logic.py": LOGIC % "mended"})
    await found.saved()
    assert await said("broken") == "mended"


async def test_f097_a_hook_that_fails_brings_the_old_version_back(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    found = await bench()
    write("hello", {"logic.py": LOGIC % "two" + "\n\ndef on_load():\n    raise ValueError('no')\n"})
    await found.saved()
    assert await said() == "one" and "on_load: ValueError: no" in plugin().notes[-1].message
    assert plugin().state is PluginState.DEGRADED


async def test_f091_listeners_of_the_old_code_fall_silent(write: Write, bench: Made) -> None:
    heard: list[str] = []

    async def note(event: Event) -> None:
        heard.append(event.name)

    events.subscribe("hello:old", "hello:new")(note)
    try:
        write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LISTENER % "old" + LOGIC % "one"})
        found = await bench()
        write("hello", {"logic.py": LISTENER % "new" + "raise ValueError\n"})
        await found.saved()
        await events.publish(Event("test:ping", "dev-app"))
        write("hello", {"logic.py": LISTENER % "new" + LOGIC % "two"})
        await found.saved()
        await events.publish(Event("test:ping", "dev-app"))
    finally:
        events.drop([note])
    assert heard == ["hello:old", "hello:new"]


async def test_f091_fifty_rewrites_lose_no_call_of_this_or_another_plugin(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": SLOW.replace("0.05", "0.005") % "0"})
    write("other", {"manifest.json": PUBLIC % "other", "logic.py": LOGIC % "other"})
    found = await bench()
    over, answers = asyncio.Event(), {"hello": list[str](), "other": list[str]()}

    async def ask(name: str) -> None:
        while not over.is_set():
            answers[name].append(await said(name))
            await asyncio.sleep(0)

    asking = [asyncio.create_task(ask(name)) for name in answers]
    try:
        for number in range(1, 51):
            broken = number % 5 == 0
            write("hello", {"logic.py": "raise ValueError\n" if broken else SLOW.replace("0.05", "0.005") % number})
            await found.saved()
    finally:
        over.set()
    await asyncio.gather(*asking)
    assert set(answers["other"]) == {"other"}
    numbers = [int(one) for one in answers["hello"]]
    assert numbers == sorted(numbers) and len(set(numbers)) > 10
    assert await said() == "49"


async def test_f091_it_is_off_unless_set_and_follows_by_itself_when_it_is(
    write: Write, bench: Made, api: FastAPI, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.plugin_watch is None and database.plugin_scan_seconds == 5.0
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    await bench()
    monkeypatch.setattr(database, "plugin_scan_seconds", 0.01)
    monkeypatch.setattr(Refresher, "_probed", lambda self, plugin: tried(plugin))
    stop = await refresh.follow(database, api)
    try:
        write("hello", {"logic.py": LOGIC % "two"})
        async with asyncio.timeout(60):
            while await said() != "two":  # noqa: ASYNC110 - it comes from the disk, nobody could set an event
                await asyncio.sleep(0.01)
    finally:
        await stop()


async def test_f091_the_probe_is_asked_first(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    found = await bench()
    found.refresher._probe = lambda plugin: PluginProblem(Cause.CRASH, "ended the process")
    write("hello", {"logic.py": LOGIC % "two"})
    await found.saved()
    assert await said() == "one" and "ended the process" in plugin().notes[-1].message
