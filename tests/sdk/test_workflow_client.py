"""``workflow_client`` and the extension clients, against servers that write down what they get."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation import jobs
from mozaiks_shell.foundation.jobs import Worker
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.sdk import plugins, workflow_client
from tests.conftest import ADA, ROOT


class Books:
    """What was asked, and what to answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answer: tuple[int, Any] = (200, {"ok": True})
        self.base = ""


@pytest.fixture
def books() -> Iterator[Books]:
    kept = Books()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            kept.asked.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            status, told = kept.answer
            raw = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.base = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def say(settings, monkeypatch):
    """Set variables and read the settings again."""

    def set_up(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    return set_up


@pytest.fixture
def runtime(books, say):
    say(MOZAIKS_AI_URL=books.base, MOZAIKS_AI_TOKEN="app-token")
    return books


async def test_f295_one_post_with_the_bearer(runtime):
    runtime.answer = (200, {"generated_files": {}})
    answer = await workflow_client.execute(workflow="send-notification", data={"taskId": "123", "userId": "user456"})
    assert answer == {"generated_files": {}}
    ((method, path, headers, body),) = runtime.asked
    assert (method, path) == ("POST", "/api/workflows/execute")
    assert headers["authorization"] == "Bearer app-token"
    assert body == {"workflow": "send-notification", "data": {"taskId": "123", "userId": "user456"}}


async def test_f154_a_trigger_goes_along(runtime):
    await workflow_client.execute("send-notification", {"taskId": "1"}, trigger="task.created")
    assert runtime.asked[0][3] == {"workflow": "send-notification", "trigger": "task.created", "data": {"taskId": "1"}}


def test_f295_from_plain_code(runtime):
    assert workflow_client.execute("x") == {"ok": True}


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ((400, {"error": "message is empty"}), sdk.errors.Invalid, "WORKFLOW_REFUSED"),
        ((401, {"detail": "no"}), sdk.errors.Upstream, "RUNTIME_REFUSED"),
        ((404, {"detail": "no"}), sdk.errors.NotFound, "RUNTIME_NOT_FOUND"),
        ((409, {"detail": "first x"}), sdk.errors.Conflict, "PREREQUISITES_NOT_MET"),
        ((429, {}), sdk.errors.TooMany, "LIMIT_EXCEEDED"),
        ((500, {"detail": "oops"}), sdk.errors.Upstream, "RUNTIME_ERROR"),
        ((200, b"<html>"), sdk.errors.Upstream, "RUNTIME_ERROR"),
    ],
)
async def test_f295_refusals_are_typed_and_nothing_is_sent_twice(runtime, answer, error, code):
    runtime.answer = answer
    with pytest.raises(error) as raised:
        await workflow_client.execute("x")
    assert raised.value.code == code and len(runtime.asked) == 1


@pytest.mark.parametrize(
    ("variables", "names"), [({}, "MOZAIKS_AI_URL"), ({"MOZAIKS_AI_URL": "http://x.test"}, "MOZAIKS_AI_TOKEN")]
)
async def test_f295_not_configured_is_said_plainly(say, variables, names):
    say(**variables)
    with pytest.raises(sdk.errors.Unavailable, match=names) as raised:
        await workflow_client.execute("x")
    assert raised.value.code == "WORKFLOWS_NOT_CONFIGURED"


async def test_a_runtime_that_is_down_is_an_error_the_app_can_catch(say):
    say(MOZAIKS_AI_URL="http://127.0.0.1:9", MOZAIKS_AI_TOKEN="t")
    with pytest.raises(sdk.errors.Unavailable) as raised:
        await workflow_client.execute("x")
    assert raised.value.code == "RUNTIME_UNAVAILABLE"


async def test_f154_later_is_tried_again_until_the_runtime_is_up(database, runtime, monkeypatch):
    runtime.answer = (503, {})
    job_id = await workflow_client.execute_later("x", {"n": 1}, key="n1")
    assert await workflow_client.execute_later("x", {"n": 1}, key="n1") == job_id
    await Worker().step()
    waiting = await jobs.find("dev-app", job_id)
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    runtime.answer = (200, {"fine": 1})
    monkeypatch.setattr(jobs.clock, "now", lambda now=jobs.clock.now: now() + jobs.timedelta(minutes=1))
    await Worker().step()
    done = await jobs.find("dev-app", job_id)
    assert (done.state, done.result) == ("done", {"fine": 1})


