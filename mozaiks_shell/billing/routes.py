"""HTTP API of billing. Thin: parse, call the service, answer."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing import service
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import TooLarge

router = APIRouter(prefix="/api")

Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Admin = Annotated[Principal, Depends(needs(Access.role("admin")))]
Name = Annotated[str, Field(min_length=1, max_length=64)]

MAX_WEBHOOK = 1_000_000  # bytes; Stripe's events are far smaller


class NewPlan(BaseModel):
    """Body of ``POST /api/update-subscription``."""

    new_plan: Name


class WantedPlan(BaseModel):
    """Body of ``POST /api/billing/checkout``."""

    plan: Name


class GivenPlan(BaseModel):
    """Body of the administrator's route. ``until`` with a zone; None: for good."""

    plan: Name
    until: AwareDatetime | None = None


@router.get("/subscription-plans")
async def plans() -> dict[str, Any]:
    """The catalogue, for anyone (F-104)."""
    return catalogue().public()


@router.get("/user-subscription")
async def mine(person: Person) -> dict[str, Any]:
    """What I have (F-105)."""
    return await service.describe(person)


@router.post("/update-subscription")
async def update(body: NewPlan, person: Person) -> dict[str, Any]:
    """Switch the plan: at once where that is allowed, else ``{checkout_url}`` (F-109)."""
    url = await service.choose_plan(person, body.new_plan)
    return {"checkout_url": url} if url else await service.describe(person)


@router.post("/cancel-subscription")
async def cancel(person: Person) -> dict[str, Any]:
    """Cancel at the period's end; the answer says until when access stays (F-110)."""
    await service.cancel(person)
    return await service.describe(person)


@router.get("/billing/history")
async def history(person: Person) -> dict[str, Any]:
    """My changes, newest first (F-111)."""
    return {"history": await service.history(person)}


@router.post("/billing/checkout")
async def checkout(body: WantedPlan, person: Person) -> dict[str, str]:
    """Where to pay (F-126)."""
    return {"url": await service.checkout(person, body.plan)}


@router.post("/billing/portal")
async def portal(person: Person) -> dict[str, str]:
    """Where to manage cards and invoices (F-128)."""
    return {"url": await service.portal(person)}


@router.post("/billing/users/{user_id}/plan")
async def give(user_id: str, body: GivenPlan, admin: Admin) -> dict[str, Any]:
    """An administrator sets somebody's plan; recorded with their name."""
    until: datetime | None = body.until
    await service.set_plan(admin, user_id, body.plan, until)
    return {"user_id": user_id, "plan": body.plan, "until": until.isoformat() if until else None}


@router.post("/billing/webhook/{seller}")
async def webhook(request: Request, seller: str) -> dict[str, str]:
    """The payment service's events. Signed over the raw body; no cookie, no session (F-098, F-127)."""
    header = service.webhook_header(seller)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_WEBHOOK:
            raise TooLarge("A webhook of this size is refused.")
    return {"outcome": await service.receive(bytes(body), request.headers.get(header, ""))}
