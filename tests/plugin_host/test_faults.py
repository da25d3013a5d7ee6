"""What goes wrong in a running plugin is counted; too much of it takes that plugin, and nothing else, out of service (D10)."""

import asyncio
import inspect
import threading

import httpx
import pytest
from reflex_base.registry import RegistrationContext
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.plugin_host import faults, registry, service, startup
from mozaiks_shell.plugin_host.loop_guard import LoopGuard, guard_loop
from mozaiks_shell.plugin_host.routes import mount_plugins
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.sdk import errors
from mozaiks_shell.shell.event_gate import declared_access
from mozaiks_shell.shell.failures import handler_failed

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ECHO = "async def execute(data): return {'ok': True}\n"
FAILS = """
from mozaiks_shell.sdk import errors
async def execute(data):
    do = data.get("do", "raise")
    if do == "refuse":
        raise errors.Invalid("no")
    if do == "raise":
        raise ValueError("broken")
    return {"ok": True}
"""
PAGE = """
import asyncio, sys
from mozaiks_shell import sdk

class Box(sdk.State):
    n: int = 0

    @sdk.event
    async def load(self):
        raise ValueError("on load")

    @sdk.event
    def plain(self):
        sys.exit(4)

    @sdk.event
    def several(self):
        yield
        raise ValueError("later")

    @sdk.event
    async def stream(self):
        yield
        raise KeyError("stream")

    @sdk.event
    async def forever(self):
        await asyncio.Event().wait()

    @sdk.event
    async def endless(self):
        yield
        await asyncio.Event().wait()

    @sdk.event
    def refuses(self):
        raise sdk.errors.Invalid("A title, please.")

    @sdk.event
    def fine(self, by: int):
        self.n += by

@sdk.page(on_load=Box.load)
def front():
    return sdk.ui.notice("x")
"""


@pytest.fixture
async def client(api, as_person):
    """An HTTP client signed in as Ada."""
    as_person(ADA)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as opened:
        yield opened


async def until(condition):
    """Wait for it, half a minute at most."""
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became true")


def may_take(plugin, seconds):
    """Change what its manifest says about the time of a call."""
    object.__setattr__(plugin.manifest.limits, "timeout_seconds", seconds)


def told(name):
    return [(one.kind, one.message, one.where) for one in reversed(faults.recent(name))]


async def test_five_faults_take_a_plugin_out_and_a_retry_brings_it_back(write, database, load, client):
    write("bad", {"logic.py": FAILS})
    write("good", {"logic.py": ECHO})
    bad = load()["bad"]
    for number in range(5):
        assert bad.live, number
        assert (await client.post("/api/execute/bad", json={})).status_code == 500
    assert (bad.state.value, bad.problem.cause.value, bad.recoverable) == ("quarantined", "faults", True)
    assert (bad.problem.where, "ValueError: broken" in bad.problem.message) == ("logic.py:8", True)
    answer = await client.post("/api/execute/bad", json={"do": "well"})
    assert (answer.status_code, answer.json()["code"]) == (503, "PLUGIN_QUARANTINED")
    assert (await client.post("/api/execute/good", json={})).json() == {"ok": True}
    assert told("bad")[0] == ("execute", "ValueError: broken", "logic.py:8")
    report = next(one for one in plugin_reports() if one.name == "bad")
    assert len(report.faults) == 5
    await startup.retry("bad", get_settings())
    assert (await client.post("/api/execute/bad", json={"do": "well"})).json() == {"ok": True}
    for _ in range(4):  # it begins at nothing again
        await client.post("/api/execute/bad", json={})
    assert bad.live


async def test_refusals_are_no_faults_and_old_ones_do_not_add_up(write, database, load, client, monkeypatch):
    write("bad", {"logic.py": FAILS})
    bad = load()["bad"]
    for _ in range(7):
        assert (await client.post("/api/execute/bad", json={"do": "refuse"})).status_code == 422
    assert not faults.recent("bad")
    clock = 1000.0
    monkeypatch.setattr(faults.time, "monotonic", lambda: clock)
    for _ in range(9):
        faults.record("bad", "job", ValueError("x"))
        clock += 151  # seconds; four of these are ten minutes
    assert bad.live and len(faults.recent("bad")) == 9
    monkeypatch.setattr(get_settings(), "plugin_fault_limit", 0)
    for _ in range(20):
        faults.record("bad", "job", ValueError("x"))
    assert bad.live


