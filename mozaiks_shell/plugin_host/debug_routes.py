"""``GET /api/debug/plugin-status``: all at once, for administrators, where the operator turned it on (F-100)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import meter, registry, worker
from mozaiks_shell.plugin_host.reports import report_of

router = APIRouter(prefix="/debug", tags=["plugins"])  # beneath /api, see routes.py


@router.get("/plugin-status")
async def status(_: Annotated[Principal, Depends(needs(Access.role("admin")))]) -> dict[str, Any]:
    """State, reasons, faults, timings, calls and worker processes of every plugin; 404 unless switched on."""
    settings = get_settings()
    if not settings.debug_endpoints:
        raise NotFound("There is nothing here.")
    return {
        "limits": {
            "timeout_seconds": settings.plugin_timeout,
            "concurrency": settings.plugin_concurrency,
            "faults": settings.plugin_fault_limit,
            "fault_minutes": settings.plugin_fault_minutes,
            "stall_seconds": settings.plugin_stall_seconds,
        },
        "plugins": [
            {"report": report_of(plugin), "calls": meter.figures(plugin.name), "workers": worker.processes(plugin)}
            for plugin in registry.all_plugins()
        ],
    }
