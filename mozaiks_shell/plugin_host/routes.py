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
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import NotJson, read_json
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import registry, service
from mozaiks_shell.plugin_host.debug_routes import router as debug_router
from mozaiks_shell.plugin_host.errors import BadRequest, Cause, PluginFailed, PluginProblem
from mozaiks_shell.plugin_host.guards import guard_routes
from mozaiks_shell.plugin_host.loader import quarantine
from mozaiks_shell.plugin_host.operator_routes import router as operator_router

_OF_PLUGIN = "__mozaiks_plugin__"  # on what is mounted: whose routes they are
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
        raise PluginFailed(tr("The plugin gave no usable answer."), code="PLUGIN_BAD_ANSWER") from error


def _answer(body: dict[str, Any]) -> Response:
    if not body.get("error"):
        return JSONResponse(body)
    code = str(body.get("error_code") or "PLUGIN_ERROR")
    return JSONResponse({**body, "code": code, "detail": str(body["error"])}, STATUS.get(code, 400))


router.include_router(operator_router)
router.include_router(debug_router)


def mount_plugins(api: FastAPI) -> None:
    """Mount the routes of every loaded plugin under ``/api/plugins/<name>``, behind its gate.

    Call after the core's routers are included and before the pages are mounted: a plugin whose route
    is taken goes to quarantine, pages and all.
    """
    for plugin in registry.all_plugins():
        if plugin.live and plugin.router is not None and (problem := _mount(api, plugin, plugin.router)):
            quarantine(plugin, problem)


def remount_plugin(api: FastAPI, name: str) -> None:
    """Let the API answer what the plugin's code says now, after it was replaced or removed. Requests that run end as they began.

    Raises:
        PluginProblem: a path is taken; then the plugin has no routes.
    """
    plugin = registry.find(name)
    api.router.routes[:] = [one for one in api.router.routes if getattr(one, _OF_PLUGIN, "") != name]
    standing = len(api.router.routes)
    problem = _mount(api, plugin, plugin.router) if plugin and plugin.live and plugin.router is not None else None
    fresh = api.router.routes[standing:]
    del api.router.routes[standing:]
    api.router.routes[:0] = fresh  # before the pages, which are mounted at the end and answer everything
    if problem is not None:
        raise problem


def _mount(api: FastAPI, plugin: registry.Plugin, own: APIRouter) -> PluginProblem | None:
    prefix = f"/api/plugins/{plugin.name}"
    if clash := _clash(api, own, prefix):
        return PluginProblem(Cause.ROUTE_CLASH, f"{clash} is taken by the shell and again by {plugin.name}", "routes.py")
    guarded, standing = guard_routes(plugin, own), len(api.router.routes)
    api.include_router(guarded, prefix=prefix, tags=[plugin.name], dependencies=[Depends(_gate(plugin.name))])
    for one in api.router.routes[standing:]:
        setattr(one, _OF_PLUGIN, plugin.name)
    return None


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
    near = [route for route in api.routes if getattr(route, "path", "").startswith(prefix)]
    taken = {key for route in near for key in _keys(route, "")}
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
        raise BadRequest(tr("The body must be a JSON object."))
    return data
