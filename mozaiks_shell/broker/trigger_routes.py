"""The rules of ``triggers.json`` and their latest calls, for administrators (F-156, F-157)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from mozaiks_shell.appconfig.triggers_config import triggers_config
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.broker import triggers
from mozaiks_shell.foundation.access import Access, Principal

router = APIRouter(prefix="/api/admin/triggers", tags=["triggers"])
Operator = Annotated[Principal, Depends(needs(Access.role("admin")))]


@router.get("")
async def rules(operator: Operator, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> dict[str, Any]:
    """The rules as they are read now, and the latest calls, newest first."""
    known = [rule.model_dump(mode="json") for rule in triggers_config().triggers]
    return {"triggers": known, "runs": await triggers.runs(operator.app_id, limit)}
