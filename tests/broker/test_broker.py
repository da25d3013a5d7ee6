"""Starting runs: authority before any call, idempotency, the runtime's reasons, both spellings, capabilities per person."""

import asyncio
import io
import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import structlog
from sqlmodel import select
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mozaiks_shell.appconfig.loader import ConfigError
from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.broker import claims
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.errors import TokensNeeded
from mozaiks_shell.broker.models import StartClaim
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PlanNeeded,
    RoleNeeded,
    TimedOut,
    TooMany,
    Unavailable,
    Upstream,
)
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from tests.chat.conftest import running_shell

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses")
EVE = Principal("usr_eve", "dev-app", "Eve", "eve@example.com", frozenset({"user"}), "ses")
ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses")

CAPABILITIES = [
    {"id": "assistant", "display_name": "Assistant", "workflow_id": "Assistant"},
    {
        "capability": {
            "id": "agent_generator",
            "display_name": "Agent generator",
            "workflow_id": "AgentGenerator",
            "allowed_plans": ["pro"],
        }
    },
    {"id": "audit", "display_name": "Audit", "workflow_id": "Audit", "visibility": "admin"},
    {"id": "power", "display_name": "Power", "workflow_id": "Power", "requires_superadmin": True},
    {"id": "off", "display_name": "Off", "workflow_id": "Off", "enabled": False},
]


async def give(person, plan):
    scope = Scope(person.app_id, person.user_id)
    truth = Truth(plan, "active", None, False)
    await ledger.write(scope, await ledger.read(scope), truth, provider="manual", actor="test")


