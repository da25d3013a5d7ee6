"""OpenID Connect with Authlib (the protocol) and joserfc (the signatures): F-035, F-037, F-039."""

import asyncio
import time
import warnings
from typing import Any, Final

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.http import client as http_client
from mozaiks_shell.identity.errors import IssuerFailed
from mozaiks_shell.identity.ports import IssuerIdentity, Visit

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # it prefers httpx's successor; the shell's HTTP client is httpx
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
LEEWAY: Final = 120  # seconds of clock difference
DISCOVERY_TTL: Final = 86_400.0
KEYS_TTL: Final = 3_600.0
KEYS_PAUSE: Final = 30.0  # an unknown kid makes us ask again, but not more often than this
_NEEDED: Final = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class _Cached:
    """A JSON document of the issuer, fetched by one task at a time and kept for a while."""

    def __init__(self, ttl: float) -> None:
        self.ttl, self.fetched_at, self.lock = ttl, float("-inf"), asyncio.Lock()
        self.document: dict[str, Any] = {}

    async def get(self, url: str, newer_than: float) -> dict[str, Any]:
        """The document, asked for again when it is older than ``newer_than`` seconds."""
        async with self.lock:
            if time.monotonic() - self.fetched_at > min(self.ttl, newer_than):
                self.document = await _fetch(url)
                self.fetched_at = time.monotonic()
            return self.document


async def _fetch(url: str, token: str = "") -> dict[str, Any]:
    try:
        async with http_client(headers={"authorization": f"Bearer {token}"} if token else None) as web:
            answer = await web.get(url)
        answer.raise_for_status()
        document = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise IssuerFailed("OIDC_DOWN", f"{url}: {error!r}") from error
    if not isinstance(document, dict):
        raise IssuerFailed("OIDC_DOWN", f"{url}: not a JSON object")
    return document


