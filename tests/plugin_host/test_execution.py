"""Execute: forms, injected context, limits, statuses (F-066 to F-073)."""

import asyncio
import threading

import httpx
import pytest

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import service, startup

ADA = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")
LATER = """
import threading
async def execute(data):
    return {"thread": threading.current_thread().name, "value": data.get("value")}
"""
ECHO = LATER.replace("async def", "def")


@pytest.fixture
async def client(api, as_person):
    """An HTTP client signed in as Ada."""
    as_person(ADA)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as opened:
        yield opened


@pytest.mark.parametrize("place", ["logic.py", "backend/logic.py"])
@pytest.mark.parametrize("form", [ECHO, LATER, ECHO.replace("execute", "run"), LATER.replace("execute", "run")])
async def test_f066_the_forms(place, form, write, database, load, client):
    write("echo", {place: form})
    load()
    answer = await client.post("/api/execute/echo", json={"value": 7})
    assert (answer.status_code, answer.json()["value"]) == (200, 7)
    assert (answer.json()["thread"] == threading.current_thread().name) is ("async def" in form)


async def test_f075_declared_entry_point(write, database, load, client):
    write(
        "declared", {"api/main.py": ECHO.replace("execute", "answer"), "manifest.json": '{"entry_point": "api/main.py:answer"}'}
    )
    load()
    assert (await client.post("/api/execute/declared", json={"value": 1})).json()["value"] == 1


SEED = '''
from typing import Dict, Any

class MyPlugin:
    def __init__(self, config: Dict[str, Any] = None):
        self.config = config or {}
        self.started = 0

    def on_init(self, app_context: Any) -> None:
        """Called when app starts"""
        self.started += 1

    def on_request(self, request_data: Dict[str, Any]) -> Dict[str, Any]:
        """Called on each request"""
        return {"plugin": "my-plugin", "status": "active", "started": self.started, "color": self.config.get("color")}
'''


async def test_f067_class_form_is_started_once(write, database, load, client):
    write("my-plugin", {"logic.py": SEED, "manifest.json": '{"config": {"color": "teal"}}'})
    load()
    await startup.start_plugins(get_settings())
    for _ in range(2):
        answer = await client.post("/api/execute/my-plugin", json={})
    assert answer.json() == {"plugin": "my-plugin", "status": "active", "started": 1, "color": "teal"}


async def test_f067_failing_on_init_is_quarantined_and_can_be_retried(write, database, load, client, tmp_path):
    flag = tmp_path / "flag"
    write("picky", {"logic.py": SEED.replace("self.started += 1", f"open({str(flag)!r})")})
    plugin = load()["picky"]
    await startup.start_plugins(get_settings())
    assert (plugin.problem.cause.value, plugin.recoverable) == ("init", True)
    assert (await client.post("/api/execute/picky", json={})).status_code == 503
    flag.touch()
    await startup.retry("picky", get_settings())
    assert (await client.post("/api/execute/picky", json={})).status_code == 200