@pytest.fixture
def configs(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    (folder / "capability_specs").mkdir(parents=True)
    (folder / "ai_capabilities.json").write_text(json.dumps({"capabilities": CAPABILITIES}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    get_settings.cache_clear()
    return folder


@pytest.fixture
async def ready(configs, upstream):
    """The broker with a double behind it and nobody connected."""
    stop_runtime = await broker.start_runtime()
    stop_chats = await chats.start_chats()
    yield upstream
    await stop_chats()
    await stop_runtime()


@pytest.mark.parametrize(
    ("person", "workflow", "error"),
    [
        (ADA, "AgentGenerator", PlanNeeded),
        (ADA, "Audit", RoleNeeded),
        (ADA, "Power", RoleNeeded),
        (ADA, "Off", Forbidden),
        (ROOT, "Off", Forbidden),
        (ADA, "Secret", NotFound),
        (ADA, "Nowhere", NotFound),
    ],
)
async def test_a_refused_start_calls_nobody(ready, person, workflow, error):
    with pytest.raises(error):
        await broker.start(person, workflow)
    assert ready.calls == []


async def test_f144_a_plan_opens_what_it_names(ready):
    with pytest.raises(PlanNeeded) as refused:
        await broker.start(ADA, "AgentGenerator")
    assert (refused.value.status, refused.value.code, refused.value.details["needed"]) == (403, "FEATURE_GATED", "Pro")
    await give(ADA, "pro")
    session = await broker.start(ADA, "AgentGenerator")
    assert session.ws_url.endswith(f"/ws/AgentGenerator/dev-app/{session.chat_id}/usr_ada")
    (name, call), *_ = ready.calls
    assert (name, call["force_new"], call["user_id"]) == ("start", True, "usr_ada")
    await give(ADA, "free")
    with pytest.raises(PlanNeeded):
        await broker.start(ADA, "", chat_id=session.chat_id)


async def test_unnamed_workflows_are_for_admins_and_must_exist(ready):
    assert (await broker.start(ROOT, "Secret")).capability_id == ""
    with pytest.raises(NotFound):
        await broker.start(ROOT, "Nowhere")
    assert ready.count("start") == 1


@pytest.mark.parametrize("plan", ["free", "pro", "team"])
@pytest.mark.parametrize(
    "roles", [{"user"}, {"user", "service"}, {"admin"}, {"superadmin"}], ids=lambda roles: "-".join(sorted(roles))
)
async def test_f145_capabilities_say_what_a_launch_then_does_for_each_plan_and_role(ready, plan, roles):
    person = replace(ADA, roles=frozenset(roles))
    await give(person, plan)
    offers = {offer.capability.id: offer for offer in await broker.offers(person)}
    for name in ("assistant", "agent_generator", "audit", "power", "off"):
        try:
            capability = await broker.capability_of(name)
            await broker.start(person, capability.workflow_id, capability_id=name)
            launched = True
        except Forbidden:
            launched = False
        assert (name in offers and offers[name].allowed) == launched, name
    assert ("audit" in offers) == bool(roles & {"admin", "superadmin"}), "what is for administrators is hidden from others"


async def test_capabilities_say_what_a_launch_then_does(ready):
    await give(EVE, "pro")
    for person in (ADA, EVE, ROOT):
        offers = {offer.capability.workflow_id: offer for offer in await broker.offers(person)}
        for workflow in ("Assistant", "AgentGenerator", "Audit", "Power", "Off"):
            try:
                await broker.start(person, workflow)
                launched = True
            except Forbidden:
                launched = False
            assert (workflow in offers and offers[workflow].allowed) == launched, (person.name, workflow)
    assert {offer.capability.id for offer in await broker.offers(ADA)} == {"assistant", "agent_generator"}
    locked = next(one for one in await chats.launchable(ADA) if one.workflow == "AgentGenerator")
    assert (locked.allowed, locked.needed) == (False, "Pro")


async def test_one_key_is_one_chat_and_no_key_is_a_new_one(ready):
    started = await asyncio.gather(*(broker.start(ADA, "Assistant", idempotency_key="click") for _ in range(5)))
    assert len({session.chat_id for session in started}) == 1
    assert ready.count("start") == 1
    assert (await broker.start(ADA, "Assistant", idempotency_key="click")).chat_id == started[0].chat_id
    assert (await broker.start(EVE, "Assistant", idempotency_key="click")).chat_id != started[0].chat_id
    assert len({(await broker.start(ADA, "Assistant")).chat_id for _ in range(2)}) == 2
    assert ready.count("start") == 4


async def test_f141_resume_gives_a_fresh_token_for_ones_own_chat_only(ready):
    session = await broker.start(ADA, "Assistant")
    again = await broker.start(ADA, "", chat_id=session.chat_id)
    assert (again.chat_id, again.workflow, again.resumed) == (session.chat_id, "Assistant", True)
    assert again.token != session.token
    with pytest.raises(Forbidden):
        await broker.start(EVE, "Assistant", chat_id=session.chat_id)
    with pytest.raises(NotFound):
        await broker.start(ADA, "Assistant", chat_id="unknown")
    assert ready.count("start") == 1


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((402, "Balance is 3 tokens."), TokensNeeded, "Balance is 3 tokens."),
        ((409, "Finish the tour first."), Conflict, "Finish the tour first."),
        ((401, "Invalid token audience"), Upstream, "credentials"),
        ((500, "Failed to x: 404: y"), Upstream, "reported an error"),
        ((429, "slow"), TooMany, "busy"),
    ],
)
async def test_the_runtimes_reason_reaches_the_person(ready, answer, error, message):
    ready.start_refusal = answer
    with pytest.raises(error) as refused:
        await broker.start(ADA, "Assistant")
    assert message in refused.value.message
    assert ready.count("start") == 1, "a refused start was tried again"
    assert await chats.list_chats(ADA) == []


async def test_f166_too_many_starts_of_one_person_or_of_all_are_slowed_down(ready, monkeypatch):
    monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_USER", "3")
    monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_APP", "5")
    get_settings.cache_clear()
    first = await broker.start(ADA, "Assistant", idempotency_key="k")
    for _ in range(2):
        await broker.start(ADA, "Assistant")
    with pytest.raises(TooMany, match="You start chats faster") as refused:
        await broker.start(ADA, "Assistant")
    assert 1 <= refused.value.retry_after <= 60
    assert (await broker.start(ADA, "Assistant", idempotency_key="k")).chat_id == first.chat_id, "a repetition is no start"
    assert (await broker.start(ADA, "", chat_id=first.chat_id)).resumed, "a resumed chat is no start"
    for _ in range(2):
        await broker.start(EVE, "Assistant")
    with pytest.raises(TooMany, match="Many people"):
        await broker.start(EVE, "Assistant")
    assert ready.count("start") == 5


async def test_a_restricted_workflow_is_for_operators_whatever_a_plan_says(ready, monkeypatch):
    monkeypatch.setenv("MOZAIKS_RESTRICTED_WORKFLOWS", "AgentGenerator, Other")
    get_settings.cache_clear()
    await give(ADA, "pro")
    with pytest.raises(RoleNeeded):
        await broker.start(ADA, "AgentGenerator")
    assert "agent_generator" not in {one.capability.id for one in await broker.offers(ADA)}
    assert ready.calls == []
    await give(ROOT, "pro")
    await broker.start(ROOT, "AgentGenerator")


class Forgetful(dict):
    """What other processes do not share."""

    def get(self, *_):
        return None


async def test_one_key_is_one_chat_in_all_processes(ready, monkeypatch):
    monkeypatch.setattr(claims, "_here", Forgetful())
    started = await asyncio.gather(*(broker.start(ADA, "Assistant", idempotency_key="click") for _ in range(4)))
    assert len({session.chat_id for session in started}) == 1
    assert ready.count("start") == 1
    async with session(Scope("dev-app", None)) as db:
        assert (await db.execute(select(StartClaim))).scalars().all() == []


async def test_a_refused_start_leaves_its_key_usable(ready):
    ready.start_refusal = (402, "Balance is 3 tokens.")
    with pytest.raises(TokensNeeded):
        await broker.start(ADA, "Assistant", idempotency_key="click")
    ready.start_refusal = None
    assert (await broker.start(ADA, "Assistant", idempotency_key="click")).chat_id


async def test_the_claim_of_a_process_that_died_is_taken_over(ready, monkeypatch):
    async with session(Scope("dev-app", "usr_ada")) as db:
        db.add(StartClaim(key="click", created_at=clock.now() - timedelta(seconds=claims.LIFE + 1)))
    assert (await broker.start(ADA, "Assistant", idempotency_key="click")).chat_id
    async with session(Scope("dev-app", "usr_ada")) as db:
        db.add(StartClaim(key="other"))
    monkeypatch.setattr(claims, "LIFE", 0.3)
    with pytest.raises(TimedOut) as refused:
        async with asyncio.timeout(60):
            monkeypatch.setattr(claims, "timedelta", lambda seconds: timedelta(minutes=5))
            await broker.start(ADA, "Assistant", idempotency_key="other")
    assert refused.value.code == "START_UNDER_WAY"


async def test_a_key_belongs_to_one_workflow_and_a_chat_to_its_own(ready):
    await give(ADA, "pro")
    chat = await broker.start(ADA, "Assistant", idempotency_key="click")
    with pytest.raises(Conflict) as refused:
        await broker.start(ADA, "AgentGenerator", idempotency_key="click")
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
    with pytest.raises(Conflict) as refused:
        await broker.start(ADA, "AgentGenerator", chat_id=chat.chat_id)
    assert refused.value.code == "CHAT_OF_ANOTHER_WORKFLOW"


class Purse:
    """A budget that is used up, or not."""

    def __init__(self):
        self.refused, self.asked, self.given_back = False, [], []

    async def check(self, principal, workflow, chat_id=None):
        self.asked.append((principal.user_id, workflow, chat_id))
        if self.refused:
            raise TokensNeeded("This month's tokens are used up.", code="BUDGET_EXCEEDED")

    async def give_back(self, principal, workflow):
        self.given_back.append((principal.user_id, workflow))


async def test_the_budget_is_asked_after_authority_and_before_the_runtime(ready):
    purse = Purse()
    broker.use_budget(purse)
    try:
        with pytest.raises(PlanNeeded):
            await broker.start(ADA, "AgentGenerator")
        assert purse.asked == []
        chat = await broker.start(ADA, "Assistant")
        purse.refused = True
        before = len(ready.calls)
        with pytest.raises(TokensNeeded, match="used up"):
            await broker.start(ADA, "Assistant")
        with pytest.raises(TokensNeeded):
            await broker.start(ADA, "", chat_id=chat.chat_id)
        assert len(ready.calls) == before
        purse.refused, ready.start_refusal = False, (500, "x")
        with pytest.raises(Upstream):
            await broker.start(ADA, "Assistant")
        assert purse.given_back == [("usr_ada", "Assistant")]
    finally:
        broker.use_budget(None)


async def test_a_launch_counts_its_own_capability_only(configs, ready):
    two = [
        {"id": "open", "display_name": "Open", "workflow_id": "Assistant"},
        {"id": "locked", "display_name": "Locked", "workflow_id": "Assistant", "allowed_plans": ["pro"]},
    ]
    (configs / "ai_capabilities.json").write_text(json.dumps({"capabilities": two}))
    broker.reload()
    with pytest.raises(PlanNeeded):
        await broker.start(ADA, "Assistant", capability_id="locked")
    assert (await broker.start(ADA, "Assistant", capability_id="open")).capability_id == "open"


async def test_runtime_down_and_ai_off_are_calm(ready, monkeypatch):
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(Unavailable) as refused:
        await broker.start(ADA, "Assistant")
    assert refused.value.code == "RUNTIME_UNAVAILABLE"
    monkeypatch.setenv("MOZAIKS_AI_ENABLED", "false")
    get_settings.cache_clear()
    with pytest.raises(Unavailable) as refused:
        await broker.start(ADA, "Assistant")
    assert refused.value.code == "AI_DISABLED"
    assert await broker.offers(ADA) == []


def test_specs_add_capabilities_and_the_same_id_twice_is_an_error(settings, configs):
    spec = configs / "capability_specs"
    (spec / "_template.json").write_text("{}")
    (spec / "extra.json").write_text('{"capability": {"id": "extra", "display_name": "Extra", "workflow_id": "Extra"}}')
    broker.reload()
    assert [one.id for one in broker.capabilities()][-1] == "extra"
    (spec / "more.json").write_text('{"id": "assistant", "display_name": "Again", "workflow_id": "Again"}')
    with pytest.raises(ConfigError, match="'assistant' is used twice"):
        broker.reload()
    assert [one.id for one in broker.capabilities()][-1] == "extra", "a bad file replaced a good one"
    (spec / "more.json").write_text('{"id": "x"}')
    with pytest.raises(ConfigError, match=r"more\.json.*\n.*\$\.display_name"):
        broker.reload()


async def test_f141_f142_http_speaks_both_spellings(configs, upstream, sign_up):
    ada, eve = await sign_up("ada"), await sign_up("eve")
    async with running_shell() as running:
        headers = {"origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers={"cookie": eve.cookie, **headers}) as http:
            snake = await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})
            assert set(snake.json()) == {"chat_id", "workflow_name", "runtime_ws_url", "runtime_token"}
            pascal = await http.post(
                "/api/workflows/start", json={"ChatId": snake.json()["chat_id"], "WorkflowName": "Assistant"}
            )
            assert set(pascal.json()) == {"ChatId", "WorkflowName", "RuntimeWsUrl", "RuntimeToken"}
            assert pascal.json()["ChatId"] == snake.json()["chat_id"]
            gated = await http.post("/api/workflows/start", json={"workflow_name": "AgentGenerator"})
            assert (gated.status_code, gated.json()["code"], gated.json()["needed"]) == (403, "FEATURE_GATED", "Pro")
            key = {"idempotency-key": "k1"}
            ids = {
                (await http.post("/api/ai/launch", json={"capability_id": "assistant"}, headers=key)).json()["chat_id"]
                for _ in "ab"
            }
            assert len(ids) == 1
            launch = (await http.post("/api/ai/launch", json={"capability_id": "assistant"})).json()
            assert set(launch) == {"app_id", "capability_id", "chat_id", "launch_token", "expires_in", "runtime"}
            assert set(launch["runtime"]) == {"runtime_api_base_url", "runtime_ui_base_url", "chatui_url_template"}
            for body, status in (({}, 400), ({"capability_id": "none"}, 404), ({"capability_id": "audit"}, 403), ([1], 400)):
                assert (await http.post("/api/ai/launch", json=body)).status_code == status
            assert (await http.post("/api/workflows/start", json={})).status_code == 400
            listed = (await http.get("/api/ai/capabilities")).json()
            assert (listed["plan"], [(one["id"], one["allowed"]) for one in listed["capabilities"]]) == (
                "free", [("assistant", True), ("agent_generator", False)],
            )  # fmt: skip
        async with httpx.AsyncClient(base_url=running.url, headers={"cookie": ada.cookie, **headers}) as http:
            listed = (await http.get("/api/ai/capabilities")).json()["capabilities"]
            assert [one["id"] for one in listed] == ["assistant", "agent_generator", "audit", "power"]
        async with httpx.AsyncClient(base_url=running.url) as http:
            assert (await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})).status_code == 401
            published = await http.get("/.well-known/jwks.json")
            assert published.headers["cache-control"] == "public, max-age=300"
            keys = published.json()["keys"]
            assert keys and all("d" not in key for key in keys)


