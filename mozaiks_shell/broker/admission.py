"""Who may start what (F-140, F-144, F-145, F-162): capabilities, roles, plans, restricted workflows, and how often."""

from dataclasses import dataclass

from mozaiks_shell.appconfig.capabilities import Capability, capabilities_now
from mozaiks_shell.billing import service as billing
from mozaiks_shell.broker import registry
from mozaiks_shell.foundation.access import Access, Decision, Principal
from mozaiks_shell.foundation.errors import Forbidden, NotFound, PlanNeeded, RoleNeeded, ShellError, TooMany
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings


@dataclass(frozen=True, slots=True)
class Offer:
    """A capability as one person sees it. ``needed`` is the plan or role that would open it."""

    capability: Capability
    decision: Decision

    @property
    def allowed(self) -> bool:
        """What a launch would answer."""
        return self.capability.enabled and self.decision.allowed

    @property
    def reason(self) -> str:
        """Why not, in a sentence; empty when it is allowed."""
        if self.allowed:
            return ""
        return (_refused(self.capability, self.decision) if self.capability.enabled else _off(self.capability)).message


async def offers(principal: Principal) -> list[Offer]:
    """Every enabled capability this person may know about, with the verdict of a launch (F-145).

    Entries for another role stay hidden; entries of another plan are shown locked.
    """
    if not get_settings().ai_enabled:
        return []
    await registry.refresh()
    seen = [Offer(one, await decide(principal, one)) for one in capabilities_now() if one.enabled]
    return [offer for offer in seen if offer.decision.reason != "role"]


async def decide(principal: Principal, capability: Capability) -> Decision:
    """What a launch of an enabled capability answers this person."""
    demands = [Access.signed_in()]
    if capability.requires_superadmin or capability.workflow_id in get_settings().restricted_workflows:
        demands.append(Access.role("superadmin"))
    if capability.visibility == "admin":
        demands.append(Access.role("admin"))
    if capability.allowed_plans:
        demands.append(Access.plan(*capability.allowed_plans))
    decision = Decision(True)
    for access in demands:
        decision = await billing.authorize(principal, access)
        if not decision.allowed:
            break
    return decision


async def capability_of(capability_id: str) -> Capability:
    """The enabled capability of this id.

    Raises:
        NotFound: there is none.
        Forbidden: it is switched off.
    """
    await registry.refresh()
    capability = next((one for one in capabilities_now() if one.id == capability_id), None)
    if capability is None:
        raise NotFound(tr("There is no such capability."), code="CAPABILITY_NOT_FOUND")
    if not capability.enabled:
        raise _off(capability)
    return capability


async def authorize_launch(principal: Principal, workflow: str, capability_id: str = "") -> Capability | None:
    """The capability under which this person may run the workflow; None for an admin and an unnamed workflow.

    Args:
        capability_id: Only this one counts, because it is what was asked for.

    Raises:
        PlanNeeded, RoleNeeded: a capability names it, but not for this person.
        Forbidden: the capability is switched off.
        NotFound: nobody named it, or not for this person's eyes.
    """
    await registry.refresh()
    named = [one for one in capabilities_now() if one.workflow_id == workflow and capability_id in {"", one.id}]
    refusal: ShellError | None = None
    for capability in named:
        if not capability.enabled:
            refusal = refusal or _off(capability)
            continue
        decision = await decide(principal, capability)
        if decision.allowed:
            return capability
        refusal = _refused(capability, decision)
    if refusal is not None:
        raise refusal
    if principal.has_role("admin"):
        return None
    raise NotFound(tr("There is no such workflow."), code="WORKFLOW_NOT_FOUND")


async def count_start(principal: Principal) -> None:
    """One start more of this person and of the app (F-166).

    Raises:
        TooMany: with the seconds to wait; a refused start is not counted for the person.
    """
    settings = get_settings()
    try:
        await hit("ai.start", principal.user_id, settings.starts_per_user)
    except TooMany as error:
        said = tr("You start chats faster than this app allows. Please wait a moment.")
        raise TooMany(said, retry_after=error.retry_after) from None
    try:
        await hit("ai.start.app", "", settings.starts_per_app)
    except TooMany as error:
        said = tr("Many people start chats right now. Please try again in a moment.")
        raise TooMany(said, retry_after=error.retry_after) from None


def _off(capability: Capability) -> Forbidden:
    return Forbidden(tr("{title} is switched off.", title=capability.display_name), code="CAPABILITY_DISABLED")


def _refused(capability: Capability, decision: Decision) -> ShellError:
    name = capability.display_name
    if decision.reason == "plan":
        message = tr("{title} is part of the plan {plan}.", title=name, plan=tr(decision.needed))
        return PlanNeeded(message, needed=decision.needed, capability=capability.id)
    return RoleNeeded(tr("{title} needs the role {role}.", title=name, role=tr(decision.needed)), needed=decision.needed)
