"""Liveness, readiness and identity of this process, for anyone (F-272)."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import text

import mozaiks_shell
from mozaiks_shell.appconfig.brand import app_for_host, brand
from mozaiks_shell.broker.standing import standing
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.db import engine
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.documents import Reader, boot, brand_words
from mozaiks_shell.hosting.state import process

router = APIRouter()

DATABASE_SECONDS = 5.0  # a database that hangs is down, too


@router.get("/health")
@router.get("/api/health")
async def health() -> dict[str, Any]:
    """The process runs. Never asks another system."""
    settings = get_settings()
    return {
        "status": "healthy",
        "app_id": settings.app_id,
        "app_tier": settings.app_tier,
        "plugins_loaded": process.plugins_loaded,
    }


@router.get("/ready")
async def ready(response: Response) -> dict[str, Any]:
    """200 when requests can be served, else 503 with the reason."""
    settings = get_settings()
    reason = process.not_ready
    if not reason:
        try:
            async with asyncio.timeout(DATABASE_SECONDS), engine().connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001 - any driver error means the same here
            reason = f"database: {type(error).__name__}"
    if reason:
        response.status_code = 503
        return {"status": "not_ready", "reason": reason, "app_id": settings.app_id}
    return {
        "status": "ready",
        "app_id": settings.app_id,
        "app_tier": settings.app_tier,
        "details": {"runtime": standing().state},  # an app without its agents still serves everything else (F-163)
    }


@router.get("/info")
async def info() -> dict[str, Any]:
    """Who this is."""
    settings = get_settings()
    return {
        "app_id": settings.app_id,
        "app_tier": settings.app_tier,
        "app_name": process.app_name,
        "port": settings.port,
        "ready": not process.not_ready,
        "version": mozaiks_shell.__version__,
    }


@router.get("/brand/boot.js")
async def boot_script(request: Request) -> Response:
    """What a served page is told in ``#mz-boot``, as a script: in development the page comes from Vite and asks for it."""
    told = boot(Reader(i18n.current_locale()), brand_words(brand(app_for_host(request.headers.get("host", "")))))
    data = json.dumps(told, separators=(",", ":"))
    script = f"window.mzBoot={data};Object.assign(document.documentElement,{{lang:mzBoot.locale,dir:mzBoot.dir}})"
    return Response(script, media_type="text/javascript", headers={"cache-control": "no-store"})