async def test_f141_f142_f166_refusals_over_http_say_what_and_why(configs, upstream, sign_up, monkeypatch):
    await sign_up("root")
    ada = await sign_up("ada")
    eve = await sign_up("eve")
    headers = {"origin": get_settings().origin}
    async with running_shell() as running:
        async with httpx.AsyncClient(base_url=running.url, headers={"cookie": eve.cookie, **headers}) as http:
            theirs = (await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})).json()["chat_id"]
        before = len(upstream.calls)
        async with httpx.AsyncClient(base_url=running.url, headers={"cookie": ada.cookie, **headers}) as http:

            async def refused(body, status, code, words=""):
                answer = await http.post("/api/workflows/start", json=body)
                told = answer.json()
                assert (answer.status_code, told["code"]) == (status, code), told
                assert answer.headers["content-type"] == "application/problem+json"
                assert words in told["detail"]
                return answer

            await refused({"workflow_name": "AgentGenerator"}, 403, "FEATURE_GATED", "Agent generator is part of the plan Pro.")
            await refused({"workflow_name": "Audit"}, 403, "ROLE_NEEDED", "needs the role")
            await refused({"workflow_name": "Off"}, 403, "CAPABILITY_DISABLED", "Off is switched off.")
            await refused({"workflow_name": "Nowhere"}, 404, "WORKFLOW_NOT_FOUND")
            await refused({"workflow_name": "Assistant", "chat_id": theirs}, 403, "CHAT_NOT_YOURS")
            await refused({"chat_id": "unknown"}, 404, "CHAT_NOT_FOUND")
            await refused({}, 400, "BAD_REQUEST", "workflow_name")
            await refused([1], 400, "BAD_REQUEST")
            await refused({"workflow_name": 7}, 400, "BAD_REQUEST", "workflow_name")
            assert len(upstream.calls) == before, "a refusal reached the runtime"
            for status, reason, code, words in (
                (402, "Balance is 3 tokens.", "INSUFFICIENT_TOKENS", "Balance is 3 tokens."),
                (409, "Finish the tour first.", "PREREQUISITES_NOT_MET", "Finish the tour first."),
                (500, "Failed to x: 404: y", "RUNTIME_ERROR", "error"),
            ):
                upstream.start_refusal = (status, reason)
                await refused({"workflow_name": "Assistant"}, 502 if status == 500 else status, code, words)
            upstream.start_refusal = None
            monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_USER", "1")
            get_settings.cache_clear()
            assert (await http.post("/api/workflows/start", json={"workflowName": "Assistant"})).status_code == 200
            slow = await refused({"workflow_name": "Assistant"}, 429, "LIMIT_EXCEEDED", "wait")
            assert 1 <= int(slow.headers["retry-after"]) <= 60
            monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_USER", "30")
            monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
            get_settings.cache_clear()
            await refused({"workflow_name": "Assistant"}, 503, "RUNTIME_UNAVAILABLE", "not reachable")


