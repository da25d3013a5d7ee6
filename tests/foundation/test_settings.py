"""Settings that would open a door stop the start, each named (F-228)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from mozaiks_shell.foundation.settings import Settings, explain

EC = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    try:
        Settings(_env_file=None)
    except ValidationError as error:
        return explain(error)
    return []


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example.com", "null", "https://a.example/path", "ws://a.example", "a.example"]
)
def test_only_plain_origins_may_be_added(monkeypatch, origins):
    found = problems(monkeypatch, ADDITIONAL_CORS_ORIGINS=f"https://good.example,{origins}")
    assert len(found) == 1
    assert found[0].startswith("ADDITIONAL_CORS_ORIGINS")


@pytest.mark.parametrize("url", ["https://host/path?x", "https://", "ws://host", "https://user@host", "host"])
def test_the_public_url_is_an_origin(monkeypatch, url):
    assert [line.partition(":")[0] for line in problems(monkeypatch, MOZAIKS_PUBLIC_URL=url)] == ["MOZAIKS_PUBLIC_URL"]


def test_origins_are_compared_in_lower_case(monkeypatch):
    monkeypatch.setenv("MOZAIKS_PUBLIC_URL", "HTTPS://App.Example.com/")
    monkeypatch.setenv("ADDITIONAL_CORS_ORIGINS", "https://B.example:8443, http://localhost:5000/")
    assert Settings(_env_file=None).allowed_origins == [
        "https://app.example.com",
        "https://b.example:8443",
        "http://localhost:5000",
    ]


def test_production_demands_an_app_id_and_https(monkeypatch):
    found = problems(monkeypatch, ENV="production", MOZAIKS_PUBLIC_URL="http://app.example.com")
    assert [line.partition(":")[0] for line in found] == ["MOZAIKS_APP_ID", "MOZAIKS_PUBLIC_URL"]
    assert problems(monkeypatch, MOZAIKS_APP_ID="shop", MOZAIKS_PUBLIC_URL="https://app.example.com") == []


def test_production_may_be_tried_on_loopback(monkeypatch):
    assert problems(monkeypatch, ENV="production", MOZAIKS_APP_ID="shop") == []


@pytest.mark.parametrize("key", ["garbage", EC])
def test_a_signing_key_that_cannot_sign_is_named_and_not_printed(monkeypatch, key):
    found = problems(monkeypatch, MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY=key)
    assert [line.partition(":")[0] for line in found] == ["MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY"]
    assert key not in found[0]


def test_a_webhook_secret_of_separators_is_none(monkeypatch):
    found = problems(monkeypatch, MOZAIKS_BILLING_PROVIDER="stripe", STRIPE_SECRET_KEY="sk_test_1", STRIPE_WEBHOOK_SECRET=" , ")
    assert [line.partition(":")[0] for line in found] == ["STRIPE_WEBHOOK_SECRET"]


def test_all_contradictions_are_named_at_once(monkeypatch):
    found = problems(
        monkeypatch, MOZAIKS_OIDC_AUTHORITY="https://issuer.example", MOZAIKS_BILLING_PROVIDER="stripe", ENV="production"
    )
    assert [line.partition(":")[0] for line in found] == [
        "MOZAIKS_APP_ID",
        "MOZAIKS_OIDC_CLIENT_ID",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ]


def test_several_workers_need_what_they_share(monkeypatch):
    found = problems(monkeypatch, WEB_CONCURRENCY="2")
    assert [line.partition(":")[0] for line in found] == ["WEB_CONCURRENCY"] * 2
    assert "DATABASE_URL" in found[0]
    assert "REDIS_URL" in found[1]
    shared = {"DATABASE_URL": "postgresql://shell@db/shell", "REDIS_URL": "redis://redis"}
    assert problems(monkeypatch, WEB_CONCURRENCY="2", **shared) == []
