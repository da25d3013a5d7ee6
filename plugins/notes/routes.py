"""Downloads, under ``/api/plugins/notes``: one note as Markdown, all of them as a ZIP."""

import io
import re
import zipfile

from fastapi import APIRouter, Response

from . import service
from .models import Note

router = APIRouter()


@router.get("/export")
async def export() -> Response:
    """Every note as a Markdown file with its facts at the head, archived ones in a folder of their own."""
    notes = await service.everything()
    packed, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for note in notes:
            folder = "archive/" if note.archived else ""
            name = base = folder + _file_name(note)
            number = 1
            while name.lower() in taken:
                number += 1
                name = f"{base} {number}"
            taken.add(name.lower())
            archive.writestr(f"{name}.md", _markdown(note))
    return _download(packed.getvalue(), "application/zip", "notes.zip")


@router.get("/note/{note_id}")
async def one(note_id: str) -> Response:
    """One note as a Markdown file."""
    return _download(_markdown(await service.get(note_id)).encode(), "text/markdown; charset=utf-8", "note.md")


def _download(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _file_name(note: Note) -> str:
    allowed = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", note.title)
    return " ".join(allowed.split()).strip(" .")[:80] or "Untitled"


def _markdown(note: Note) -> str:
    facts = [f"created: {note.created_at:%Y-%m-%dT%H:%M:%SZ}", f"updated: {note.updated_at:%Y-%m-%dT%H:%M:%SZ}"]
    if note.tag_list:
        facts.append(f"tags: [{', '.join(note.tag_list)}]")
    title = f"# {note.title}\n\n" if note.title else ""
    return "---\n" + "\n".join(facts) + f"\n---\n\n{title}{note.text}\n"