async def test_f069_context_is_ours(write, database, load, client):
    write("echo", {"logic.py": "def execute(data): return dict(data)\n"})
    load()
    forged = {
        "user_id": "usr_eve", "app_id": "other", "user_jwt": "x", "_context": {"is_superadmin": True},
        "_entitlements": {"tier": "gold"},
    }  # fmt: skip
    seen = (await client.post("/api/execute/echo", json={**forged, "keep": 1})).json()
    assert (seen["user_id"], seen["app_id"], seen["user_jwt"], seen["keep"]) == ("usr_ada", "dev-app", "", 1)
    assert seen["_context"] == {
        "app_id": "dev-app", "user_id": "usr_ada", "username": "Ada Lovelace", "roles": ["user"], "is_superadmin": False
    }  # fmt: skip
    assert seen["_entitlements"]["tier"] == "free"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("FEATURE_GATED", 403), ("LIMIT_EXCEEDED", 429), ("ENTITLEMENT_ERROR", 503), ("NOT_FOUND", 404),
        ("VALIDATION_ERROR", 422), ("ANYTHING", 400),
    ],
)  # fmt: skip
async def test_f071_error_codes(code, status, write, database, load, client):
    write(
        "sorry", {"logic.py": f"def execute(data): return {{'error': 'Sorry', 'error_code': {code!r}, 'details': {{'n': 1}}}}\n"}
    )
    load()
    answer = await client.post("/api/execute/sorry", json={})
    assert answer.status_code == status
    assert answer.json() == {"error": "Sorry", "error_code": code, "details": {"n": 1}, "code": code, "detail": "Sorry"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("raise ValueError('secret path')", 500, "PLUGIN_FAILED"),
        ("raise SystemExit(1)", 500, "PLUGIN_FAILED"),
        ("raise KeyboardInterrupt", 500, "PLUGIN_FAILED"),
        ("import asyncio; raise asyncio.CancelledError", 500, "PLUGIN_FAILED"),
        ("raise TimeoutError()", 500, "PLUGIN_FAILED"),
        ("from mozaiks_shell.sdk import errors; raise errors.NotFound('No such thing.')", 404, "NOT_FOUND"),
        ("return [1]", 500, "PLUGIN_BAD_ANSWER"),
        ("return {'x': object()}", 500, "PLUGIN_BAD_ANSWER"),
        ("return {'x': chr(0xD800)}", 500, "PLUGIN_BAD_ANSWER"),
        ("return {'x': float('nan')}", 500, "PLUGIN_BAD_ANSWER"),
        ("return {'error': chr(0xD800)}", 500, "PLUGIN_BAD_ANSWER"),
    ],
)
@pytest.mark.parametrize("keyword", ["def", "async def"])
async def test_f071_failures_end_the_call_only(keyword, body, status, code, write, database, load, client):
    write("fails", {"logic.py": f"{keyword} execute(data):\n    {body}\n"})
    load()
    answer = await client.post("/api/execute/fails", json={})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret path" not in answer.text


