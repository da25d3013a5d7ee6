"""The API: ``POST /api/execute/tasks`` with an ``action``."""

from datetime import UTC
from typing import Any

from . import service
from .models import Task


async def execute(data: dict[str, Any]) -> dict[str, Any]:
    """Answer ``list``, ``get``, ``create``, ``update`` and ``delete``. What is wrong is raised as an SDK error."""
    match data.get("action"):
        case "list":
            found = await service.find(str(data.get("show", "all")), str(data.get("search", "")))
            counted = await service.counts()
            return {"tasks": [written(task) for task in found], "open": counted.open, "done": counted.done}
        case "get":
            return {"task": written(await service.get(data.get("id")))}
        case "create":
            return {"task": written(await service.create(data.get("title"), data.get("due")))}
        case "update":
            changes = {name: data[name] for name in ("title", "due", "done") if name in data}
            if "due" in changes:
                changes["due"] = changes["due"] or ""  # null removes the date
            return {"task": written(await service.update(data.get("id"), **changes))}
        case "delete":
            await service.delete(data.get("id"))
            return {"deleted": data.get("id")}
        case other:
            return {"error": f"Unknown action {other!r}.", "error_code": "VALIDATION_ERROR"}


def written(task: Task) -> dict[str, Any]:
    """A task as JSON. Dates are ISO 8601."""
    return {
        "id": task.id,
        "title": task.title,
        "due": task.due.isoformat() if task.due else None,
        "done": task.done,
        "created_at": task.created_at.replace(tzinfo=UTC).isoformat(),  # SQLite forgets the zone
    }
