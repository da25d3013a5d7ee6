"""HTTP of the plugin host: list, execute, the plugins' own routes, the operator's view."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from starlette.exceptions import WebSocketException
from starlette.routing import BaseRoute

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.json_text import NotJson, read_json
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import registry, service
from mozaiks_shell.plugin_host.errors import BadRequest, Cause, PluginFailed, PluginProblem
from mozaiks_shell.plugin_host.loader import quarantine
from mozaiks_shell.plugin_host.startup import Lock, retry

STATUS = {"FEATURE_GATED": 403, "LIMIT_EXCEEDED": 429, "ENTITLEMENT_ERROR": 503, "NOT_FOUND": 404, "VALIDATION_ERROR": 422}

router = APIRouter(prefix="/api", tags=["plugins"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]


@router.get("/plugins")
@router.get("/available-plugins")
async def list_plugins(person: Person) -> dict[str, Any]:
    """The plugins the caller may use."""
    return {"plugins": await service.plugins(person)}


@router.get("/check-plugin-access/{name}")
async def check_access(name: str, person: Person) -> dict[str, Any]:
    """Whether the caller's next ``execute`` would get past the gate."""
    decision = await service.decide(service.plugin(name), person)
    return {"plugin": name, "access": decision.allowed, **({"needed": decision.needed} if decision.needed else {})}


@router.post("/execute/{name}")
async def execute(name: str, request: Request) -> Response:
    """Run a plugin with the JSON object of the body; answers its dict.

    An answer with ``error_code`` gets that code's status (F-071); any other ``error`` is a 400.
    """
    person = current_principal()
    await service.demand_plugin(name, person)
    result = await service.execute(name, await _json_object(request), person)
    try:
        return _answer(jsonable_encoder(result))
    except Exception as error:  # something of the plugin's own that cannot be written: an object, NaN, half a character
        raise PluginFailed("The plugin gave no usable answer.", code="PLUGIN_BAD_ANSWER") from error


def _answer(body: dict[str, Any]) -> Response:
    if not body.get("error"):
        return JSONResponse(body)
    code = str(body.get("error_code") or "PLUGIN_ERROR")
    return JSONResponse({**body, "code": code, "detail": str(body["error"])}, STATUS.get(code, 400))


@router.get("/admin/plugins")
async def reports(_: Annotated[Principal, Depends(needs(Access.role("admin")))]) -> dict[str, Any]:
    """Every plugin in every state, with reasons."""
    return {"plugins": service.plugin_reports()}


def admin_routes(lock: Lock) -> APIRouter:
    """The operator's retry, which migrates under the given lock."""
    admin = APIRouter(prefix="/api/admin/plugins", tags=["plugins"])

    @admin.post("/{name}/retry")
    async def retry_plugin(name: str, _: Annotated[Principal, Depends(needs(Access.role("admin")))]) -> dict[str, Any]:
        """Start a plugin again whose migration or on_init failed; 409 when only a restart helps."""
        await retry(name, get_settings(), lock)
        return {"plugin": next(one for one in service.plugin_reports() if one.name == name)}

    return admin


def mount_plugins(api: FastAPI) -> None:
    """Mount the routes of every loaded plugin under ``/api/plugins/<name>``, behind its gate.

    Call after the core's routers are included and before the pages are mounted: a plugin whose route
    is taken goes to quarantine, pages and all.
    """
    for plugin in registry.all_plugins():
        if not plugin.live or plugin.router is None:
            continue
        prefix = f"/api/plugins/{plugin.name}"
        if clash := _clash(api, plugin.router, prefix):
            quarantine(
                plugin, PluginProblem(Cause.ROUTE_CLASH, f"{clash} is taken by the shell and again by {plugin.name}", "routes.py")
            )
            continue
        api.include_router(plugin.router, prefix=prefix, tags=[plugin.name], dependencies=[Depends(_gate(plugin.name))])


def _gate(name: str) -> Any:
    async def gate(connection: HTTPConnection) -> None:
        if connection.scope["type"] == "websocket":
            if connection.headers.get("origin", "") not in get_settings().allowed_origins:
                raise WebSocketException(4003, "origin")
            if current_principal() is None and service.plugin(name).demands.kind != "public":
                raise WebSocketException(4001, "sign in")
        await service.demand_plugin(name, current_principal())

    return gate


def _clash(api: FastAPI, router: APIRouter, prefix: str) -> str:
    """The first path of the router that the API already answers; empty when there is none."""
    taken = {key for route in api.routes for key in _keys(route, "")}
    return next((path for route in router.routes for path, method in _keys(route, prefix) if (path, method) in taken), "")


def _keys(route: BaseRoute, prefix: str) -> set[tuple[str, str]]:
    path = prefix + getattr(route, "path", "")
    return {(path, method) for method in getattr(route, "methods", None) or {"WS"}}


async def _json_object(request: Request) -> dict[str, Any]:
    """The body as a dict. The Gatekeeper bounds its size (F-074).

    Raises:
        BadRequest: not a JSON object.
        Invalid: nested too deep, or text that cannot be stored.
    """
    try:
        data = read_json(await request.body())
    except NotJson:
        data = None
    if not isinstance(data, dict):
        raise BadRequest("The body must be a JSON object.")
    return data
