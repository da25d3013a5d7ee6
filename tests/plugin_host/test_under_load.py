"""While one plugin is broken in every way over HTTP, nobody else loses a request (D10)."""

import asyncio
import json
from collections import Counter

import httpx
import pytest
import structlog
import uvicorn

from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import routes as hosting_routes
from mozaiks_shell.plugin_host import faults, registry, startup, worker
from mozaiks_shell.plugin_host.routes import mount_plugins

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
IN_PROCESS = """
import asyncio, sys, threading, time
from mozaiks_shell.sdk import db
def plain(data):
    ways[data["way"]](data)
def endless(data):
    while True:
        pass
def swallow(data):
    while True:
        try:
            endless(data)
        except Exception:
            pass
def linger(data):
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
def recurse(data):
    return recurse(data)
def leave(data):
    sys.exit(7)
def fail(data):
    raise ValueError("broken")
ways = {"endless": endless, "swallow": swallow, "linger": linger, "recurse": recurse, "leave": leave, "fail": fail}
class Odd:
    def __iter__(self):
        raise KeyError("odd")
async def execute(data):
    way = data.get("way")
    if way == "wait":
        await asyncio.Event().wait()
    if way == "block":
        time.sleep(3600)
    if way == "spin":
        while True:
            pass
    if way == "odd":
        return {"x": Odd()}
    if way == "nan":
        return {"x": float("nan")}
    if way == "list":
        return [1]
    if way == "huge":
        return {"x": "y" * 3_000_000}
    if way == "cancel":
        raise asyncio.CancelledError()
    if way == "stop":
        raise StopAsyncIteration
    if way == "exit":
        sys.exit(7)
    if way in ways:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: None) or ways[way](data)
    return {"ok": True}
"""
PLAIN = IN_PROCESS.replace("async def execute", "async def later").replace("def plain(data):", "def execute(data):")
ROUTES = """
import asyncio, sys
from fastapi import APIRouter, Depends, WebSocket
router = APIRouter()
@router.get("/fail")
def fail():
    raise ValueError("broken")
@router.get("/exit")
def leave():
    sys.exit(3)
@router.get("/spin")
def spin():
    while True:
        pass
@router.get("/wait")
async def wait():
    await asyncio.Event().wait()
@router.get("/response")
def response() -> int:
    return "no number"
def needs():
    raise KeyError("in a dependency")
@router.get("/dependency")
def dependency(x: int = Depends(needs)):
    return {}
"""
APART = """
import ctypes, os, sys
def execute(data):
    way = data["way"]
    if way == "exit": os._exit(3)
    if way == "segfault": ctypes.string_at(0)
    if way == "memory": return {"n": len(bytearray(2_000_000_000))}
    if way == "kill": os.kill(os.getpid(), 9)
    while True: pass
"""
WAYS = [
    "wait", "block", "spin", "odd", "nan", "list", "huge", "stop", "exit", "endless", "recurse", "leave", "fail", "swallow",
]  # fmt: skip
PLAIN_WAYS = ["endless", "linger", "recurse", "leave", "fail", "swallow"]
ROUTE_WAYS = ["fail", "exit", "spin", "wait", "response", "dependency"]
APART_WAYS = ["exit", "segfault", "memory", "kill", "loop"]
SHORT = json.dumps({"limits": {"timeout_seconds": 0.3, "concurrency": 4}})
BODIES = [b"", b"[", b"[" * 50_000, b"\xff\xfe", b'{"way": {"a": 1}}', b'{"way": "\\ud800"}']


