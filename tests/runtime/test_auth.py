"""Every refusal of protocol §3.2, over HTTP with its own text and over WebSocket as a bare 403."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

START = "/api/chats/app1/Assistant/start"


def _bad_tokens(keys: Any) -> dict[str, tuple[str | None, int, str]]:
    hour = int(time.time()) - 3600
    return {
        "none": (None, 401, "Missing authorization token"),
        "garbage": ("not-a-token", 401, "Invalid token format"),
        "three parts": ("a.b.c", 401, "Invalid token format"),
        "no kid": (keys.mint(kid=None), 401, "Token missing key ID (kid)"),
        "unknown kid": (keys.mint(kid="other"), 401, "Invalid signing key"),
        "signature": (keys.mint(key=keys.stranger), 401, "Invalid token signature"),
        "expired": (keys.mint(exp=hour), 401, "Token has expired"),
        "no exp": (keys.mint(exp=None), 401, "Token missing exp claim"),
        "audience": (keys.mint(aud="somebody-else"), 401, "Invalid token audience"),
        "issuer": (keys.mint(iss="https://evil.test"), 401, "Invalid token issuer"),
        "no sub": (keys.mint(None), 401, "Token missing sub claim"),
        "keycloak scope": (keys.mint(scp=None, scope="openid"), 403, "Missing required scope: openid"),
        "other app": (keys.mint(app_id="app2"), 403, "Token app_id does not match request app_id"),
        "other app, own claim": (
            keys.mint(app_id=None, mozaiks_app_id="app2"),
            403,
            "Token app_id does not match request app_id",
        ),
    }


CASES = [
    "none", "garbage", "three parts", "no kid", "unknown kid", "signature", "expired", "no exp", "audience",
    "issuer", "no sub", "keycloak scope", "other app", "other app, own claim",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_bad_tokens_are_refused(runtime: Any, keys: Any, case: str) -> None:
    token, status, detail = _bad_tokens(keys)[case]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = runtime.request("POST", START, headers=headers, json={"user_id": "u1"})
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    with pytest.raises(InvalidStatus) as refusal:
        async with runtime.socket("Assistant", "c1", "u1", token=token or ""):
            pass
    assert refusal.value.response.status_code == 403


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_hmac_tokens_with_a_public_key_are_refused(runtime: Any, keys: Any) -> None:
    claims = {"sub": "u1", "iss": "https://shell.test", "aud": "mozaiks-app", "exp": time.time() + 60}
    parts = [{"alg": "HS256", "kid": "k1"}, claims | {"scp": "openid"}]
    signed = ".".join(_b64(json.dumps(part).encode()) for part in parts)
    mac = hmac.new(keys.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{_b64(mac)}"
    answer = runtime.request("POST", START, headers={"Authorization": f"Bearer {forged}"}, json={})
    assert answer.status_code == 401


def test_good_tokens(runtime: Any, keys: Any) -> None:
    for claims in ({}, {"scp": ["profile", "openid"]}, {"app_id": None}, {"exp": int(time.time()) - 30}):
        answer = runtime.request("POST", START, headers=runtime.headers("u1", **claims), json={})
        assert answer.status_code == 200, (claims, answer.text)
    in_query = runtime.request("GET", f"/api/chats/app1/Assistant?access_token={keys.mint('u1')}", headers={})
    assert in_query.status_code == 200


def test_acting_for_others_is_refused(runtime: Any) -> None:
    answer = runtime.request("POST", START, "u1", json={"user_id": "u2"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "user_id in request body does not match authenticated user"
    answer = runtime.request("GET", "/api/sessions/list/app1/u2", "u1")
    assert answer.json() == {"detail": "user_id in path does not match authenticated user"}
    for path in ("/api/sessions/list/app2/u1", "/api/sessions/recent/app2/u1", "/api/chats/app2/Assistant"):
        assert runtime.request("GET", path, "u1").status_code == 403


def test_endpoints_for_any_token(runtime: Any) -> None:
    for path in ("/api/health", "/api/workflows", "/api/workflows/Assistant/tools"):
        assert runtime.request("GET", path, headers={}).status_code == 401
        assert runtime.request("GET", path, headers=runtime.headers("u1", scp=None)).status_code == 200


def test_the_description_of_the_api_is_not_for_strangers(runtime: Any, spawn: Any) -> None:
    for path in ("/openapi.json", "/docs", "/redoc"):
        assert runtime.request("GET", path, headers={}).status_code == 404
    assert spawn(auth=False).request("GET", "/openapi.json").status_code == 200


async def test_socket_takes_the_token_from_the_query_only(runtime: Any, keys: Any) -> None:
    url = runtime.url.replace("http", "ws", 1) + "/ws/Assistant/app1/c1/u1"
    good = keys.mint("u1")
    for options in (
        {"additional_headers": {"Authorization": f"Bearer {good}"}},
        {"subprotocols": ["mozaiks", good]},
    ):
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(url, **options):
                pass
        assert refusal.value.response.status_code == 403


async def test_socket_binds_user_chat_and_workflow(runtime: Any, user: str) -> None:
    chat = runtime.start("Assistant", user)["chat_id"]
    refused = [
        ("Assistant", chat, "somebody", {"token": runtime.keys.mint(user)}),
        ("Assistant", chat, user, {"chat_id": "another"}),
        ("Assistant", chat, user, {"mozaiks_chat_id": "another"}),
        ("Assistant", chat, "thief", {}),
        ("ProjectBrief", chat, user, {}),
    ]
    for workflow, chat_id, who, options in refused:
        with pytest.raises(InvalidStatus) as refusal:
            async with runtime.socket(workflow, chat_id, who, **options):
                pass
        assert refusal.value.response.status_code == 403
    async with runtime.socket("Assistant", chat, user, mozaiks_chat_id=chat) as wire:
        assert (await wire.next())["data"]["chat_id"] == chat


def test_a_users_chats_are_hidden_from_others(runtime: Any, user: str) -> None:
    chat = runtime.start("Assistant", user)["chat_id"]
    for what in ("exists", "meta"):
        path = f"/api/chats/{what}/app1/Assistant/{chat}"
        assert runtime.request("GET", path, user).json()["exists"] is True
        assert runtime.request("GET", path, "u2").json() == {"exists": False}
    assert chat not in runtime.request("GET", "/api/chats/app1/Assistant", "u2").json()["chat_ids"]
    answer = runtime.request("POST", f"/chat/app1/{chat}/u2/input", "u2", json={"message": "x"})
    assert answer.status_code == 404


async def test_auth_off_believes_the_caller(spawn: Any) -> None:
    open_runtime = spawn(auth=False)
    refused = open_runtime.request("POST", START, json={})
    assert (refused.status_code, refused.json()) == (400, {"detail": "user_id is required"})
    first = open_runtime.start("Assistant", "ann")
    open_runtime.start("Assistant", "bob")
    listed = open_runtime.request("GET", "/api/chats/app1/Assistant?user_id=ann").json()
    assert listed == {"chat_ids": [first["chat_id"]]}
    async with open_runtime.socket("Assistant", first["chat_id"], "ann") as wire:
        assert (await wire.next())["type"] == "chat_meta"


@pytest.mark.parametrize("told", [True, False], ids=["told the first key", "told no key"])
def test_keys_are_fetched_and_each_rotation_is_noticed(spawn: Any, keys: Any, http_server: Any, told: bool) -> None:
    """A child that lives on through two rotations takes the newest key and the one before, and no longer the first."""
    from joserfc.jwk import RSAKey

    served: dict[str, Any] = {"keys": []}

    def jwks(request: Any, _: bytes) -> None:
        body = json.dumps(served).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    served["keys"] = keys.jwks["keys"]
    fetching = spawn(jwks=keys.jwks if told else None, jwks_url=http_server(jwks) + "/jwks.json")

    def status(token: str) -> int:
        answer = fetching.request("GET", "/api/health", headers={"Authorization": f"Bearer {token}"})
        return int(answer.status_code)

    def becomes(wanted: int, token: str) -> bool:
        deadline = time.monotonic() + 60
        while (found := status(token)) != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        return found == wanted

    first = keys.mint()
    assert status(first) == 200
    second, third = (RSAKey.generate_key(2048, {"kid": kid}, auto_kid=False) for kid in ("k2", "k3"))
    served["keys"] = [second.as_dict(private=False), *keys.jwks["keys"]]
    with_second = keys.mint(key=second, kid="k2")
    assert becomes(200, with_second) and status(first) == 200, "the key before is good until its tokens are over"
    served["keys"] = [third.as_dict(private=False), second.as_dict(private=False)]
    assert becomes(200, keys.mint(key=third, kid="k3")) and status(with_second) == 200
    assert status(first) == 401, "a key that is published no more still opens"
    assert fetching.process.poll() is None


def test_unreachable_keys_are_told_apart_from_bad_tokens(spawn: Any) -> None:
    blind = spawn(jwks=None, jwks_url="http://127.0.0.1:9/jwks.json")
    answer = blind.request("GET", "/api/health")
    assert (answer.status_code, answer.json()) == (503, {"detail": "Signing keys are not available"})
