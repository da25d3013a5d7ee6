"""Execution tokens (F-148, F-149; abuse 21 to 23): accepted by the published rules, keys that rotate under load."""

import asyncio
import base64
import hmac
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select, update
from typer.testing import CliRunner, Result

from mozaiks_shell.audit.service import latest
from mozaiks_shell.broker import keys, runtime_process, tokens
from mozaiks_shell.broker.models import SigningKey
from mozaiks_shell.cli.main import app
from mozaiks_shell.foundation import clock, db
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Unavailable
from mozaiks_shell.foundation.settings import explain, get_settings
from tests.broker.strict import Refused, Rules

ROOT = Path(__file__).resolve().parents[2]
ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user", "editor"}), "ses")
HERE = {"app": "dev-app", "user": "usr_ada", "chat": "c1", "workflow": "Assistant"}


@pytest.fixture
def rules(database):
    keys.forget()
    yield Rules(tokens.jwks, cache_seconds=0)
    clock.use(None)
    keys.forget()


def kid(token: str) -> str:
    return jws.extract_compact(token.encode()).headers()["kid"]


async def mint(**more) -> str:
    return await tokens.mint(ADA, **{"workflow": "Assistant", "plan": "pro", "chat_id": "c1", **more})


async def shift(**lengths) -> None:
    """Every key is so much older."""
    length = timedelta(**lengths)
    async with db.system_session() as opened:
        for row in (await opened.execute(select(SigningKey))).scalars():
            row.created_at -= length
            row.activated_at = row.activated_at and row.activated_at - length
            row.retired_at = row.retired_at and row.retired_at - length
    keys.forget()


async def test_claims_are_complete_and_the_published_rules_accept_them(rules):
    claims = await rules.socket(await mint(capability_id="assistant"), HERE)
    assert claims["exp"] - claims["iat"] == 600
    assert len(claims["jti"]) >= 16
    expected = {
        "iss": "mozaikscore",
        "aud": "mozaiks-app",
        "mozaiks_token_use": "execution",
        "app_id": "dev-app",
        "tenant": "dev-app",
        "workflow_id": "Assistant",
        "workflow_name": "Assistant",
        "capability_id": "assistant",
        "user_id": "usr_ada",
        "plan": "pro",
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims["roles"] == ["editor", "user"]
    assert claims["is_superadmin"] is False
    assert claims["chat_id"] == claims["mozaiks_chat_id"] == "c1"
    assert (await mint()) != (await mint()), "two tokens with one jti"
    for wrong in ({"app": "other"}, {"user": "usr_eve"}, {"chat": "c2"}):
        with pytest.raises(Refused, match="^403"):
            await rules.socket(await mint(), {**HERE, **wrong})


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"sub": ""}, "401 Token missing sub claim"),
        ({"sub": "usr_eve"}, "403 user"),
        ({"aud": "someone-else"}, "401 Invalid token audience"),
        ({"iss": "someone-else"}, "401 Invalid token issuer"),
        ({"exp": 1}, "401 Token has expired"),
        ({"scp": "profile"}, "403 Missing required scope: openid"),
        ({"mozaiks_app_id": "other"}, "403 app"),
        ({"mozaiks_chat_id": "c2"}, "403 chat"),
    ],
)
async def test_each_claim_altered_is_refused(rules, change, answer):
    claims = await rules.claims(await mint())
    key = (await keys.ring()).signing
    altered = jwt.encode({"alg": "RS256", "kid": key.kid}, {**claims, **change}, key)
    with pytest.raises(Refused, match=answer):
        await rules.socket(altered, HERE)
    forged = jwt.encode({"alg": "RS256", "kid": key.kid}, {**claims, **change}, RSAKey.generate_key(2048))
    with pytest.raises(Refused, match="401 Invalid token signature"):
        await rules.socket(forged, HERE)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(told: dict) -> str:
    return _encoded(json.dumps(told).encode())