@pytest.fixture
async def server(plugins_path, write, database, load, api, monkeypatch):
    """The API on a real socket, with everything that breaks and one plugin that does not; gives its address."""
    before = structlog.get_config()
    configure(get_settings())  # as in the product: plain tracebacks
    monkeypatch.setattr(get_settings(), "plugin_stall_seconds", 0.3)
    monkeypatch.setattr(get_settings(), "plugin_fault_limit", 0)
    write("bad", {"logic.py": IN_PROCESS, "routes.py": ROUTES, "manifest.json": SHORT})
    write("worse", {"logic.py": PLAIN, "manifest.json": SHORT})
    apart = {"isolation": "process", "limits": {"timeout_seconds": 1, "memory_mb": 256, "concurrency": 1}}
    write("apart", {"logic.py": APART, "manifest.json": json.dumps(apart)})
    write("good", {"logic.py": "async def execute(data): return {'n': data['n']}\n"})
    write("plain", {"logic.py": "def execute(data): return {'n': data['n']}\n"})
    assert all(one.live for one in load().values())
    api.include_router(hosting_routes.router)
    mount_plugins(api)

    async def as_ada(scope, receive, send):
        set_principal(ADA)
        await api(scope, receive, send)

    stop = await startup.start_plugins(get_settings())
    config = uvicorn.Config(as_ada, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    running = uvicorn.Server(config)
    monkeypatch.setattr(running, "install_signal_handlers", lambda: None, raising=False)
    serving = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    await serving
    await stop()
    await worker.stop_workers()
    structlog.configure(**before)


async def test_nobody_else_loses_a_request(server, monkeypatch):
    over, answers, wrong = asyncio.Event(), Counter(), []
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=server, timeout=60, limits=limits) as client:

        async def bystander(name, ask):
            number = 0
            while not over.is_set():
                number += 1
                try:
                    answer = await ask(number)
                    ok = answer.status_code == 200 and (answer.json().get("n", number) == number)
                    if not ok:
                        wrong.append((name, answer.status_code, answer.text[:200]))
                except httpx.HTTPError as error:
                    wrong.append((name, repr(error)))
                answers[name] += 1
                await asyncio.sleep(0.01)

        async def broken(method, path, **options):
            with_answer = await client.request(method, path, **options)
            answers[f"broken {with_answer.status_code}"] += 1
            return with_answer.status_code

        async def breaker():
            for body in BODIES:
                await broken("POST", "/api/execute/bad", content=body)
            for way in WAYS:
                calls = [broken("POST", "/api/execute/bad", json={"way": way}) for _ in range(2)]
                await asyncio.gather(*calls)
            for way in PLAIN_WAYS:
                await asyncio.gather(*[broken("POST", "/api/execute/worse", json={"way": way}) for _ in range(2)])
            for way in ROUTE_WAYS:
                await asyncio.gather(*[broken("GET", f"/api/plugins/bad/{way}") for _ in range(2)])

        async def breaks_workers():
            for way in APART_WAYS:
                await broken("POST", "/api/execute/apart", json={"way": way})

        others = [
            asyncio.create_task(bystander("health", lambda _: client.get("/health"))),
            asyncio.create_task(bystander("shell", lambda _: client.get("/api/plugins"))),
            asyncio.create_task(bystander("good", lambda n: client.post("/api/execute/good", json={"n": n}))),
            asyncio.create_task(bystander("plain", lambda n: client.post("/api/execute/plain", json={"n": n}))),
        ]
        await asyncio.gather(breaker(), breaks_workers())
        monkeypatch.setattr(get_settings(), "plugin_fault_limit", 5)
        for name in ("bad", "worse"):  # and now for good
            faults.forgive(name)
            for _ in range(8):
                await broken("POST", f"/api/execute/{name}", json={"way": "fail"})
            assert not registry.find(name).live
            assert await broken("POST", f"/api/execute/{name}", json={}) == 503
        await startup.retry("bad", get_settings())
        assert await broken("POST", "/api/execute/bad", json={}) == 200
        over.set()
        await asyncio.gather(*others)
    assert wrong == []
    assert min(answers[name] for name in ("health", "shell", "good", "plain")) >= 20, answers
    assert answers["broken 500"] >= 20 and answers["broken 504"] >= 8 and answers["broken 503"] >= 2, answers
