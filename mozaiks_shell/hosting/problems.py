"""Errors on the wire: RFC 9457 problem details plus the legacy ``detail`` field (D12)."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host.faults import blamed

log = get_logger("api")


def problem(status: int, code: str, message: str, **details: object) -> JSONResponse:
    """A problem document. ``detail`` is what older clients read, ``code`` what an operator searches for."""
    body = {"type": f"urn:mozaiks:error:{code.lower()}", "title": code.replace("_", " ").capitalize(), "status": status}
    return JSONResponse({**body, "code": code, "detail": message, **details}, status, media_type="application/problem+json")


def install(api: FastAPI) -> None:
    """Register the handlers on the API."""

    @api.exception_handler(ShellError)
    async def shell_error(request: Request, error: ShellError) -> JSONResponse:
        if error.status >= 500:
            log.warning("request failed", path=request.url.path, code=error.code, reason=error.message)
        response = problem(error.status, error.code, error.message, **error.details)
        if isinstance(error, TooMany):
            response.headers["retry-after"] = str(error.retry_after)
        return response

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]} for one in error.errors()]
        return problem(422, "VALIDATION_ERROR", "; ".join(f"{one['field']}: {one['message']}" for one in errors), errors=errors)

    @api.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, f"HTTP_{error.status_code}", str(error.detail))

    @api.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", path=request.url.path, exc_info=error)
        blamed(error, "route", request.scope.get("endpoint"))
        return problem(500, "INTERNAL_ERROR", "Something went wrong on our side.")
