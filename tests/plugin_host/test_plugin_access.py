"""Who may use a plugin: list, check, execute, routes, sockets, settings, pages and menu agree (F-080..F-082, F-085)."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.routes import mount_plugins
from mozaiks_shell.shell import settings_routes
from mozaiks_shell.shell.navigation import drop_menus, menu_for

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses_root")
PLANS = [
    {"name": "free", "price": 0},
    {"name": "pro", "price": 12, "plugins_unlocked": ["sold"]},
    {"name": "team", "price": 39, "plugins": {"tiered": "basic"}, "plugins_unlocked": ["sold", "tiered"]},
    {"name": "all", "price": 99, "plugins_unlocked": ["*"]},
]
PLUGINS: dict[str, dict[str, Any]] = {
    "anyone": {"access": "public"},
    "members": {},
    "sold": {},
    "tiered": {},
    "planned": {"access": "plan:pro"},
    "staff": {"access": "role:admin"},
}
FILES = {
    "logic.py": "async def execute(data):\n    return {'ok': True}\n",
    "routes.py": """
from fastapi import APIRouter, WebSocket
router = APIRouter()
@router.get("/hello")
def hello(): return {"ok": True}
@router.websocket("/live")
async def live(socket: WebSocket):
    await socket.accept()
    await socket.send_text("ok")
    await socket.close()
""",
    "page.py": """
from mozaiks_shell import sdk
@sdk.page()
def front(): return sdk.ui.page_header("Front")
""",
}


@pytest.fixture
def shop(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four plans, and a plugin for every way to say who may."""
    for name, said in PLUGINS.items():
        write(name, {**FILES, "manifest.json": json.dumps({"name": name, "version": "1.0.0", **said})})
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "subscription_config.json").write_text(
        json.dumps({"subscription_plans": PLANS, "settings": {"default_plan": "free"}})
    )
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    monkeypatch.setenv("MOZAIKS_BILLING_PROVIDER", "manual")
    get_settings.cache_clear()


async def subscribed(person: Principal, plan: str) -> None:
    scope = Scope(person.app_id, person.user_id)
    await ledger.write(scope, await ledger.read(scope), Truth(plan, "active", None, False), provider="manual", actor="test")
    drop_menus()


async def test_everything_agrees_for_every_plan_and_role(shop, database, load, api, as_person):
    load()
    mount_plugins(api)
    api.include_router(settings_routes.router)
    assert [plan.name for plan in catalogue().subscription_plans] == ["free", "pro", "team", "all"]
    opened: dict[tuple[str, str], list[str]] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        for person, plan in product((ADA, ROOT), [str(plan["name"]) for plan in PLANS]):
            await subscribed(person, plan)
            as_person(person)
            listed = (await client.get("/api/plugins")).json()
            assert (await client.get("/api/available-plugins")).json() == listed, "F-080: both paths say the same"
            names = [one["name"] for one in listed["plugins"]]
            menu = await menu_for(person)
            for name in PLUGINS:
                said = (await client.get(f"/api/check-plugin-access/{name}")).json()
                answers = {
                    "execute": (await client.post(f"/api/execute/{name}", json={})).status_code,
                    "route": (await client.get(f"/api/plugins/{name}/hello")).status_code,
                    "settings": (await client.get(f"/api/plugin-settings/{name}")).status_code,
                }
                expected = 200 if said["access"] else 403
                assert set(answers.values()) == {expected}, (person.user_id, plan, name, answers)
                assert (name in names) is said["access"]
                assert (menu.gates[f"/plugins/{name}"] == "ok") is said["access"]
            opened[person.user_id, plan] = names
    free = ["anyone", "members"]
    assert opened == {
        ("usr_ada", "free"): free,
        ("usr_ada", "pro"): [*free, "planned", "sold"],
        ("usr_ada", "team"): [*free, "planned", "sold", "tiered"],
        ("usr_ada", "all"): [*free, "planned", "sold", "tiered"],
        ("usr_root", "free"): [*free, "staff"],
        ("usr_root", "pro"): [*free, "planned", "sold", "staff"],
        ("usr_root", "team"): [*free, "planned", "sold", "staff", "tiered"],
        ("usr_root", "all"): [*free, "planned", "sold", "staff", "tiered"],
    }


async def test_f082_a_locked_plugin_is_not_a_link_and_names_the_plan(shop, database, load, api, as_person):
    load()
    await subscribed(ADA, "free")
    as_person(ADA)
    menu = await menu_for(ADA)
    gates = {entry["path"]: entry["gate"] for group in menu.groups for entry in group["entries"]}
    assert gates.get("/plugins/members") == "ok"
    assert gates.get("/plugins/sold", "hidden") in {"plan", "hidden"}
    assert "/plugins/staff" not in gates, "what a role keeps closed is not even named"
    assert menu.needed["/plugins/sold"].lower() == "pro" and menu.needed["/plugins/tiered"].lower() == "team"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        answer = await client.post("/api/execute/sold", json={})
    assert (answer.status_code, answer.json()["code"], answer.json()["needed"].lower()) == (403, "FEATURE_GATED", "pro")


async def test_f085_sockets_ask_for_origin_person_and_plan(shop, database, load, api, as_person):
    load()
    mount_plugins(api)
    await subscribed(ADA, "free")
    here, elsewhere = {"origin": get_settings().origin}, {"origin": "https://evil.example"}

    def closed(name: str, headers: dict[str, str]) -> int:
        with pytest.raises(WebSocketDisconnect) as ended, TestClient(api).websocket_connect(
            f"/api/plugins/{name}/live", headers=headers
        ):  # fmt: skip
            pass
        return ended.value.code

    with TestClient(api).websocket_connect("/api/plugins/anyone/live", headers=here) as socket:
        assert socket.receive_text() == "ok"
    assert closed("anyone", elsewhere) == 4003
    assert closed("anyone", {}) == 4003
    assert closed("members", here) == 4001