async def test_faults_are_counted_from_any_thread(write, database, load, monkeypatch):
    write("bad", {"logic.py": ECHO})
    bad = load()["bad"]
    monkeypatch.setattr(get_settings(), "plugin_fault_limit", 200)
    threads = [
        threading.Thread(target=lambda: [faults.record("bad", "job", ValueError("x")) for _ in range(25)]) for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not bad.live and "200 faults" in bad.problem.message


def handler(name, plugin="pages"):
    found = [one for key, one in RegistrationContext.get().event_handlers.items() if key.endswith(f"___box.{name}")]
    assert len(found) == 1, found
    state = found[0].states[0]
    assert state.__module__ == f"mozaiks_plugins.{plugin}.page"
    return found[0].handler, state(_reflex_internal_init=True)


async def run(name, **arguments):
    """Run a handler as Reflex does; what it raises."""
    one, state = handler(name)
    answer = one.fn(state, **arguments)
    if inspect.iscoroutine(answer):
        return await answer
    if hasattr(answer, "__aiter__"):
        return [step async for step in answer]
    return list(answer) if hasattr(answer, "__next__") else answer


@pytest.fixture
def pages(write, database, load, monkeypatch):
    """A plugin whose handlers fail in every way."""
    monkeypatch.setattr(get_settings(), "plugin_timeout", 0.2)
    write("pages", {"page.py": PAGE})
    plugin = load()["pages"]
    assert plugin.live, plugin.problem
    return plugin


@pytest.mark.parametrize(
    ("name", "error", "kind", "message"),
    [
        ("load", ValueError, "on_load", "ValueError: on load"),
        ("plain", RuntimeError, "handler", "SystemExit: 4"),
        ("several", ValueError, "handler", "ValueError: later"),
        ("stream", KeyError, "handler", "KeyError: 'stream'"),
        ("forever", errors.TimedOut, "handler", "Box.forever took too long"),
        ("endless", errors.TimedOut, "handler", "Box.endless took too long"),
    ],
)
async def test_what_leaves_a_handler_is_counted_once_and_is_an_ordinary_error(pages, name, error, kind, message):
    with pytest.raises(error) as raised:
        await run(name)
    assert isinstance(raised.value, Exception)
    handler_failed(raised.value)  # where Reflex takes it
    ((told_kind, told_message, where),) = told("pages")
    assert (told_kind, told_message) == (kind, message)
    assert where.startswith("page.py:") or where.startswith("Box.")


async def test_a_handler_that_works_or_refuses_is_left_alone(pages):
    one, state = handler("fine")
    one.fn(state, by=3)
    assert state.n == 3
    with pytest.raises(errors.Invalid):
        await run("refuses")
    assert told("pages") == []
    assert one.fn.__name__ == "fine" and one.fn.__doc__ is None


async def test_handlers_of_a_plugin_taken_out_are_refused(pages):
    name = next(key for key in RegistrationContext.get().event_handlers if key.endswith("___box.fine"))
    assert declared_access(name) is not None
    for _ in range(5):
        with pytest.raises(ValueError):
            await run("load")
    assert not pages.live and declared_access(name) is None
    await startup.retry("pages", get_settings())
    assert pages.live and declared_access(name) is not None


ROUTES = """
import asyncio, threading, time
from fastapi import APIRouter, HTTPException, WebSocket
from mozaiks_shell import sdk
router = APIRouter()
running, most, lock = 0, 0, threading.Lock()
def inside(step):
    global running, most
    with lock:
        running += step
        most = max(most, running)
@router.get("/plain")
def plain(name: str = "x") -> dict:
    return {"hello": name, "thread": threading.current_thread().name}
@router.get("/later/{n}")
async def later(n: int):
    return {"n": n}
@router.get("/raise")
def broken():
    raise ValueError("secret path")
@router.get("/exit")
async def leaves():
    raise SystemExit(3)
@router.get("/missing")
def missing():
    raise HTTPException(404, "none here")
@router.get("/invalid")
async def invalid():
    raise sdk.errors.Invalid("no")
@router.get("/hang")
def hang():
    while True:
        pass
@router.get("/hang-later")
async def hang_later():
    await asyncio.Event().wait()
@router.get("/object")
def strange():
    return object()
@router.get("/slow")
def slow():
    inside(1)
    time.sleep(0.05)
    inside(-1)
    return {"most": most}
@router.get("/stream")
def stream():
    from fastapi.responses import StreamingResponse
    return StreamingResponse(iter([b"a", b"b"]))
@router.websocket("/socket")
async def socket(line: WebSocket):
    await line.accept()
    raise ValueError("in the socket")
from fastapi import Depends
def needs():
    raise KeyError("in a dependency")
@router.get("/needing")
def needing(x: int = Depends(needs)):
    return {}
@router.get("/wrong")
def wrong() -> int:
    return "no number"
"""


@pytest.fixture
def routed(write, database, load, api, monkeypatch):
    """A plugin with routes of every kind, mounted; the problem handlers are the product's."""
    write("web", {"routes.py": ROUTES, "manifest.json": '{"limits": {"timeout_seconds": 20, "concurrency": 2}}'})
    plugin = load()["web"]
    assert plugin.live, plugin.problem
    problems.install(api)
    mount_plugins(api)
    return plugin


async def test_routes_answer_as_declared(routed, client):
    plain = (await client.get("/api/plugins/web/plain?name=Ada")).json()
    assert plain["hello"] == "Ada" and plain["thread"].startswith("plugin:")
    assert (await client.get("/api/plugins/web/later/7")).json() == {"n": 7}
    assert (await client.get("/api/plugins/web/later/x")).status_code == 422
    assert (await client.get("/api/plugins/web/stream")).text == "ab"
    assert told("web") == []


@pytest.mark.parametrize(
    ("path", "status", "code", "fault"),
    [
        ("raise", 500, "PLUGIN_FAILED", "ValueError: secret path"),
        ("exit", 500, "PLUGIN_FAILED", "SystemExit: 3"),
        ("hang", 504, "TIMED_OUT", "no answer within 0.3 seconds"),
        ("hang-later", 504, "TIMED_OUT", "no answer within 0.3 seconds"),
        ("missing", 404, "HTTP_404", ""),
        ("invalid", 422, "VALIDATION_ERROR", ""),
    ],
)
async def test_a_route_that_fails_fails_alone(routed, client, path, status, code, fault):
    if status == 504:
        may_take(routed, 0.3)
    answer = await client.get(f"/api/plugins/web/{path}")
    may_take(routed, 20)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret path" not in answer.text and "reason" not in answer.json()
    assert [(kind, message) for kind, message, _ in told("web")] == ([("route", fault)] if fault else [])
    assert (await client.get("/api/plugins/web/later/1")).status_code == 200


@pytest.mark.parametrize(("path", "place"), [("wrong", "wrong"), ("needing", "routes.py:56")])
async def test_what_fails_around_an_endpoint_counts_too(routed, api, path, place, as_person):
    as_person(ADA)
    web = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=web, base_url="http://app") as client:
        assert (await client.get(f"/api/plugins/web/{path}")).status_code == 500
    ((kind, _, where),) = told("web")
    assert (kind, where) == ("route", place)


