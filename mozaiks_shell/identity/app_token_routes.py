"""App tokens over HTTP, for administrators (F-158): list, create, revoke."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import RoleNeeded
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.identity import app_tokens
from mozaiks_shell.identity.web import signed_in

router = APIRouter(prefix="/api/admin/app-tokens", tags=["app tokens"])


def operator(person: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Dependency: an administrator.

    Raises:
        NotSignedIn, RoleNeeded.
    """
    if not person.has_role("admin"):
        raise RoleNeeded(tr("Only administrators may do this."), needed="admin")
    return person


Operator = Annotated[Principal, Depends(operator)]


class Wish(BaseModel):
    """A wished token. ``acts_for`` is the id of a person; empty: the app itself."""

    name: str = Field(max_length=80)
    scopes: list[str] = Field(max_length=50)
    days: float = 90.0
    acts_for: str = Field("", max_length=64)


@router.get("")
async def tokens(person: Operator) -> dict[str, Any]:
    """Every token, newest first, without secrets."""
    return {"tokens": await app_tokens.listing(person)}


@router.post("", status_code=201)
async def create(person: Operator, wish: Wish) -> dict[str, Any]:
    """Make a token. ``token`` in the answer is the secret; it is shown this once."""
    secret, described = await app_tokens.create(person, wish.name, wish.scopes, days=wish.days, acts_for=wish.acts_for)
    return {"token": secret, **described}


@router.delete("/{token_id}", status_code=204)
async def revoke(person: Operator, token_id: str) -> None:
    """End a token at once."""
    await app_tokens.revoke(person, token_id)
