"""Under ``/api/plugins/crm``: contacts as CSV, in and out. The upload is a plain form, so it works without a script."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Response, UploadFile
from fastapi.responses import RedirectResponse

from mozaiks_shell.sdk.errors import ShellError

from . import csv_files

router = APIRouter()


@router.get("/contacts.csv")
async def export() -> Response:
    """All contacts. 403 when the plan has no export."""
    content = ("\ufeff" + await csv_files.write()).encode()  # Excel needs the mark to see UTF-8
    named = {"Content-Disposition": 'attachment; filename="contacts.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=named)


@router.post("/contacts.csv")
async def take(file: Annotated[UploadFile, File()]) -> Response:
    """Take contacts from a file and go back to the page, which says how it went."""
    try:
        done = await csv_files.read(await file.read())
        told = {"added": done.added, "changed": done.changed, "problems": "\n".join(done.problems)}
    except ShellError as problem:
        told = {"refused": problem.message}
    return RedirectResponse(f"/plugins/crm/contacts?{urlencode(told)}", 303)