async def test_five_broken_routes_take_the_plugin_out(routed, client):
    for _ in range(5):
        await client.get("/api/plugins/web/raise")
    answer = await client.get("/api/plugins/web/later/1")
    assert (answer.status_code, answer.json()["code"]) == (503, "PLUGIN_QUARANTINED")


async def test_f073_routes_have_the_cap_too(routed, client):
    answers = await asyncio.gather(*[client.get("/api/plugins/web/slow") for _ in range(5)])
    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.json()["most"] for answer in answers) == 2


def test_a_socket_that_fails_is_closed_and_counted(routed, api, as_person):
    as_person(ADA)
    origin = {"origin": "http://localhost:3000"}
    with (
        TestClient(api) as web,
        pytest.raises(WebSocketDisconnect) as closed,
        web.websocket_connect("/api/plugins/web/socket", headers=origin) as line,
    ):
        line.receive_text()
    assert closed.value.code == 1011
    assert told("web") == [("route", "ValueError: in the socket", "routes.py:53")]


async def test_f297_a_listener_that_fails_counts_once_per_event(write, database, load, as_person):
    source = """
from mozaiks_shell.sdk import events
heard = 0
@events.subscribe("other:done")
async def listen(event):
    global heard
    heard += 1
    raise ValueError("no")
"""
    write("ears", {"logic.py": source + ECHO})
    ears = load()["ears"]
    as_person(ADA)
    for _ in range(2):
        await events.publish(events.Event("other:done", "dev-app", "usr_ada"))
    import mozaiks_plugins.ears.logic as logic

    assert logic.heard == 6 and ears.live
    assert {kind for kind, _, _ in told("ears")} == {"listener"} and len(told("ears")) <= 2


