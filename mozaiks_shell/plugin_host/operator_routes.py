"""The operator's plugins over HTTP: list, one, switch on and off, retry, look again, log. For administrators only."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.plugin_host import journal, meter, operations
from mozaiks_shell.plugin_host.reports import plugin_reports

router = APIRouter(prefix="/admin/plugins", tags=["plugins"])  # beneath /api, see routes.py
Operator = Annotated[Principal, Depends(needs(Access.role("admin")))]


@router.get("")
async def reports(_: Operator) -> dict[str, Any]:
    """Every plugin in every state, with reasons."""
    return {"plugins": plugin_reports()}


@router.post("/rescan")
async def rescan(operator: Operator) -> dict[str, Any]:
    """Look at the plugins folders again: ``{new, gone, changed}`` by name. What is new is loaded by the next start."""
    return {**asdict(await operations.rescan(operator)), "plugins": plugin_reports()}


@router.get("/{name}")
async def one(name: str, _: Operator) -> dict[str, Any]:
    """One plugin, with the figures of its latest calls."""
    return {"plugin": operations.report(name), "calls": meter.figures(name)}


@router.post("/{name}/enable")
async def enable(name: str, operator: Operator) -> dict[str, Any]:
    """Switch it on, for good. ``needs_restart`` in the answer: from the next start. 409 in safe mode."""
    return {"plugin": await operations.enable(name, operator)}


@router.post("/{name}/disable")
async def disable(name: str, operator: Operator) -> dict[str, Any]:
    """Switch it off, for good and at once; its data stays."""
    return {"plugin": await operations.disable(name, operator)}


@router.post("/{name}/retry")
async def retry(name: str, operator: Operator) -> dict[str, Any]:
    """Start it again; 409 when it is not in quarantine or only a restart helps."""
    return {"plugin": await operations.retry(name, operator)}


@router.get("/{name}/logs")
async def logs(
    name: str, _: Operator, limit: Annotated[int, Query(ge=1, le=journal.LINES)] = journal.LINES
) -> dict[str, Any]:  # fmt: skip
    """The latest log lines about it, oldest first, without secrets."""
    operations.report(name)
    return {"lines": journal.lines(name, limit)}
