"""The published runtime's door: its rules for tokens, in its order, with its answers (protocol §2.1 and §3.2).

It stands in front of :class:`tests.chat.upstream.Upstream`. HTTP answers 401 or 403 with the runtime's own text; a
WebSocket is refused before it is accepted, which arrives as HTTP 403 whatever was wrong.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey

from tests.chat.upstream import Upstream

START = re.compile(r"/api/chats/(?P<app>[^/]+)/(?P<workflow>[^/]+)/start")
META = re.compile(r"/api/chats/meta/(?P<app>[^/]+)/(?P<workflow>[^/]+)/(?P<chat>[^/]+)")
SESSIONS = re.compile(r"/api/sessions/(?:list|recent)/(?P<app>[^/]+)/(?P<user>[^/]+)")
AVAILABLE = re.compile(r"/api/workflows/(?P<app>[^/]+)/available")
SOCKET = re.compile(r"/ws/(?P<workflow>[^/]+)/(?P<app>[^/]+)/(?P<chat>[^/]+)/(?P<user>[^/]+)")
Claims = dict[str, Any]


class Refused(Exception):
    """Status and text of the runtime's refusal."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status} {detail}")
        self.status, self.detail = status, detail


class Rules:
    """What a token must be. ``published`` is where the key set is read, at most once in ``cache_seconds``."""

    audience, issuer, scope, leeway = "mozaiks-app", "mozaikscore", "openid", 120

    def __init__(self, published: Callable[[], Awaitable[dict[str, Any]]], cache_seconds: float = 3600.0) -> None:
        self.published, self.cache_seconds = published, cache_seconds
        self.keys: dict[str, dict[str, Any]] = {}
        self.fetched_at: float | None = None
        self.fetches = 0

    async def claims(self, token: str | None, *, need_scope: bool = True) -> Claims:
        """The claims of an acceptable token.

        Raises:
            Refused: as the published validator does, check by check.
        """
        if not token:
            raise Refused(401, "Missing authorization token")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError):
            raise Refused(401, "Invalid token format") from None
        kid = header.get("kid")
        if not kid:
            raise Refused(401, "Token missing key ID (kid)")
        await self._read_keys()
        if kid not in self.keys:
            raise Refused(401, "Invalid signing key")
        try:
            found = jwt.decode(token, RSAKey.import_key(self.keys[kid]), algorithms=["RS256"]).claims
        except BadSignatureError:
            raise Refused(401, "Invalid token signature") from None
        except (JoseError, ValueError):
            raise Refused(401, "Invalid token") from None
        audience = found.get("aud")
        checks = (
            (isinstance(found.get("exp"), int) and found["exp"] + self.leeway > time.time(), "Token has expired"),
            (isinstance(found.get("iat"), int) and found["iat"] - self.leeway < time.time(), "Invalid token"),
            (self.audience in ([audience] if isinstance(audience, str) else audience or []), "Invalid token audience"),
            (found.get("iss") == self.issuer, "Invalid token issuer"),
            (isinstance(found.get("sub"), str) and bool(found["sub"]), "Token missing sub claim"),
        )
        for fine, detail in checks:
            if not fine:
                raise Refused(401, detail)
        scopes = found.get("scp") or []
        if need_scope and self.scope not in (scopes.split() if isinstance(scopes, str) else scopes):
            raise Refused(403, f"Missing required scope: {self.scope}")
        return dict(found)

    async def socket(self, token: str | None, path: dict[str, str]) -> Claims:
        """The checks of the handshake: token, user, app claim, chat claim."""
        found = await self.claims(token)
        if found["sub"] != path["user"]:
            raise Refused(403, "user")
        if (app := app_of(found)) is not None and app != path["app"]:
            raise Refused(403, "app")
        if (chat := chat_of(found)) is not None and chat != path["chat"]:
            raise Refused(403, "chat")
        return found

    async def start(self, token: str | None, app: str, body: Any) -> Claims:
        """The checks of a start: token, app claim, user of the body."""
        found = await self.claims(token)
        if (claimed := app_of(found)) is not None and claimed != app:
            raise Refused(403, "Token app_id does not match request app_id")
        user = body.get("user_id") if isinstance(body, dict) else None
        if user and user != found["sub"]:
            raise Refused(403, "user_id in body does not match authenticated user")
        return found

    async def _read_keys(self) -> None:
        if self.fetched_at is None or time.monotonic() - self.fetched_at > self.cache_seconds:
            self.fetches += 1
            self.keys = {one["kid"]: one for one in (await self.published())["keys"]}
            self.fetched_at = time.monotonic()


def app_of(claims: Claims) -> str | None:
    """The app claim; None in a legacy token."""
    return claims.get("mozaiks_app_id") or claims.get("app_id")


def chat_of(claims: Claims) -> str | None:
    """The chat claim, if the token is bound to one."""
    return claims.get("mozaiks_chat_id") or claims.get("chat_id")


class StrictUpstream(Upstream):
    """A runtime with auth on. ``seen`` has the claims of every request that passed, ``refused`` what did not."""

    def __init__(self, published: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        super().__init__()
        self.rules = Rules(published)
        self.seen: list[Claims] = []
        self.refused: list[str] = []
        self.tokens: list[str] = []
        self.inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self.door(scope, receive, send)

        self.app = app  # type: ignore[assignment]

    async def door(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI app: check, then pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.inner(scope, receive, send)
            return
        query = parse_qs(scope["query_string"].decode()).get("access_token", [None])[0]
        try:
            if scope["type"] == "websocket":
                path = {name: unquote(one) for name, one in (SOCKET.fullmatch(scope["path"]) or _no()).groupdict().items()}
                self.tokens.append(query or "")
                self.seen.append(await self.rules.socket(query, path))
            else:
                head = {name.decode(): value.decode() for name, value in scope["headers"]}
                token = head.get("authorization", "").removeprefix("Bearer ") or query
                self.tokens.append(token or "")
                receive = await self._http(scope, token, receive)
        except Refused as refusal:
            self.refused.append(str(refusal))
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            body = json.dumps({"detail": refusal.detail}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self.inner(scope, receive, send)

    async def _http(self, scope: Any, token: str | None, receive: Any) -> Any:
        path = scope["path"]
        if (found := START.fullmatch(path)) is not None:
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self.seen.append(await self.rules.start(token, unquote(found["app"]), json.loads(body or b"null")))
            waiting = [{"type": "http.request", "body": body, "more_body": False}]

            async def again() -> Any:
                return waiting.pop(0) if waiting else await receive()

            return again
        if META.fullmatch(path) or AVAILABLE.fullmatch(path):
            self.seen.append(await self.rules.claims(token))
        elif (listed := SESSIONS.fullmatch(path)) is not None:
            claims = await self.rules.claims(token)
            if claims["sub"] != unquote(listed["user"]):
                raise Refused(403, "user_id in path does not match authenticated user")
            self.seen.append(claims)
        else:
            self.seen.append(await self.rules.claims(token, need_scope=False))
        return receive


def _no() -> Any:
    raise Refused(403, "no such socket")
