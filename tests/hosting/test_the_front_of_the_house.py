"""What the running product answers before any page code: health, headers, statuses, redirects, refusals."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest


@pytest.fixture
def client(live):
    with httpx.Client(base_url=live.base, timeout=60) as opened:
        yield opened


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}


def test_health_and_its_older_name(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "app_id", "app_tier", "plugins_loaded"}
    assert answer.json()["status"] == "healthy" and answer.json()["app_id"] == "dev-app"
    assert client.get("/api/health").json() == answer.json()


def test_ready_and_info(client, live):
    told = client.get("/ready").json()
    assert told.pop("details")["runtime"] in {"starting", "unknown", "up"}
    assert told == {"status": "ready", "app_id": "dev-app", "app_tier": "free"}
    info = client.get("/info").json()
    assert info["app_id"] == "dev-app" and info["ready"] is True and info["port"] == live.port
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", info["version"])


@pytest.mark.parametrize("path", ["/health", "/", "/no-such-page", "/favicon.ico", "/api/no-such-route"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["x-mozaiks-runtime-version"]
    assert headers["x-correlation-id"].startswith("req_")
    assert "strict-transport-security" not in headers  # plain HTTP here


def test_correlation_ids_differ(client):
    assert client.get("/health").headers["x-correlation-id"] != client.get("/health").headers["x-correlation-id"]


def test_the_policy_of_a_page_allows_our_origin_and_no_eval(client):
    policy = directives(client.get("/no-such-page").headers["content-security-policy"])
    assert policy["default-src"] == ["'self'"] and policy["object-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"] and policy["base-uri"] == ["'self'"]
    assert "'unsafe-eval'" not in str(policy) and "'unsafe-inline'" not in policy["script-src"]
    for source in policy["script-src"]:
        assert source == "'self'" or source.startswith("'sha256-")
    for name, sources in policy.items():
        assert not [source for source in sources if "*" in source or ":/" in source], name


def test_a_page_that_does_not_exist_is_404_and_still_the_shell(client):
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html" in answer.text


def test_an_api_route_that_does_not_exist_is_404(client):
    assert client.get("/api/no-such-route").status_code == 404


@pytest.mark.parametrize("wanted", ["/", "/?tab=a&x=1%202"])
def test_a_guarded_page_sends_a_stranger_to_sign_in_and_remembers_where_to(client, wanted):
    answer = client.get(wanted)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert where.path == "/sign-in" and parse_qs(where.query)["next"] == [wanted]
    assert answer.content == b""


def test_built_files_are_kept_forever_and_pages_are_not(client):
    page = client.get("/no-such-page")
    script = re.search(r'"(/assets/[^"]+\.js)"', page.text)
    assert script
    assert "immutable" in client.get(script[1]).headers["cache-control"]
    assert page.headers["cache-control"] in {"no-cache", "no-store"}


def test_a_foreign_page_can_neither_read_nor_write(client):
    foreign = {"origin": "https://evil.example"}
    assert "access-control-allow-origin" not in client.get("/health", headers=foreign).headers
    assert client.post("/auth/sign-in", headers=foreign, data={"login": "a", "password": "b"}).status_code == 403
    assert client.post("/auth/sign-in", data={"login": "a", "password": "b"}).status_code == 403  # no origin at all
    cookie = {"cookie": "mozaiks_session=forged", **foreign}
    assert client.post("/api/anything", headers=cookie).status_code == 403
    assert client.delete("/api/anything", headers=cookie).status_code == 403


def test_a_forged_session_is_nobody(client):
    answer = client.get("/", headers={"cookie": "mozaiks_session=" + "x" * 43})
    assert answer.status_code == 303


def test_reflexs_upload_door_is_shut(client):
    """Reflex serves and accepts uploads without asking who; nothing here may mount that."""
    assert client.post("/_upload", files={"files": b"x"}).status_code in {403, 404, 405}
    assert client.get("/_upload/x").status_code == 404
