"""What an operator does to plugins, on the API: admin-only, audited, once however often it is pressed (F-077, F-092)."""

import asyncio
import json
import os
import shutil

import httpx
import pytest
import structlog

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.logging import configure, get_logger
from mozaiks_shell.plugin_host import journal, lifecycle, meter, operations, registry

ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses_root")
ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ECHO = "async def execute(data):\n    return {'said': data.get('word')}\n"
ONCE_BROKEN = """
from pathlib import Path
class Form:
    def on_init(self, context):
        if not (Path(__file__).parent / "ready").exists():
            raise RuntimeError("not ready")
    def on_request(self, data):
        return {}
"""
ACTS = [
    ("POST", "one/enable"),
    ("POST", "one/disable"),
    ("POST", "one/retry"),
    ("POST", "rescan"),
    ("GET", "one"),
    ("GET", "one/logs"),
]


@pytest.fixture
async def client(api, as_person):
    as_person(ROOT)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as opened:
        yield opened


@pytest.fixture
def told(monkeypatch):
    """Every event that was published, by name and facts."""
    heard: list[tuple[str, str, dict]] = []

    async def listen(event: events.Event) -> None:
        heard.append((event.name, event.user_id, event.data))

    monkeypatch.setitem(events._listeners, "*", [*events._listeners["*"], listen])
    return heard


@pytest.mark.parametrize(("method", "path"), ACTS)
async def test_only_for_administrators(method, path, write, database, load, client, as_person):
    write("one", {"logic.py": ECHO})
    load()
    as_person(ADA)
    assert (await client.request(method, f"/api/admin/plugins/{path}")).status_code == 403
    as_person(None)
    assert (await client.request(method, f"/api/admin/plugins/{path}")).status_code == 401


@pytest.mark.parametrize("act", ["enable", "disable", "retry", "logs", ""])
async def test_an_unknown_plugin_is_404(act, database, load, client):
    method = "GET" if act in {"logs", ""} else "POST"
    answer = await client.request(method, f"/api/admin/plugins/nothing/{act}".rstrip("/"))
    assert (answer.status_code, answer.json()["code"]) == (404, "PLUGIN_NOT_FOUND")


async def test_off_and_on_again_at_once_and_once(write, database, load, client, told):
    write("one", {"logic.py": ECHO})
    load()
    assert (await client.post("/api/execute/one", json={"word": "hi"})).json() == {"said": "hi"}
    answers = await asyncio.gather(*[client.post("/api/admin/plugins/one/disable") for _ in range(5)])
    assert [one.json()["plugin"]["state"] for one in answers] == ["disabled"] * 5
    assert (await client.post("/api/execute/one", json={})).status_code == 404
    answers = await asyncio.gather(*[client.post("/api/admin/plugins/one/enable") for _ in range(5)])
    assert [one.json()["plugin"]["state"] for one in answers] == ["loaded"] * 5
    assert (await client.post("/api/execute/one", json={"word": "again"})).json() == {"said": "again"}
    acts = [(name, who) for name, who, _ in told if name in {"plugin.enabled", "plugin.disabled"}]
    assert acts == [("plugin.disabled", "usr_root"), ("plugin.enabled", "usr_root")]


