"""F-158: what a program with an app token may do, and all it may not."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import app_tokens
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.accounts import find_login
from mozaiks_shell.identity.app_token_routes import router as token_routes
from mozaiks_shell.identity.models import AppToken, User
from mozaiks_shell.identity.routes import router as accounts
from mozaiks_shell.notifications.routes import router as notes
from mozaiks_shell.notifications.service import listing

ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses_root")
Client = Callable[[str], httpx.AsyncClient]


def echo() -> dict[str, object]:
    person = current_principal()
    assert person is not None
    return {"user_id": person.user_id, "name": person.name, "roles": sorted(person.roles)}


@pytest.fixture
async def people(database) -> dict[str, Principal]:
    """Root, the first account and an administrator, and Ada."""
    for name in ("root", "ada"):
        await identity.register(name, "correct horse battery", f"{name}@example.com", name.title())
    return {name: identity.principal_of(await find_login(name)) for name in ("root", "ada")}


@pytest.fixture
async def with_bearer(people) -> AsyncIterator[Client]:
    """A program with this bearer, in front of the real gatekeeper; two routes stand for a plugin's."""
    api = FastAPI()
    problems.install(api)
    for router in (notes, token_routes, accounts):
        api.include_router(router)
    for name in ("tasks", "notes"):
        api.add_api_route(f"/api/plugins/{name}/echo", echo, methods=["GET", "POST"])
        api.add_api_route(f"/api/execute/{name}", echo, methods=["POST"])
    async with contextlib.AsyncExitStack() as stack:

        def build(token: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(Gatekeeper(api, get_settings(), lambda: ""))
            client = httpx.AsyncClient(
                transport=transport, base_url=get_settings().origin, headers={"authorization": f"Bearer {token}"}
            )
            stack.push_async_callback(client.aclose)
            return client

        yield build


async def make(*scopes: str, **more: object) -> tuple[str, str]:
    """(secret, id) of a token of the app."""
    secret, told = await app_tokens.create(ROOT, "follow-up", list(scopes), **more)  # type: ignore[arg-type]
    return secret, told["id"]


async def test_a_scope_opens_what_it_names_and_nothing_else(with_bearer):
    secret, token_id = await make("plugins:tasks")
    program = with_bearer(secret)
    done = await program.post("/api/execute/tasks", json={"action": "create", "task": {"title": "Follow up"}})
    assert (done.status_code, done.json()["user_id"]) == (200, token_id)
    assert (await program.get("/api/plugins/tasks/echo")).status_code == 200
    for method, path in (
        ("POST", "/api/execute/notes"), ("GET", "/api/plugins/notes/echo"), ("POST", "/api/notifications"),
        ("GET", "/api/notifications"), ("GET", "/api/user-profile"), ("GET", "/api/auth/validate-token"),
        ("GET", "/api/admin/app-tokens"), ("POST", "/api/admin/app-tokens"), ("POST", "/api/auth/logout"),
        ("GET", "/api/plugins"), ("POST", "/api/plugins"), ("POST", "/api/execute/tasks/"), ("GET", "/"),
    ):  # fmt: skip
        refused = await program.request(method, path, json={} if method == "POST" else None)
        if path == "/":
            assert refused.status_code != 200
            continue
        assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE_MISSING"), path
    wide = with_bearer((await make("plugins:*"))[0])
    assert (await wide.post("/api/execute/notes", json={})).status_code == 200
    assert (await wide.post("/api/notifications", json={"message": "x"})).status_code == 403


async def test_revoked_expired_unknown_and_foreign_tokens_are_401(with_bearer, people, monkeypatch, later):
    secret, token_id = await make("plugins:tasks", days=1)
    program = with_bearer(secret)

    async def code() -> tuple[int, str]:
        answer = await program.post("/api/execute/tasks", json={})
        return answer.status_code, answer.json().get("code", "")

    assert (await code())[0] == 200
    later(hours=25)
    assert await code() == (401, "APP_TOKEN_INVALID")
    later(hours=0)
    monkeypatch.setenv("MOZAIKS_APP_ID", "other-app")
    get_settings.cache_clear()
    assert await code() == (401, "APP_TOKEN_INVALID"), "a token of another app was taken"
    monkeypatch.delenv("MOZAIKS_APP_ID")
    get_settings.cache_clear()
    assert (await code())[0] == 200
    await app_tokens.revoke(ROOT, token_id)
    assert await code() == (401, "APP_TOKEN_INVALID")
    for wrong in ("mzk_" + "x" * 43, "mzk_", "mzk_" + "x" * 500):
        answer = await with_bearer(wrong).post("/api/execute/tasks", json={})
        assert (answer.status_code, answer.json()["code"]) == (401, "APP_TOKEN_INVALID")
    assert await identity.resolve(secret, "token") is None, "it passes as a person's token"
    assert await identity.principal_from("", f"Bearer {secret}") is None


async def test_a_token_for_a_person_is_that_person_without_an_administrators_rights(with_bearer, people):
    ada, _ = await make("plugins:tasks", acts_for=people["ada"].user_id)
    root, _ = await make("plugins:tasks", acts_for=people["root"].user_id)
    told = (await with_bearer(ada).post("/api/execute/tasks", json={})).json()
    assert (told["user_id"], told["name"]) == (people["ada"].user_id, "Ada")
    told = (await with_bearer(root).post("/api/execute/tasks", json={})).json()
    assert told["user_id"] == people["root"].user_id and not {"admin", "superadmin"} & set(told["roles"])
    async with db.system_session() as opened:
        (await opened.execute(select(User).where(col(User.id) == people["ada"].user_id))).scalars().one().disabled = True
    assert (await with_bearer(ada).post("/api/execute/tasks", json={})).status_code == 401
    with pytest.raises(NotFound):
        await make("plugins:tasks", acts_for=people["ada"].user_id)


async def test_a_notification_reaches_the_person_it_is_for(with_bearer, people):
    ada, root = people["ada"].user_id, people["root"].user_id
    own = with_bearer((await make("notifications", acts_for=ada))[0])
    assert (await own.post("/api/notifications", json={"message": "Your report is ready"})).status_code == 201
    assert (await own.post("/api/notifications", json={"message": "x", "user_id": root})).status_code == 403
    rows, unread = await listing(db.Scope("dev-app", ada))
    assert ([row.message for row in rows], unread, rows[0].title) == (["Your report is ready"], 1, "follow-up")
    of_app = with_bearer((await make("notifications"))[0])
    assert (await of_app.post("/api/notifications", json={"message": "Hi", "user_id": root})).status_code == 201
    assert (await of_app.post("/api/notifications", json={"message": "Hi"})).status_code == 422
    assert (await of_app.post("/api/notifications", json={"message": "Hi", "user_id": "usr_nobody"})).status_code == 404
    for link in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert (await of_app.post("/api/notifications", json={"message": "Hi", "user_id": root, "link": link})).status_code == 422


async def test_people_do_not_raise_notifications_with_their_own_session(with_bearer, people):
    token = await identity.open_session(await find_login("ada"), kind="token")
    answer = await with_bearer(token).post("/api/notifications", json={"message": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "APP_TOKEN_NEEDED")


async def test_calls_are_limited_per_token(with_bearer, monkeypatch):
    monkeypatch.setattr(app_tokens, "CALLS_PER_MINUTE", 3)
    program, other = with_bearer((await make("plugins:tasks"))[0]), with_bearer((await make("plugins:tasks"))[0])
    codes = [(await program.post("/api/execute/tasks", json={})).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert int((await program.post("/api/execute/tasks", json={})).headers["retry-after"]) >= 1
    assert (await other.post("/api/execute/tasks", json={})).status_code == 200


async def test_administrators_make_list_and_revoke_and_the_secret_is_shown_once(with_bearer, people, heard, capsys):
    root, ada = [
        with_bearer(await identity.open_session(await find_login(name), kind="token")) for name in ("root", "ada")
    ]  # fmt: skip
    assert (await ada.get("/api/admin/app-tokens")).status_code == 403
    made = await root.post("/api/admin/app-tokens", json={"name": "n8n", "scopes": ["plugins:tasks", "notifications"], "days": 7})
    assert made.status_code == 201
    secret, token_id = made.json()["token"], made.json()["id"]
    assert secret.startswith(made.json()["prefix"]) and len(made.json()["prefix"]) == 12
    assert (await with_bearer(secret).post("/api/execute/tasks", json={})).status_code == 200
    (shown,) = (await root.get("/api/admin/app-tokens")).json()["tokens"]
    assert (shown["state"], shown["scopes"], bool(shown["used_at"])) == ("active", ["notifications", "plugins:tasks"], True)
    assert (await root.delete(f"/api/admin/app-tokens/{token_id}")).status_code == 204
    assert (await root.delete(f"/api/admin/app-tokens/{token_id}")).status_code == 204
    assert (await root.delete("/api/admin/app-tokens/tok_none")).status_code == 404
    (shown,) = (await root.get("/api/admin/app-tokens")).json()["tokens"]
    assert shown["state"] == "revoked"
    acts = [row.act for row in await audit.latest() if row.act.startswith("app_token.")]
    assert sorted(acts) == ["app_token.created", "app_token.revoked"]
    async with db.system_session() as opened:
        row = (await opened.execute(select(AppToken))).scalars().one()
        stored = json.dumps(row.model_dump(mode="json"))
    written = "".join(capsys.readouterr())
    for place in (stored, json.dumps([event.data for event in heard]), written, json.dumps(shown)):
        assert secret not in place and secret.removeprefix("mzk_")[8:] not in place


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ["notifications"], 1), ("x" * 81, ["notifications"], 1), ("a\nb", ["notifications"], 1), ("n", [], 1),
     ("n", ["admin"], 1), ("n", ["plugins:a b"], 1), ("n", ["*"], 1), ("n", ["notifications"], 0),
     ("n", ["notifications"], 367), ("n", ["notifications"], float("nan"))],
)  # fmt: skip
async def test_what_no_token_can_be(database, name, scopes, days):
    with pytest.raises(Invalid):
        await app_tokens.create(ROOT, name, scopes, days=days)
