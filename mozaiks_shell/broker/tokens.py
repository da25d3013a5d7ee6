"""Execution tokens (D7, F-148): short JWTs in the form the published runtime accepts, and the key set it checks them with.

The keys and their rotation are in :mod:`.keys`.
"""

import secrets
from typing import Any

from joserfc import jwt

from mozaiks_shell.broker import keys
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.settings import get_settings


async def mint(
    principal: Principal,
    *,
    workflow: str,
    plan: str,
    chat_id: str | None = None,
    capability_id: str = "",
) -> str:
    """A token that lets the runtime act for this person in one workflow and, with ``chat_id``, in one chat only.

    Raises:
        Unavailable: the keys cannot be read.
    """
    settings = get_settings()
    claims: dict[str, Any] = {
        "scp": settings.execution_token_scope,
        "sub": principal.user_id,
        "mozaiks_token_use": "execution",
        "workflow_id": workflow,
        "workflow_name": workflow,
        "capability_id": capability_id,
        "user_id": principal.user_id,
        "roles": sorted(principal.roles),
        "is_superadmin": principal.has_role("superadmin"),
        "plan": plan,
    }
    if chat_id is not None:
        claims |= {"chat_id": chat_id, "mozaiks_chat_id": chat_id}
    return await _signed(principal.app_id, claims)


async def mint_internal(app_id: str) -> str:
    """A token of the app itself, for what the runtime tells services only: it has no scope, which no person's token lacks.

    Raises:
        Unavailable: the keys cannot be read.
    """
    return await _signed(app_id, {"sub": f"app:{app_id}", "mozaiks_token_use": "internal"})


async def _signed(app_id: str, claims: dict[str, Any]) -> str:
    settings, issued = get_settings(), int(now().timestamp())
    claims = {
        "iss": settings.execution_token_issuer,
        "aud": settings.execution_token_audience,
        "iat": issued,
        "exp": issued + settings.execution_token_minutes * 60,
        "jti": secrets.token_urlsafe(16),
        "app_id": app_id,
        "mozaiks_app_id": app_id,
        "tenant": app_id,
        **claims,
    }
    algorithm, key = settings.execution_token_algorithm, (await keys.ring()).signing
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key.kid} if algorithm == "RS256" else {})
    return jwt.encode(header, claims, key, algorithms=[algorithm])


async def jwks() -> dict[str, Any]:
    """The public half of every key that may have signed a valid token or soon will, the signing one first (RFC 7517).

    Raises:
        Unavailable: the keys cannot be read.
    """
    published = (await keys.ring()).published
    return {"keys": [key.as_dict(private=False) | {"use": "sig", "alg": "RS256"} for key in published]}
