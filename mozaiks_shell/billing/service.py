"""Use cases of billing. :func:`authorize` is the one gate that page, handler, API and plugin action ask."""

from mozaiks_shell.foundation.access import Access, Decision, Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn, PlanNeeded, RoleNeeded


async def authorize(principal: Principal | None, access: Access) -> Decision:
    """Decide whether this person may do what ``access`` guards (D2)."""
    if access.kind == "public":
        return Decision(True)
    if principal is None:
        return Decision(False, "sign_in")
    if access.kind == "role":
        return Decision(True) if principal.has_role(*access.names) else Decision(False, "role", " or ".join(access.names))
    return Decision(True)


async def demand(access: Access) -> Principal | None:
    """The current person, or the error that says why not.

    Raises:
        NotSignedIn, RoleNeeded, PlanNeeded: as decided by :func:`authorize`.
    """
    principal = current_principal()
    decision = await authorize(principal, access)
    if decision.allowed:
        return principal
    if decision.reason == "sign_in":
        raise NotSignedIn("Sign in to continue.")
    if decision.reason == "role":
        raise RoleNeeded(f"This needs the role {decision.needed}.", needed=decision.needed)
    raise PlanNeeded(f"This is part of the plan {decision.needed}.", needed=decision.needed)