async def test_f154_later_gives_up_what_the_runtime_refuses(database, runtime):
    runtime.answer = (400, {"error": "no such thing"})
    job_id = await workflow_client.execute_later("x")
    await Worker().step()
    found = await jobs.find("dev-app", job_id)
    assert found.state == "failed" and "no such thing" in found.error and len(runtime.asked) == 1


async def test_f162_a_restricted_workflow_stays_the_operators(database, runtime, say, as_person):
    say(MOZAIKS_RESTRICTED_WORKFLOWS="Billing", MOZAIKS_AI_URL=runtime.base, MOZAIKS_AI_TOKEN="t")
    as_person(ADA)
    for call in (workflow_client.execute, workflow_client.execute_later):
        with pytest.raises(sdk.errors.Forbidden) as raised:
            await call("Billing")
        assert raised.value.code == "WORKFLOW_RESTRICTED"
    assert await workflow_client.execute("Other") == {"ok": True}
    as_person(ROOT)
    assert await workflow_client.execute("Billing") == {"ok": True}
    as_person(None)
    assert await workflow_client.execute("Billing") == {"ok": True}, "the app's own jobs may"
    assert len(runtime.asked) == 3


async def test_f154_the_apps_own_action_succeeds_while_the_runtime_is_down(database, say, plugin):
    source = """
from mozaiks_core_runtime import workflow_client

async def execute(data):
    job = await workflow_client.execute_later("send-notification", {"taskId": data["id"]}, trigger="task.created", key=data["id"])
    return {"created": data["id"], "job": job}
"""
    say(MOZAIKS_AI_URL="http://127.0.0.1:9", MOZAIKS_AI_TOKEN="t")
    manifest = json.dumps({"name": "todo", "permissions": ["workflows"]})
    async with plugin("todo", {"logic.py": source, "manifest.json": manifest}) as todo:
        todo.as_user("ada")
        answer = await todo.execute(id="7")
        assert answer["created"] == "7"
        again = await todo.execute(id="7")
        assert again["job"] == answer["job"], "it was queued twice"


async def test_f155_long_work_needs_somebody_and_is_told_as_the_broker_tells_it(settings, as_person, monkeypatch):
    told = {"id": "w1", "workflow_name": "Report", "state": "done", "error": "", "chat_id": "c1", "artifacts": [{"name": "r.md"}]}

    async def find(person, work_id):
        assert (person, work_id) == (ADA, "w1")
        return told

    monkeypatch.setattr(workflow_client._work, "find", find)
    as_person(None)
    with pytest.raises(sdk.errors.NotSignedIn):
        workflow_client.long_work("w1")
    as_person(ADA)
    work = await workflow_client.long_work("w1")
    assert (work.state, work.artifacts, work.path) == ("done", ("r.md",), "/chat?chat_id=c1")


SOURCE = """
from mozaiks_core_runtime import auth, workflow_client

@auth.require_user
async def execute(data):
    user = auth.current_user()
    return await workflow_client.execute(workflow="send-notification", data={"taskId": data["id"], "userId": user.id})
"""


async def test_f295_from_a_plugin_with_the_permission(plugin, books, monkeypatch):
    monkeypatch.setenv("MOZAIKS_AI_URL", books.base)
    monkeypatch.setenv("MOZAIKS_AI_TOKEN", "app-token")
    async with plugin("mute", {"logic.py": SOURCE}) as mute:
        mute.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden, match="workflows"):
            await mute.execute(id="7")
    manifest = json.dumps({"name": "teller", "permissions": ["workflows"]})
    async with plugin("teller", {"logic.py": SOURCE, "manifest.json": manifest}) as teller:
        teller.as_user("ada")
        assert await teller.execute(id="7") == {"ok": True}
    assert [one[3]["data"] for one in books.asked] == [{"taskId": "7", "userId": "usr_ada"}]


# -- the extension clients ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables", [{}, {"HOSTING_MODE": "self-hosted"}, {"HOSTING_MODE": "managed"}, {"MOZAIKS_PAYMENT_ENABLED": "true"}]
)
async def test_f099_not_connected_is_a_clear_refusal(say, as_person, variables):
    say(**variables)
    as_person(ADA)
    with pytest.raises(plugins.NotEnabled, match="MOZAIKS_PAYMENT_API_URL") as raised:
        await plugins.mozaiks_pay.create_checkout(plan_id="pro-plan", user_id=ADA.user_id)
    assert (raised.value.code, raised.value.status) == ("EXTENSION_NOT_ENABLED", 503)
    assert raised.value.details["service"] == "MozaiksPay"
    with pytest.raises(plugins.NotEnabled, match="MOZAIKS_MARKETING_API_URL"):
        await plugins.mozaiks_marketing.create_campaign("Launch", ["meta"], budget=1)


