"""The broker over HTTP: start, launch, capabilities, JWKS (F-141, F-142, F-145, F-149)."""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Depends, Header
from fastapi.responses import JSONResponse
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.broker import direct, service, tokens, workflow_routes
from mozaiks_shell.broker.errors import BadRequest
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import bearer_in

router = APIRouter()
router.include_router(workflow_routes.router)
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Model = TypeVar("Model", bound=BaseModel)


def _may_hold_tokens(authorization: Annotated[str, Header()] = "") -> bool:
    """Whether this caller gets the runtime's token itself: programs do, browsers only in direct mode (C-05).

    A browser of ours never needs it, because the shell talks to the runtime for it.
    """
    return bool(bearer_in(authorization)) or get_settings().direct_runtime


HoldsTokens = Annotated[bool, Depends(_may_hold_tokens)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]


class StartBody(BaseModel):
    """``workflow_name`` and ``chat_id``, also as ``WorkflowName`` and ``ChatId``, or ``workflowName`` and ``chatId``."""

    model_config = ConfigDict(extra="ignore")

    workflow_name: str = Field(
        default="", max_length=128, validation_alias=AliasChoices("workflow_name", "WorkflowName", "workflowName")
    )
    chat_id: str | None = Field(default=None, max_length=128, validation_alias=AliasChoices("chat_id", "ChatId", "chatId"))
    client_request_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        validation_alias=AliasChoices("client_request_id", "ClientRequestId", "clientRequestId", "idempotency_key"),
    )


class LaunchBody(BaseModel):
    """``capability_id``; with ``client_request_id`` a repeated launch returns the same chat."""

    model_config = ConfigDict(extra="ignore")

    capability_id: str = Field(
        min_length=1, max_length=64, validation_alias=AliasChoices("capability_id", "CapabilityId", "capabilityId")
    )
    client_request_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        validation_alias=AliasChoices("client_request_id", "ClientRequestId", "clientRequestId"),
    )


_SPELLINGS = {
    "pascal": ("ChatId", "WorkflowName", "RuntimeWsUrl", "RuntimeToken"),
    "camel": ("chatId", "workflowName", "runtimeWsUrl", "runtimeToken"),
    "snake": ("chat_id", "workflow_name", "runtime_ws_url", "runtime_token"),
}


def _spelling(body: dict[str, Any]) -> tuple[str, ...]:
    """The four names of the answer, spelled as the request spells its own."""
    for kind in ("pascal", "camel"):
        if any(name in body for name in _SPELLINGS[kind][:2]):
            return _SPELLINGS[kind]
    return _SPELLINGS["snake"]


@router.get("/.well-known/jwks.json")
async def published_keys() -> JSONResponse:
    """Public keys of the execution tokens: the one that signs, the next, and retired ones whose tokens still live."""
    return JSONResponse(await tokens.jwks(), headers={"cache-control": "public, max-age=300"})


@router.post("/api/workflows/start")
async def start_workflow(
    person: Person, holds_tokens: HoldsTokens, body: Any = Body(default=None), key: Key = None
) -> dict[str, Any]:
    """Start or resume a chat; answers in the spelling of the request.

    The token is for clients that talk to the runtime themselves; it is empty for a browser that came with its
    cookie, unless ``MOZAIKS_DIRECT_RUNTIME`` is on. A chat has one connection upstream: whoever connects takes over
    from the shell's own chat pane. Where the person's use has to be counted, ``runtime_ws_url`` is the shell's own socket
    instead, which takes the cookie or the bearer token that came with this request, and the token is empty (F-253).

    Somebody else's ``chat_id`` is answered with 403, an unknown one with 404 (F-141). That tells that an id exists,
    and nothing else; ids are random (UUID4), so there is nothing to be found by trying.
    """
    wanted = _parsed(StartBody, body)
    if not wanted.workflow_name and not wanted.chat_id:
        raise BadRequest(tr("Say which workflow to start: workflow_name is missing."))
    session = await service.start(
        person, wanted.workflow_name, chat_id=wanted.chat_id, idempotency_key=key or wanted.client_request_id
    )
    where, token = await direct.address(person, session) if holds_tokens else (session.ws_url, "")
    return dict(zip(_spelling(body), (session.chat_id, session.workflow, where, token), strict=True))


@router.post("/api/ai/launch")
async def launch(person: Person, holds_tokens: HoldsTokens, body: Any = Body(default=None), key: Key = None) -> dict[str, Any]:
    """Start the workflow of a capability. ``launch_token`` as in :func:`start_workflow`."""
    wanted = _parsed(LaunchBody, body)
    capability = await service.capability_of(wanted.capability_id)
    session = await service.start(
        person,
        capability.workflow_id,
        idempotency_key=key or wanted.client_request_id,
        capability_id=capability.id,
    )
    origin = get_settings().origin
    return {
        "app_id": person.app_id,
        "capability_id": capability.id,
        "chat_id": session.chat_id,
        "launch_token": (await direct.address(person, session))[1] if holds_tokens else "",
        "expires_in": session.expires_in,
        "runtime": {
            "runtime_api_base_url": session.api_url,
            "runtime_ui_base_url": origin,
            "chatui_url_template": origin + "/chat?app_id={app_id}&chat_id={chat_id}&token={token}",
        },
    }


@router.get("/api/ai/capabilities")
async def list_capabilities(person: Person) -> dict[str, Any]:
    """What this person may launch; locked entries carry ``needed``."""
    entries = [
        {
            "id": offer.capability.id,
            "display_name": offer.capability.display_name,
            "description": offer.capability.description,
            "icon": offer.capability.icon,
            "workflow_id": offer.capability.workflow_id,
            "visibility": offer.capability.visibility,
            "enabled": offer.capability.enabled,
            "allowed": offer.allowed,
            "needed": offer.decision.needed,
        }
        for offer in await service.offers(person)
    ]
    return {"capabilities": entries, "plan": await service.plan_of(person)}


def _parsed(model: type[Model], body: Any) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(f"{'.'.join(str(part) for part in first['loc']) or 'body'}: {first['msg']}") from error
