"""Out-of-process mode: an isolated plugin answers as any other and can break nothing but its own call."""

import asyncio
import json
import os
import sys

import httpx
import pytest

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import faults, service, startup, worker
from mozaiks_shell.plugin_host.registry import find

ADA = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada", timezone="Europe/Berlin")
EVE = Principal("usr_eve", "dev-app", "Eve", "eve@example.com", frozenset({"user"}), "ses_eve")
SOURCE = """
import asyncio, ctypes, os, signal, sys, threading, time
from mozaiks_shell.sdk import Access, current_user, db, errors, events, now, tr

print("imported")
calls = 0
done = 0

def count(data):
    return 3

async def execute(data):
    global calls
    calls += 1
    do = data.get("do", "")
    if do == "echo":
        return dict(data)
    if do == "who":
        note = await db.notes.create(title="x")
        return {"id": current_user().id, "mine": len(await db.notes.list()), "note": note.title}
    if do == "event":
        await events.publish("done", n=1)
    if do == "print":
        print("hello from the plugin")
        sys.stderr.write("and from its stderr\\n")
    if do == "not found":
        raise errors.NotFound("No such thing.", code="NO_SUCH_THING", which=7)
    if do == "too many":
        raise errors.TooMany("Later.", retry_after=9)
    if do == "raise":
        raise ValueError("secret path")
    if do == "exit":
        sys.exit(3)
    if do == "os exit":
        os._exit(3)
    if do == "segfault":
        ctypes.string_at(0)
    if do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "loop":
        while True:
            pass
    if do == "memory":
        return {"n": len(bytearray(2_000_000_000))}
    if do == "list":
        return [1]
    if do == "object":
        return {"x": object()}
    if do == "environment":
        return {"environment": dict(os.environ), "start": open("/proc/self/environ").read()}
    if do == "meet":
        await asyncio.sleep(0.2)
    return {"pid": os.getpid(), "calls": calls, "threads": threading.active_count()}
"""
MANIFEST = {"isolation": "process", "limits": {"timeout_seconds": 20}}


@pytest.fixture
async def apart(write, load, as_person):
    """Install the plugin ``apart`` with this source and manifest; its workers end with the test."""

    def install(source=SOURCE, files=None, **manifest):
        write("apart", {"logic.py": source, "manifest.json": json.dumps({**MANIFEST, **manifest}), **(files or {})})
        plugin = load()["apart"]
        assert plugin.live, plugin.problem
        as_person(ADA)
        return plugin

    yield install
    await worker.stop_workers()


async def until(condition):
    """Wait for it, half a minute at most."""
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became true")


async def ask(do="", person=ADA, **data):
    return await service.execute("apart", {"do": do, **data}, person)


@pytest.fixture
async def client(api):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as opened:
        yield opened


async def test_isolation_answers_as_in_the_server(plugins_path, database, apart, client, as_person, monkeypatch):
    apart()
    assert "mozaiks_plugins.apart.logic" not in sys.modules  # its code never came here
    heard = []
    events.subscribe("apart:done")(lambda event: heard.append(event) or asyncio.sleep(0))
    answer = await client.post("/api/execute/apart", json={"do": "echo", "value": 7, "user_id": "usr_eve"})
    seen = answer.json()
    assert (answer.status_code, seen["value"], seen["user_id"]) == (200, 7, "usr_ada")
    assert seen["_context"]["username"] == "Ada Lovelace" and seen["_entitlements"]["tier"] == "free"
    assert await ask("who") == {"id": "usr_ada", "mine": 1, "note": "x"}
    as_person(EVE)
    assert await ask("who", EVE) == {"id": "usr_eve", "mine": 1, "note": "x"}  # the wall stands there too
    as_person(ADA)
    await ask("event")
    assert [(one.name, one.user_id, one.data) for one in heard] == [("apart:done", "usr_ada", {"n": 1})]
    for do, status, code in [
        ("not found", 404, "NO_SUCH_THING"), ("too many", 429, "LIMIT_EXCEEDED"), ("raise", 500, "PLUGIN_FAILED"),
        ("exit", 500, "PLUGIN_FAILED"), ("list", 500, "PLUGIN_BAD_ANSWER"), ("object", 500, "PLUGIN_BAD_ANSWER"),
    ]:  # fmt: skip
        answer = await client.post("/api/execute/apart", json={"do": do})
        assert (answer.status_code, answer.json()["code"]) == (status, code), do
        assert "secret path" not in answer.text
    assert answer.headers.get("retry-after") is None
    told = [(one.message, one.where.partition(":")[0]) for one in faults.recent("apart")]
    assert ("ValueError: secret path", "logic.py") in told
    same = await ask()
    assert same["pid"] != os.getpid() and (await ask())["pid"] == same["pid"]  # one worker did all of this


@pytest.mark.parametrize(
    ("do", "code", "limits"),
    [
        ("loop", "TIMED_OUT", {"timeout_seconds": 0.5}),
        ("loop", "PLUGIN_OUT_OF_CPU", {"cpu_seconds": 0.5, "timeout_seconds": 60}),
        ("memory", "PLUGIN_OUT_OF_MEMORY", {"memory_mb": 300}),
        ("os exit", "PLUGIN_DIED", {}),
        ("segfault", "PLUGIN_DIED", {}),
        ("kill", "PLUGIN_DIED", {}),
    ],
)
async def test_what_breaks_a_worker_breaks_one_call(plugins_path, database, apart, client, do, code, limits):
    apart(limits={"timeout_seconds": 20, **limits})
    first = (await client.post("/api/execute/apart", json={})).json()["pid"]
    answer = await client.post("/api/execute/apart", json={"do": do})
    assert (answer.status_code, answer.json()["code"]) == (504 if code == "TIMED_OUT" else 500, code)
    following = await client.post("/api/execute/apart", json={})
    assert following.status_code == 200 and following.json()["pid"] != first
    assert faults.recent("apart")[0].kind == "execute"
    await until(lambda: not os.path.exists(f"/proc/{first}"))


