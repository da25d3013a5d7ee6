"""Engagement figures for admins (F-238, schema version 2)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.insights.service import engagement

router = APIRouter(prefix="/__mozaiks/admin/analytics")


@router.get("/kpis")
async def kpis(person: Annotated[Principal, Depends(needs(Access.role("admin")))]) -> dict[str, Any]:
    """People: total, daily, weekly, monthly, new, stickiness."""
    figures = await engagement()
    return {
        "schema_version": 2,
        "app_id": person.app_id,
        "generated_at": now().isoformat(),
        "engagement": {
            "total_users": figures.total_users,
            "dau": figures.dau,
            "mau": figures.mau,
            "active_users_7d": figures.active_users_7d,
            "new_users_7d": figures.new_users_7d,
            "stickiness_dau_mau": figures.stickiness_dau_mau,
        },
    }