async def test_retry_brings_back_what_can_recover_and_says_why_not_otherwise(write, database, load, client, told):
    folder = write("form", {"logic.py": ONCE_BROKEN})
    write("wrong", {"logic.py": "import nothing_like_this\n"})
    write("fine", {"logic.py": ECHO})
    plugins = load()
    await lifecycle.start(plugins["form"], database)
    assert (await client.get("/api/admin/plugins/form")).json()["plugin"]["can_retry"] is True
    assert (await client.post("/api/admin/plugins/form/retry")).json()["plugin"]["state"] == "quarantined"
    (folder / "ready").touch()
    assert (await client.post("/api/admin/plugins/form/retry")).json()["plugin"]["state"] == "loaded"
    assert [data["state"] for name, _, data in told if name == "plugin.retried"] == ["quarantined", "loaded"]
    for name, code in {"wrong": "RESTART_NEEDED", "fine": "PLUGIN_NOT_QUARANTINED"}.items():
        answer = await client.post(f"/api/admin/plugins/{name}/retry")
        assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_rescan_lists_what_is_new_and_gone_and_corrected(write, database, load, client, told):
    write("runs", {"logic.py": ECHO, "manifest.json": json.dumps({"name": "runs", "version": "1.0.0"})})
    leaves = write("leaves", {"logic.py": ECHO})
    write("wrong", {"manifest.json": "{", "logic.py": ECHO})
    write("syntax", {"logic.py": "1 +"})
    os.utime(write("still", {"logic.py": "1 +"}) / "logic.py", (1, 1))
    never = write("never", {"manifest.json": "{", "logic.py": ECHO})
    load()
    write("new", {"logic.py": ECHO})
    write("wrong", {"manifest.json": "{}"})
    write("syntax", {"logic.py": ECHO})
    write("runs", {"manifest.json": json.dumps({"name": "runs", "version": "2.0.0"})})
    shutil.rmtree(leaves)
    shutil.rmtree(never)
    answer = (await client.post("/api/admin/plugins/rescan")).json()
    assert (answer["new"], sorted(answer["gone"]), sorted(answer["changed"])) == (
        ["new"],
        ["leaves", "never"],
        ["runs", "syntax", "wrong"],
    )
    states = {one["name"]: one["state"] for one in answer["plugins"]}
    assert states == {
        "leaves": "loaded", "new": "discovered", "runs": "loaded", "still": "quarantined", "syntax": "discovered",
        "wrong": "discovered",
    }  # fmt: skip
    assert (await client.post("/api/execute/runs", json={"word": "hi"})).json() == {"said": "hi"}
    notes = {one["name"]: [note["message"] for note in one["notes"]] for one in answer["plugins"]}
    assert any("2.0.0" in note for note in notes["runs"]) and any("not there" in note for note in notes["leaves"])
    again = (await client.post("/api/admin/plugins/rescan")).json()
    assert again["new"] == [] and {one["name"]: len(one["notes"]) for one in again["plugins"]}["leaves"] == 1
    assert [name for name, _, _ in told].count("plugins.rescanned") == 2


async def test_rescan_keeps_the_operators_choice(write, database, load, client):
    write("one", {"logic.py": ECHO})
    write("two", {"logic.py": ECHO})
    load()
    await client.post("/api/admin/plugins/one/disable")
    states = {one["name"]: one["state"] for one in (await client.post("/api/admin/plugins/rescan")).json()["plugins"]}
    assert states == {"one": "disabled", "two": "loaded"}


async def test_the_log_is_told_without_secrets(write, database, load, client):
    configure(database)
    try:
        write("one", {"logic.py": ECHO})
        load()
        get_logger("mozaiks_plugins.one").warning("calling with Bearer canary-canary-canary", api_key="canary")
        lines = (await client.get("/api/admin/plugins/one/logs")).json()["lines"]
        assert "canary" not in json.dumps(lines) and lines[-1]["level"] == "warning"
        assert len((await client.get("/api/admin/plugins/one/logs?limit=1")).json()["lines"]) == 1
        assert (await client.get("/api/admin/plugins/one/logs?limit=100000")).status_code == 422
    finally:
        journal.forget("one")
        structlog.reset_defaults()


async def test_calls_are_metered(write, database, load, client):
    write("one", {"logic.py": "async def execute(data):\n    return {'x': 1 / data['by']}\n"})
    load()
    meter.forget("one")
    for by in (1, 2, 0):
        await client.post("/api/execute/one", json={"by": by})
    calls = (await client.get("/api/admin/plugins/one")).json()["calls"]
    assert (calls["calls"], calls["errors"]) == (3, 1) and calls["last"]


def test_percentiles_are_nearest_rank():
    meter.forget("sums")
    assert meter.figures("sums") == meter.Figures()
    for milliseconds in range(1, 101):
        meter.note("sums", milliseconds, ok=milliseconds != 7)
    found = meter.figures("sums")
    assert (found.calls, found.errors, found.p50, found.p95) == (100, 1, 50, 95)
    for _ in range(meter.CALLS):
        meter.note("sums", 3, ok=True)
    assert (meter.figures("sums").calls, meter.figures("sums").p95) == (meter.CALLS, 3)
    meter.forget("sums")


async def test_operations_refuse_an_unknown_name(database, load):
    for act in (operations.enable, operations.disable, operations.retry):
        with pytest.raises(Exception, match="no plugin"):
            await act("nothing", ROOT)
    assert registry.find("nothing") is None
