"""The ways in and out by plain HTML forms and redirects; they work without JavaScript (F-030, F-035, F-041)."""

from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service
from mozaiks_shell.identity.errors import MESSAGES, InvalidAccount, IssuerFailed
from mozaiks_shell.identity.issuer import VISIT_LIFETIME
from mozaiks_shell.identity.web import begin_session, client_ip, drop_cookie, read_fields

router = APIRouter(include_in_schema=False)


def _to(path: str, **query: str) -> RedirectResponse:
    filled = {name: value[:254] if name != "next" else value for name, value in query.items() if value}
    return RedirectResponse(f"{path}?{urlencode(filled)}" if filled else path, 303)


def _wanted(fields: dict[str, str], request: Request) -> str:
    """Where the person wanted to go: form or link say it, or (before the page's script ran) the page's own address."""
    address = parse_qs(urlsplit(request.headers.get("referer", "")).query)
    return service.safe_next(fields.get("next") or address.get("next", ["/"])[0])


def _codes(error: ShellError) -> str:
    """What the page gets told: known codes, never text."""
    codes = error.codes if isinstance(error, InvalidAccount) else [error.code]
    if not set(codes) <= MESSAGES.keys():
        raise error
    return ",".join(codes)


def _wait(error: ShellError) -> str:
    """Seconds until the next try may succeed; empty for other errors."""
    return str(error.retry_after) if isinstance(error, TooMany) else ""


def _next(path: str) -> str:
    return path if path != "/" else ""


@router.get("/login")
async def login(request: Request) -> RedirectResponse:
    """The name other editions use for the sign-in page."""
    return RedirectResponse("/sign-in" + (f"?{request.url.query}" if request.url.query else ""), 303)


@router.post("/auth/sign-in")
async def sign_in(request: Request) -> RedirectResponse:
    """Check name and password; on success a new session and on to the wanted page."""
    fields = await read_fields(request)
    wanted, name = _wanted(fields, request), fields.get("username", "")
    try:
        user = await service.sign_in(name, fields.get("password", ""), ip=client_ip(request))
    except ShellError as error:
        return _to("/sign-in", error=_codes(error), wait=_wait(error), username=name, next=_next(wanted))
    response = _to(wanted)
    await begin_session(request, response, user)
    return response


@router.post("/auth/register")
async def register(request: Request) -> RedirectResponse:
    """Create an account and sign in with it."""
    fields = await read_fields(request)
    wanted = _wanted(fields, request)
    kept = {name: fields.get(name, "") for name in ("username", "email", "full_name")}
    try:
        user = await service.sign_up(password=fields.get("password", ""), ip=client_ip(request), **kept)
    except ShellError as error:
        return _to("/register", error=_codes(error), wait=_wait(error), **kept, next=_next(wanted))
    response = _to(wanted)
    await begin_session(request, response, user)
    return response


@router.post("/auth/sign-out")
@router.post("/auth/logout")
async def sign_out(request: Request) -> RedirectResponse:
    """End the session. Who came through an issuer is told that they are still signed in there."""
    here_only = False
    if (person := current_principal()) is not None:
        user = await service.find_user(person.user_id)
        here_only = bool(user.issuer and user.issuer.rstrip("/") in {get_settings().oidc_authority, service.provider_source()})
        await service.close_session_of(person)
    response = _to("/sign-in", notice="SIGNED_OUT_HERE" if here_only else "")
    drop_cookie(response, service.cookie_name())
    return response


@router.get("/auth/logout")
async def sign_out_by_link(request: Request) -> RedirectResponse:
    """The same by address, for bookmarks. Another site's link or image must not sign anybody out."""
    if request.headers.get("sec-fetch-site") not in {"same-origin", "none"}:
        return _to("/")
    return await sign_out(request)


def _visit_cookie() -> str:
    return "__Host-mozaiks_visit" if get_settings().secure else "mozaiks_visit"


@router.get("/auth/oidc/start")
async def oidc_start(request: Request, again: bool = False) -> RedirectResponse:
    """Off to the issuer; with ``?again=1`` it asks for the password in any case."""
    wanted = _wanted(dict(request.query_params), request)
    try:
        departure = await service.leave_for_issuer(wanted, ip=client_ip(request), again=again)
    except ShellError as error:
        return _to("/sign-in", error=_codes(error), next=_next(wanted))
    response = RedirectResponse(departure.url, 303)
    response.set_cookie(
        _visit_cookie(), departure.browser_secret, max_age=int(VISIT_LIFETIME.total_seconds()), path="/", httponly=True,
        samesite="lax", secure=get_settings().secure,
    )  # fmt: skip
    return response


@router.get("/auth/oidc/callback")
@router.get("/auth/callback")
async def oidc_callback(request: Request) -> RedirectResponse:
    """Back from the issuer."""
    browser_secret = request.cookies.get(_visit_cookie(), "")
    try:
        user, wanted = await service.return_from_issuer(dict(request.query_params), browser_secret, ip=client_ip(request))
        response = _to(wanted)
        await begin_session(request, response, user)
    except IssuerFailed as error:
        response = _to("/sign-in", error=_codes(error), next=_next(error.next_path))
    drop_cookie(response, _visit_cookie())
    return response


@router.get("/auth/oidc/sign-out")
async def oidc_sign_out() -> RedirectResponse:
    """On to the issuer's own sign-out page, after ours."""
    return RedirectResponse(await service.issuer_sign_out_url(), 303)
