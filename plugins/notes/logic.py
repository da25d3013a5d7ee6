"""The API: ``POST /api/execute/notes`` with an ``action``."""

from datetime import UTC
from typing import Any

from . import service
from .models import Note


async def execute(data: dict[str, Any]) -> dict[str, Any]:
    """Answer ``list``, ``get``, ``create``, ``update`` and ``delete``. What is wrong is raised as an SDK error."""
    match data.get("action"):
        case "list":
            how = {"tag": str(data.get("tag", "")), "archived": data.get("archived") is True}
            search = str(data.get("search", ""))
            found = await service.find(search, **how)
            return {"notes": [written(note) for note in found], "total": await service.count(search, **how)}
        case "get":
            return {"note": written(await service.get(data.get("id")))}
        case "create":
            made = await service.create(data.get("title", ""), data.get("text", ""), data.get("tags", ""))
            return {"note": written(made)}
        case "update":
            return {"note": written(await _update(data))}
        case "delete":
            await service.delete(data.get("id"))
            return {"deleted": data.get("id")}
        case other:
            return {"error": f"Unknown action {other!r}.", "error_code": "VALIDATION_ERROR"}


async def _update(data: dict[str, Any]) -> Note:
    """Change what is given; with ``revision``, words that were changed elsewhere become a note of their own."""
    note = await service.get(data.get("id"))
    if {"title", "text", "tags"} & data.keys():
        words = {name: data.get(name, now) for name, now in (("title", note.title), ("text", note.text), ("tags", note.tags))}
        note, _ = await service.rewrite(note.id, **words, revision=data.get("revision"))
    return await service.mark(note.id, pinned=data.get("pinned"), archived=data.get("archived"))


def written(note: Note) -> dict[str, Any]:
    """A note as JSON. Times are ISO 8601."""
    return {
        "id": note.id,
        "title": note.title,
        "text": note.text,
        "tags": note.tag_list,
        "pinned": note.pinned,
        "archived": note.archived,
        "revision": note.revision,
        "created_at": note.created_at.replace(tzinfo=UTC).isoformat(),  # SQLite forgets the zone
        "updated_at": note.updated_at.replace(tzinfo=UTC).isoformat(),
    }
