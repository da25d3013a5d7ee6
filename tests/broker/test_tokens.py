"""Execution tokens: accepted by rules written down from the published runtime, keys that survive races and rotation."""

import asyncio
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet

from mozaiks_shell.appconfig.loader import ConfigError
from mozaiks_shell.broker import runtime_process, tokens
from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user", "editor"}), "ses")


class Refused(Exception):
    pass


def published_runtime_accepts(token: str, keys: dict, *, app: str, user: str, chat: str) -> dict:
    """The checks of the published runtime, in its order (protocol §3.2)."""
    header = jws.extract_compact(token.encode()).headers()
    known = {one["kid"]: one for one in keys["keys"]}
    if header["alg"] != "RS256" or header.get("kid") not in known:
        raise Refused("key")
    claims = jwt.decode(token, KeySet.import_key_set({"keys": [known[header["kid"]]]}), algorithms=["RS256"]).claims
    checks = {
        "audience": claims["aud"] == "mozaiks-app",
        "issuer": claims["iss"] == "mozaikscore",
        "expiry": claims["exp"] > time.time(),
        "subject": claims["sub"] == user,
        "scope": "openid" in claims["scp"].split(),
        "app": claims.get("mozaiks_app_id", claims.get("app_id")) == app,
        "chat": claims.get("mozaiks_chat_id", claims.get("chat_id")) in {chat, None},
    }
    if wrong := [name for name, fine in checks.items() if not fine]:
        raise Refused(wrong)
    return claims


def test_claims_are_complete_and_the_published_rules_accept_them(settings):
    token = tokens.mint(ADA, workflow="Assistant", plan="pro", chat_id="c1", capability_id="assistant")
    claims = published_runtime_accepts(token, tokens.jwks(), app="dev-app", user="usr_ada", chat="c1")
    assert claims["exp"] - claims["iat"] == 600
    assert len(claims["jti"]) >= 16
    expected = {
        "mozaiks_token_use": "execution",
        "tenant": "dev-app",
        "workflow_id": "Assistant",
        "capability_id": "assistant",
        "user_id": "usr_ada",
        "plan": "pro",
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims["roles"] == ["editor", "user"]
    assert claims["is_superadmin"] is False
    assert claims["chat_id"] == claims["mozaiks_chat_id"] == "c1"
    for wrong in ({"app": "other"}, {"user": "usr_eve"}, {"chat": "c2"}):
        with pytest.raises(Refused):
            published_runtime_accepts(token, tokens.jwks(), **{"app": "dev-app", "user": "usr_ada", "chat": "c1", **wrong})


def test_a_changed_token_is_refused(settings):
    head, body, signature = tokens.mint(ADA, workflow="Assistant", plan="free").split(".")
    with pytest.raises(BadSignatureError):
        published_runtime_accepts(f"{head}.{body[:-4]}AAAA.{signature}", tokens.jwks(), app="dev-app", user="usr_ada", chat="")
    with pytest.raises((JoseError, Refused)):
        published_runtime_accepts(f"{head}.{body}.", tokens.jwks(), app="dev-app", user="usr_ada", chat="")


def test_no_private_part_is_published_and_the_kid_is_the_thumbprint(settings):
    (key,) = tokens.jwks()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert key["kid"] == tokens.signing_keys()[0].thumbprint()
    (file,) = (settings.data_dir / "keys").glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_rotation_keeps_old_tokens_valid_and_forgets_old_keys_later(settings):
    old = tokens.mint(ADA, workflow="Assistant", plan="free")
    kid = tokens.rotate()
    assert jws.extract_compact(tokens.mint(ADA, workflow="A", plan="").encode()).headers()["kid"] == kid
    published_runtime_accepts(old, tokens.jwks(), app="dev-app", user="usr_ada", chat="")
    folder = settings.data_dir / "keys"
    for file in sorted(folder.glob("*.pem")):  # two hours pass
        made = int(file.stem.removeprefix("execution-"), 16) - int(7200e9)
        file.rename(folder / f"execution-{made:016x}.pem")
    tokens.rotate()
    assert len(tokens.jwks()["keys"]) == 2


def test_processes_that_start_together_agree_on_one_key(settings):
    code = "from mozaiks_shell.broker import tokens; print(tokens.jwks()['keys'][0]['kid'], len(tokens.jwks()['keys']))"
    env = {**os.environ, "MOZAIKS_DATA_DIR": str(settings.data_dir)}
    root = Path(__file__).resolve().parents[2]
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=env, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0] for process in started}
    assert len(answers) == 1 and answers.pop().endswith(" 1\n")


def test_the_operators_own_key_signs(settings, monkeypatch):
    tokens.signing_keys()
    pem = next((settings.data_dir / "keys").glob("*.pem")).read_text()
    monkeypatch.setenv("MOZAIKS_DATA_DIR", str(settings.data_dir / "elsewhere"))
    monkeypatch.setenv("MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY", pem.replace("\n", "\\n"))
    kid = tokens.jwks()["keys"][0]["kid"]
    get_settings.cache_clear()
    assert [key["kid"] for key in tokens.jwks()["keys"]] == [kid]
    assert not (get_settings().data_dir / "keys").exists()


async def test_a_key_file_that_went_bad_is_named(settings):
    tokens.rotate()
    (file,) = (settings.data_dir / "keys").glob("*.pem")
    file.write_text("scribble")
    later = file.with_name("execution-ffffffffffffffff.pem")
    file.rename(later)
    with pytest.raises(ConfigError, match="execution-ffffffffffffffff.pem"):
        await broker.start_runtime()


async def test_whoever_keeps_the_child_survives_everything(settings, monkeypatch):
    monkeypatch.setattr(runtime_process, "_FIRST_PAUSE", 0.01)
    told = asyncio.Event()

    def broken():
        told.set()
        raise RuntimeError("no configuration")

    with monkeypatch.context() as patch:
        patch.setattr(runtime_process, "_config", broken)
        kept = runtime_process.EmbeddedRuntime()
        await told.wait()
    assert await kept.url(wait=20)
    assert kept.restarts >= 1
    await kept.stop()
