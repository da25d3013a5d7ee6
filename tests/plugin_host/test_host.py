"""Plugins as a service of their own (F-094), and what an administrator may see of all of them (F-100)."""

import httpx
import pytest

from mozaiks_shell.cli.plugin_service import plugin_host
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import plugin_service as hosting
from mozaiks_shell.hosting.plugin_service import plugin_service
from mozaiks_shell.identity.accounts import register
from mozaiks_shell.identity.sessions import open_session
from mozaiks_shell.plugin_host import loader, registry

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses_root")
WHO = (
    "from mozaiks_shell.sdk import current_user\nasync def execute(data): return {'id': current_user().id, 'n': data.get('n')}\n"
)
OPEN = "def execute(data): return {'user': data['user_id']}\n"
FORMS = {
    "who": {"logic.py": WHO},
    "open": {"logic.py": OPEN, "manifest.json": '{"access": "public"}'},
    "staff": {"logic.py": OPEN, "manifest.json": '{"access": "role:admin"}'},
    "broken": {"logic.py": "("},
    "bad": {"logic.py": "def execute(data): return {'error': 'no', 'error_code': 'VALIDATION_ERROR'}\n"},
}


@pytest.fixture
async def service(plugins_path, write, database, monkeypatch):
    """The service with five plugins; a bearer token is a person's name."""
    people = {"Bearer ada": ADA, "Bearer root": ROOT}

    async def principal(cookie, authorization=""):
        assert not cookie
        return people.get(authorization)

    monkeypatch.setattr(hosting, "principal_from", principal)
    for name, files in FORMS.items():
        write(name, files)
    app = plugin_service(get_settings())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        yield client
    for plugin in registry.all_plugins():
        loader.unload(plugin.name)


def as_(name):
    return {"authorization": f"Bearer {name}"}


async def test_f094_health_list_and_execute(service):
    assert (await service.get("/health")).json() == {"status": "healthy", "plugins_loaded": 4}
    answer = await service.post("/api/plugins/who/execute", json={"n": 7}, headers=as_("ada"))
    assert (answer.status_code, answer.json()) == (200, {"id": "usr_ada", "n": 7})
    listed = {one["name"]: one for one in (await service.get("/api/plugins", headers=as_("ada"))).json()}
    assert {name: one["status"] for name, one in listed.items()} == {
        "who": "loaded", "open": "loaded", "staff": "loaded", "broken": "quarantined", "bad": "loaded"
    }  # fmt: skip
    assert set(listed["broken"]) == {"name", "status", "error"} and listed["broken"]["error"] == ""
    listed = {one["name"]: one for one in (await service.get("/api/plugins", headers=as_("root"))).json()}
    assert listed["broken"]["error"].startswith("logic.py:1")


@pytest.mark.parametrize(
    ("name", "who", "body", "status"),
    [
        ("who", "", "{}", 401),
        ("who", "nobody", "{}", 401),
        ("none", "ada", "{}", 404),
        ("staff", "ada", "{}", 403),
        ("staff", "root", "{}", 200),
        ("broken", "ada", "{}", 503),
        ("bad", "ada", "{}", 422),
        ("open", "", "{}", 200),
        ("open", "", "[]", 400),
        ("open", "", "{" + " " * 1_000_001 + "}", 413),
    ],
)
async def test_f094_the_same_answers_as_in_the_shell(service, api, as_person, name, who, body, status):
    headers = as_(who) if who else {}
    answer = await service.post(f"/api/plugins/{name}/execute", content=body, headers=headers)
    assert answer.status_code == status
    if status != 413:  # the shell's own bound is the Gatekeeper's
        as_person({"ada": ADA, "root": ROOT}.get(who))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://shell") as shell:
            same = await shell.post(f"/api/execute/{name}", content=body)
        assert (same.status_code, same.json()) == (answer.status_code, answer.json())


async def test_f094_cookies_do_not_count_and_foreign_pages_write_nothing(service):
    assert (await service.get("/api/plugins", headers={"cookie": "mozaiks_session=x"})).status_code == 401
    refused = await service.post("/api/plugins/open/execute", json={}, headers={"origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "ORIGIN_REFUSED")


async def test_f094_a_real_token_and_a_cookie_with_the_same_secret(plugins_path, write, database):
    write("who", FORMS["who"])
    user = await register("ada", "correct horse battery", "ada@example.com")
    token, cookie = await open_session(user, kind="token"), await open_session(user)
    transport = httpx.ASGITransport(plugin_service(get_settings()))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            answer = await client.post("/api/plugins/who/execute", json={}, headers={"authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["id"]) == (200, user.id)
            for headers in ({"cookie": f"mozaiks_session={cookie}"}, {"authorization": f"Bearer {cookie}"}):
                assert (await client.post("/api/plugins/who/execute", json={}, headers=headers)).status_code == 401
    finally:
        loader.unload("who")


def test_f094_listens_on_loopback_unless_told(monkeypatch, plugins_path, settings):
    told = {}
    monkeypatch.setattr("mozaiks_shell.cli.plugin_service.uvicorn.run", lambda app, **options: told.update(options))
    monkeypatch.setattr("mozaiks_shell.cli.plugin_service.configure", lambda _: None)
    plugin_host()
    assert (told["host"], told["port"]) == ("127.0.0.1", 8090)


async def test_f100_plugin_status_is_for_administrators_where_it_is_switched_on(
    write, database, load, api, as_person, monkeypatch
):
    for name, files in FORMS.items():
        write(name, files)
    load()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        for switched in (False, True):
            monkeypatch.setattr(get_settings(), "debug_endpoints", switched)
            for person, status in {None: 401, ADA: 403, ROOT: 200 if switched else 404}.items():
                as_person(person)
                answer = await client.get("/api/debug/plugin-status")
                assert answer.status_code == status, (switched, person)
    told = {one["report"]["name"]: one for one in answer.json()["plugins"]}
    assert told["broken"]["report"]["cause"] == "syntax" and told["who"]["workers"] == []
    assert answer.json()["limits"]["timeout_seconds"] == 30
