"""Starting runs: authority before any call, idempotency, the runtime's reasons, both spellings, capabilities per person."""

import asyncio
import json

import httpx
import pytest

from mozaiks_shell.appconfig.loader import ConfigError
from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.errors import TokensNeeded
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import Conflict, Forbidden, NotFound, PlanNeeded, RoleNeeded, TooMany, Unavailable, Upstream
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from tests.chat.conftest import running_shell, upstream  # noqa: F401 - a fixture
from tests.chat.conftest import sign_up as sign_up  # a fixture

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
async def ready(configs, upstream):  # noqa: F811
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


async def test_a_plan_opens_what_it_names(ready):
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


async def test_resume_gives_a_fresh_token_for_ones_own_chat_only(ready):
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


async def test_too_many_starts_are_slowed_down(ready):
    for _ in range(broker.STARTS_PER_MINUTE):
        await broker.start(ADA, "Assistant")
    with pytest.raises(TooMany) as refused:
        await broker.start(ADA, "Assistant")
    assert refused.value.retry_after >= 1
    await broker.start(EVE, "Assistant")


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


async def test_http_speaks_both_spellings(configs, upstream, sign_up):  # noqa: F811
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
            keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
            assert keys and all("d" not in key for key in keys)


async def test_the_runtimes_token_is_for_programs_not_for_browsers(configs, upstream, sign_up, monkeypatch):  # noqa: F811
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