@pytest.mark.parametrize(("path", "body"), [
    ("/api/workflows/start", {"workflow_name": "AgentGenerator"}), ("/api/ai/launch", {"capability_id": "agent_generator"}),
])  # fmt: skip
async def test_f142_f144_both_endpoints_answer_as_one_service(configs, upstream, sign_up, monkeypatch, path, body):
    """Free 403, Pro 200, no runtime 503, AI off 503; an admin-only capability and an unknown one by their own codes."""
    await sign_up("root")
    ada = await sign_up("ada")
    hidden, unknown = (
        [{"capability_id": "audit"}, {"capability_id": "none"}] if "ai" in path else
        [{"workflow_name": "Audit"}, {"workflow_name": "Nowhere"}]
    )  # fmt: skip
    async with running_shell() as running:
        cookie = {"cookie": ada.cookie, "origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers=cookie) as http:

            async def told(body):
                answer = await http.post(path, json=body)
                return answer.status_code, answer.json().get("code", "")

            assert await told(body) == (403, "FEATURE_GATED")
            assert await told(hidden) == (403, "ROLE_NEEDED")
            assert (await told(unknown))[0] == 404
            assert await told({}) == (400, "BAD_REQUEST")
            assert upstream.count("start") == 0
            await give(ada.principal, "pro")
            assert (await told(body))[0] == 200
            assert upstream.count("start") == 1
            monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
            get_settings.cache_clear()
            assert await told(body) == (503, "RUNTIME_UNAVAILABLE")
            monkeypatch.setenv("MOZAIKS_AI_ENABLED", "false")
            get_settings.cache_clear()
            assert await told(body) == (503, "AI_DISABLED")


async def test_direct_mode_serves_a_plain_websocket_client(configs, upstream, sign_up, monkeypatch):
    """F-169: what the broker answers is all that a client needs to talk to a runtime that checks everything."""

    async def greet(line):
        await line.meta()
        await line.text("Hello")

    upstream.plays = [greet]
    await sign_up("root")
    ada = await sign_up("ada")
    monkeypatch.setenv("MOZAIKS_DIRECT_RUNTIME", "true")
    get_settings.cache_clear()
    async with running_shell() as running:
        browser = {"cookie": ada.cookie, "origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers=browser) as http:
            told = (await http.post("/api/workflows/start", json={"workflowName": "Assistant"})).json()
        assert set(told) == {"chatId", "workflowName", "runtimeWsUrl", "runtimeToken"}
        where = f"{told['runtimeWsUrl']}?access_token={told['runtimeToken']}"
        async with connect(where, proxy=None) as socket:
            assert json.loads(await socket.recv())["data"]["chat_id"] == told["chatId"]
            assert json.loads(await socket.recv())["data"]["content"] == "Hello"
        for wrong in (where.replace("/Assistant/dev-app/", "/Assistant/other/"), told["runtimeWsUrl"], f"{where}x"):
            with pytest.raises(InvalidStatus, match="403"):
                async with connect(wrong, proxy=None):
                    pass


@pytest.fixture
def lines(monkeypatch):
    """Every line that can be written, as it is written."""
    monkeypatch.setenv("LOG_LEVEL", "debug")
    get_settings.cache_clear()
    configure(get_settings())
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=written))
    yield written
    structlog.reset_defaults()


