"""Every HTTP and WebSocket route of ours is guarded by the gate, or is on this list with its reason (D2)."""

from tests.invariants.product import assembled

GATE = "mozaiks_shell.billing.http_gate:needs."
OPEN = {
    "/health": "liveness, says nothing private",
    "/api/health": "the same, older name",
    "/ready": "readiness",
    "/info": "identity of the app",
}
OWN_CHECK = {
    "/ws/chat": "a socket: cookie session and Origin are checked before accept, see test_sockets_refuse_foreign_origins",
}


def routes() -> list[dict]:
    return assembled()["routes"]


def test_every_route_is_guarded_or_open_on_purpose():
    bare = {
        route["path"]: route["endpoint"]
        for route in routes()
        if route["path"] not in OPEN | OWN_CHECK and not any(guard.startswith(GATE) for guard in route["guards"])
    }
    assert bare == {}


def test_the_lists_name_nothing_that_is_gone():
    assert set(OPEN | OWN_CHECK) - {route["path"] for route in routes()} <= set(OWN_CHECK)


def test_every_api_answer_lives_under_a_known_prefix():
    known = ("/api/", "/auth/", "/ws/", "/.well-known/", "/brand/", "/__mozaiks/", "/health", "/ready", "/info", "/metrics")
    assert [route["path"] for route in routes() if not route["path"].startswith(known)] == []
