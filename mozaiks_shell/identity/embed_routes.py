"""The chat in pages of others: whether this one may, tickets, and the way in by ticket (decision 0013)."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import embedding
from mozaiks_shell.identity.sessions import close_session, cookie_in, embed_cookie_name, open_session
from mozaiks_shell.identity.web import SignedIn, client_ip

router = APIRouter()
_ENTRIES_PER_MINUTE = 60  # of one address


class Wish(BaseModel):
    """Whose ticket; the caller's own, or that of the person its token acts for, may leave it out."""

    user_id: str = Field("", max_length=64)


class Shown(BaseModel):
    """A ticket."""

    ticket: str = Field(min_length=1, max_length=128)


@router.get("/api/embed/allowed")
async def allowed(response: Response, origin: Annotated[str, Header()] = "") -> dict[str, Any]:
    """Whether the asking page may show the chat. It learns that of itself only."""
    if origin:
        response.headers["access-control-allow-origin"] = origin
        response.headers["vary"] = "Origin"
    return {"allowed": origin in get_settings().embed_origins}


@router.post("/api/embed/tickets", status_code=201)
async def tickets(wish: Wish, caller: SignedIn) -> dict[str, Any]:
    """A ticket that lets a person into an embedded chat: good once, for a minute."""
    secret = await embedding.ticket(caller, wish.user_id)
    return {"ticket": secret, "expires_in": int(embedding.GOOD_FOR.total_seconds())}


@router.post("/auth/embed", status_code=204)
async def enter(shown: Shown, request: Request) -> Response:
    """Exchange a ticket for a session that lives in this embedding alone.

    Over HTTPS the cookie is partitioned by the page that embeds: another site's page that embeds us too has another jar.
    """
    await hit("embed.enter", client_ip(request), _ENTRIES_PER_MINUTE)
    user = await embedding.redeem(shown.ticket)
    await close_session(cookie_in(request.headers.get("cookie", ""), embed_cookie_name()))
    secret = await open_session(user, ip=client_ip(request), user_agent=request.headers.get("user-agent", ""))
    settings = get_settings()
    flags = "SameSite=None; Secure; Partitioned" if settings.secure else "SameSite=Lax"
    cookie = f"{embed_cookie_name()}={secret}; Max-Age={settings.session_max_minutes * 60}; Path=/; HttpOnly; {flags}"
    return Response(status_code=204, headers={"set-cookie": cookie})
