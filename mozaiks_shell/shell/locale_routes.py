"""Choosing a language: a plain form, so that it works before anybody signs in and without JavaScript."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.web import read_fields

router = APIRouter(include_in_schema=False)
_YEAR = 31_536_000


@router.post("/auth/locale")
async def choose_locale(request: Request) -> RedirectResponse:
    """Keep ``locale`` for this browser, and for the person when somebody is signed in; then back to ``next``.

    Raises:
        Invalid: a language that is not offered here.
    """
    fields = await read_fields(request)
    locale = fields.get("locale", "")
    if locale not in i18n.offered():
        raise Invalid(tr("This language is not offered here."))
    if (person := current_principal()) is not None:
        await identity.set_preferences(person, {"locale": locale})
    response = RedirectResponse(identity.safe_next(fields.get("next") or _page_before(request)), 303)
    response.set_cookie(i18n.COOKIE, locale, max_age=_YEAR, path="/", samesite="lax", secure=get_settings().secure, httponly=True)
    return response


def _page_before(request: Request) -> str:
    """Path and query of the page on which the form was sent."""
    parts = urlsplit(request.headers.get("referer", ""))
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
