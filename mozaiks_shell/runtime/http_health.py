"""Health and figures (protocol §1.2). Whoever is a person sees the figures of their own chats."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException

from .access import Any_, Here, Json, owned
from .archive import is_trouble
from .auth import Principal
from .chat import Chat

if TYPE_CHECKING:
    from .app import Services

router = APIRouter()


@router.get("/api/health")
async def health(_: Any_, services: Here) -> Json:
    """Alive, and with what; ``mongodb`` is the published name of the database's line. ``runtime`` holds the real figures."""
    began = time.perf_counter()
    chats = list(services.chats)
    sockets = sum(len(chat.listeners) for chat in chats)
    total = sum(len(workflow.ui_tools) for workflow in services.workflows.values())
    state, ping, stored = await _database(services)
    figures = {
        "chats_in_memory": len(chats),
        "active_runs": sum(chat.running for chat in chats),
        "pending_questions": sum(len(chat.questions) for chat in chats),
        "pending_tools": sum(len(chat.tools) for chat in chats),
        "unsaved_chats": services.archive.waiting if services.archive else 0,
        "stored": stored,
        "workflow_problems": [str(problem) for problem in services.workflows.problems],
        "uptime_seconds": round(time.monotonic() - services.started, 1),
    }
    return {
        "status": "healthy" if state in ("connected", "not used") else "degraded",
        "mongodb": state,
        "mongodb_ping_ms": ping,
        "simple_transport": "initialized",
        "active_connections": {"websocket_connections": sockets, "total_connections": sockets},
        "workflows": list(services.workflows),
        "transport_groups": {"websocket": list(services.workflows)},
        "tools_available": total > 0,
        "total_tools": total,
        "runtime": figures,
        "health_check_time_ms": round((time.perf_counter() - began) * 1000, 2),
    }


async def _database(services: Services) -> tuple[str, float | None, Json | None]:
    if services.archive is None:
        return "not used", None, None
    try:
        ping, stored = await services.archive.database.ping(), await services.archive.figures()
    except Exception as error:
        if not is_trouble(error):
            raise
        return "unreachable", None, None
    return ("failing" if services.archive.failing else "connected"), ping, stored


@router.get("/health/active-runs")
async def active_runs(who: Any_, services: Here) -> Json:
    """The runs that are alive: how many, and which of them are the caller's."""
    alive = [chat for chat in services.chats if chat.running]
    runs = [{"chat_id": c.chat_id, "workflow_name": c.workflow, "app_id": c.app_id} for c in alive if owned(who, c)]
    return {"active_count": len(alive), "total_runs": services.chats.runs, "runs": runs, "note": "runs of this process"}


@router.get("/api/events/metrics")
async def event_metrics(_: Any_, services: Here) -> Json:
    """Frames sent since the start, by type."""
    counts = dict(services.chats.counts)
    return {"events_dispatched": sum(counts.values()), "by_type": counts}


def _row(chat: Chat) -> Json:
    used = chat.usage
    return {
        "chat_id": chat.chat_id,
        "workflow_name": chat.workflow,
        "app_id": chat.app_id,
        "user_id": chat.user_id,
        "turns": used["turns"],
        "prompt_tokens": used["prompt_tokens"],
        "completion_tokens": used["completion_tokens"],
        "total_tokens": used["prompt_tokens"] + used["completion_tokens"],
        "messages": chat.message_count,
        "running": chat.running,
    }


def _mine(services: Services, who: Principal) -> list[Chat]:
    return [chat for chat in services.chats if owned(who, chat)]


@router.get("/metrics/perf/aggregate")
async def perf_aggregate(who: Any_, services: Here) -> Json:
    """Sums over the caller's chats in memory."""
    rows = [_row(chat) for chat in _mine(services, who)]
    names = ("turns", "prompt_tokens", "completion_tokens", "total_tokens", "messages")
    return {"chats": len(rows), "active": sum(row["running"] for row in rows)} | {n: sum(row[n] for row in rows) for n in names}


@router.get("/metrics/perf/chats")
async def perf_chats(who: Any_, services: Here) -> Json:
    """The caller's chats in memory, newest first."""
    rows = [_row(chat) for chat in _mine(services, who)][:200]
    return {"chats": rows, "count": len(rows)}


@router.get("/metrics/perf/chats/{chat_id}")
async def perf_chat(chat_id: str, who: Any_, services: Here) -> Json:
    """One of them."""
    for chat in _mine(services, who):
        if chat.chat_id == chat_id:
            return _row(chat)
    raise HTTPException(404, "Chat not found")
