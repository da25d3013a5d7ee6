"""What a person used, and what the app used (F-251)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.usage.service import Totals, totals

router = APIRouter(prefix="/api/usage")


def _body(sums: Totals) -> dict[str, Any]:
    return {
        "prompt_tokens": sums.prompt_tokens,
        "completion_tokens": sums.completion_tokens,
        "total_tokens": sums.prompt_tokens + sums.completion_tokens,
        "calls": sums.calls,
    }


@router.get("")
async def own(person: Annotated[Principal, Depends(needs(Access.signed_in()))]) -> dict[str, Any]:
    """Tokens of the caller."""
    return _body(await totals(person.app_id, person.user_id))


@router.get("/app")
async def whole_app(person: Annotated[Principal, Depends(needs(Access.role("admin")))]) -> dict[str, Any]:
    """Tokens of everybody; admins only."""
    return _body(await totals(person.app_id))