async def test_what_is_no_token_of_ours_is_refused(rules):
    token = await mint()
    head, body, signature = token.split(".")
    key = (await keys.ring()).signing
    claims = await rules.claims(token)
    hs256 = _part({"alg": "HS256", "kid": key.kid}) + "." + _part(claims)
    with_public_key = _encoded(hmac.digest(key.as_pem(private=False), hs256.encode(), "sha256"))
    refusals = {
        "": "Missing authorization token",
        "nonsense": "Invalid token format",
        f"{head}.{body[:-4]}AAAA.{signature}": "Invalid token signature",
        jwt.encode({"alg": "RS256"}, claims, key): "Token missing key ID",
        jwt.encode({"alg": "RS256", "kid": "other"}, claims, key): "Invalid signing key",
        f"{hs256}.{with_public_key}": "Invalid token",
        f"{_part({'alg': 'none', 'kid': key.kid})}.{body}.": "Invalid token",
    }
    for bad, answer in refusals.items():
        with pytest.raises(Refused, match=f"401 {answer}"):
            await rules.claims(bad)


async def test_no_private_part_is_published_and_the_kid_is_the_thumbprint(rules):
    active, following = (await tokens.jwks())["keys"]
    assert set(active) == set(following) == {"kty", "n", "e", "kid", "use", "alg"}
    signing = (await keys.ring()).signing
    assert active["kid"] == signing.kid == RSAKey.import_key(signing.as_pem(private=True)).thumbprint()
    assert kid(await mint()) == active["kid"]


async def test_rotation_next_active_retired_gone(rules):
    first = await mint()
    following = (await tokens.jwks())["keys"][1]["kid"]
    with pytest.raises(Conflict, match="published for an hour"):
        await keys.rotate()
    await shift(minutes=61)
    assert await keys.rotate() == following == kid(await mint())
    assert [one.state for one in await keys.standings()] == ["active", "next", "retired"]
    await rules.claims(first)
    await shift(minutes=59)
    await rules.claims(first)
    await shift(minutes=2)
    with pytest.raises(Refused, match="Invalid signing key"):
        await rules.claims(first)
    await keys.rotate_when_due()
    assert [one.state for one in await keys.standings()] == ["active", "next"]


async def test_a_key_that_became_known_is_revoked_at_once(rules):
    stolen = await mint()
    await keys.rotate(revoke=True)
    with pytest.raises(Refused, match="Invalid signing key"):
        await rules.claims(stolen)
    await rules.claims(await mint())


async def test_keys_are_replaced_by_themselves_when_due(rules, monkeypatch):
    before = kid(await mint())
    assert not await keys.rotate_when_due()
    await shift(days=29)
    assert not await keys.rotate_when_due()
    await shift(days=2)
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_KEY_DAYS", "0")
    get_settings.cache_clear()
    assert not await keys.rotate_when_due()
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_KEY_DAYS", "30")
    get_settings.cache_clear()
    assert await keys.rotate_when_due()
    assert not await keys.rotate_when_due()
    assert kid(await mint()) != before


def command(*words: str, settings) -> subprocess.Popen:
    env = {**os.environ, "MOZAIKS_DATA_DIR": str(settings.data_dir), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, *words], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def test_rotation_under_load_from_another_process_refuses_nobody(rules, database, monkeypatch):
    """A runtime that reads the key set every 50 ms, four issuers, and two processes that rotate: nothing is refused."""
    monkeypatch.setattr(keys, "REFRESH", 0.05)
    rules.cache_seconds = 0.05
    seen, done = set(), asyncio.Event()

    async def issue() -> int:
        count = 0
        while not done.is_set():
            token = await mint()
            seen.add(kid(token))
            await asyncio.sleep(0.01)  # on its way
            await rules.socket(token, HERE)
            count += 1
        return count

    issuers = [asyncio.create_task(issue()) for _ in range(4)]
    code = """
import asyncio
from mozaiks_shell.broker import keys
async def main():
    for _ in range(4):
        await keys.rotate(at_once=True)
        await asyncio.sleep(0.2)
asyncio.run(main())
"""
    others = [command("-c", code, settings=database) for _ in range(2)]
    try:
        ended = await asyncio.gather(*(asyncio.to_thread(one.wait, 300) for one in others))
    finally:
        done.set()
    counts = await asyncio.gather(*issuers)
    assert ended == [0, 0]
    assert sum(counts) > 50 and len(seen) >= 4, (counts, seen)


