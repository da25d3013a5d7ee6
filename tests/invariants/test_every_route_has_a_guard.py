"""Every HTTP and WebSocket route of ours is guarded by the gate, or is on this list with its reason (D2)."""

import re

import httpx
import pytest

from tests.invariants.product import assembled

GATES = (
    "mozaiks_shell.billing.http_gate:needs.",
    "mozaiks_shell.identity.web:signed_in",
    "mozaiks_shell.plugin_host.routes:_gate.",
)
OPEN = {
    "/health": "liveness, says nothing private",
    "/api/health": "the same, older name",
    "/ready": "readiness",
    "/info": "identity of the app",
    "/metrics": "counters; answers to loopback or a token only",
    "/.well-known/jwks.json": "public keys",
    "/brand/theme.css": "looks",
    "/api/theme-config": "looks",
    "/api/current-theme": "looks; the sign-in page wears it too",
    "/api/change-theme": "a visitor's choice is a cookie only",
    "/brand/boot.js": "what a page may know before anybody signs in",
    "/auth/locale": "the language of this browser",
    "/embed.js": "a script that is the same for everybody",
    "/api/embed/allowed": "a page learns whether it may embed the chat, of itself only",
    "/sitemap.xml": "public pages",
    "/robots.txt": "for search engines",
    "/brand/logo": "looks",
    "/brand/favicon": "looks",
    "/brand/assets/{path:path}": "looks",
    "/brand/wordmark": "looks",
    "/brand/background": "looks",
    "/brand/loading": "looks",
    "/api/themes/{app_id}": "looks",
    "/brand/icons/{name}": "looks",
    "/manifest.webmanifest": "looks, and names of pages",
    "/offline": "what is shown without a connection",
    "/offline.js": "its script",
    "/register-worker.js": "installs the service worker",
    "/sw.js": "the service worker",
    "/api/app-config": "what a page may know before anybody signs in",
    "/api/subscription-plans": "the price list",
    "/login": "the older name of the sign-in page",
    "/auth/sign-in": "how one gets a session",
    "/auth/register": "how one gets an account",
    "/auth/sign-out": "harmless without a session",
    "/auth/logout": "harmless without a session",
    "/api/auth/logout": "harmless without a session",
    "/api/auth/register": "how one gets an account",
    "/api/auth/token": "how one gets a token",
    "/auth/oidc/start": "off to the issuer",
    "/auth/oidc/sign-out": "off to the issuer",
    "/auth/oidc/callback": "back from the issuer; state and nonce are checked",
    "/auth/callback": "the same, older name",
    "/__mozaiks/hot/{name}": "development only: script and style of the notice about a saved file",
}
OWN_CHECK = {
    "/auth/embed": "the ticket in the body is what is checked",
    "/ws/chat": "a socket: cookie session and Origin are checked at its start",
    "/api/execute/{name}": "each plugin says in its manifest who may call it",
    "/api/auth/validate": "the token in the body is what is checked",
    "/api/billing/webhook/{seller}": "the provider's signature is checked",
    "/ws/hot": "development only, a socket: Origin is checked at its start",
    "/ws/live": "a socket: cookie session and Origin are checked at its start",
    "/ws/notifications/{user}": "the same",
    "/ws/{workflow}/{app_id}/{chat_id}/{user_id}": "a socket: session or token, Origin, person and owner at its start",
}


def routes() -> list[dict]:
    return assembled()["routes"]


def guarded(route: dict) -> bool:
    return any(guard.startswith(GATES) for guard in route["guards"])


def test_every_route_is_guarded_or_open_on_purpose():
    listed = OPEN | OWN_CHECK
    bare = {route["path"]: route["endpoint"] for route in routes() if route["path"] not in listed and not guarded(route)}
    assert bare == {}


def test_what_is_guarded_is_not_on_the_list():
    assert [route["path"] for route in routes() if route["path"] in OPEN and guarded(route)] == []


def test_every_route_lives_under_a_known_prefix():
    known = (
        "/api/",
        "/auth/",
        "/ws/",
        "/.well-known/",
        "/brand/",
        "/__mozaiks/",
        "/embed.js",
        "/health",
        "/ready",
        "/info",
        "/metrics",
        "/login",
        "/manifest.webmanifest",
        "/offline",
        "/register-worker.js",
        "/robots.txt",
        "/sitemap.xml",
        "/sw.js",
    )
    assert [route["path"] for route in routes() if not route["path"].startswith(known)] == []


@pytest.mark.parametrize("cookie", ["", "mozaiks_session=" + "x" * 43], ids=["no session", "a forged one"])
def test_a_guarded_route_answers_a_stranger_401(live, cookie):
    wrong = {}
    with httpx.Client(
        base_url=live.base, headers={"origin": live.base, **({"cookie": cookie} if cookie else {})}, timeout=60
    ) as client:
        for route in filter(guarded, routes()):
            path = re.sub(r"\{[^}]+\}", "x", route["path"])
            for method in set(route["methods"]) - {"HEAD", "WS"}:
                answer = client.request(method, path, json={} if method != "GET" else None)
                if answer.status_code != 401 or answer.json().get("code") != "NOT_SIGNED_IN":
                    wrong[f"{method} {path}"] = (answer.status_code, answer.text[:120])
    assert wrong == {}


def test_a_route_for_administrators_answers_others_403(live, people):
    """Whatever lives under an admin prefix refuses a person without the role."""
    wrong = {}
    with people.ada.client() as client:
        for route in routes():
            if "/admin" in route["path"]:
                for method in set(route["methods"]) - {"HEAD", "WS"}:
                    answer = client.request(method, re.sub(r"\{[^}]+\}", "x", route["path"]))
                    if answer.status_code != 403:
                        wrong[f"{method} {route['path']}"] = answer.status_code
    assert wrong == {}
