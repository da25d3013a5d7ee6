"""One's own account over HTTP (F-231, F-233 to F-235): picture, password, sessions, export, deletion."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import Invalid, NotFound, TooLarge
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.avatars import LARGEST
from mozaiks_shell.identity.web import drop_cookie
from mozaiks_shell.shell.account import delete_account, export_stream

router = APIRouter(prefix="/api", tags=["account"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]

EXPORTS_PER_MINUTE = 5


@router.post("/avatar")
async def upload_avatar(person: Person, request: Request) -> dict[str, str]:
    """Set one's picture: the image itself, or a multipart form with one file. At most 2 MB; JPEG, PNG, WebP or GIF."""
    version = await identity.set_avatar(person, await _upload(request))
    return {"message": tr("Saved."), "avatar": identity.avatar_url(person.user_id, version)}


@router.delete("/avatar")
async def remove_avatar(person: Person) -> dict[str, str]:
    """Remove one's picture; harmless without one."""
    await identity.clear_avatar(person)
    return {"message": tr("Saved."), "avatar": ""}


@router.get("/avatar/{user_id}")
async def avatar(person: Person, user_id: str, request: Request, v: str = "") -> Response:
    """Somebody's picture, for signed-in people of the same app. With its version in ``v`` it never changes."""
    found = await identity.read_avatar(person.app_id, user_id)
    if found is None:
        raise NotFound(tr("There is no such picture."))
    image, kind, version = found
    headers = {
        "etag": f'"{version}"',
        "cache-control": "private, max-age=31536000, immutable" if v == version else "private, no-cache",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(image, media_type=kind, headers=headers)


async def _upload(request: Request) -> bytes:
    """The bytes of the picture.

    Raises:
        TooLarge: it is said to be, or is, larger than a picture may be.
        Invalid: a form without exactly one file.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST + 10_000:  # a form's own lines come on top
        raise TooLarge(tr("The picture may have at most {size} MB.", size=LARGEST // 1_000_000), code="AVATAR_TOO_LARGE")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    try:
        async with request.form(max_files=1, max_fields=5, max_part_size=10_000) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            if len(files) != 1:
                raise Invalid(tr("Send one picture."))
            return await files[0].read(LARGEST + 1)
    except HTTPException as error:  # what Starlette makes of a malformed form
        raise Invalid(tr("Send one picture.")) from error


class PasswordChange(BaseModel):
    """The present password and the new one."""

    old_password: str = Field(max_length=1000)
    new_password: str = Field(max_length=1000)
    new_password_again: str | None = Field(None, max_length=1000)


@router.post("/account/password")
async def change_password(person: Person, change: PasswordChange) -> dict[str, Any]:
    """Set another password; every other session ends."""
    ended = await identity.change_password(person, change.old_password, change.new_password, change.new_password_again)
    return {"message": tr("Your password is changed."), "sessions_ended": ended}


@router.get("/sessions")
async def sessions(person: Person) -> dict[str, Any]:
    """Where one is signed in."""
    return {"sessions": [asdict(one) for one in await identity.list_sessions(person)]}


@router.delete("/sessions/{session_id}")
async def end_session(person: Person, session_id: str) -> dict[str, Any]:
    """End one of one's own sessions; 404 for others."""
    await identity.end_session(person, session_id)
    return {"message": tr("The session has ended.")}


@router.delete("/sessions")
async def end_other_sessions(person: Person) -> dict[str, Any]:
    """End every session but this one. ``POST /api/auth/logout?everywhere=true`` ends this one, too."""
    return {"sessions_ended": await identity.close_all_sessions(person.user_id, keep=person.session_id)}


@router.get("/account/export")
async def export(person: Person) -> StreamingResponse:
    """Everything kept about the caller, as a JSON file."""
    await hit("export", person.user_id, EXPORTS_PER_MINUTE)
    headers = {"content-disposition": 'attachment; filename="my-data.json"', "cache-control": "no-store"}
    return StreamingResponse(_parts(person), media_type="application/json", headers=headers)


async def _parts(person: Principal) -> AsyncIterator[bytes]:
    async for part in export_stream(person):
        yield part.encode()


class Farewell(BaseModel):
    """``password`` stays empty for people who sign in through the issuer."""

    password: str = Field("", max_length=1000)


@router.post("/account/delete")
async def delete(person: Person, farewell: Farewell, response: Response) -> dict[str, str]:
    """Delete the caller's account and data, for good."""
    await delete_account(person, farewell.password)
    drop_cookie(response, identity.cookie_name())
    return {"message": tr("Your account and your data are deleted.")}
