"""Liveness, readiness and identity of this process, for anyone (F-272)."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text

import mozaiks_shell
from mozaiks_shell.foundation.db import engine
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.state import process

router = APIRouter()


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
            async with engine().connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001 - any driver error means the same here
            reason = f"database: {type(error).__name__}"
    if reason:
        response.status_code = 503
        return {"status": "not_ready", "reason": reason, "app_id": settings.app_id}
    return {"status": "ready", "app_id": settings.app_id, "app_tier": settings.app_tier}


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