async def test_processes_that_start_together_agree_on_the_keys(database):
    code = """
import asyncio
from mozaiks_shell.broker import tokens
print([one["kid"] for one in asyncio.run(tokens.jwks())["keys"]])
"""
    started = [command("-c", code, settings=database) for _ in range(3)]
    answers = {(await asyncio.to_thread(one.communicate, None, 60))[0].splitlines()[-1] for one in started}
    assert len(answers) == 1 and answers.pop().count(",") == 1


def keys_command(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


def test_the_command_lists_and_rotates(settings, migrated, monkeypatch):
    settings.data_dir.mkdir(parents=True)
    shutil.copy(migrated, settings.data_dir / "mozaiks.db")
    listed = keys_command("list").output
    assert [line.split()[0] for line in listed.splitlines()] == ["active", "next"]
    refused = keys_command("rotate")
    assert refused.exit_code == 1 and "published for an hour" in refused.output
    following = listed.splitlines()[1].split()[1]
    assert following in keys_command("rotate", "--now").output
    assert [line.split()[0] for line in keys_command("list").output.splitlines()] == ["active", "next", "retired"]
    keys_command("rotate", "--revoke")
    assert [line.split()[0] for line in keys_command("list").output.splitlines()] == ["active", "next"]
    recorded = [(one.act, one.facts["revoked"]) for one in asyncio.run(latest())]
    assert recorded == [("signing_key.replaced", True), ("signing_key.replaced", False)]
    asyncio.run(db.dispose())


async def test_the_operators_own_key_signs(rules, monkeypatch):
    old = await mint()
    own = RSAKey.generate_key(2048, private=True)
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY", own.as_pem(private=True).decode().replace("\n", "\\n"))
    get_settings.cache_clear()
    assert kid(await mint()) == own.thumbprint()
    await rules.claims(await mint())
    await rules.claims(old)
    with pytest.raises(Conflict) as refused:
        await keys.rotate(at_once=True)
    assert refused.value.code == "KEY_NOT_OURS"


async def test_a_shared_secret_is_a_setting_with_no_default(rules, monkeypatch):
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_ALGORITHM", "HS256")
    get_settings.cache_clear()
    with pytest.raises(ValidationError) as wrong:
        get_settings()
    lines = explain(wrong.value)
    assert any(line.startswith("MOZAIKS_EXECUTION_TOKEN_SECRET") for line in lines)
    assert any("embedded runtime takes RS256" in line for line in lines)
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_SECRET", "s" * 32)
    monkeypatch.setenv("MOZAIKS_AI_URL", "https://runtime.example.com")
    get_settings.cache_clear()
    token = await mint()
    assert jwt.decode(token, OctKey.import_key("s" * 32), algorithms=["HS256"]).claims["sub"] == "usr_ada"
    assert await tokens.jwks() == {"keys": []}
    with pytest.raises(Refused, match="kid"):
        await rules.claims(token)


async def test_a_damaged_key_is_named_and_what_was_read_before_lasts(rules):
    name = kid(await mint())
    keys.forget()
    async with db.system_session() as opened:
        await opened.execute(update(SigningKey).where(col(SigningKey.kid) == name).values(pem="scribble"))
    await mint()
    monkey, keys._cache.parsed = keys._cache.parsed, {}
    keys.forget()
    with pytest.raises(Unavailable, match=name):
        await mint()
    keys._cache.parsed = monkey


async def test_a_database_that_is_away_does_not_stop_tokens(rules, monkeypatch):
    token = await mint()

    async def away():
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr(keys, "_rows", away)
    keys.forget()
    assert kid(await mint()) == kid(token)


async def test_whoever_keeps_the_child_survives_everything(database, monkeypatch):
    monkeypatch.setattr(runtime_process, "_FIRST_PAUSE", 0.01)
    told, up = asyncio.Event(), asyncio.Event()

    def broken(*_):
        told.set()
        raise RuntimeError("no configuration")

    with monkeypatch.context() as patch:
        patch.setattr(runtime_process, "_config", broken)
        kept = runtime_process.EmbeddedRuntime(3000, up.set)
        await told.wait()
    async with asyncio.timeout(60):
        while not kept.address:
            up.clear()
            await up.wait()
    assert kept.restarts >= 1
    await kept.stop()
