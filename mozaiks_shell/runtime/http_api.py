"""The HTTP API (protocol §1.2). Errors have FastAPI's shape ``{"detail": ...}`` with their true status.

Stricter than the published runtime where that one leaks: the app claim is compared on every route that names
an app, and nothing of another user is ever listed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from .auth import Principal
from .chat import IN_PROGRESS, Chat
from .messages import ChatInputBody, StartBody, UiToolBody, UserInputBody
from .replay import cache_seed, http_meta, session_row
from .workflows import Workflow

if TYPE_CHECKING:
    from .app import Services

router = APIRouter()
Json = dict[str, Any]


def get_services(request: Request) -> Services:
    """The running services."""
    services: Services = request.app.state.services
    return services


Here = Annotated[Any, Depends(get_services)]


def _token(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer" and value.strip():
        return value.strip()
    return request.query_params.get("access_token")


async def any_token(request: Request, services: Here) -> Principal:
    """Auth kind *any*: a valid token, with or without the scope."""
    principal: Principal = await services.verifier.verify(_token(request), need_scope=False)
    return principal


async def user_token(request: Request, services: Here) -> Principal:
    """Auth kind *user*: a valid token with the scope, for the app and user of the path."""
    principal: Principal = await services.verifier.verify(_token(request))
    if "app_id" in request.path_params:
        principal.require_app(request.path_params["app_id"])
    if "user_id" in request.path_params:
        principal.require_user(request.path_params["user_id"])
    return principal


Any_ = Annotated[Principal, Depends(any_token)]
User = Annotated[Principal, Depends(user_token)]


def _whose(principal: Principal, user_id: str | None) -> str:
    """The user a route without user in its path is about."""
    if user_id is not None:
        principal.require_user(user_id, "query")
    return principal.user_id or user_id or "anonymous"


def _owned(principal: Principal, chat: Chat, app_id: str | None = None) -> bool:
    user_fits = principal.user_id in (None, chat.user_id)
    app_fits = principal.app_id in (None, chat.app_id) and app_id in (None, chat.app_id)
    return user_fits and app_fits and principal.chat_id in (None, chat.chat_id)


def _workflow(services: Services, name: str) -> Workflow:
    workflow = services.workflows.get(name)
    if workflow is None:
        raise HTTPException(404, f"Workflow '{name}' not found")
    return workflow


@router.post("/api/chats/{app_id}/{workflow}/start")
async def start(app_id: str, workflow: str, body: StartBody, who: User, services: Here) -> Json:
    """Make a chat record; the run begins when the WebSocket opens. Repeats within 15 s get the same chat."""
    if body.user_id is not None:
        who.require_user(body.user_id, "request body")
    user_id = who.user_id or body.user_id
    if user_id is None:
        raise HTTPException(400, "user_id is required")
    _workflow(services, workflow)
    chat = None if body.force_new else services.chats.reusable(app_id, user_id, workflow)
    reused = chat is not None
    chat = chat or services.chats.create(app_id, user_id, workflow)
    return {
        "success": True,
        "chat_id": chat.chat_id,
        "workflow_name": workflow,
        "app_id": app_id,
        "user_id": user_id,
        "websocket_url": f"/ws/{workflow}/{app_id}/{chat.chat_id}/{user_id}",
        "message": "Existing recent chat reused." if reused
        else "Chat session initialized; connect to websocket to start.",
        "reused": reused,
        "cache_seed": cache_seed(app_id, chat.chat_id),
    }  # fmt: skip


@router.get("/api/chats/exists/{app_id}/{workflow}/{chat_id}")
async def exists(app_id: str, workflow: str, chat_id: str, who: User, services: Here) -> Json:
    """Whether the caller has this chat."""
    return {"exists": _find(services, who, app_id, workflow, chat_id) is not None}


@router.get("/api/chats/meta/{app_id}/{workflow}/{chat_id}")
async def meta(app_id: str, workflow: str, chat_id: str, who: User, services: Here) -> Json:
    """Status (0 in progress, 1 completed), message count and last UI tool of a chat."""
    chat = _find(services, who, app_id, workflow, chat_id)
    return {"exists": False} if chat is None else http_meta(chat)


def _find(services: Services, who: Principal, app_id: str, workflow: str, chat_id: str) -> Chat | None:
    chat = services.chats.get(app_id, chat_id)
    fits = chat is not None and chat.workflow == workflow and _owned(who, chat, app_id)
    return chat if fits else None


@router.get("/api/chats/{app_id}/{workflow}")
async def chat_ids(app_id: str, workflow: str, who: User, services: Here, user_id: str | None = None) -> Json:
    """The caller's chats of a workflow, newest first, at most 20."""
    owned = services.chats.owned(app_id, _whose(who, user_id), workflow)
    return {"chat_ids": [chat.chat_id for chat in owned[:20]]}