async def test_the_environments_secrets_stay_here(plugins_path, database, apart, monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_never")
    monkeypatch.setenv("OPENAI_API_KEY", "never")
    monkeypatch.setenv("SOMETHING", "never")
    apart()
    told = await ask("environment")
    assert "never" not in told["start"] and "never" not in str(told["environment"])
    assert told["environment"]["MOZAIKS_APP_ID"] == "dev-app"
    assert not {name for name in told["environment"] if "SECRET" in name or "KEY" in name}


async def test_output_goes_to_the_log(plugins_path, database, apart, capsys):
    apart()
    await ask("print")
    seen = ""

    def both():
        nonlocal seen
        seen += capsys.readouterr().out
        return "hello from the plugin" in seen and "and from its stderr" in seen

    await until(both)
    assert "mozaiks_plugins.apart" in seen


async def test_idle_workers_end(plugins_path, database, apart, monkeypatch):
    plugin = apart()
    monkeypatch.setattr(get_settings(), "plugin_worker_idle", 0.05)
    pid = (await ask())["pid"]
    await until(lambda: not worker.pool_of(plugin).all)
    assert (await ask())["pid"] != pid


async def test_calls_at_once_have_a_worker_each_up_to_the_cap(plugins_path, database, apart):
    plugin = apart(limits={"concurrency": 2})
    answers = await asyncio.gather(*[ask("meet") for _ in range(5)])
    assert len({answer["pid"] for answer in answers}) == 2 == len(worker.pool_of(plugin).all)


async def test_repeated_deaths_pause_the_next_start(plugins_path, database, apart, monkeypatch):
    plugin = apart()
    monkeypatch.setattr(worker, "PATIENCE", 0.0)
    pool = worker.pool_of(plugin)
    for _ in range(2):
        with pytest.raises(ShellError) as failed:
            await ask("os exit")
        assert failed.value.code == "PLUGIN_DIED"
    pool._not_before += 60
    with pytest.raises(ShellError) as refused:
        await ask()
    assert (refused.value.status, refused.value.code) == (503, "PLUGIN_RESTARTING") and refused.value.details["retry_after"] >= 60
    pool._not_before = 0
    assert (await ask())["pid"] and pool._deaths == 0


async def test_initialised_in_the_worker_and_a_failure_can_be_retried(plugins_path, database, apart, tmp_path):
    source = f"""
import os
class Box:
    def __init__(self, config):
        self.started = 0
    async def on_init(self, context):
        open({str(tmp_path / "flag")!r})
        self.started += 1
    def on_request(self, data):
        return {{"started": self.started, "pid": os.getpid()}}
"""
    plugin = apart(source)
    stop = await startup.start_plugins(get_settings())
    try:
        assert (plugin.problem.cause.value, plugin.recoverable) == ("init", True)
        assert "FileNotFoundError" in plugin.problem.message
        (tmp_path / "flag").touch()
        await startup.retry("apart", get_settings())
        answers = [await ask() for _ in range(2)]
        assert answers[0] == answers[1] and answers[0]["started"] == 1 and answers[0]["pid"] != os.getpid()
    finally:
        await stop()


async def test_hooks_of_limits_run_in_the_worker(plugins_path, database, apart):
    book = "limits: {notes: {type: cap, default: 3}}\nactions: {create: {checks: {notes: exact}}}\nhooks: {notes: logic.count}\n"
    apart(files={"entitlements.yaml": book})
    with pytest.raises(ShellError) as refused:
        await ask(action="create")
    assert (refused.value.code, refused.value.details["used"]) == ("LIMIT_EXCEEDED", 3)
    assert "mozaiks_plugins.apart.logic" not in sys.modules


async def test_entitlements_can_be_asked_in_the_worker(plugins_path, database, apart):
    book = "limits: {notes: {type: cap, default: 3}, sent: {default: 2}}\nhooks: {notes: logic.count}\n"
    source = """
from mozaiks_shell.sdk import entitlements
def count():
    return 2
async def execute(data):
    taken = await entitlements.consume_limit("sent")
    return {"left": (await entitlements.check_limit("notes")).remaining, "taken": taken.granted}
"""
    apart(source, files={"entitlements.yaml": book})
    assert [await ask() for _ in range(3)] == [
        {"left": 1, "taken": True},
        {"left": 1, "taken": True},
        {"left": 1, "taken": False},
    ]


async def test_works_on_postgresql_too(plugins_path, write, load, as_person, either_database):
    write("apart", {"logic.py": SOURCE, "manifest.json": json.dumps(MANIFEST)})
    load()
    as_person(ADA)
    try:
        assert await ask("who") == {"id": "usr_ada", "mine": 1, "note": "x"}
    finally:
        await worker.stop_workers()
    assert find("apart").live


async def test_a_plugin_taken_out_ends_its_workers(plugins_path, database, apart):
    plugin = apart()
    await ask()
    for _ in range(5):
        faults.record("apart", "job", ValueError("x"))
    assert not plugin.live
    await until(lambda: not worker.processes(plugin))
