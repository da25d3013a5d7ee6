"""The HTTP API of chats (protocol §1.2). Errors have FastAPI's shape ``{"detail": ...}`` with their true status.

Stricter than the published runtime where that one leaks: the app claim is compared on every route that names
an app, and nothing of another user is ever listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Query

from .access import Here, Json, User, known_workflow, owned, usable, user_token, whose
from .actions import artifact
from .auth import Principal
from .chat import IN_PROGRESS, Chat
from .messages import ChatInputBody, StartBody, UiToolBody, UserInputBody
from .replay import cache_seed, http_meta, session_row

if TYPE_CHECKING:
    from .app import Services

router = APIRouter()


@router.post("/api/chats/{app_id}/{workflow}/start")
async def start(app_id: str, workflow: str, body: StartBody, who: User, services: Here) -> Json:
    """Make a chat record; the run begins when the WebSocket opens. Repeats within 15 s get the same chat."""
    if body.user_id is not None:
        who.require_user(body.user_id, "request body")
    user_id = who.user_id or body.user_id
    if user_id is None:
        raise HTTPException(400, "user_id is required")
    if wrong := usable(user_id=user_id):
        raise HTTPException(400, f"{wrong} is not usable: at most 64 characters, none of them a control character")
    known_workflow(services, workflow)
    reason = await services.blocked(app_id, user_id, workflow)
    if reason is not None:
        raise HTTPException(409, reason)
    chat = None if body.force_new else await services.chats.reusable(app_id, user_id, workflow)
    reused = chat is not None
    chat = chat or services.open_chat(app_id, user_id, workflow)
    await services.chats.saved(chat)
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
    return {"exists": await _find(services, who, app_id, workflow, chat_id) is not None}


@router.get("/api/chats/meta/{app_id}/{workflow}/{chat_id}")
async def meta(app_id: str, workflow: str, chat_id: str, who: User, services: Here) -> Json:
    """Status (0 in progress, 1 completed), message count and last UI tool of a chat."""
    chat = await _find(services, who, app_id, workflow, chat_id)
    return {"exists": False} if chat is None else http_meta(chat)


async def _find(services: Services, who: Principal, app_id: str, workflow: str, chat_id: str) -> Chat | None:
    chat = await services.chats.find(app_id, chat_id)
    fits = chat is not None and chat.workflow == workflow and owned(who, chat, app_id)
    if chat is None or not fits:
        return None
    await services.chats.saved(chat)  # what is told is what a restart would tell
    return chat


@router.get("/api/chats/{app_id}/{workflow}")
async def chat_ids(app_id: str, workflow: str, who: User, services: Here, user_id: str | None = None) -> Json:
    """The caller's chats of a workflow, newest first, at most 20."""
    mine = await services.chats.owned(app_id, whose(who, user_id), workflow, limit=20)
    return {"chat_ids": [chat.chat_id for chat in mine]}


@router.get("/api/sessions/list/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def sessions(app_id: str, user_id: str, services: Here) -> Json:
    """The user's chats in progress, newest first, at most 100."""
    rows = [session_row(chat) for chat in await services.chats.owned(app_id, user_id, status=IN_PROGRESS, limit=100)]
    return {"sessions": rows, "count": len(rows)}


@router.get("/api/sessions/recent/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def recent(app_id: str, user_id: str, services: Here) -> Json:
    """The user's chat in progress that was used last."""
    open_chats = await services.chats.owned(app_id, user_id, status=IN_PROGRESS, limit=100)
    if not open_chats:
        return {"found": False, "chat_id": None, "workflow_name": None}
    return {"found": True, **session_row(max(open_chats, key=lambda chat: chat.updated_at))}


@router.post("/chat/{app_id}/{chat_id}/{user_id}/input")
async def chat_input(app_id: str, chat_id: str, user_id: str, body: ChatInputBody, who: User, services: Here) -> Json:
    """Answer the first pending question; start a run when none is alive; otherwise store and echo.

    Unlike the published route it never stays open while the run works.
    """
    chat = await services.chats.find(app_id, chat_id)
    if chat is None or chat.user_id != user_id or not owned(who, chat, app_id):
        raise HTTPException(404, "Chat not found")
    if not body.message.strip():
        raise HTTPException(400, "'message' must not be empty")
    if body.workflow_name not in (None, chat.workflow):
        raise HTTPException(400, "workflow_name does not match the chat")
    workflow = known_workflow(services, chat.workflow)
    services.runner.tell(chat, body.context)
    request_id = next(iter(chat.questions), None)
    if request_id is not None:
        chat.answer_question(request_id, body.message)
        services.go_on(chat)
    elif chat.running:
        chat.echo(body.message)
    else:
        services.runner.start(chat, workflow, body.message)
    await services.chats.saved(chat)
    return {"status": "Message received and is being processed.", "transport": None}


@router.post("/api/user-input/submit")
async def user_input(body: UserInputBody, who: User, services: Here) -> Json:
    """Answer a pending question by its id."""
    if not body.user_input.strip():
        raise HTTPException(400, "'user_input' must not be empty")
    chat = await services.chats.waiting_for(body.input_request_id)
    if chat is None or not owned(who, chat) or not chat.answer_question(body.input_request_id, body.user_input):
        raise HTTPException(404, "Input request not found")
    services.go_on(chat)
    await services.chats.saved(chat)
    return {"status": "success", "message": "User input submitted successfully"}


@router.post("/api/ui-tool/submit")
async def ui_tool(body: UiToolBody, who: User, services: Here) -> Json:
    """Answer a waiting UI tool by its event id."""
    if not body.response_data:
        raise HTTPException(400, "'response_data' must not be empty")
    chat = await services.chats.waiting_for(body.event_id)
    if chat is None or not owned(who, chat) or not chat.answer_tool(body.event_id, body.response_data):
        raise HTTPException(404, "UI tool event not found")
    services.go_on(chat)
    await services.chats.saved(chat)
    return {"status": "success", "message": "UI tool response submitted successfully"}


@router.get("/api/artifacts/{artifact_id}/cached")
async def cached_artifact(artifact_id: str, who: User, services: Here, app_id: str, chat_id: str) -> Json:
    """An artifact of the caller's chat as it stands now (as mozaiks-core has it); ``chat_id`` is needed here."""
    chat = await services.chats.find(app_id, chat_id)
    if chat is None or not owned(who, chat, app_id):
        raise HTTPException(404, "Cache miss")
    state = artifact(chat, artifact_id)
    if state is None:
        raise HTTPException(404, "Cache miss")
    owner = {"chat_id": chat_id, "workflow_name": chat.workflow, "app_id": app_id}
    return {"artifact_id": artifact_id, **owner, "state": state, "updated_at": chat.updated_at, "expires_at": None}


@router.get("/api/general_chats/list/{app_id}/{user_id}", dependencies=[Depends(user_token)])
async def general_chats(app_id: str, user_id: str, services: Here, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Json:
    """The user's ask threads, newest first."""
    await services.desk.threads.recall(app_id, user_id)
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
    user = whose(who, user_id)
    await services.desk.threads.recall(app_id, user)
    for thread in services.desk.threads.owned(app_id, user):
        if thread.id == thread_id:
            messages = [m for m in thread.messages if m["sequence"] > after_sequence][:limit]
            owner = {"app_id": app_id, "user_id": thread.user_id}
            return {**thread.row(), **owner, "messages": messages}
    raise HTTPException(404, "General chat not found")