@pytest.mark.parametrize("pair", [{"MOZAIKS_PAYMENT_ENABLED": "true"}, {"HOSTING_MODE": "managed"}, {"MOZAIKS_MODE": "hosted"}])
async def test_f099_connected_it_asks_mozaikspay(books, say, as_person, pair):
    say(MOZAIKS_PAYMENT_API_URL=f"{books.base}/payment", MOZAIKS_GATEWAY_API_KEY="app-key", **pair)
    as_person(ADA)
    books.answer = (200, {"checkoutUrl": "https://pay.test/s1", "sessionId": "s1"})
    checkout = await plugins.mozaiks_pay.create_checkout(plan_id="pro-plan", user_id=ADA.user_id)
    assert checkout == plugins.Checkout("https://pay.test/s1", "s1")
    ((_, path, headers, body),) = books.asked
    assert path == "/payment/api/mozaiks/pay/checkout" and headers["x-mozaiks-app-key"] == "app-key"
    assert (body["planId"], body["userId"], body["appId"], body["scope"]) == ("pro-plan", "usr_ada", "dev-app", "app")


async def test_f099_managed_but_switched_off(books, say, as_person):
    say(HOSTING_MODE="managed", MOZAIKS_PAYMENT_API_URL=books.base, MOZAIKS_PAYMENT_ENABLED="false")
    as_person(ADA)
    with pytest.raises(plugins.NotEnabled):
        await plugins.mozaiks_pay.create_checkout(plan_id="pro-plan")
    assert books.asked == []


async def test_f099_a_campaign(books, say, as_person):
    say(MOZAIKS_MARKETING_API_URL=books.base, MOZAIKS_MARKETING_ENABLED="true")
    as_person(ADA)
    books.answer = (201, {"id": "cmp_1", "status": "draft"})
    campaign = await plugins.mozaiks_marketing.create_campaign(name="Launch Campaign", platforms=["meta", "google"], budget=1000)
    assert (campaign.id, campaign.data["status"]) == ("cmp_1", "draft")
    body = books.asked[0][3]
    assert (body["name"], body["platforms"], body["budget"]) == ("Launch Campaign", ["meta", "google"], 1000)
    for name, platforms, budget in [("", ["meta"], 1), ("x", [], 1), ("x", ["meta"], 0), ("x", ["meta"], float("nan"))]:
        with pytest.raises(sdk.errors.Invalid):
            await plugins.mozaiks_marketing.create_campaign(name, platforms, budget)
    assert len(books.asked) == 1


async def test_f099_nobody_buys_for_somebody_else(books, say, as_person):
    say(MOZAIKS_PAYMENT_API_URL=books.base, MOZAIKS_PAYMENT_ENABLED="true")
    books.answer = (200, {"checkoutUrl": "https://pay.test/s1"})
    with pytest.raises(sdk.errors.NotSignedIn):
        await plugins.mozaiks_pay.create_checkout("pro", ADA.user_id)
    as_person(ADA)
    with pytest.raises(sdk.errors.Forbidden):
        await plugins.mozaiks_pay.create_checkout("pro", "usr_eve")
    as_person(ROOT)
    await plugins.mozaiks_pay.create_checkout("pro", "usr_eve")
    assert [one[3]["userId"] for one in books.asked] == ["usr_eve"]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ((404, {"detail": "no such plan"}), sdk.errors.Invalid, "EXTENSION_REFUSED"),
        ((500, b"oops"), sdk.errors.Upstream, "EXTENSION_FAILED"),
        ((200, {"checkoutUrl": "javascript:alert(1)"}), sdk.errors.Upstream, "EXTENSION_FAILED"),
        ((200, []), sdk.errors.Upstream, "EXTENSION_FAILED"),
    ],
)
async def test_f296_failures_are_typed(books, say, as_person, answer, error, code):
    say(MOZAIKS_PAYMENT_API_URL=books.base, MOZAIKS_PAYMENT_ENABLED="true")
    as_person(ADA)
    books.answer = answer
    with pytest.raises(error) as raised:
        await plugins.mozaiks_pay.create_checkout("pro")
    assert raised.value.code == code


async def test_f296_a_service_that_is_away(say, as_person):
    say(MOZAIKS_PAYMENT_API_URL="http://127.0.0.1:9", MOZAIKS_PAYMENT_ENABLED="true")
    as_person(ADA)
    with pytest.raises(sdk.errors.Upstream) as raised:
        await plugins.mozaiks_pay.create_checkout("pro")
    assert raised.value.code == "EXTENSION_UNREACHABLE"
