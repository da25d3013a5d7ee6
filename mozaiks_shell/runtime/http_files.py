"""The rest of the published HTTP API (protocol §1.2): uploads, component actions, sign-ins elsewhere, files for services."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from . import bundle, frames, uploads
from .access import Here, Internal, Json, User, internal_token, owned, usable, user_token
from .auth import Principal
from .chat import Chat
from .messages import ComponentAction, OAuthCompleted

if TYPE_CHECKING:
    from .app import Services

router = APIRouter()


async def _chat(services: Services, who: Principal, app_id: str, chat_id: str) -> Chat:
    chat = await services.chats.find(app_id, chat_id) if app_id and chat_id else None
    if chat is None or not owned(who, chat, app_id):
        raise HTTPException(404, "Chat not found")
    return chat


@router.post("/api/chat/upload")
@router.post("/api/chat/upload/{app_id}/{user_id}")
async def upload(request: Request, who: User, services: Here) -> Json:
    """Attach a file to a chat; whoever watches the chat is told."""
    async with uploads.bounded_form(request, services.config) as form:
        told = {name: value for name, value in form.items() if isinstance(value, str)}
        app_id = request.path_params.get("app_id") or told.get("appId", "")
        user_id = request.path_params.get("user_id") or told.get("userId") or who.user_id or ""
        who.require_app(app_id)
        who.require_user(user_id, "form")
        chat = await _chat(services, who, app_id, told.get("chatId", ""))
        if chat.user_id != user_id:
            raise HTTPException(404, "Chat not found")
        intent = told.get("intent", "context")
        file = uploads.check_kind(services.config, chat, form.get("file"), intent)
        attachment = await uploads.store(services.config, chat, file, intent, told.get("bundle_path"))
    chat.attach_file(attachment)
    await services.chats.saved(chat)
    who_ = {"app_id": chat.app_id, "user_id": chat.user_id}
    return {"success": True, "chat_id": chat.chat_id, **who_, "attachment": attachment}


@router.post("/chat/{app_id}/{chat_id}/component_action")
async def component_action(app_id: str, chat_id: str, body: ComponentAction, who: User, services: Here) -> Json:
    """Set context variables from a component on screen."""
    chat = await _chat(services, who, app_id, chat_id)
    values = body.action_data.get("set", {})
    if not isinstance(values, dict):
        raise HTTPException(400, "action_data.set must be an object")
    if not chat.set_variables(values):
        raise HTTPException(400, "The context of this chat is full")
    chat.emit(frames.component_action_ack(body.component_id, body.action_type, values, chat_id))
    await services.chats.saved(chat)
    head = {"status": "success", "message": "Component action applied"}
    return head | {"applied": values, "timestamp": frames.now()}


@router.post("/api/realtime/oauth/completed", dependencies=[Depends(internal_token)])
async def oauth_completed(body: OAuthCompleted, services: Here) -> JSONResponse:
    """A person has signed in at a platform: told to whoever watches the chat, or kept until somebody does."""
    frame = frames.oauth_completed(body.model_dump())
    chat = await services.chats.find(body.appId, body.chatSessionId)
    if chat is not None and chat.user_id != body.userId:
        raise HTTPException(404, "Chat not found")
    if chat is not None and chat.listeners:
        chat.emit(frame)
        return JSONResponse({"accepted": True, "delivered": True})
    services.chats.leave(body.appId, body.chatSessionId, body.userId, frame)
    return JSONResponse({"accepted": True, "delivered": False}, 202)


@router.get("/api/themes/{app_id}", dependencies=[Depends(user_token)])
async def theme(app_id: str) -> Json:
    """Themes are the shell's (brand.json); none is stored here."""
    raise HTTPException(404, "No custom theme")


@router.get("/api/apps/{app_id}/builds/{build_id}/export")
async def export_build(app_id: str, build_id: str, who: Internal, services: Here) -> Response:
    """The files that the chat of this id made, zipped, for services; 404 when it made none."""
    who.require_app(app_id)
    chat = await services.chats.find(app_id, build_id) if usable(app_id=app_id, chat_id=build_id) is None else None
    files = bundle.generated_files(chat) if chat is not None else {}
    if not files:
        raise HTTPException(404, "Build not found")
    content = await asyncio.to_thread(bundle.zipped, files)
    return Response(content, media_type="application/zip", headers={"content-disposition": 'attachment; filename="build.zip"'})


@router.get("/api/download/workflow-file", dependencies=[Depends(internal_token)])
def workflow_file(services: Here, file_path: str = "") -> Any:
    """A file below the folder of workflows, for services."""
    if not file_path or "\0" in file_path or len(file_path) > 1000:
        raise HTTPException(400, "file_path is required")
    if services.config.workflows_path is None:
        raise HTTPException(404, "File not found")
    root, given = Path(services.config.workflows_path).resolve(), Path(file_path)
    parts = given.parts[1:] if given.parts and given.parts[0] == "workflows" else given.parts
    found = root.joinpath(*parts).resolve()
    if given.is_absolute() or not found.is_relative_to(root):
        raise HTTPException(403, "Access denied: path is outside the workflows directory")
    if not found.is_file() or any(part.startswith(".") for part in found.relative_to(root).parts):
        raise HTTPException(404, "File not found")
    return FileResponse(found, media_type="application/octet-stream", filename=found.name)
