"""A changed plugin takes its own place in a running process; what fails leaves the last good version (F-091, F-097)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from reflex_base.registry import RegistrationContext

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import registry, service
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.rehearsal import possible, rehearse
from mozaiks_shell.plugin_host.reload import Outcome, Reloader
from mozaiks_shell.plugin_host.routes import remount_plugin
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.plugin_host.watch import Follower
from mozaiks_shell.ui.page import pages
from tests.plugin_host.conftest import Write

PUBLIC = '{"name": "%s", "access": "public"}'
LOGIC = "def execute(data):\n    return {'said': '%s'}\n"
PAGE = """from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx
from .state import Hello


@sdk.page(title="%s", access=sdk.Access.public())
def hello() -> rx.Component:
    return rx.el.p(Hello.said)
"""
STATE = """from typing import ClassVar
from mozaiks_shell import sdk


class Hello(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
    said: str = "%s"

    @sdk.event
    def greet(self):
        self.said = "greeted"
"""


LISTENER = """from mozaiks_shell.sdk import events


@events.subscribe('test:ping')
async def hear(event):
    await events.publish('%s')


"""
SLOW = """import asyncio


async def execute(data):
    await asyncio.sleep(0.05)
    return {'said': word()}


def word():
    return '%s'
"""


class Bench:
    """Plugins in service, and a reloader that follows their folders."""

    def __init__(self, settings: Settings, api: FastAPI) -> None:
        self.follower = Follower(lambda: settings.plugin_roots)
        self.swaps: list[str] = []
        self.api = api
        self.reloader = Reloader(settings, self._replaced)

    def _replaced(self, name: str) -> None:
        self.swaps.append(name)
        remount_plugin(self.api, name)

    async def saved(self) -> list[Outcome]:
        """Bring what was saved since the last call into service."""
        return [await self.reloader.apply(change) for change in await self.follower.settled()]


Made = Callable[[], Awaitable[Bench]]


@pytest.fixture
async def bench(database: Settings, load: Callable[[], object], api: FastAPI) -> AsyncIterator[Made]:
    """Call it when the plugins are written: they are loaded and started."""
    stops = []

    async def make() -> Bench:
        load()
        stops.append(await start_plugins(database))
        made = Bench(database, api)
        for plugin in registry.all_plugins():
            if plugin.live:
                remount_plugin(api, plugin.name)
        stops.append(made.reloader)
        return made

    yield make
    for one in reversed(stops):
        if isinstance(one, Reloader):
            one.close()
        else:
            await one()


async def said(name: str = "hello") -> str:
    """What the plugin's API answers now."""
    return str((await service.execute(name, {}, None))["said"])


async def test_f091_the_new_code_answers_and_a_syntax_error_keeps_the_last_good_one(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    found = await bench()
    assert await said() == "one"
    write("hello", {"logic.py": LOGIC % "two"})
    assert await found.saved() == [Outcome("hello", True)]
    assert await said() == "two"
    write("hello", {"logic.py": "def execute(data):\n    return {\n"})
    (outcome,) = await found.saved()
    assert outcome.kept and outcome.problem is not None
    assert (outcome.problem.cause, outcome.problem.where) == (Cause.SYNTAX, "logic.py:2")
    assert await said() == "two"
    plugin = registry.find("hello")
    assert plugin is not None and plugin.state is PluginState.DEGRADED
    assert "not in service" in plugin.notes[-1].message and plugin.notes[-1].where == "logic.py:2"
    write("hello", {"logic.py": LOGIC % "three"})
    assert await found.saved() == [Outcome("hello", True)]
    assert await said() == "three"
    plugin = registry.find("hello")
    assert plugin is not None and plugin.state is PluginState.LOADED and not plugin.notes


async def test_f091_pages_and_states_are_declared_anew_and_leave_nothing_double(write: Write, bench: Made) -> None:
    write("hello", {"page.py": PAGE % "First", "state.py": STATE % "a"})
    found = await bench()
    states = len(RegistrationContext.ensure_context().base_states)
    write("hello", {"page.py": PAGE % "Second", "state.py": STATE % "b"})
    assert [one.problem for one in await found.saved()] == [None]
    assert [one.title for one in pages() if one.owner == "hello"] == ["Second"]
    known = RegistrationContext.ensure_context().base_states
    assert len(known) == states
    (state,) = [one for name, one in known.items() if "mozaiks_plugins___hello" in name]
    assert state.get_fields()["said"].default_value() == "b"


async def test_f091_what_only_fails_when_it_runs_keeps_the_last_good_version(write: Write, bench: Made) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    found = await bench()
    for broken, cause in [
        ("import not_there_at_all\n", Cause.IMPORT),
        ("raise SystemExit(3)\n", Cause.IMPORT),
        ("import os\nos._exit(7)\n", Cause.CRASH),
        ("x = b'1' * (1 << 40)\n", Cause.MEMORY),
        (LOGIC % "x" + "async def on_load():\n    raise ValueError('no')\n", Cause.INIT),
    ]:
        write("hello", {"logic.py": broken})
        (outcome,) = await found.saved()
        assert outcome.kept and outcome.problem is not None and outcome.problem.cause is cause, outcome
        assert await said() == "one"


@pytest.mark.skipif(not possible(), reason="this system cannot copy a process")
async def test_f091_an_endless_loop_ends_in_the_copy_of_the_process(
    write: Write, load: Callable[[], dict[str, registry.Plugin]], database: Settings
) -> None:
    write("hello", {"logic.py": LOGIC % "one"})
    plugin = load()["hello"]
    write("hello", {"logic.py": "while True:\n    pass\n"})
    plugin.state = PluginState.DISCOVERED
    problem = await rehearse(plugin, seconds=0.5)
    assert problem is not None and problem.cause is Cause.HANG
    plugin.state = PluginState.LOADED


async def test_f091_a_version_that_fails_where_it_counts_gives_way_to_the_last_good_one(
    write: Write, bench: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one"})
    found = await bench()
    write("hello", {"logic.py": LOGIC % "two"})
    refused = iter([PluginProblem(Cause.ROUTE_CLASH, "taken", "routes.py")])

    def once(_: str) -> None:
        if (problem := next(refused, None)) is not None:
            raise problem

    monkeypatch.setattr(found.reloader, "_replaced", once)
    (outcome,) = await found.saved()
    assert outcome.kept and outcome.replaced and await said() == "one"
    write("hello", {"logic.py": LOGIC % "three"})
    assert [one.problem for one in await found.saved()] == [None]
    assert await said() == "three"


async def test_f097_hooks_run_in_order_and_once_around_a_reload_and_a_removal(write: Write, bench: Made) -> None:
    heard: list[str] = []
    hooks = "".join(
        f"async def {hook}():\n    await events.publish('{hook}')\n"
        for hook in ("on_load", "on_enable", "on_disable", "on_unload")
    )  # fmt: skip
    write("hello", {"logic.py": "from mozaiks_shell.sdk import events\n" + hooks + LOGIC % "one"})

    async def note(event: Event) -> None:
        if event.name.startswith("hello:"):
            heard.append(event.name.removeprefix("hello:"))

    events.subscribe("*")(note)
    try:
        found = await bench()
        write("hello", {"logic.py": "from mozaiks_shell.sdk import events\n" + hooks + LOGIC % "two"})
        await found.saved()
        shutil.rmtree(write("hello", {}))
        await found.saved()
    finally:
        events.drop([note])
    assert heard == ["on_load", "on_enable", "on_disable", "on_unload", "on_load", "on_enable", "on_disable", "on_unload"]


async def test_f091_added_and_removed_folders_come_and_go(write: Write, bench: Made, api: FastAPI) -> None:
    routes = "from fastapi import APIRouter\nrouter = APIRouter()\n\n\n@router.get('/word')\ndef word():\n    return '%s'\n"
    write("other", {"manifest.json": PUBLIC % "other", "logic.py": LOGIC % "other"})
    found = await bench()
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": LOGIC % "one", "routes.py": routes % "a"})
    assert await found.saved() == [Outcome("hello", True)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        assert (await client.get("/api/plugins/hello/word")).json() == "a"
        write("hello", {"routes.py": routes % "b"})
        await found.saved()
        assert (await client.get("/api/plugins/hello/word")).json() == "b"
        shutil.rmtree(write("hello", {}))
        assert await found.saved() == [Outcome("hello", True)]
        assert (await client.get("/api/plugins/hello/word")).status_code == 404
        assert (await client.post("/api/execute/hello", json={})).status_code in {401, 404}
    assert registry.find("hello") is None
    assert await said("other") == "other"


async def test_f091_the_old_code_hears_no_events_any_more(
    write: Write, bench: Made
) -> None:  # fmt: skip
    heard: list[str] = []

    async def note(event: Event) -> None:
        heard.append(event.name)

    listener = LISTENER
    write("hello", {"logic.py": listener % "old" + LOGIC % "one"})
    events.subscribe("hello:old", "hello:new")(note)
    try:
        found = await bench()
        write("hello", {"logic.py": listener % "new" + LOGIC % "two"})
        await found.saved()
        await events.publish(Event("test:ping", "dev-app"))
    finally:
        events.drop([note])
    assert heard == ["hello:new"]


async def test_f091_fifty_rewrites_harm_neither_calls_in_flight_nor_another_plugin(
    write: Write, bench: Made, as_person: Callable[[Principal | None], None]
) -> None:
    slow = SLOW
    write("hello", {"manifest.json": PUBLIC % "hello", "logic.py": slow % "0"})
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
            write("hello", {"logic.py": "def execute(:\n" if broken else slow % number})
            (outcome,) = await found.saved()
            assert (outcome.problem is not None) is broken
    finally:
        over.set()
    await asyncio.gather(*asking)
    assert set(answers["other"]) == {"other"}
    numbers = [int(one) for one in answers["hello"]]
    assert numbers == sorted(numbers) and len(set(numbers)) > 10  # every call on one version, later calls on later ones
    assert await said() == "49"
