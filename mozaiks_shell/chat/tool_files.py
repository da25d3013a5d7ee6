"""``GET /api/chats/<chat>/tools/<tool>/files/<number>``: a file whose content an agent wrote into what it shows (F-181)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.chat import service
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit

router = APIRouter(prefix="/api", tags=["chat"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
PER_MINUTE: Final = 60
_PARTS: Final = ("children", "components", "items")


@router.get("/chats/{chat_id}/tools/{tool_id}/files/{number}")
async def download(chat_id: str, tool_id: str, number: str, person: Person) -> Response:
    """The content of a file in what an agent shows, to be kept; never shown in the browser. 404 for everybody else.

    ``number`` is its place, behind the place of its part within a composite: ``0``, ``2.1``.
    """
    await hit("chat.tool_file", person.user_id, PER_MINUTE)
    view = await service.tool_view(person, chat_id, tool_id)
    name, content = _file(view.payload, number)
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\;%/' else "_" for one in name)
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-store",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def _file(payload: Mapping[str, Any], number: str) -> tuple[str, bytes]:
    part, _, place = number.rpartition(".")
    if part:
        listed = next((payload[one] for one in _PARTS if payload.get(one)), None)
        inner = _at(listed, part)
        payload = next((inner[one] for one in ("payload", "props") if isinstance(inner.get(one), Mapping)), inner)
    files = payload.get("files")
    file = _at([one for one in files if isinstance(one, Mapping)], place) if isinstance(files, list) else _at([payload], place)
    content = file.get("content")
    if not isinstance(content, str):
        raise NotFound(tr("There is no such file."))
    name = next((one for word in ("name", "filename", "title") if isinstance(one := file.get(word), str) and one), "file.txt")
    name = name.replace("/", "_").replace("\\", "_")[:200]
    if file.get("encoding") != "base64":
        return name, content.encode("utf-8", "replace")
    try:
        return name, base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise NotFound(tr("There is no such file.")) from None


def _at(listed: object, place: str) -> Mapping[str, Any]:
    if isinstance(listed, list) and place.isdigit() and len(place) < 5 and int(place) < len(listed):
        found = listed[int(place)]
        if isinstance(found, Mapping):
            return found
    raise NotFound(tr("There is no such file."))
