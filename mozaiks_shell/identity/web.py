"""What the HTTP routes of identity share: the visitor's address, fields of a body, cookies."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.errors import Invalid, NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import NotJson, read_json
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.service import close_session, cookie_name, open_session, secret_in


def client_ip(request: Request) -> str:
    """The visitor's address. ``X-Forwarded-For`` counts only as far as our own proxies wrote it."""
    hops = get_settings().trusted_proxy_hops
    chain = [part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
    if hops and len(chain) >= hops:
        try:
            return str(ip_address(chain[-hops]))
        except ValueError:
            pass
    return request.client.host if request.client else ""


async def read_fields(request: Request) -> dict[str, str]:
    """Text fields of a JSON or form body.

    Raises:
        Invalid: neither of the two, a field that is not text, or JSON that is nested too deep.
    """
    raw = await request.body()
    try:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
        body = read_json(raw)
    except (NotJson, ValueError):
        raise Invalid(tr("Send a JSON object or a form.")) from None
    if not isinstance(body, dict):
        raise Invalid(tr("Send a JSON object or a form."))
    if wrong := [name for name, value in body.items() if not isinstance(value, str)]:
        errors = [{"field": ascii(name)[1:-1], "message": "must be text"} for name in wrong]
        raise Invalid("; ".join(f"{one['field']}: {one['message']}" for one in errors), errors=errors)
    return body


def signed_in() -> Principal:
    """Dependency: the person whom the Gatekeeper resolved.

    Raises:
        NotSignedIn: nobody.
    """
    principal = current_principal()
    if principal is None:
        raise NotSignedIn(tr("Sign in to continue."))
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]


async def begin_session(request: Request, response: Response, user: User) -> None:
    """Give the browser a session of its own: a new id every time, and whatever it held before is closed."""
    settings = get_settings()
    await close_session(secret_in(request.headers.get("cookie", "")))
    secret = await open_session(user, ip=client_ip(request), user_agent=request.headers.get("user-agent", ""))
    response.set_cookie(
        cookie_name(), secret, max_age=settings.session_max_minutes * 60, path="/", httponly=True, samesite="lax",
        secure=settings.secure,
    )  # fmt: skip


def drop_cookie(response: Response, name: str) -> None:
    """Delete a cookie of ours; the flags must match, or browsers keep a ``__Host-`` one."""
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=get_settings().secure)
