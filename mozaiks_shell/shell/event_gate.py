"""The event gate: no handler of any State runs before the person is known and allowed (D2, D3).

Reflex lets any socket call any handler by name, bound to a component or not. This middleware
sees every event first. It resolves the session anew from the handshake's cookie, throws away a
state tree that belonged to somebody else, and asks the one gate. Unknown means refused.
"""

from typing import Any, Final

import reflex as rx
from reflex.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from mozaiks_shell.billing.service import authorize
from mozaiks_shell.foundation import events, i18n
from mozaiks_shell.foundation.access import Access, Principal, set_principal
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.identity.service import cookie_in, principal_from
from mozaiks_shell.plugin_host.state import PluginHealth, plugin_gone
from mozaiks_shell.ui.payload import misfit
from mozaiks_shell.ui.state import HANDLER_ACCESS, ShellState

log = get_logger("event_gate")

# Reflex's own plumbing: it moves data the page already owns and calls no code of ours unasked.
FRAMEWORK_HANDLERS: Final = frozenset(
    {
        "hydrate",
        "hydrate_and_load",
        "set_is_hydrated",
        "on_load_internal",
        "update_vars_internal",
    }
)


def is_framework(event_name: str) -> bool:
    """True for the handlers that Reflex itself defines on its own States."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return (
        registered is not None
        and event_name.rpartition(".")[2] in FRAMEWORK_HANDLERS
        and registered.states[0].__module__.startswith("reflex.")
    )


def declared_access(event_name: str) -> Access | None:
    """What the handler behind this event name demands; None when nothing is declared.

    ``setvar``, which every State inherits, calls any ``set_*`` method by name and so past that method's own
    declaration: it has none and is refused.
    """
    if event_name.endswith(".setvar"):
        return None
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
        _speak(principal, state.router.headers)
        changed = await _bind(state, principal.session_id if principal else "")
        if is_framework(event.name):
            if principal and event.name.endswith(".hydrate_and_load"):
                await events.publish(events.Event("user.active", principal.app_id, principal.user_id))
            return None
        access = declared_access(event.name)
        if access is None:
            log.warning("event refused: no access declared", handler=event.name)
            return _out_of_service(event.name)
        try:
            checked(event.payload)
        except Invalid:
            log.warning("event refused: payload cannot be stored", handler=event.name)
            return StateUpdate()
        decision = await authorize(principal, access)
        if decision.allowed:
            handler = RegistrationContext.get().event_handlers[event.name].handler
            if why := misfit(handler.fn, event.payload):
                log.warning("event refused: the payload does not fit", handler=event.name, reason=why[:200])
                return StateUpdate()
            return None
        log.info("event refused", handler=event.name, reason=decision.reason)
        if changed and decision.reason == "sign_in":
            delta = await state._get_root_state()._get_resolved_delta()
            return StateUpdate(delta=delta, events=Event.from_event_type(rx.redirect("/sign-in")))
        return StateUpdate()


def _out_of_service(event_name: str) -> StateUpdate:
    """The plugin of the page one sits on went away meanwhile: its page is to say so. Nothing for everybody else."""
    if not plugin_gone(event_name):
        return StateUpdate()
    return StateUpdate(events=Event.from_event_type(PluginHealth.check()))


def _speak(principal: Principal | None, headers: Any) -> None:
    """Set the language of this event."""
    chosen = principal.locale if principal else ""
    locale = i18n.choose(chosen, cookie_in(headers.cookie, i18n.COOKIE), headers.accept_language)
    i18n.speak(locale, principal.timezone if principal else "")


async def _bind(state: BaseState, session_id: str) -> bool:
    """Tie the tab's state tree to the session; a tree of another session is emptied first.

    Whoever presents a tab's token inherits its tree, so without this the next person at the same
    browser would be sent the previous one's data.
    """
    base = await state.get_state(ShellState)
    if base._owner == session_id:
        return False
    if was_somebody := bool(base._owner):
        state._get_root_state().reset()
    base._owner = session_id
    return was_somebody
