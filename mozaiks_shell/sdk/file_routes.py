"""``GET /api/files/<id>``: a person downloads their own file (F-264)."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.plugin_host.service import demand_plugin
from mozaiks_shell.sdk.file_kinds import INLINE
from mozaiks_shell.sdk.file_store import place
from mozaiks_shell.sdk.files import stored

router = APIRouter(prefix="/api", tags=["files"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]


@router.get("/files/{file_id}")
async def download(person: Person, file_id: str, request: Request, inline: bool = False) -> Response:
    """The content of one's own file, to be kept; images also to be shown, with ``inline=true``. 404 for everybody else.

    Whoever may no longer use the plugin cannot download from it; the export of one's data still holds the file.
    """
    row = await stored(file_id)
    if row.plugin:
        await demand_plugin(row.plugin, person)
    path = place(row)
    if not path.is_file():
        raise NotFound(tr("There is no such file."))
    shown = inline and row.content_type in INLINE
    plain = "".join(one if one.isascii() and one not in '"\\;%' else "_" for one in row.name)
    headers = {
        "content-disposition": f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(row.name)}",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-cache",
        "etag": f'"{row.sha256}"',
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type=row.content_type if shown else "application/octet-stream")


__all__: list[str] = []  # plugins reach files through ``sdk.files``
