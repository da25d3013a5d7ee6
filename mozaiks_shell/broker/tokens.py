"""Execution tokens (D7, F-148, F-149): short RS256 JWTs in the form the published runtime accepts, and their JWKS.

Keys live in ``data_dir/keys`` (one PEM each, mode 0600, newest signs) unless the operator gives one. Every key
on disk is published, so a token signed before a rotation stays valid until it expires.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mozaiks_shell.appconfig.loader import ConfigError
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.settings import get_settings

_BITS = 2048
_KEPT_AFTER_ROTATION = timedelta(hours=1)  # longer than any token lives, plus clock skew and JWKS caches
_cache: tuple[tuple[Any, ...], list[RSAKey]] | None = None


def mint(
    principal: Principal,
    *,
    workflow: str,
    plan: str,
    chat_id: str | None = None,
    capability_id: str = "",
) -> str:
    """A token that lets the runtime act for this person in one workflow and, with ``chat_id``, in one chat only."""
    settings = get_settings()
    issued = int(now().timestamp())
    claims: dict[str, Any] = {
        "iss": settings.execution_token_issuer,
        "aud": settings.execution_token_audience,
        "scp": settings.execution_token_scope,
        "sub": principal.user_id,
        "iat": issued,
        "exp": issued + settings.execution_token_minutes * 60,
        "jti": secrets.token_urlsafe(16),
        "mozaiks_token_use": "execution",
        "app_id": principal.app_id,
        "mozaiks_app_id": principal.app_id,
        "tenant": principal.app_id,
        "workflow_id": workflow,
        "capability_id": capability_id,
        "user_id": principal.user_id,
        "roles": sorted(principal.roles),
        "is_superadmin": principal.has_role("superadmin"),
        "plan": plan,
    }
    if chat_id is not None:
        claims |= {"chat_id": chat_id, "mozaiks_chat_id": chat_id}
    key = signing_keys()[0]
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key, algorithms=["RS256"])


def jwks() -> dict[str, Any]:
    """The public half of every valid key, newest first (RFC 7517)."""
    return {"keys": [key.as_dict(private=False) | {"use": "sig", "alg": "RS256"} for key in signing_keys()]}


def signing_keys() -> list[RSAKey]:
    """Every valid key, the signing one first. Makes the first key of an installation.

    Raises:
        ConfigError: a file in the folder is not one. The operator's own key was looked at when the settings were read.
    """
    global _cache
    settings = get_settings()
    given = settings.execution_token_private_key.get_secret_value()
    folder = settings.data_dir / "keys"
    files = sorted(folder.glob("execution-*.pem"), reverse=True) if folder.is_dir() else []
    if not files and not given:
        files = [_first(folder)]
    state = (given, *files)
    if _cache is None or _cache[0] != state:
        keys = [RSAKey.import_key(given)] if given else []
        keys += [_read(file) for file in files]
        _cache = (state, [RSAKey.import_key(key.as_pem(private=True), {"kid": key.thumbprint()}) for key in keys])
    return _cache[1]


def _read(file: Path) -> RSAKey:
    try:
        return RSAKey.import_key(file.read_bytes())
    except (JoseError, ValueError, TypeError):
        raise ConfigError(file, ["not an RSA key in PEM form"]) from None  # the library's words may quote the key


def rotate() -> str:
    """Sign with a new key from now on and return its ``kid``. Keys replaced over an hour ago are deleted."""
    folder = get_settings().data_dir / "keys"
    with _locked(folder):
        files = sorted(folder.glob("execution-*.pem"))
        _write(folder)
        limit = time.time_ns() - int(_KEPT_AFTER_ROTATION.total_seconds() * 1e9)
        for old, replaced_by in zip(files, files[1:], strict=False):
            if _made_at(replaced_by) < limit:
                old.unlink(missing_ok=True)
    return str(signing_keys()[0].kid)


def _made_at(file: Path) -> int:
    return int(file.stem.removeprefix("execution-"), 16)


def _first(folder: Path) -> Path:
    """The installation's first key. Two processes that start together agree on one."""
    with _locked(folder):
        found = sorted(folder.glob("execution-*.pem"))
        return found[-1] if found else _write(folder)


def _write(folder: Path) -> Path:
    pem = RSAKey.generate_key(_BITS, private=True).as_pem(private=True)
    final = folder / f"execution-{time.time_ns():016x}.pem"
    draft = folder / f".{final.name}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(final)
    return final


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
