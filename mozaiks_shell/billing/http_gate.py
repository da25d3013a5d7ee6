"""The gate as a FastAPI dependency: ``person: Annotated[Principal, Depends(needs(Access.signed_in()))]``."""

from collections.abc import Awaitable, Callable

from mozaiks_shell.billing.service import demand
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotSignedIn


def needs(access: Access) -> Callable[[], Awaitable[Principal]]:
    """A dependency that lets the request through and returns the person, or raises what says why not (D2).

    The person was resolved by the Gatekeeper; with :meth:`Access.public` use no dependency at all.

    Raises (at request time):
        NotSignedIn, RoleNeeded, PlanNeeded.
    """

    async def guard() -> Principal:
        principal = await demand(access)
        if principal is None:
            raise NotSignedIn("Sign in to continue.")
        return principal

    return guard