async def test_f068_refusals(write, database, load, client, as_person, api):
    write("echo", {"logic.py": ECHO})
    write("silent", {})
    write("staff", {"logic.py": ECHO, "manifest.json": '{"access": "role:admin"}'})
    write("open", {"logic.py": "def execute(data): return {'user': data['user_id']}\n", "manifest.json": '{"access": "public"}'})
    write("off", {"logic.py": ECHO, "manifest.json": '{"enabled": false}'})
    write("broken", {"logic.py": "("})
    load()
    for body in ("[1]", "text", "", "null"):
        assert (await client.post("/api/execute/echo", content=body)).status_code == 400
    for name, status in {"none": 404, "silent": 404, "off": 404, "staff": 403, "broken": 503}.items():
        assert (await client.post(f"/api/execute/{name}", json={})).status_code == status, name
    for name, access in {"echo": True, "staff": False}.items():
        assert (await client.get(f"/api/check-plugin-access/{name}")).json()["access"] is access
    listed = (await client.get("/api/plugins")).json()
    assert [one["name"] for one in listed["plugins"]] == ["echo", "open", "silent"]
    assert (await client.get("/api/available-plugins")).json() == listed
    assert (await client.get("/api/admin/plugins")).status_code == 403
    as_person(None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as nobody:
        for path in ("echo", "none"):
            assert (await nobody.post(f"/api/execute/{path}", json={})).status_code == 401
        assert (await nobody.post("/api/execute/open", json={})).json() == {"user": ""}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "TOO_DEEP"),
        ('{"a":' + "[" * 900 + "]" * 900 + "}", "TOO_DEEP"),
        ('{"action":"create","title":"\\ud800"}', "BAD_TEXT"),
        ('{"a":[{"\\u0000":1}]}', "BAD_TEXT"),
    ],
)
async def test_f068_what_no_plugin_could_keep_does_not_reach_it(body, code, write, database, load, client):
    write("echo", {"logic.py": ECHO})
    load()
    answer = await client.post("/api/execute/echo", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_f092_reports_are_for_admins(write, database, load, api, as_person):
    write("broken", {"logic.py": "x = 1\nimport nothing_like_this\n"})
    load()
    as_person(Principal("usr_root", "dev-app", roles=frozenset({"admin"})))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as admin:
        (report,) = (await admin.get("/api/admin/plugins")).json()["plugins"]
    assert (report["state"], report["cause"], report["where"]) == ("quarantined", "import", "logic.py:2")


@pytest.mark.parametrize(
    "body", ["async def execute(data):\n    await asyncio.sleep(30)", "def execute(data):\n    gate.wait(30)"]
)
async def test_f072_timeout(body, write, database, load, client, monkeypatch):
    write("sleepy", {"logic.py": f"import asyncio, threading\ngate = threading.Event()\n{body}\n"})
    write("awake", {"logic.py": ECHO})
    load()
    with monkeypatch.context() as hurry:
        hurry.setattr(get_settings(), "plugin_timeout", 0.1)
        answer = await client.post("/api/execute/sleepy", json={})
    assert (answer.status_code, answer.json()["code"]) == (504, "TIMED_OUT")
    assert (await client.post("/api/execute/awake", json={})).status_code == 200


async def test_f073_at_most_so_many_at_once(write, database, load, as_person, monkeypatch):
    monkeypatch.setattr(get_settings(), "plugin_concurrency", 2)
    as_person(ADA)
    source = """
import threading, time
running, most, lock = 0, 0, threading.Lock()
def execute(data):
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    time.sleep(0.05)
    with lock:
        running -= 1
    return {"most": most}
"""
    write("narrow", {"logic.py": source})
    load()
    answers = await asyncio.gather(*[service.execute("narrow", {}, ADA) for _ in range(5)])
    assert max(answer["most"] for answer in answers) == 2


async def test_f101_each_run_leaves_an_event(write, database, load, as_person):
    as_person(ADA)
    seen: list[events.Event] = []

    @events.subscribe("plugin.executed", "plugin.failed")
    async def note(event: events.Event) -> None:
        seen.append(event)

    write("echo", {"logic.py": ECHO})
    write("fails", {"logic.py": "def execute(data): raise ValueError('reason')\n"})
    load()
    await service.execute("echo", {"action": "list"}, ADA)
    with pytest.raises(Exception, match="failed"):
        await service.execute("fails", {}, ADA)
    assert [(one.name, one.user_id, one.data["plugin"], one.data["action"]) for one in seen] == [
        ("plugin.executed", "usr_ada", "echo", "list"),
        ("plugin.failed", "usr_ada", "fails", ""),
    ]
    assert seen[1].data["reason"] == "ValueError: reason" and seen[0].data["duration_ms"] >= 0


async def test_f082_plan_gate(write, database, load, client, tmp_path, monkeypatch):
    configs = tmp_path / "configs"
    configs.mkdir()
    plans = '{"name": "free", "price": 0}, {"name": "pro", "display_name": "Pro", "price": 9, "plugins_unlocked": ["paid"]}'
    (configs / "subscription_config.json").write_text(f'{{"subscription_plans": [{plans}]}}')
    monkeypatch.setattr(get_settings(), "configs_path", configs)
    page = "from mozaiks_shell import sdk\n@sdk.page(access=sdk.Access.signed_in())\ndef front(): return sdk.ui.notice('x')\n"
    write("paid", {"logic.py": ECHO, "page.py": page})
    write("plain", {"logic.py": ECHO})
    load()
    answer = await client.post("/api/execute/paid", json={})
    assert (answer.status_code, answer.json()["code"], answer.json()["needed"]) == (403, "FEATURE_GATED", "Pro")
    assert (await client.get("/api/check-plugin-access/paid")).json() == {"plugin": "paid", "access": False, "needed": "Pro"}
    assert [one["name"] for one in (await client.get("/api/plugins")).json()["plugins"]] == ["plain"]
    from mozaiks_shell.ui.page import page_at

    assert page_at("/plugins/paid").access.kind == "plan"
    monkeypatch.setattr(get_settings(), "billing_provider", "none")
    assert (await client.post("/api/execute/paid", json={})).status_code == 200
