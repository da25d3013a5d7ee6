"""Who may call a route: the three auth kinds of protocol §1.1 as dependencies, and whose chat it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, HTTPException, Request

from .auth import AuthError, Principal
from .chat import Chat
from .workflows import Workflow

if TYPE_CHECKING:
    from .app import Services

Json = dict[str, Any]
_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")
_LENGTHS = {"app_id": 64, "user_id": 64, "chat_id": 128, "workflow": 128}


def usable(**ids: str) -> str | None:
    """The name of the first id that cannot be stored (too long, control characters), or None."""
    for name, value in ids.items():
        if len(value) > _LENGTHS.get(name, 128) or not _ID.fullmatch(value):
            return name
    return None


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


def _check_ids(request: Request) -> None:
    wrong = usable(**{name: value for name, value in request.path_params.items() if name in _LENGTHS})
    if wrong is not None:
        raise HTTPException(400, f"{wrong} is not usable: at most {_LENGTHS[wrong]} characters, none of them a control character")


async def any_token(request: Request, services: Here) -> Principal:
    """Auth kind *any*: a valid token, with or without the scope."""
    principal: Principal = await services.verifier.verify(_token(request), need_scope=False)
    return principal


async def user_token(request: Request, services: Here) -> Principal:
    """Auth kind *user*: a valid token with the scope, for the app and user of the path."""
    principal: Principal = await services.verifier.verify(_token(request))
    _check_ids(request)
    if "app_id" in request.path_params:
        principal.require_app(request.path_params["app_id"])
    if "user_id" in request.path_params:
        principal.require_user(request.path_params["user_id"])
    return principal


async def internal_token(request: Request, services: Here) -> Principal:
    """Auth kind *internal*: a valid token **without** the scope: a service, not a person."""
    principal: Principal = await services.verifier.verify(_token(request), need_scope=False)
    if services.config.scope in principal.scopes:
        raise AuthError(403, "Internal endpoint requires app-only token, not delegated user token")
    return principal


Any_ = Annotated[Principal, Depends(any_token)]
User = Annotated[Principal, Depends(user_token)]
Internal = Annotated[Principal, Depends(internal_token)]


def whose(principal: Principal, user_id: str | None) -> str:
    """The user a route without user in its path is about."""
    if user_id is not None:
        principal.require_user(user_id, "query")
    return principal.user_id or user_id or "anonymous"


def owned(principal: Principal, chat: Chat, app_id: str | None = None) -> bool:
    """Whether the caller may act in this chat."""
    user_fits = principal.user_id in (None, chat.user_id)
    app_fits = principal.app_id in (None, chat.app_id) and app_id in (None, chat.app_id)
    return user_fits and app_fits and principal.chat_id in (None, chat.chat_id)


def known_workflow(services: Services, name: str) -> Workflow:
    """The workflow, or 404."""
    workflow = services.workflows.get(name)
    if workflow is None:
        raise HTTPException(404, f"Workflow '{name}' not found")
    return workflow