async def test_a_browser_alone_takes_nothing_out(write, database, load):
    write("drawn", {"logic.py": ECHO})
    drawn = load()["drawn"]
    for number in range(30):
        await faults.rendered("drawn", "boom\x00\n" * 500, ADA)
        await faults.rendered("drawn", "boom", None, f"10.0.0.{number}")
    assert drawn.live
    assert not await faults.rendered("drawn", "boom", ADA)  # six a minute are enough
    assert not await faults.rendered("nothing", "boom", None)
    assert all(len(message) <= 300 and message.isprintable() for _, message, _ in told("drawn"))
    for number in range(4):
        await faults.rendered("drawn", "boom", Principal(f"usr_{number}", "dev-app"))
    assert not drawn.live and drawn.problem.cause.value == "faults"


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(3600)"])
async def test_code_that_stops_the_loop_is_interrupted_and_the_server_goes_on(write, database, load, client, body):
    write("stuck", {"logic.py": f"import time\nasync def execute(data):\n    {body}\n"})
    write("good", {"logic.py": ECHO})
    load()
    stop = guard_loop(0.3)
    try:
        answer = await client.post("/api/execute/stuck", json={})
        assert (answer.status_code, answer.json()["code"]) == (500, "PLUGIN_FAILED")
        assert (await client.post("/api/execute/good", json={})).json() == {"ok": True}
    finally:
        stop()
    ((_, message, where),) = told("stuck")
    assert "kept the server waiting" in message and where == "logic.py:3"


async def test_code_that_swallows_the_interruption_is_interrupted_again(write, database, load, client):
    source = (
        "async def execute(data):\n    while True:\n        try:\n            pass\n        except Exception:\n            pass\n"
    )
    write("stuck", {"logic.py": source})
    load()
    stop = guard_loop(0.2)
    try:
        assert (await client.post("/api/execute/stuck", json={})).status_code == 500
    finally:
        stop()


async def test_the_shells_own_code_is_never_interrupted():
    guard = LoopGuard(0.05)
    try:
        ended = threading.Event()
        threading.Timer(0.5, ended.set).start()
        ended.wait()  # nobody's plugin is on the stack
    finally:
        guard.stop()
    assert guard_loop(0) is None


async def test_f072_an_abandoned_thread_ends_and_frees_its_slot(write, database, load, client):
    source = """
import threading
def execute(data):
    if data.get("hang"):
        threading.current_thread().name = "hanging"
        while True:
            pass
    return {"ok": True}
"""
    write("busy", {"logic.py": source, "manifest.json": '{"limits": {"timeout_seconds": 0.3, "concurrency": 1}}'})
    busy = load()["busy"]
    assert (await client.post("/api/execute/busy", json={"hang": True})).status_code == 504
    may_take(busy, 20)
    await until(lambda: not [one for one in threading.enumerate() if one.name == "hanging"])
    await asyncio.sleep(0)
    assert (await client.post("/api/execute/busy", json={})).json() == {"ok": True}


async def test_f072_f073_the_manifest_may_narrow_but_not_widen(write, database, load, monkeypatch):
    from mozaiks_shell.plugin_host.execution import calls_at_once, seconds_of

    write("small", {"logic.py": ECHO, "manifest.json": '{"limits": {"timeout_seconds": 2, "concurrency": 3}}'})
    write("large", {"logic.py": ECHO, "manifest.json": '{"limits": {"timeout_seconds": 3000, "concurrency": 300}}'})
    write("silent", {"logic.py": ECHO})
    loaded = load()
    assert {name: (seconds_of(one), calls_at_once(one)) for name, one in loaded.items()} == {
        "small": (2, 3), "large": (30, 8), "silent": (30, 8)
    }  # fmt: skip


async def test_f073_a_full_house_is_503_and_no_fault(write, database, load, client, as_person):
    source = """
import asyncio
started, gate = asyncio.Event(), asyncio.Event()
async def execute(data):
    started.set()
    await gate.wait()
    return {}
"""
    write("full", {"logic.py": source, "manifest.json": '{"limits": {"timeout_seconds": 20, "concurrency": 1}}'})
    full = load()["full"]
    import mozaiks_plugins.full.logic as logic

    first = asyncio.create_task(service.execute("full", {}, ADA))
    await logic.started.wait()
    may_take(full, 0.1)
    with pytest.raises(ShellError) as refused:
        await service.execute("full", {}, ADA)
    assert (refused.value.status, refused.value.code) == (503, "PLUGIN_BUSY") and told("full") == []
    logic.gate.set()
    assert await first == {}
    assert registry.find("full").live