async def test_f168_a_token_reaches_no_browser_and_no_log(configs, lines, upstream, sign_up, monkeypatch, caplog, capsys):
    """In bridge mode: through a start, a chat, a refused handshake and a runtime that is away."""

    async def greet(line):
        await line.meta()
        await line.ask("q1")
        await line.receive()
        await line.text("Hello")
        await line.idle()

    upstream.plays = [greet]
    await sign_up("root")
    ada = await sign_up("ada")
    headers = {"cookie": ada.cookie, "origin": get_settings().origin}
    seen = []
    caplog.set_level("INFO")
    async with running_shell() as running, httpx.AsyncClient(base_url=running.url, headers=headers) as http:
        for path, body in (
            ("/api/workflows/start", {"workflow_name": "Assistant"}),
            ("/api/ai/launch", {"capability_id": "assistant"}),
        ):
            answer = await http.post(path, json=body)
            assert answer.status_code == 200
            seen.append(answer.text + str(answer.headers))
        async with running.browser(ada) as browser:
            await browser.open(workflow="Assistant", new=True)
            await browser.send(t="say", text="hi", id="m1")
            await browser.until(lambda: upstream.count("ws") > 0)
            upstream.handshake_refused = True
            await browser.send(t="open", chat=None, workflow="Assistant", new=True)
            await browser.send(t="say", text="again", id="m2")
            await browser.until(lambda: upstream.count("ws") > 1 or browser.refusals())
            seen += [json.dumps(frame) for frame in browser.frames]
        upstream.start_refusal = (500, "boom")
        seen.append((await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})).text)
        monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
        get_settings.cache_clear()
        seen.append((await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})).text)
    out = capsys.readouterr()
    logged = "\n".join([lines.getvalue(), caplog.text, out.out, out.err])
    assert "not reachable" in logged or "runtime" in logged, "nothing was logged at all"
    tokens_seen = [one for one in upstream.tokens if one]
    assert len(tokens_seen) >= 3 and upstream.refused == []
    for token in tokens_seen:
        signature = token.rsplit(".", 1)[1]
        assert all(signature not in text for text in seen), "a browser got a token"
        assert signature not in logged, "a token was logged"


async def test_the_runtimes_token_is_for_programs_not_for_browsers(configs, upstream, sign_up, monkeypatch):
    ada = await sign_up("ada")
    token = await identity.open_session(await identity.find_user(ada.principal.user_id), kind="token")
    browser, program = {"cookie": ada.cookie, "origin": get_settings().origin}, {"authorization": f"Bearer {token}"}

    async def answers(headers):
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
            snake = (await http.post("/api/workflows/start", json={"workflow_name": "Assistant"})).json()
            pascal = (await http.post("/api/workflows/start", json={"WorkflowName": "Assistant"})).json()
            launch = (await http.post("/api/ai/launch", json={"capability_id": "assistant"})).json()
        return [snake["runtime_token"], pascal["RuntimeToken"], launch["launch_token"]]

    async with running_shell() as running:
        assert await answers(browser) == ["", "", ""]
        assert all(answer.count(".") == 2 for answer in await answers(program))
        monkeypatch.setenv("MOZAIKS_DIRECT_RUNTIME", "true")
        get_settings.cache_clear()
        assert all(answer.count(".") == 2 for answer in await answers(browser))