@router.get("/api/sessions/list/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def sessions(app_id: str, user_id: str, services: Here) -> Json:
    """The user's chats in progress, newest first, at most 100."""
    rows = [session_row(c) for c in services.chats.owned(app_id, user_id) if c.status == IN_PROGRESS][:100]
    return {"sessions": rows, "count": len(rows)}


@router.get("/api/sessions/recent/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def recent(app_id: str, user_id: str, services: Here) -> Json:
    """The user's chat in progress that was used last."""
    open_chats = [c for c in services.chats.owned(app_id, user_id) if c.status == IN_PROGRESS]
    if not open_chats:
        return {"found": False, "chat_id": None, "workflow_name": None}
    return {"found": True, **session_row(max(open_chats, key=lambda chat: chat.updated_at))}


@router.post("/chat/{app_id}/{chat_id}/{user_id}/input")
async def chat_input(app_id: str, chat_id: str, user_id: str, body: ChatInputBody, who: User, services: Here) -> Json:
    """Answer the first pending question; start a run when none is alive; otherwise store and echo.

    Unlike the published route it never stays open while the run works.
    """
    chat = services.chats.get(app_id, chat_id)
    if chat is None or chat.user_id != user_id or not _owned(who, chat, app_id):
        raise HTTPException(404, "Chat not found")
    if not body.message.strip():
        raise HTTPException(400, "'message' must not be empty")
    if body.workflow_name not in (None, chat.workflow):
        raise HTTPException(400, "workflow_name does not match the chat")
    services.runner.tell(chat, body.context)
    request_id = next(iter(chat.questions), None)
    if request_id is not None:
        chat.answer_question(request_id, body.message)
    elif chat.running:
        chat.echo(body.message)
    else:
        services.runner.start(chat, _workflow(services, chat.workflow), body.message)
    return {"status": "Message received and is being processed.", "transport": None}


@router.post("/api/user-input/submit")
async def user_input(body: UserInputBody, who: User, services: Here) -> Json:
    """Answer a pending question by its id."""
    if not body.user_input.strip():
        raise HTTPException(400, "'user_input' must not be empty")
    found = services.chats.question(body.input_request_id)
    if found is None or not _owned(who, found[0]):
        raise HTTPException(404, "Input request not found")
    found[0].answer_question(body.input_request_id, body.user_input)
    return {"status": "success", "message": "User input submitted successfully"}


@router.post("/api/ui-tool/submit")
async def ui_tool(body: UiToolBody, who: User, services: Here) -> Json:
    """Answer a waiting UI tool by its event id."""
    if not body.response_data:
        raise HTTPException(400, "'response_data' must not be empty")
    found = services.chats.tool(body.event_id)
    if found is None or not _owned(who, found[0]):
        raise HTTPException(404, "UI tool event not found")
    found[0].answer_tool(body.event_id, body.response_data)
    return {"status": "success", "message": "UI tool response submitted successfully"}


@router.get("/api/workflows", dependencies=[Depends(any_token)])
@router.get("/api/workflows/config", dependencies=[Depends(any_token)])
async def workflows(services: Here) -> Json:
    """Every workflow with its configuration."""
    return {name: workflow.config() for name, workflow in services.workflows.items()}


@router.get("/api/workflows/{app_id}/available")
async def available(app_id: str, who: User, services: Here, user_id: str | None = None) -> Json:
    """What the user may start: everything, as no workflow here has prerequisites."""
    if who.user_id is None and user_id is None:
        raise HTTPException(400, "user_id is required")
    _whose(who, user_id)
    head = {"available": True, "reason": "All prerequisites met", "type": "primary"}
    rows = [
        {"workflow_name": w.name, **head, "description": w.description, "required_gates": []} for w in services.workflows.values()
    ]
    return {"workflows": rows}


@router.get("/api/workflows/{workflow}/transport", dependencies=[Depends(any_token)])
async def transport(workflow: str, services: Here) -> Json:
    """Where to talk to a workflow."""
    _workflow(services, workflow)
    endpoints = {
        "websocket": f"/ws/{workflow}/{{app_id}}/{{chat_id}}/{{user_id}}",
        "input": "/chat/{app_id}/{chat_id}/{user_id}/input",
    }
    return {"workflow_name": workflow, "transport": "websocket", "endpoints": endpoints}


@router.get("/api/workflows/{workflow}/tools", dependencies=[Depends(any_token)])
async def tools(workflow: str, services: Here) -> Json:
    """The tools of a workflow."""
    return {"workflow_name": workflow, "tools": _workflow(services, workflow).tools()}


@router.get("/api/workflows/{workflow}/ui-tools", dependencies=[Depends(any_token)])
async def ui_tools(workflow: str, services: Here) -> Json:
    """The UI tools of a workflow."""
    rows = _workflow(services, workflow).ui_tool_rows()
    return {"workflow_name": workflow, "ui_tools_count": len(rows), "ui_tools": rows}


@router.get("/api/health", dependencies=[Depends(any_token)])
async def health(services: Here) -> Json:
    """Alive, and with what. There is no database: ``mongodb`` says so."""
    began = time.perf_counter()
    chats = list(services.chats)
    sockets = sum(len(chat.listeners) for chat in chats)
    total = sum(len(workflow.ui_tools) for workflow in services.workflows.values())
    return {
        "status": "healthy",
        "mongodb": "not used",
        "mongodb_ping_ms": None,
        "simple_transport": "initialized",
        "active_connections": {"websocket_connections": sockets, "total_connections": sockets},
        "workflows": list(services.workflows),
        "transport_groups": {"websocket": list(services.workflows)},
        "tools_available": total > 0,
        "total_tools": total,
        "health_check_time_ms": round((time.perf_counter() - began) * 1000, 2),
    }


@router.get("/api/general_chats/list/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def general_chats(app_id: str, user_id: str, services: Here, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Json:
    """The user's ask threads, newest first."""
    rows = [thread.row() for thread in services.desk.threads.owned(app_id, user_id)[:limit]]
    return {"sessions": rows, "count": len(rows)}


@router.get("/api/general_chats/transcript/{app_id}/{thread_id}")
async def general_transcript(
    app_id: str,
    thread_id: str,
    who: User,
    services: Here,
    user_id: str | None = None,
    after_sequence: int = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Json:
    """One ask thread of the caller with its messages after ``after_sequence``."""
    for thread in services.desk.threads.owned(app_id, _whose(who, user_id)):
        if thread.id == thread_id:
            messages = [m for m in thread.messages if m["sequence"] > after_sequence][:limit]
            owner = {"app_id": app_id, "user_id": thread.user_id}
            return {**thread.row(), **owner, "messages": messages}
    raise HTTPException(404, "General chat not found")
