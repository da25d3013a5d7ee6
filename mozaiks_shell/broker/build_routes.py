"""Builds over HTTP (F-165): report what happened, see how the newest stands, download one. For programs and operators."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.broker import builds
from mozaiks_shell.broker.build_reports import report_in
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound, RoleNeeded
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.identity.service import current_app_caller

router = APIRouter(prefix="/api/apps/{app_id}", tags=["builds"])
REPORTS_PER_MINUTE: Final = 300  # of all builds


def builder(app_id: str, person: Annotated[Principal, Depends(needs(Access.signed_in()))]) -> Principal:
    """Dependency: a program with an app token that has the scope ``builds``, somebody with the role ``service``, or an
    administrator; each for their own app.

    Raises:
        NotSignedIn, RoleNeeded. NotFound: another app.
    """
    if app_id != person.app_id:
        raise NotFound(tr("There is no such app here."), code="APP_NOT_FOUND")
    caller = current_app_caller()
    if "builds" not in caller.scopes if caller is not None else not person.has_role("service"):
        raise RoleNeeded(tr("Only administrators and services may do this."), needed="service")
    return person


Builder = Annotated[Principal, Depends(builder)]


@router.post("/build-events")
async def report(person: Builder, request: Request, body: Any = Body(default=None)) -> dict[str, Any]:
    """Tell what happened to a build: ``buildId``, ``status`` or ``event_type``, ``eventId``, ``ts``, ``artifacts``, ``error``.

    ``outcome`` is ``applied``, ``noted`` (it was so already), ``late`` (older than what is known) or ``doubled`` (this event
    was taken before). 409 ``BUILD_JUMP_REFUSED`` when the build is not where this could follow; ``possible`` says what could.
    """
    told = report_in(body, person.app_id, request.headers)
    await hit("build-events", person.app_id, REPORTS_PER_MINUTE)
    taken = await builds.take(person, told)
    return {"accepted": True, "event_id": told.event_id, "outcome": taken.outcome, **taken.build}


@router.get("/builds")
async def listing(person: Builder, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
    """The builds of this app, newest first."""
    found = await builds.listing(person.app_id, limit)
    return {"app_id": person.app_id, "builds": found, "count": len(found)}


@router.get("/builds/latest")
@router.get("/build-latest")
async def latest(person: Builder) -> dict[str, Any]:
    """The newest build; ``draft`` and no ``build_id`` where there was never one. ``deployed_build_id``: what people use."""
    return await builds.latest(person.app_id)


@router.get("/builds/{build_id}")
async def find(person: Builder, build_id: str) -> dict[str, Any]:
    """One build with the events that made it what it is, refused ones too."""
    return await builds.find(person.app_id, build_id)


@router.get("/builds/{build_id}/export")
async def export(person: Builder, build_id: str) -> Response:
    """The files of a build, as a download. 409 until it is built, 404 when the runtime has none."""
    content = await builds.export(person.app_id, build_id)
    zipped = content.startswith(b"PK")
    name = build_id.replace(":", "_") + (".zip" if zipped else ".bin")
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(content, media_type="application/zip" if zipped else "application/octet-stream", headers=headers)
