"""The account API (F-042, F-059, F-230). JSON in, JSON out; bearer token or session cookie."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import Invalid, NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service
from mozaiks_shell.identity.web import SignedIn, client_ip, drop_cookie, read_fields

router = APIRouter(prefix="/api", tags=["accounts"])


class Registration(BaseModel):
    """A wished account. What is wrong with it is said per field, with 422."""

    username: str
    password: str
    email: str
    full_name: str = ""


@router.post("/auth/register", status_code=201)
async def register(wish: Registration, request: Request) -> dict[str, Any]:
    """Create a local account; the first of an installation becomes administrator."""
    user = await service.sign_up(wish.username, wish.password, wish.email, wish.full_name, ip=client_ip(request))
    return service.describe(user)


@router.post("/auth/token")
async def token(request: Request) -> dict[str, Any]:
    """Exchange name (or e-mail) and password, as JSON or as a form, for a bearer token."""
    fields = await read_fields(request)
    if missing := [name for name in ("username", "password") if not fields.get(name)]:
        errors = [{"field": name, "message": "required"} for name in missing]
        raise Invalid("; ".join(f"{name}: required" for name in missing), errors=errors)
    ip = client_ip(request)
    user = await service.sign_in(fields["username"], fields["password"], ip=ip)
    secret = await service.open_session(user, ip=ip, user_agent=request.headers.get("user-agent", ""), kind="token")
    return {"access_token": secret, "token_type": "bearer", "expires_in": get_settings().access_token_minutes * 60}


@router.get("/auth/validate-token")
async def validate_token(person: SignedIn) -> dict[str, Any]:
    """Whether the token (or cookie) of this very request is good, and what it says."""
    return await service.claims_of(person)


@router.post("/auth/validate")
async def validate(request: Request) -> dict[str, Any]:
    """Whether the token in the body (``token``) or in the header is good; 401 when it is not. For other services."""
    shown = service.bearer_in(request.headers.get("authorization", ""))
    if await request.body():
        fields = await read_fields(request)
        shown = fields.get("token") or fields.get("access_token") or shown
    person = await service.resolve(shown, "token")
    if person is None:
        raise NotSignedIn(tr("This token is not valid any more."), code="TOKEN_INVALID")
    return await service.claims_of(person)


@router.post("/auth/logout")
async def logout(response: Response, everywhere: bool = False) -> dict[str, Any]:
    """End the session or token of this request, or with ``?everywhere=true`` all of this person's. Harmless when signed out."""
    ended = 0
    if (person := current_principal()) is not None:
        ended = await (service.close_all_sessions(person.user_id) if everywhere else service.close_session_of(person))
    drop_cookie(response, service.cookie_name())
    return {"message": tr("You are signed out."), "sessions_ended": ended}


@router.get("/user-profile")
async def user_profile(person: SignedIn, user_id: str | None = None) -> dict[str, Any]:
    """One's own profile; never a hash."""
    service.own_id(person, user_id)
    return await service.profile(person)


@router.post("/update-profile")
async def update_profile(person: SignedIn, changes: dict[str, Any]) -> dict[str, Any]:
    """Change one's own profile; 400 names the protected keys."""
    return {"message": tr("Saved."), "profile": await service.update_profile(person, changes)}
