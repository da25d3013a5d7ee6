"""F-158: an app token opens what plugins answer, the notifications of programs and the builds of the app; no route, page or
socket besides."""

import re

import httpx
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mozaiks_shell.identity.app_tokens import MARK, needed_scope
from tests.invariants.product import assembled

OPENED = re.compile(r"/api/execute/\{name\}|/api/plugins/.+")
EVERYTHING = {"name": "all", "scopes": ["plugins:*", "notifications", "builds"], "days": 1}


def ways() -> list[tuple[str, str]]:
    """Method and path of every HTTP route."""
    found = [(method, route["path"]) for route in assembled()["routes"] for method in route["methods"]]
    return sorted({one for one in found if one[0] not in {"WS", "MOUNT", "HEAD"}})


def test_scopes_reach_plugins_notifications_builds_and_tickets_only():
    opened = {(method, path) for method, path in ways() if needed_scope(method, re.sub(r"\{[^}]+\}", "x", path))}
    beyond = {one for one in opened if not OPENED.fullmatch(one[1])}
    builds = {"builds", "builds/latest", "build-latest", "builds/{build_id}", "builds/{build_id}/export"}
    assert beyond == {
        ("POST", "/api/notifications"),
        ("POST", "/api/apps/{app_id}/build-events"),
        ("POST", "/api/embed/tickets"),
        *(("GET", f"/api/apps/{{app_id}}/{path}") for path in builds),
    }
    assert any(path == "/api/execute/{name}" for _, path in opened)


@pytest.mark.parametrize(
    "path", ["/api//execute/x", "/api/execute/x/y", "/api/plugins/x", "/API/execute/x", "/api/execute/", "/api/apps/a/builds"]
)
def test_addresses_that_only_look_alike_are_not_opened(path):
    assert needed_scope("POST", path) == ""


def test_no_other_route_takes_one_and_a_bad_one_is_never_a_visitor(live, people):
    with people.root.client() as root:
        made = root.post("/api/admin/app-tokens", json=EVERYTHING)
        assert made.status_code == 201, made.text
    wrong = {}
    bad = MARK + "x" * 43
    for token, status, code in ((made.json()["token"], 403, "SCOPE_MISSING"), (bad, 401, "APP_TOKEN_INVALID")):
        with httpx.Client(base_url=live.base, headers={"authorization": f"Bearer {token}"}, timeout=60) as program:
            for method, path in ways():
                address = re.sub(r"\{[^}]+\}", "x", path)
                if not address.startswith("/api/") or (status == 403 and needed_scope(method, address)):
                    continue
                answer = program.request(method, address, json={} if method != "GET" else None)
                if (answer.status_code, answer.json().get("code")) != (status, code):
                    wrong[f"{method} {path}"] = (answer.status_code, answer.text[:100])
    assert wrong == {}


@pytest.mark.parametrize("path", ["/ws/chat", "/ws/live", "/ws/notifications/_"])
async def test_no_socket_takes_one(live, people, path):
    with people.root.client() as root:
        made = root.post("/api/admin/app-tokens", json=EVERYTHING)
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    where = live.base.replace("http", "ws", 1) + path
    with pytest.raises((ConnectionClosed, InvalidStatus)):
        async with websockets.connect(where, origin=live.base, additional_headers=headers, open_timeout=60) as socket:
            await socket.recv()
