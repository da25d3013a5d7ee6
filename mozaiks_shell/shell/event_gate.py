"""The event gate: no handler of any State runs before the person is known and allowed (D2, D3).

Reflex lets any socket call any handler by name, bound to a component or not. This middleware
sees every event first. It resolves the session anew from the handshake's cookie, throws away a
state tree that belonged to somebody else, and asks the one gate. Unknown means refused.
"""

from typing import Any, Final

from reflex.middleware import Middleware
from reflex.state import BaseState, State, StateUpdate
from reflex_base.registry import RegistrationContext

import reflex as rx
from mozaiks_shell.billing.service import authorize
from mozaiks_shell.foundation.access import Access, set_principal
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.identity.service import principal_from
from mozaiks_shell.ui.state import HANDLER_ACCESS, ShellState

log = get_logger("event_gate")

# Reflex's own plumbing: it moves data the page already owns and calls no code of ours unasked.
FRAMEWORK_HANDLERS: Final = frozenset(
    {
        "reflex___state____state.hydrate",
        "reflex___state____state.hydrate_and_load",
        "reflex___state____state.set_is_hydrated",
        "reflex___state____on_load_internal_state.on_load_internal",
        "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal",
        "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal",
    }
)


def declared_access(event_name: str) -> Access | None:
    """What the handler behind this event name demands; None when nothing is declared."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    if registered is None:
        return None
    own = getattr(registered.handler.fn, HANDLER_ACCESS, None)
    if own is not None:
        return own
    owner = registered.states[0]
    return owner.access if issubclass(owner, ShellState) else None


class EventGate(Middleware):
    """Install with ``app.add_middleware(EventGate(), index=0)``."""

    async def preprocess(self, app: Any, state: BaseState, event: Any) -> StateUpdate | None:
        """Return None to let the event run, or an update that replaces it."""
        principal = await principal_from(state.router.headers.cookie)
        set_principal(principal)
        owner = principal.session_id if principal else ""
        root: Any = state._get_root_state()
        if getattr(root, "_mozaiks_owner", owner) != owner:
            root.reset()
        root._mozaiks_owner = owner
        if event.name in FRAMEWORK_HANDLERS:
            return None
        access = declared_access(event.name)
        if access is None:
            log.warning("event refused: no access declared", handler=event.name)
            return StateUpdate()
        decision = await authorize(principal, access)
        if decision.allowed:
            return None
        log.info("event refused", handler=event.name, reason=decision.reason)
        if decision.reason == "sign_in" and principal is None and state.router.headers.cookie:
            return StateUpdate(events=rx.event.fix_events([rx.redirect("/sign-in")], token=""))
        return StateUpdate()


__all__ = ["FRAMEWORK_HANDLERS", "EventGate", "State", "declared_access"]