class OpenIdIssuer:
    """One issuer and our client there.

    Args:
        authority: The issuer's URL; the discovery document lies below it.
        client_secret: Empty for a public client.
        roles_claim: Where roles are: a claim's literal name, or a dotted path.
    """

    def __init__(self, authority: str, client_id: str, client_secret: str, scopes: str, roles_claim: str) -> None:
        self.authority, self.client_id, self.client_secret = authority, client_id, client_secret
        self.scopes, self.roles_claim = scopes, roles_claim
        self._discovery, self._keys = _Cached(DISCOVERY_TTL), _Cached(KEYS_TTL)

    async def authorize_url(self, visit: Visit, *, again: bool = False) -> str:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        metadata = await self._metadata()
        async with self._client(metadata, visit) as client:
            prompt = {"prompt": "login"} if again else {}
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=visit.state, nonce=visit.nonce, code_verifier=visit.code_verifier,
                **prompt,
            )  # fmt: skip
        return str(url)

    async def identity(self, visit: Visit, code: str, iss: str) -> IssuerIdentity:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        metadata = await self._metadata()
        expects_iss = metadata.get("authorization_response_iss_parameter_supported") is True
        if (iss or expects_iss) and iss != metadata["issuer"]:
            raise IssuerFailed("OIDC_UNTRUSTED", "the answer came from another issuer (RFC 9207)")
        tokens = await self._redeem(metadata, visit, code)
        claims = await self._verify(metadata, tokens.get("id_token"))
        self._check_id_token(claims, visit)
        claims = await self._add_userinfo(metadata, claims, tokens)
        roles = roles_in(claims, self.roles_claim, self.client_id)
        if not roles:  # Keycloak puts them into the access token only
            roles = roles_in(await self._access_claims(metadata, tokens, claims["sub"]), self.roles_claim, self.client_id)
        return IssuerIdentity(
            issuer=metadata["issuer"],
            subject=claims["sub"],
            username=_text(claims, "preferred_username", "nickname"),
            email=_text(claims, "email"),
            full_name=_text(claims, "name"),
            roles=roles,
        )

    async def sign_out_url(self, return_to: str) -> str:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        endpoint = (await self._metadata()).get("end_session_endpoint")
        if not isinstance(endpoint, str) or not endpoint:
            return ""
        return str(add_params_to_uri(endpoint, [("client_id", self.client_id), ("post_logout_redirect_uri", return_to)]))

    async def _metadata(self) -> dict[str, Any]:
        document = await self._discovery.get(f"{self.authority}/.well-known/openid-configuration", DISCOVERY_TTL)
        if not all(isinstance(document.get(key), str) for key in _NEEDED):
            raise IssuerFailed("OIDC_DOWN", "the discovery document lacks an endpoint")
        if document["issuer"].rstrip("/") != self.authority:
            raise IssuerFailed("OIDC_UNTRUSTED", f"discovery names another issuer: {document['issuer'][:200]}")
        return document

    def _client(self, metadata: dict[str, Any], visit: Visit) -> AsyncOAuth2Client:
        offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return AsyncOAuth2Client(
            self.client_id,
            self.client_secret or None,
            token_endpoint_auth_method=method if self.client_secret else "none",
            scope=self.scopes,
            redirect_uri=visit.redirect_uri,
            code_challenge_method="S256",
            timeout=10.0,
        )

    async def _redeem(self, metadata: dict[str, Any], visit: Visit, code: str) -> dict[str, Any]:
        if not code:
            raise IssuerFailed("OIDC_REFUSED", "the answer carries no code")
        try:
            async with self._client(metadata, visit) as client:
                return dict(
                    await client.fetch_token(
                        metadata["token_endpoint"], code=code, code_verifier=visit.code_verifier, grant_type="authorization_code"
                    )
                )
        except AuthlibBaseError as error:
            raise IssuerFailed("OIDC_REFUSED", f"token endpoint: {error.error}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise IssuerFailed("OIDC_DOWN", f"token endpoint: {error!r}") from error

    async def _verify(self, metadata: dict[str, Any], token: object) -> dict[str, Any]:
        """The claims of a token signed by the issuer. A kid we have not seen makes us fetch the keys once more."""
        if not isinstance(token, str):
            raise IssuerFailed("OIDC_UNTRUSTED", "no token in the answer")
        why = ""
        for age in (KEYS_TTL, KEYS_PAUSE):
            document = await self._keys.get(metadata["jwks_uri"], age)
            try:
                keys = KeySet.import_key_set({"keys": [key for key in document.get("keys", []) if key.get("use") != "enc"]})
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
                why = f"{type(error).__name__}: {error}"
        raise IssuerFailed("OIDC_UNTRUSTED", f"signature: {why}")

    def _check_id_token(self, claims: dict[str, Any], visit: Visit) -> None:
        """OpenID Connect Core 3.1.3.7."""
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(now().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._discovery.document["issuer"]},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": visit.nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise IssuerFailed("OIDC_UNTRUSTED", f"ID token: {error}") from error
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims.get("azp", self.client_id) != self.client_id or (len(audience) > 1 and "azp" not in claims):
            raise IssuerFailed("OIDC_UNTRUSTED", "ID token: issued to another client (azp)")
        if not 0 < len(claims["sub"]) <= 255 or not claims["sub"].isprintable():
            raise IssuerFailed("OIDC_UNTRUSTED", "ID token: unusable subject")

    async def _add_userinfo(self, metadata: dict[str, Any], claims: dict[str, Any], tokens: dict[str, Any]) -> dict[str, Any]:
        """Some issuers put name and e-mail into the userinfo answer only."""
        endpoint, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if (claims.get("email") and claims.get("name")) or not (isinstance(endpoint, str) and isinstance(token, str)):
            return claims
        try:
            more = await _fetch(endpoint, token)
        except IssuerFailed:
            return claims
        if more.get("sub") != claims["sub"]:
            raise IssuerFailed("OIDC_UNTRUSTED", "userinfo is about somebody else")
        return {**more, **claims}

    async def _access_claims(self, metadata: dict[str, Any], tokens: dict[str, Any], subject: str) -> dict[str, Any]:
        """Claims of the access token, if it is a JWT of this issuer about this person; it may well be opaque."""
        token = tokens.get("access_token")
        if not isinstance(token, str) or token.count(".") != 2:
            return {}
        try:
            claims = await self._verify(metadata, token)
        except IssuerFailed:
            return {}
        return claims if (claims.get("iss"), claims.get("sub")) == (metadata["issuer"], subject) else {}


def roles_in(claims: dict[str, Any], path: str, client_id: str) -> tuple[str, ...]:
    """Roles at a claim: its literal name, else a dotted path, else Keycloak's ``resource_access`` for this client (F-039)."""
    value = claims.get(path)
    if value is None:
        value = _walk(claims, path.split("."))
    if value is None:
        value = _walk(claims, ["resource_access", client_id, "roles"])
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    return tuple(role for role in value if isinstance(role, str)) if isinstance(value, list) else ()


def _walk(claims: Any, keys: list[str]) -> Any:
    for key in keys:
        claims = claims.get(key) if isinstance(claims, dict) else None
    return claims


def _text(claims: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := claims.get(name), str) and value), "")
