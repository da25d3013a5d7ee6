"""Bearer tokens: RS256 against a JWKS, checked the way the published runtime checks them (protocol §3.2)."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import KeySet

from .config import RuntimeConfig

log = logging.getLogger(__name__)

_KEYS_LIVE_SECONDS = 3600.0
_REFETCH_PAUSE_SECONDS = 5.0  # an attacker with invented key ids must not turn us into a load generator
_CLAIM_TEXT = {
    "aud": "Invalid token audience",
    "iss": "Invalid token issuer",
    "sub": "Token missing sub claim",
    "exp": "Token missing exp claim",
    "nbf": "Token is not valid yet",
    "iat": "Token is not valid yet",
}


class AuthError(Exception):
    """A refusal: HTTP status and the published detail text."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Principal:
    """Who is calling. ``user_id`` None means authentication is off and the caller's word is taken."""

    user_id: str | None
    app_id: str | None = None
    chat_id: str | None = None
    scopes: frozenset[str] = frozenset()

    def require_app(self, app_id: str) -> None:
        """Refuse a token minted for another app; a token without app claim is accepted ("legacy")."""
        if self.app_id is not None and self.app_id != app_id:
            raise AuthError(403, "Token app_id does not match request app_id")

    def require_user(self, user_id: str, where: str = "path") -> None:
        """Refuse acting for somebody else."""
        if self.user_id is not None and self.user_id != user_id:
            raise AuthError(403, f"user_id in {where} does not match authenticated user")

    def require_chat(self, chat_id: str) -> None:
        """Refuse a token bound to another chat."""
        if self.chat_id is not None and self.chat_id != chat_id:
            raise AuthError(403, "Token chat_id does not match request chat_id")


ANONYMOUS = Principal(user_id=None)


class TokenVerifier:
    """Turns a token into a :class:`Principal` or raises :class:`AuthError`."""

    def __init__(self, config: RuntimeConfig, http: httpx.AsyncClient) -> None:
        self._config = config
        self._http = http
        self._keys: KeySet | None = _read_keys(config.jwks) if config.jwks else None
        self._fetched_at = time.monotonic() if self._keys is not None else 0.0  # given keys are fresh
        self._claims = jwt.JWTClaimsRegistry(
            leeway=config.clock_skew_seconds,
            exp={"essential": True},
            aud={"essential": True, "value": config.audience or ""},
            iss={"essential": True, "value": config.issuer or ""},
            sub={"essential": True},
        )

    async def verify(self, token: str | None, *, need_scope: bool = True) -> Principal:
        """Check signature, times, audience, issuer, subject, then the scope in ``scp``."""
        if not self._config.auth_enabled:
            return ANONYMOUS
        if not token:
            raise AuthError(401, "Missing authorization token")
        claims = await self._decode(token)
        scopes = _scopes(claims.get("scp"))
        if need_scope and self._config.scope not in scopes:
            raise AuthError(403, f"Missing required scope: {self._config.scope}")
        return Principal(
            user_id=str(claims["sub"]),
            app_id=_text(claims.get("mozaiks_app_id") or claims.get("app_id")),
            chat_id=_text(claims.get("mozaiks_chat_id") or claims.get("chat_id")),
            scopes=scopes,
        )

    async def _decode(self, token: str) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError):
            raise AuthError(401, "Invalid token format") from None
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise AuthError(401, "Token missing key ID (kid)")
        key = await self._key(kid)
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"]).claims
            self._claims.validate(claims)
        except BadSignatureError:
            raise AuthError(401, "Invalid token signature") from None
        except ExpiredTokenError:
            raise AuthError(401, "Token has expired") from None
        except (MissingClaimError, InvalidClaimError) as error:
            raise AuthError(401, _CLAIM_TEXT.get(error.claim, "Invalid token claims")) from None
        except (JoseError, ValueError):
            raise AuthError(401, "Invalid token") from None
        if not isinstance(claims.get("sub"), str):
            raise AuthError(401, "Token missing sub claim")
        return claims

    async def _key(self, kid: str) -> Any:
        age = time.monotonic() - self._fetched_at
        known = self._keys is not None and any(k.kid == kid for k in self._keys.keys)
        stale = age > _KEYS_LIVE_SECONDS if known else age > _REFETCH_PAUSE_SECONDS
        if self._config.jwks_url is not None and (stale or self._keys is None):
            await self._fetch()
        for key in self._keys.keys if self._keys else ():
            if key.kid == kid:
                return key
        raise AuthError(401, "Invalid signing key")

    async def _fetch(self) -> None:
        url = self._config.jwks_url
        if url is None:
            return
        self._fetched_at = time.monotonic()
        try:
            answer = await self._http.get(url, timeout=5.0)
            answer.raise_for_status()
            self._keys = _read_keys(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            log.warning("signing keys could not be read from %s: %s", url, error)
            if self._keys is None:
                self._fetched_at = 0.0
                raise AuthError(503, "Signing keys are not available") from None


def _read_keys(document: Any) -> KeySet:
    """A key set; ValueError for whatever is wrong with it."""
    try:
        return KeySet.import_key_set(document)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"unusable key set ({error})") from None


def _scopes(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
