"""Workflows over HTTP: register them, list them, and say which a person may start now and why not (F-159, F-160)."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from fastapi.responses import JSONResponse

from mozaiks_shell.appconfig.capabilities import Capability
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.broker import service
from mozaiks_shell.broker.errors import BadRequest
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import Forbidden, NotFound
from mozaiks_shell.foundation.i18n import tr

router = APIRouter()
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Service = Annotated[Principal, Depends(needs(Access.role("service")))]
Owner = Annotated[Principal, Depends(needs(Access.role("admin")))]
_WRAPPERS = ("workflow_definition", "workflow", "capability")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@router.post("/api/workflows/register")
async def register_workflow(person: Service, body: Any = Body(default=None)) -> JSONResponse:
    """Register a workflow for this app, for the role ``service``; 201 when it is new, 200 when it replaces one.

    ``workflow_name`` is enough; ``id``, ``display_name``, ``description``, ``icon``, ``enabled``, ``visibility``,
    ``allowed_plans``, ``requires_superadmin`` and ``spec`` are those of a capability file. ``enterprise_id`` or ``app_id``,
    if given, must be this app's.
    """
    definition = _definition(body)
    for tenant in (definition.get("enterprise_id"), definition.get("app_id")):
        if tenant not in {None, "", person.app_id}:
            raise Forbidden(tr("Workflows can be registered for this app only."), code="OTHER_APP")
    capability, made = await service.register_workflow(person, definition, str(definition.get("version") or "")[:40])
    answer = {"success": True, "enterprise_id": person.app_id, "created": made, "workflow": _told(capability)}
    return JSONResponse(answer, 201 if made else 200)


@router.delete("/api/workflows/register/{workflow_name}")
async def unregister_workflow(person: Service, workflow_name: str) -> dict[str, Any]:
    """Forget a registered workflow. Its chats stay."""
    await service.unregister_workflow(person, workflow_name)
    return {"success": True, "workflow_name": workflow_name}


@router.get("/api/workflows/discover/{enterprise_id}")
async def discover_workflows(person: Person, enterprise_id: str) -> dict[str, Any]:
    """The workflows of this app that the caller may know about; another app's id is unknown here."""
    _own(person, enterprise_id)
    found = [_told(one.capability) | {"allowed": one.allowed, "reason": one.reason} for one in await service.offers(person)]
    return {"enterprise_id": enterprise_id, "workflows": found, "count": len(found)}


@router.get("/api/app/workflows/{enterprise_id}")
async def app_workflows(person: Owner, enterprise_id: str) -> dict[str, Any]:
    """For the owner: every workflow of the app, switched-off ones too, and where each comes from."""
    _own(person, enterprise_id)
    found = [_told(one.capability) | {"source": one.source} for one in await service.entries()]
    return {"enterprise_id": enterprise_id, "workflows": found, "count": len(found)}


@router.get("/api/workflows/{app_id}/available")
async def available_workflows(person: Person, app_id: str, user_id: str = "") -> dict[str, Any]:
    """Which workflows the caller may start now, and why not; in the shape of the runtime's own route."""
    _own(person, app_id)
    if user_id not in {"", person.user_id}:
        raise Forbidden(tr("You can ask for yourself only."), code="OTHER_USER")
    found = [
        {
            "workflow_name": offer.capability.workflow_id,
            "available": allowed,
            "reason": reason or None,
            "type": "primary",
            "description": offer.capability.description,
            "required_gates": [f"plan:{name}" for name in offer.capability.allowed_plans],
            "capability_id": offer.capability.id,
            "display_name": offer.capability.display_name,
        }
        for offer, allowed, reason in await service.available(person)
    ]
    return {"workflows": found}


def _own(person: Principal, app_id: str) -> None:
    if app_id != person.app_id:
        raise NotFound(tr("There is no such app here."), code="APP_NOT_FOUND")


def _told(capability: Capability) -> dict[str, Any]:
    return {
        "workflow_name": capability.workflow_id,
        "capability_id": capability.id,
        "display_name": capability.display_name,
        "description": capability.description,
        "icon": capability.icon,
        "enabled": capability.enabled,
        "visibility": capability.visibility,
        "allowed_plans": list(capability.allowed_plans),
    }


def _definition(body: Any) -> dict[str, Any]:
    """Fields of a capability, from what was sent; what is missing is made from the workflow's name."""
    if not isinstance(body, dict):
        raise BadRequest(tr("Send an object with workflow_name."))
    for wrapper in _WRAPPERS:
        if isinstance(body.get(wrapper), dict):
            body = {**body, **body[wrapper]}
            break
    name = next((body[key] for key in ("workflow_name", "workflow_id", "WorkflowName", "name") if body.get(key)), None)
    if not isinstance(name, str):
        raise BadRequest(tr("Send an object with workflow_name."))
    words = _WORDS.findall(name) or [name]
    made = {"id": "_".join(words).lower(), "display_name": " ".join(words).lower().capitalize()}
    given = {key: value for key, value in body.items() if value is not None and key not in _WRAPPERS}
    if isinstance(identifier := given.pop("capability_id", None), str):
        given.setdefault("id", identifier)
    return {**made, **given, "workflow_id": name}
